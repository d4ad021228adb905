"""The clients themselves: Argo's metric providers and Flagger's callers, in Go."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.sources import recording as recordings
from tests.support.argo import documents
from tests.support.corpus import RECORDINGS, run
from tests.support.programs import BUILDS_WITHIN_S, Program, built
from tests.support.service import Client, serving

HERE = Path(__file__).parent
DEPLOY = HERE.parents[1] / "deploy"
VERDICTS = {"err1-1": "fail", "aa-1": "pass", "aa-7": "inconclusive"}
PHASES = {"fail": "Failed", "pass": "Successful", "inconclusive": "Inconclusive"}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(BUILDS_WITHIN_S)]


@pytest.fixture(scope="session")
def argo(builds: Path) -> Program:
    return built("argo", builds)


@pytest.fixture(scope="session")
def flagger(builds: Path) -> Program:
    return built("flagger", builds)


@pytest.fixture
def deployed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Client, str]]:
    """Serve one recorded rollout, at the moment of its end."""
    name = request.param
    text = (RECORDINGS / "canary.yaml").read_text()
    # What the shipped templates cannot know is a variable of the test's configuration alone.
    (tmp_path / "shop.yaml").write_text(text.replace("run: null", f"run: {name}"))
    tape = recordings.load(RECORDINGS / name)
    with serving(
        tmp_path, connect=lambda _: tape, clock=lambda: run(name).end + 60.0, budget_s=30.0
    ) as client:
        yield client, name


def template(name: str, values: dict[str, str], **body: Any) -> dict[str, Any]:
    """Fill a shipped template in as the controller does."""
    (document,) = documents(DEPLOY / "argo" / f"{name}.yaml")
    metric = document["spec"]["metrics"][0]
    if "web" in metric["provider"]:
        metric["provider"]["web"]["jsonBody"] |= body
    filled = re.sub(r"{{\s*args\.([\w-]+)\s*}}", lambda m: values[m[1]], json.dumps(metric))
    told: dict[str, Any] = json.loads(filled)
    return told


def values(client: Client) -> dict[str, str]:
    return {
        "judge-url": client.url,
        "config": "shop",
        "namespace": "shop",
        "rollout": "checkout",
        "revision": "3",
        "step": "at-10",
        "baseline-hash": "5d4c",
        "canary-hash": "7f9b",
        "lookback": "4m",
        "planned": "4m",
        "token": "t",
    }


def over_the_run(name: str) -> dict[str, Any]:
    one = run(name)
    return {
        "lookback": "",
        "planned": "",
        "start": str(one.start),
        "end": str(one.end),
        "variables": {"run": name},
    }


@pytest.mark.parametrize("deployed", VERDICTS, indirect=True)
@pytest.mark.parametrize("name", ["sync", "poll"])
def test_argos_web_provider_reaches_the_phase_of_the_verdict(
    argo: Program, deployed: tuple[Client, str], name: str
) -> None:
    client, rollout = deployed
    metric = template(name, values(client), **over_the_run(rollout), mode="sync")

    measured = argo(metric)

    assert measured["phase"] == PHASES[VERDICTS[rollout]], measured
    score, verdict, reason, url = json.loads(measured["value"])
    assert verdict == VERDICTS[rollout]
    assert isinstance(score, (int, float))
    assert reason
    assert client.get(url.removeprefix(client.url)).status == 200


@pytest.mark.parametrize("deployed", ["err1-1"], indirect=True)
def test_argos_web_provider_calls_an_unknown_configuration_an_error(
    argo: Program, deployed: tuple[Client, str]
) -> None:
    client, rollout = deployed
    metric = template("sync", values(client) | {"config": "none"}, **over_the_run(rollout))

    measured = argo(metric)

    assert measured["phase"] == "Error"
    assert "404" in measured["message"]


@pytest.mark.parametrize("deployed", VERDICTS, indirect=True)
def test_argos_kayenta_provider_reaches_the_phase_of_the_verdict(
    argo: Program, deployed: tuple[Client, str]
) -> None:
    client, rollout = deployed
    metric = template("kayenta", values(client))
    provider = metric["provider"]["kayenta"]
    provider["address"] = f"{client.url}/kayenta"
    one = run(rollout)
    provider["lookback"] = False
    for scope in provider["scopes"]:
        for side in ("controlScope", "experimentScope"):
            scope[side] |= {"start": iso(one.start), "end": iso(one.end)}

    measured = argo(metric)

    assert measured["phase"] == PHASES[VERDICTS[rollout]], measured


def iso(epoch_s: float) -> str:
    from analysis.window import as_datetime

    return as_datetime(epoch_s).isoformat().replace("+00:00", "Z")


def canary() -> dict[str, Any]:
    (document, _) = documents(DEPLOY / "flagger" / "canary.yaml")
    told: dict[str, Any] = document
    told["status"] = {"lastAppliedSpec": "85d557f47b"}
    return told


@pytest.mark.parametrize("deployed", ["err1-1"], indirect=True)
def test_flagger_is_let_through_held_and_rolled_back_by_the_shipped_hooks(
    flagger: Program, deployed: tuple[Client, str]
) -> None:
    client, _ = deployed
    document = canary()
    hooks = {hook["type"]: hook for hook in document["spec"]["analysis"]["webhooks"]}

    def call(kind: str) -> str:
        path = hooks[kind]["url"].rpartition("/flagger/")[2]
        hook = hooks[kind] | {"url": f"{client.url}/flagger/{path}", "metadata": {"config": "shop"}}
        told: str = flagger({"canary": document, "webhook": hook})["refused"]
        return told

    assert call("pre-rollout") == ""
    assert call("confirm-traffic-increase") == ""  # the first call lets traffic come
    assert "running: " in call("confirm-traffic-increase")
    assert call("rollback") != ""  # a refusal: do not roll back
    assert call("post-rollout") == ""


@pytest.mark.parametrize("deployed", ["aa-1"], indirect=True)
def test_flaggers_metric_provider_reads_the_facade(
    flagger: Program, deployed: tuple[Client, str]
) -> None:
    client, _ = deployed
    client.call(
        "POST",
        "/flagger/start",
        json={"name": "checkout", "namespace": "shop", "metadata": {"config": "shop"}},
    )
    provider = {"type": "prometheus", "address": f"{client.url}/prom"}
    query = 'serinus_verdict{namespace="shop", target="checkout"}'

    told = flagger({"provider": provider, "query": query})

    assert told == {"refused": "", "online": True, "value": 0}
