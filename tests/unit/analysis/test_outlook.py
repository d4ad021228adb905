"""Before a rollout: what is asked of the past, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from analysis.errors import ConfigError, SourceError
from analysis.outlook import Ahead, MetricOutlook, Outlook, look_ahead
from analysis.sources.port import Answer, Answers, Request, Series
from tests.support.builders import (
    START,
    Document,
    FakeSource,
    a_config,
    a_metric,
    a_series,
    a_window,
    an_answer,
    bucketed,
    some_counts,
)
from tests.support.outlooks import a_forecast, a_metric_outlook, a_remedy, an_outlook

MINUTES = 60
TIMEOUT = SourceError("the query timed out after 30 s", code="timeout")
BASELINE = {"baseline": {"v": "old"}, "canary": {"v": None}}


def gauge(*, seed: int = 1, level: float = 100.0, begin: int = -MINUTES, **labels: str) -> Series:
    """Draw a gauge, evaluated at the end of every minute from `begin` on."""
    minutes = np.arange(begin + 1, MINUTES + 1)
    noise = np.random.default_rng(seed).normal(0, 5, len(minutes))
    points = zip(START + 60 * minutes, level + noise, strict=True)
    return a_series([(float(time), float(value)) for time, value in points], **labels)


def counter(per_minute: float, *, seed: int = 1, **labels: str) -> Series:
    """Make a counter scraped every 30 s, of events that come by themselves."""
    times = np.arange(-2 * MINUTES, MINUTES + 0.25, 0.5)
    values = np.cumsum(np.random.default_rng(seed).poisson(per_minute / 2, len(times)))
    points = zip(START + 60 * times, 5.0 + values, strict=True)
    return a_series([(float(t), float(v)) for t, v in points], __name__="requests_total", **labels)


BOTH = {
    'memory{v="old"}': [gauge(seed=1)],
    'memory{v="new"}': [gauge(seed=2)],
}
TRAFFIC = {
    'errors_failed{v="old"}': [counter(10, seed=3, pod="a", code="500")],
    'errors_all{v="old"}': [counter(1000, seed=4, pod="a")],
}
Table = Mapping[str, Sequence[Series] | Answer | SourceError]


class Server(FakeSource):
    """A table whose answers hold only what lies in the time that is asked for, as a server's do."""

    def answer(self, requests: Sequence[Request], **others: Any) -> Answers:
        found = super().answer(requests, **others)
        return {
            request: answer if isinstance(answer, SourceError) else _within(answer, request)
            for request, answer in found.items()
        }


def _within(answer: Answer, request: Request) -> Answer:
    cut = []
    for one in answer.series:
        inside = (one.times >= request.start) & (one.times <= request.end)
        if inside.any():
            points = zip(one.times[inside], one.values[inside], strict=True)
            cut.append(a_series([(float(t), float(v)) for t, v in points], **one.labels))
    return an_answer(*cut, warnings=answer.warnings)


def ahead_of(
    answers: Table,
    *metrics: Document,
    ahead: Ahead | None = None,
    source: FakeSource | None = None,
    **settings: Any,
) -> Outlook:
    settings = {"variables": BASELINE, "window": {"planned": "1h", "warmup": "0s"}, **settings}
    return look_ahead(
        a_config(*metrics, **settings),
        source or Server(answers),
        a_window(minutes=MINUTES),
        {},
        ahead or Ahead(one_side=True),
    )


def only(outlook: Outlook) -> MetricOutlook:
    (metric,) = outlook.metrics
    return metric


# ---- a live server: the baseline alone


def test_a_canary_without_variables_is_no_fault() -> None:
    outlook = ahead_of({'memory{v="old"}': [gauge()]})

    assert outlook.suffices is True
    assert only(outlook).forecast.basis.steps == MINUTES


def test_only_the_baseline_is_asked_in_two_windows_one_after_the_other() -> None:
    source = Server({'memory{v="old"}': [gauge()]})

    ahead_of({}, source=source)

    assert {request.query for request in source.asked} == {'memory{v="old"}'}
    first, second = sorted((request.start, request.end) for request in source.asked)
    assert second[0] - first[0] == second[1] - first[1] == 60 * MINUTES
    assert first[1] < second[0]


def test_the_earlier_window_is_another_sample_of_the_same() -> None:
    """Noise of two windows, not a series against itself, which would have none."""
    past = only(ahead_of({'memory{v="old"}': [gauge()]})).forecast
    loud = only(ahead_of({'memory{v="old"}': [gauge(level=20)]})).forecast

    assert past.minutes is not None
    assert past.harm is not None
    assert loud.harm is not None
    assert loud.harm.value > past.harm.value > 1.1


def test_counters_are_read_in_both_windows() -> None:
    outlook = ahead_of(TRAFFIC, some_counts("errors"))

    basis = only(outlook).forecast.basis
    assert basis.events == pytest.approx(10 * MINUTES, rel=0.2)
    assert basis.requests == pytest.approx(1000 * MINUTES, rel=0.05)


def test_histograms_are_read_in_both_windows() -> None:
    rng = np.random.default_rng(8)
    scrapes = 4 * 3 * MINUTES + 1
    fast, slow = (np.cumsum(rng.poisson(rate, scrapes)) for rate in (60, 6))
    upto = {0.1: fast, 0.5: fast + slow, np.inf: fast + slow}
    buckets = bucketed(
        {edge: [float(count) for count in counts] for edge, counts in upto.items()},
        start=START - 60 * 2 * MINUTES,
        pod="a",
    )
    judge = {"kind": "exceedance", "edge": 0.1}
    metric = a_metric("latency", histogram='latency_bucket{v="${v}"}', pods="pod", judge=judge)

    forecast = only(ahead_of({'latency_bucket{v="old"}': buckets}, metric)).forecast

    assert forecast.minutes is not None
    assert forecast.requests == pytest.approx(66 * 4 / 2 * forecast.minutes, rel=0.05)
    assert forecast.basis.events == pytest.approx(6 * 4 * MINUTES, rel=0.1)


def test_a_smaller_share_of_the_traffic_takes_longer() -> None:
    half, tenth = (
        only(ahead_of(TRAFFIC, some_counts("errors"), ahead=Ahead(one_side=True, share=share)))
        for share in (0.5, 0.1)
    )

    assert half.forecast.minutes is not None
    # Not in proportion: what is still open at the planned end is settled there.
    assert tenth.forecast.minutes is None or tenth.forecast.minutes > half.forecast.minutes


def test_a_baseline_younger_than_both_windows_is_told_what_to_do() -> None:
    outlook = ahead_of({'memory{v="old"}': [gauge(begin=0)]})

    assert (outlook.suffices, only(outlook).forecast.suffices) == (None, None)
    assert "choose a shorter --lookback" in only(outlook).forecast.summary


def test_a_baseline_variable_without_a_value_is_a_fault() -> None:
    with pytest.raises(ConfigError, match="the variable 'v' has no value; give --baseline v=…"):
        ahead_of({}, variables={"baseline": {"v": None}, "canary": {"v": None}})


# ---- a recording: both sides


def both(answers: Table, *metrics: Document, **settings: Any) -> Outlook:
    sides = {"baseline": {"v": "old"}, "canary": {"v": "new"}}
    return ahead_of(answers, *metrics, ahead=Ahead(), variables=sides, **settings)


def test_both_sides_of_a_recording_are_asked_once() -> None:
    source = FakeSource(BOTH)

    ahead_of(
        {}, source=source, ahead=Ahead(), variables={"baseline": {"v": "a"}, "canary": {"v": "b"}}
    )

    assert [request.query for request in source.asked] == ['memory{v="a"}', 'memory{v="b"}']


def test_sides_that_are_the_same_series_tell_nothing() -> None:
    same = {query: [gauge(__name__="memory", pod="a")] for query in BOTH}

    summary = only(both(same)).forecast.summary

    assert summary.startswith("the past does not tell: baseline and canary are the same series; ")


def test_too_few_requests_in_the_past_are_still_forecast() -> None:
    few = {
        f'errors_{what}{{v="{v}"}}': [counter(rate, pod=v)]
        for what, rate in (("failed", 0.01), ("all", 0.3))
        for v in ("old", "new")
    }

    forecast = only(both(few, some_counts("errors"))).forecast

    assert forecast.minutes is None or forecast.minutes > MINUTES
    assert any("requests in the judged steps" in warning for warning in forecast.warnings)


# ---- what is planned


def test_the_planned_length_may_be_another() -> None:
    short, long = (
        only(ahead_of({'memory{v="old"}': [gauge()]}, ahead=Ahead(one_side=True, planned=length)))
        for length in (timedelta(minutes=5), timedelta(hours=2))
    )

    assert (short.forecast.suffices, long.forecast.suffices) == (False, True)


def test_another_length_leaves_the_queries_as_they_are() -> None:
    """A recording answers only what was asked."""
    query = 'max_over_time(memory{v="${v}"}[${planned}])'
    source = Server({'max_over_time(memory{v="old"}[3600s])': [gauge()]})

    outlook = ahead_of(
        {},
        a_metric(query=query),
        source=source,
        ahead=Ahead(one_side=True, planned=timedelta(hours=2)),
    )

    assert only(outlook).forecast.suffices is True
    assert outlook.planned_s == 7200


def test_a_length_within_the_warm_up_is_a_fault() -> None:
    with pytest.raises(ConfigError, match=r"--planned: must be longer than window\.warmup \(3m\)"):
        ahead_of(
            {},
            ahead=Ahead(one_side=True, planned=timedelta(minutes=3)),
            window={"planned": "1h", "warmup": "3m"},
        )


def test_judges_have_their_part_of_the_budget() -> None:
    """With nine others beside it a metric can show less."""
    names = ["memory", *(f"other{n}" for n in range(9))]
    answers = {f'{name}{{v="old"}}': [gauge()] for name in names}

    alone = ahead_of(answers, a_metric("memory")).metrics[0]
    among = ahead_of(answers, *(a_metric(name) for name in names)).metrics[0]

    assert alone.forecast.harm is not None
    assert among.forecast.harm is not None
    assert among.forecast.harm.value > alone.forecast.harm.value


# ---- what becomes of it


def test_a_query_without_an_answer_is_told_and_the_others_are_forecast() -> None:
    outlook = ahead_of(
        {'memory{v="old"}': [gauge()], 'cpu{v="old"}': TIMEOUT}, a_metric(), a_metric("cpu")
    )

    memory, cpu = outlook.metrics
    assert memory.forecast.suffices is True
    assert cpu.forecast.suffices is None
    assert "timed out" in cpu.forecast.summary
    assert outlook.source_errors == (str(TIMEOUT),)


def one(
    name: str,
    suffices: bool | None,
    longer: str | None = None,
    **changes: Any,
) -> MetricOutlook:
    remedies = () if longer is None else (a_remedy("window.planned", longer),)
    return a_metric_outlook(name, a_forecast(suffices=suffices, remedies=remedies), **changes)


YES, NO = one("yes", True), one("no", False, "90m")
OUTCOMES = {
    "all suffice": ((YES, YES), True, [], None),
    "one does not": ((YES, NO), False, ["no"], "90m"),
    "one is not known": ((YES, one("who", None)), None, ["who"], None),
    "one is not, another not known": ((NO, one("who", None)), False, 2, None),
    "the longest window counts": (
        (NO, one("more", False, "2h")),
        False,
        ["no", "more"],
        "2h",
    ),
    "one that no time helps": ((NO, one("never", False)), False, 2, None),
    "one that is not critical has no say": (
        (YES, one("no", False, critical=False)),
        True,
        [],
        None,
    ),
    "one that is muted has none either": (
        (YES, one("no", False, muted=True)),
        True,
        [],
        None,
    ),
    "without any critical all have a say": (
        (one("no", False, "90m", critical=False),),
        False,
        ["no"],
        "90m",
    ),
}


@pytest.mark.parametrize(
    ("metrics", "suffices", "short", "sufficient"), OUTCOMES.values(), ids=OUTCOMES
)
def test_the_metrics_that_a_pass_needs_decide(
    metrics: tuple[MetricOutlook, ...],
    suffices: bool | None,
    short: list[str] | int,
    sufficient: str | None,
) -> None:
    outlook = an_outlook(*metrics)

    assert outlook.suffices is suffices
    names = [metric.name for metric in outlook.short]
    assert short in (names, len(names))
    assert outlook.sufficient == sufficient
