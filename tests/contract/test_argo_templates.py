"""The shipped manifests, under Argo's own rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from analysis.cli.judge import command as judge
from analysis.service import answers
from analysis.service.requests import StartRequest
from analysis.service.routes.analyses import KEY
from analysis.store import Record, Status
from tests.support.argo import (
    ERROR_RETRY_S,
    Reply,
    documents,
    duration_s,
    lasts_s,
    refusals,
    run_metric,
    used_arguments,
)

DEPLOY = Path(__file__).parents[2] / "deploy"
ARGO = DEPLOY / "argo"
TEMPLATES = {
    path.stem: document
    for path in sorted(ARGO.glob("*.yaml"))
    for document in documents(path)
    if document.get("kind") == "ClusterAnalysisTemplate"
}
METRICS = {name: template["spec"]["metrics"][0] for name, template in TEMPLATES.items()}
WEB = {name: metric for name, metric in METRICS.items() if "web" in metric["provider"]}


def told(verdict: str | None, status: Status = Status.COMPLETED) -> Reply:
    """Answer as the service does."""
    record = Record(
        id="1" * 28,
        key="k",
        generation=1,
        identity="",
        config="shop",
        version="",
        config_text="",
        namespace="",
        request={},
        warnings=(),
        status=status,
        verdict=verdict,
        score=None,
        summary="p95 rose <14 %> & more",
        report=None,
        looks=1,
        due=0.0,
        created=0.0,
        updated=0.0,
    )
    return Reply(
        status=202 if answers.said(record) == "running" else 200,
        body={"argo": answers.argo(record, "http://judge")},
    )


RUNNING = told(None, Status.RUNNING)
DOWN = Reply(status=0)
PASS, FAIL, INCONCLUSIVE = told("pass"), told("fail"), told("inconclusive")


def ended(name: str, *replies: Reply | Iterable[Reply]) -> str:
    each = ([one] if isinstance(one, Reply) else one for one in replies)
    return run_metric(METRICS[name], chain.from_iterable(each)).phase


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_declares_what_it_uses_and_uses_what_it_declares(name: str) -> None:
    spec = TEMPLATES[name]["spec"]
    declared = {one["name"] for one in spec["args"]}

    assert used_arguments(spec["metrics"]) == declared


@pytest.mark.parametrize("name", WEB)
def test_a_template_gives_three_outcomes_and_bears_an_outage(name: str) -> None:
    metric = WEB[name]

    assert {"successCondition", "failureCondition"} <= set(metric)
    assert re.fullmatch(r"{\$\.\w+}", metric["provider"]["web"]["jsonPath"])
    assert metric["consecutiveErrorLimit"] >= 30
    assert metric["provider"]["web"]["method"] == "PUT"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_keeps_the_rules_that_argo_checks(name: str) -> None:
    metric = METRICS[name]

    assert refusals(metric) == []
    if metric.get("inconclusiveLimit", 0):
        assert metric["consecutiveSuccessLimit"] == 1  # or `running` for ever ends successful


@pytest.mark.parametrize("name", WEB)
def test_what_a_template_sends_is_a_request_that_the_service_knows(name: str) -> None:
    web = WEB[name]["provider"]["web"]
    values = {one["name"]: str(one.get("value", "x")) for one in TEMPLATES[name]["spec"]["args"]}

    def filled(text: str) -> str:
        return re.sub(r"{{args\.([\w-]+)}}", lambda m: values[m[1]], text)

    body: dict[str, Any] = json.loads(filled(json.dumps(web["jsonBody"])))
    request = StartRequest.model_validate(body)

    assert request.sides()["canary"]["hash"] == "x"
    assert re.fullmatch(KEY, filled(web["url"]).rpartition("/")[2])
    if request.budget is not None:
        assert request.budget.total_seconds() < web["timeoutSeconds"]


@pytest.mark.parametrize("name", WEB)
@pytest.mark.parametrize(
    ("last", "phase"), [(PASS, "Successful"), (FAIL, "Failed")], ids=["pass", "fail"]
)
def test_a_verdict_ends_the_run(name: str, last: Reply, phase: str) -> None:
    assert ended(name, last) == phase


def test_poll_waits_for_a_verdict_and_takes_it() -> None:
    assert ended("poll", repeat(RUNNING, 60), PASS) == "Successful"
    assert ended("poll", repeat(RUNNING, 60), FAIL) == "Failed"
    assert ended("poll", repeat(INCONCLUSIVE, 60), FAIL) == "Failed"


def test_what_never_decides_pauses_the_rollout_and_never_promotes_it() -> None:
    assert ended("poll", repeat(RUNNING, 1000)) == "Inconclusive"
    assert ended("poll", repeat(INCONCLUSIVE, 1000)) == "Inconclusive"
    assert ended("sync", INCONCLUSIVE) == "Inconclusive"
    assert ended("sync", RUNNING) == "Inconclusive"


@pytest.mark.parametrize("name", WEB)
def test_an_outage_of_a_minute_changes_nothing(name: str) -> None:
    # Errors are retried every ten seconds; a restart looks the same, only shorter.
    assert ended(name, repeat(DOWN, 6), PASS) == "Successful"
    assert ended(name, repeat(DOWN, 6), FAIL) == "Failed"


def test_a_restart_in_the_middle_goes_on_where_it_was() -> None:
    assert ended("poll", repeat(RUNNING, 10), repeat(DOWN, 3), RUNNING, FAIL) == "Failed"


def test_a_database_outage_is_borne_as_any_other() -> None:
    assert ended("poll", repeat(Reply(status=503), 12), RUNNING, PASS) == "Successful"


def test_the_default_limit_of_errors_would_roll_back_within_a_minute() -> None:
    careless = {k: v for k, v in METRICS["poll"].items() if k != "consecutiveErrorLimit"}

    outcome = run_metric(careless, repeat(DOWN, 100))

    assert (outcome.phase, outcome.seconds) == ("Error", 40.0)


def test_without_the_success_limit_what_never_decides_would_be_promoted() -> None:
    careless = {k: v for k, v in METRICS["poll"].items() if k != "consecutiveSuccessLimit"}

    assert run_metric(careless, repeat(RUNNING, 1000)).phase == "Successful"


PLAIN = {"interval": "30s", "provider": {"web": {}}}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "several measurements need an interval": (
        {"provider": {"web": {}}, "count": 2},
        "count has no interval",
    ),
    "more may be undecided than are measured": (
        PLAIN | {"count": 2, "inconclusiveLimit": 3},
        "count is below inconclusiveLimit",
    ),
    "more must succeed than are measured": (
        PLAIN | {"count": 2, "failureLimit": 1, "consecutiveSuccessLimit": 2},
        "count is below failureLimit + consecutiveSuccessLimit",
    ),
    "nothing could end it": (
        PLAIN | {"failureLimit": -1},
        "failureLimit and consecutiveSuccessLimit are both off",
    ),
    "two providers": (
        PLAIN | {"provider": {"web": {}, "job": {}}},
        "there is not one provider",
    ),
}


@pytest.mark.parametrize(("metric", "refusal"), REFUSED.values(), ids=REFUSED)
def test_the_simulator_refuses_what_the_controller_refuses(
    metric: dict[str, Any], refusal: str
) -> None:
    assert refusals(metric) == [refusal]


# Observed with the controller's own code: what its limits make of a row of measurements.
OBSERVED: dict[str, tuple[str, dict[str, int], str]] = {
    "one failure is too many": ("SF", {}, "Failed"),
    "a failure within the limit": ("SFS", {"count": 3, "failureLimit": 1}, "Successful"),
    "both within their limits": (
        "SISIF",
        {"count": 5, "failureLimit": 1, "inconclusiveLimit": 2},
        "Successful",
    ),
    "four errors in a row": ("EEEE", {}, "Running"),
    "five errors in a row": ("EEEEE", {}, "Error"),
    "an answer between errors": ("EEEESEEEE", {}, "Running"),
    "one success of two": ("SI", {"inconclusiveLimit": 2, "consecutiveSuccessLimit": 2}, "Running"),
    "failures switched off": (
        "FFI",
        {"count": 3, "failureLimit": -1, "inconclusiveLimit": 1, "consecutiveSuccessLimit": 1},
        "Failed",
    ),
    "nothing ends it": ("SSSSS", {}, "Running"),
}
LETTERS = {"S": PASS, "F": FAIL, "I": INCONCLUSIVE, "E": DOWN}


@pytest.mark.parametrize(("row", "limits", "phase"), OBSERVED.values(), ids=OBSERVED)
def test_the_simulator_counts_as_the_controller_does(
    row: str, limits: dict[str, int], phase: str
) -> None:
    asked = ("provider", "successCondition", "failureCondition", "interval")
    metric = {name: METRICS["poll"][name] for name in asked} | limits

    assert run_metric(metric, [LETTERS[letter] for letter in row]).phase == phase


def test_the_kayenta_template_bears_an_outage_and_gives_its_token_as_a_password() -> None:
    metric = METRICS["kayenta"]

    assert metric["consecutiveErrorLimit"] >= 30
    assert re.match(r"http://\w+:{{args\.token}}@", metric["provider"]["kayenta"]["address"])


def test_the_job_judges_once_and_with_options_that_the_command_has() -> None:
    job = METRICS["job"]["provider"]["job"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    known = {option for parameter in judge.params for option in parameter.opts}

    assert job["backoffLimit"] == 0
    assert container["args"][0] == "judge"
    assert {word.partition("=")[0] for word in container["args"][2:]} <= known
    assert "--exit-code-inconclusive=1" in container["args"]


def analyses(node: Any) -> Iterable[dict[str, Any]]:
    """Find whatever refers to a template."""
    if isinstance(node, list):
        yield from chain.from_iterable(map(analyses, node))
    elif isinstance(node, dict):
        names = [
            one["templateName"] for one in node.get("templates") or [] if "templateName" in one
        ]
        names += [node["templateName"]] if "templateName" in node and "args" in node else []
        for name in names:
            yield {"template": name, "args": {one["name"]: one for one in node["args"]}}
        yield from chain.from_iterable(map(analyses, node.values()))


USES = [
    (path.stem, use)
    for path in sorted(ARGO.glob("*.yaml"))
    for document in documents(path)
    for use in analyses(document)
]


USE_IDS = [f"{file}-{n}" for n, (file, _) in enumerate(USES)]


@pytest.mark.parametrize(("file", "use"), USES, ids=USE_IDS)
def test_who_uses_a_template_gives_every_argument_without_a_default(
    file: str, use: dict[str, Any]
) -> None:
    spec = TEMPLATES[use["template"].removeprefix("serinus-")]["spec"]
    needed = {one["name"] for one in spec["args"] if not {"value", "valueFrom"} & set(one)}

    assert needed <= set(use["args"])
    assert set(use["args"]) <= {one["name"] for one in spec["args"]}


def test_the_steps_of_a_rollout_ask_under_keys_of_their_own() -> None:
    steps = [use["args"]["step"]["value"] for file, use in USES if file == "rollout-canary"]

    assert len(steps) == len(set(steps)) == 3


HEARD_S = 180.0  # after the planned end: the scrape, its lag, and the look


@pytest.mark.parametrize("use", [use for _, use in USES], ids=USE_IDS)
def test_poll_is_asked_until_the_verdict_of_the_planned_end_is_there(use: dict[str, Any]) -> None:
    defaults = {one["name"]: one for one in TEMPLATES["poll"]["spec"]["args"]}
    planned = (defaults | use["args"])["planned"]["value"]

    assert use["template"] == "serinus-poll"
    assert lasts_s(METRICS["poll"]) >= duration_s(planned) + HEARD_S


def test_the_steps_wait_for_the_background_which_their_end_would_call_successful() -> None:
    (rollout,) = documents(ARGO / "rollout-canary.yaml")
    canary = rollout["spec"]["strategy"]["canary"]
    weight, pause = canary["steps"][canary["analysis"]["startingStep"] :]
    metric = METRICS["poll"]
    takes_s = duration_s(metric["initialDelay"]) + lasts_s(metric)
    outage_s = metric["consecutiveErrorLimit"] * ERROR_RETRY_S

    assert weight == {"setWeight": 80}
    assert duration_s(pause["pause"]["duration"]) > takes_s + outage_s


def test_a_bluegreen_rollout_is_judged_before_the_switch_only() -> None:
    rollout, *services = documents(ARGO / "rollout-bluegreen.yaml")
    strategy = rollout["spec"]["strategy"]["blueGreen"]
    labels = rollout["spec"]["template"]["metadata"]["labels"]

    assert "prePromotionAnalysis" in strategy
    assert "postPromotionAnalysis" not in strategy
    assert {one["metadata"]["name"] for one in services} == {
        strategy["activeService"],
        strategy["previewService"],
    }
    assert all(one["spec"]["selector"].items() <= labels.items() for one in services)


def test_an_experiment_compares_its_own_pods() -> None:
    (use,) = (use for file, use in USES if file == "experiment")

    for side in ("baseline", "canary"):
        assert use["args"][f"{side}-hash"]["value"] == f"{{{{templates.{side}.podTemplateHash}}}}"
