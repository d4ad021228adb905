"""The dashboard and the rules against a real Prometheus that scrapes a real service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer

from tests.support.corpus import SHOP, run
from tests.support.dashboard import queries, rules
from tests.support.prometheus import RealPrometheus
from tests.support.service import Client, served

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
APPEARS_WITHIN_S = 60.0
# No call fails here, so that there is nothing to show.
EMPTY = {"Calls that failed A"}


@pytest.fixture
def watched(corpus_url: str, tmp_path: Path) -> Iterator[tuple[Client, str]]:
    """Run a service that tells somebody who does not hear, and a Prometheus that scrapes it."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "shop.yaml").write_text(SHOP.read_text())
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as receiver:
        receiver.expect_request("/deaf").respond_with_data("no", status=500)
        told = [{"name": "deaf", "url": receiver.url_for("/deaf")}]
        (tmp_path / "notices.json").write_text(json.dumps(told))
        options = ("--configs", tmp_path / "configs", "--notices", tmp_path / "notices.json")
        with served(*options, PROMETHEUS_URL=corpus_url) as running:
            target = running.client.url.removeprefix("http://")
            scrape = {"job_name": "serinus", "static_configs": [{"targets": [target]}]}
            with RealPrometheus(scrape_configs=[scrape]) as prometheus:
                yield running.client, prometheus.url


def answer(url: str, query: str) -> list[Any]:
    told = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=30).json()
    assert told["status"] == "success", (query, told)
    found: list[Any] = told["data"]["result"]
    return found


def empty(url: str) -> set[str]:
    return {name for name, text in queries().items() if not answer(url, text)}


def until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + APPEARS_WITHIN_S
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.2)


def test_every_panel_has_something_to_show_and_no_alert_fires(
    watched: tuple[Client, str],
) -> None:
    client, url = watched
    fails = 'serinus_verdicts_total{config="shop", verdict="fail"}'
    until(lambda: bool(answer(url, fails)))
    for number, name in enumerate(("err1-1", "err1-1", "aa-1")):
        one = run(name)
        body = {"config": "shop", "variables": {"run": name}, "start": one.start, "end": one.end}
        assert client.put(f"shop.{number}", **body, budget="60s").status == 200
    # The first of its kind is seen to have come: the counter was there, at 0, before it.
    until(
        lambda: any(float(one["value"][1]) > 1.5 for one in answer(url, f"increase({fails}[1m])"))
    )
    until(lambda: bool(answer(url, 'serinus_notices_total{result="not_heard"} > 0')))
    # A rate shows itself at the second scrape of the call it counts.
    until(lambda: empty(url) == EMPTY)

    assert [one["value"][1] for one in answer(url, queries()["annotation Fails"])] == ["1"]
    assert {name: answer(url, text) for name, text in rules().items()} == {
        name: [] for name in rules()
    }
