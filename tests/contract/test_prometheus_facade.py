"""The facade as a Prometheus: who sees what, and every digit of it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import SourceError
from analysis.service.analyses import Analyses
from analysis.store import Look, Status
from tests.support.corpus import RECORDINGS
from tests.support.service import Answer, Client, serving

NOW = 1_700_000_000.0
NAMES = {"shop": ["shop"], "bank": ["bank"], "all": ["*"]}


class Down:
    description = "a source that is down"

    def answer(self, *_: Any, **__: Any) -> Any:
        raise SourceError("it refused the connection", code="unreachable")


@pytest.fixture
def client_of(tmp_path: Path) -> Iterator[Callable[[str], Client]]:
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "shop.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    tokens = tmp_path / "tokens.json"
    known = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest(), "namespaces": spaces}
        for name, spaces in NAMES.items()
    ]
    tokens.write_text(json.dumps(known))
    with serving(
        configs,
        connect=lambda _: Down(),
        clock=lambda: NOW,
        tokens=tokens,
        database_url=f"sqlite:///{tmp_path}/serinus.db",
    ) as client:
        yield lambda name: replace(client, token=name)


def start(client: Client, checksum: str = "1") -> str:
    """Begin an analysis as Flagger does; give its id."""
    metadata = {"config": "shop", "run": "aa-1"}
    body = {"name": "web", "namespace": "shop", "checksum": checksum, "metadata": metadata}
    told = client.call("POST", "/flagger/start", json=body)
    assert told.status == 200, told.text
    return str(told.json["url"].rpartition("/")[2])


def query(client: Client, promql: str) -> Answer:
    return client.call("GET", "/prom/api/v1/query", params={"query": promql})


def values(told: Answer) -> list[str]:
    assert told.status == 200, told.text
    return [one["value"][1] for one in told.json["data"]["result"]]


def score(analyses: Analyses, analysis: str, number: float) -> None:
    """Keep a look with this score, whoever else is looking."""
    store = analyses.store
    assert store.claim(analysis, "test", NOW + 1e6, NOW + 2e6)
    look = Look(
        status=Status.COMPLETED,
        verdict="fail",
        score=number,
        summary="",
        report=None,
        recording=None,
        due=NOW,
    )
    assert store.finish(analysis, "test", look, NOW)


SELECTORS = ('{id="%s"}', '{key="flagger.shop.web.1"}', '{namespace="shop",target="web"}', "")


@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.parametrize("name", NAMES)
def test_a_token_is_told_of_its_own_namespaces_alone(
    client_of: Callable[[str], Client], selector: str, name: str
) -> None:
    analysis = start(client_of("shop"))

    told = query(client_of(name), "serinus_verdict" + selector.replace("%s", analysis))

    assert values(told) == ([] if name == "bank" else ["0"])


def test_nobody_unknown_is_answered_but_in_prometheus_form(
    client_of: Callable[[str], Client],
) -> None:
    told = query(client_of(""), "vector(1)")

    assert (told.status, told.json["status"], told.json["errorType"]) == (
        401, "error", "unauthorized"
    )  # fmt: skip
    assert "Authorization" in told.json["error"]
    assert client_of("").get("/prom/api/v1/status/buildinfo").status == 401


def test_a_store_that_is_down_is_told_in_prometheus_form(
    client_of: Callable[[str], Client], tmp_path: Path
) -> None:
    client = client_of("all")
    with sqlite3.connect(tmp_path / "serinus.db") as database:
        database.execute("ALTER TABLE analyses RENAME TO elsewhere")
    database.close()

    told = query(client, "serinus_verdict")

    assert (told.status, told.json["status"], told.json["errorType"]) == (
        503, "error", "unavailable"
    )  # fmt: skip
    assert told.headers["Retry-After"] == "5"


def test_a_score_just_below_a_threshold_is_not_rounded_up_to_it(
    client_of: Callable[[str], Client],
) -> None:
    client = client_of("shop")
    analysis = start(client)
    assert client.service is not None
    score(client.service.analyses, analysis, 74.99999999)

    assert values(query(client, 'serinus_score{key="flagger.shop.web.1"}')) == ["74.99999999"]


UNKNOWABLE = ("serinus_verdict offset 1h", "serinus_verdict @ 5", 'serinus_verdict{a="b" or c="d"}')


@pytest.mark.parametrize("promql", UNKNOWABLE)
def test_another_time_is_refused_and_not_answered_with_now(
    client_of: Callable[[str], Client], promql: str
) -> None:
    told = query(client_of("all"), promql)

    assert (told.status, told.json["errorType"]) == (400, "bad_data")


def test_the_build_is_told_as_grafana_asks_for_it(client_of: Callable[[str], Client]) -> None:
    told = client_of("all").get("/prom/api/v1/status/buildinfo")

    assert told.json["status"] == "success"
    assert told.json["data"]["version"]
