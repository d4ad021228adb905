"""What is said of a query that found nothing: the name or value nobody has heard of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from analysis.errors import SourceError
from analysis.hints import Guide
from analysis.sources.port import LabelSource

Metrics = Mapping[str, Mapping[str, Sequence[str]]]

SHOP: Metrics = {
    "http_requests_total": {"track": ["baseline", "canary"], "code": ["200", "500"]},
    "http_request_seconds_sum": {"track": ["baseline"]},
    "up": {"job": [f"job-{number}" for number in range(9)]},
}


@dataclass
class FakeLabels:
    """A server that knows some metrics with their labels."""

    metrics: Metrics
    asked: list[str] = field(default_factory=list)

    def label_values(self, label: str, *, of: str | None, **_: float) -> list[str]:
        self.asked.append(label)
        return list(self.metrics) if of is None else list(self.metrics[of].get(label, ()))

    def label_names(self, *, of: str, **_: float) -> list[str]:
        self.asked.append(of)
        return ["__name__", *self.metrics[of]]


class Broken:
    """A server without these endpoints."""

    def label_values(self, label: str, **_: object) -> list[str]:
        raise SourceError(f"404 for {label}", code="refused")

    def label_names(self, **_: object) -> list[str]:
        raise SourceError("404", code="refused")


def hints(query: str, source: LabelSource | None = None, *, names_only: bool = False) -> list[str]:
    guide = Guide(source=source or FakeLabels(SHOP), start=0.0, end=60.0)
    return list(guide.hints(query, names_only=names_only))


SAID = {
    "a misspelt metric": (
        "rate(http_request_total[1m])",
        "no metric is called http_request_total; did you mean http_requests_total, ",
    ),
    "a metric like none": ("zebra", "no metric is called zebra"),
    "a misspelt label": (
        'http_requests_total{trak="canary"}',
        "http_requests_total has no label trak; did you mean track?",
    ),
    "a label like none": (
        'http_requests_total{zone="a"}',
        "http_requests_total has no label zone; it has track, code",
    ),
    "a misspelt value": (
        'http_requests_total{track="canry"}',
        'http_requests_total has no track="canry"; did you mean canary?',
    ),
    "a value like none of many": (
        'up{job="x"}',
        'up has no job="x"; it has job-0, job-1, job-2, job-3, job-4, …',
    ),
    "a regex that nothing matches": (
        'http_requests_total{code=~"4.."}',
        'http_requests_total has no code=~"4.."; it has 200, 500',
    ),
    "conditions that never meet": (
        'http_requests_total{track="canary", code="500"}',
        "http_requests_total exists, but no series of it meets all conditions at once",
    ),
}


@pytest.mark.parametrize(("query", "expected"), SAID.values(), ids=SAID)
def test_what_nobody_has_heard_of_is_named(query: str, expected: str) -> None:
    (hint,) = hints(query)

    assert hint.startswith(expected)


SILENT = {
    "a metric that is there": "up",
    "an empty value, which is that of a missing label": 'up{zone=""}',
    "a query without a metric": 'count({job="x"})',
}


@pytest.mark.parametrize("query", SILENT.values(), ids=SILENT)
def test_nothing_is_said_of_what_may_well_be(query: str) -> None:
    said = hints(query)

    assert said == [] or "meets all conditions" in said[0]


def test_of_a_counter_of_events_only_a_wrong_name_is_strange() -> None:
    assert hints('http_requests_total{code="503"}', names_only=True) == []
    assert len(hints('http_request_totals{code="503"}', names_only=True)) == 1


def test_each_thing_is_asked_for_once() -> None:
    source = FakeLabels(SHOP)
    guide = Guide(source=source, start=0.0, end=60.0)

    for value in ("a", "b"):
        guide.hints(f'http_requests_total{{track="{value}"}}')

    assert sorted(source.asked) == ["__name__", "http_requests_total", "track"]


def test_a_server_that_lists_no_names_leaves_the_query_unexplained() -> None:
    assert hints("zebra", Broken()) == []
