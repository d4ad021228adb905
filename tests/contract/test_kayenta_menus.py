"""What Deck's menus of metrics are filled with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from analysis.config import CanaryConfig
from analysis.errors import ConfigError, SourceError
from analysis.sources.port import Answers, MetricSource, Progress, Request, no_progress
from analysis.sources.prometheus import PrometheusSource
from tests.support.prometheus import RealPrometheus
from tests.support.service import Client, serving

NOW = 1_764_000_000.0
PATH = "/kayenta/metadata/metricsService?metricsAccountName=M"


@dataclass
class Named:
    """A source that knows names, and counts how often it is asked for them."""

    names: list[str]
    description: str = "names"
    asked: list[str] = field(default_factory=list)
    fault: Exception | None = None

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        raise AssertionError(requests, progress)  # nobody judges here

    def label_values(self, label: str, *, of: str | None, start: float, end: float) -> list[str]:
        assert (of, end - start) == (None, 3600.0)
        self.asked.append(label)
        if self.fault:
            raise self.fault
        return self.names

    def label_names(self, *, of: str, start: float, end: float) -> list[str]:
        raise AssertionError(of, start, end)  # nobody asks for labels


@dataclass
class Menu:
    source: Named
    client: Client
    now: list[float]

    def names(self, part: str = "") -> list[str]:
        told = self.client.get(f"{PATH}&filter={part}")
        assert told.status == 200
        return [one["name"] for one in told.json]


@pytest.fixture
def menu(tmp_path: Path) -> Iterator[Menu]:
    source, now = Named(["http_requests_total", "up", "node_HTTP_bytes"]), [NOW]
    with serving(tmp_path, connect=lambda _: source, clock=lambda: now[0], inline=True) as client:
        yield Menu(source, client, now)


def test_names_that_hold_a_text_are_told_in_whatever_case(menu: Menu) -> None:
    assert menu.names("Http") == ["http_requests_total", "node_HTTP_bytes"]
    assert menu.names() == menu.source.names
    assert menu.names("nothing") == []


def test_prometheus_is_asked_once_a_minute(menu: Menu) -> None:
    for part in ("", "u", "up"):
        menu.names(part)
    menu.now[0] += 61.0
    menu.source.names = ["new"]

    assert menu.names() == ["new"]
    assert menu.source.asked == ["__name__", "__name__"]


def test_a_prometheus_that_is_down_is_not_an_empty_menu(menu: Menu) -> None:
    menu.source.fault = SourceError("Prometheus does not answer", code="unreachable")

    told = menu.client.get(PATH)
    menu.source.fault = None

    assert (told.status, told.json) == (502, {"message": "Prometheus does not answer"})
    assert menu.names() == menu.source.names


def test_a_service_without_a_prometheus_of_its_own_says_so(tmp_path: Path) -> None:
    def connect(_: CanaryConfig) -> MetricSource:
        raise ConfigError("PROMETHEUS_URL is not set")

    with serving(tmp_path, connect=connect, inline=True) as client:
        told = client.get(PATH)

    assert told.status == 400
    assert "PROMETHEUS_URL is not set" in told.json["message"]


def test_where_callers_bring_no_queries_no_name_is_told(tmp_path: Path) -> None:
    source = Named(["secret_total"])

    with serving(tmp_path, connect=lambda _: source) as client:
        told = client.get(PATH)

    assert (told.status, told.json, source.asked) == (200, [], [])


@pytest.mark.e2e
@pytest.mark.usefixtures("requires_prometheus")
def test_a_real_prometheus_names_what_it_scraped_in_the_last_hour(tmp_path: Path) -> None:
    past = "".join(
        f"{name} 1 {NOW - ago:.0f}\n" for name, ago in (("now_a", 60), ("gone_b", 86400))
    )
    with RealPrometheus(openmetrics=past) as prometheus:
        settings: dict[str, Any] = {"connect": lambda _: PrometheusSource(url=prometheus.url)}
        with serving(tmp_path, clock=lambda: NOW, inline=True, **settings) as client:
            told = client.get(f"{PATH}&filter=")

    assert {"name": "now_a"} in told.json
    assert {"name": "gone_b"} not in told.json
