"""Before and after: the baseline of an earlier time against the canary of now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from analysis.config import CanaryConfig
from analysis.consumers.json import to_json
from analysis.consumers.text import print_report
from analysis.engine import analyze
from analysis.errors import ConfigError
from analysis.outlook import Ahead, look_ahead
from analysis.report import AnalysisReport
from analysis.sources.port import Answer, Answers, Progress, Request, Series, no_progress
from judges import Verdict
from tests.support.builders import (
    START,
    Document,
    a_config,
    a_metric,
    a_series,
    a_window,
    some_counts,
)

STEPS, EARLIER_S = 30, 3600
WINDOW = {"planned": "30m", "warmup": "0s", "baseline_offset": "1h"}


class Past:
    """A source of two stretches of time, told apart by nothing but time."""

    description = "a past"

    def __init__(self, series: Mapping[str, Sequence[Series]]) -> None:
        self._series = series
        self.asked: list[Request] = []

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Give of each series what lies in the time asked for."""
        self.asked += requests
        progress(len(requests), len(requests))
        return {one: self._found(one) for one in requests}

    def _found(self, request: Request) -> Answer:
        cut = []
        for one in self._series.get(request.query, ()):
            inside = (one.times >= request.start) & (one.times <= request.end)
            cut.append(replace(one, times=one.times[inside], values=one.values[inside]))
        return Answer(series=tuple(one for one in cut if len(one.times)))


def memory(before: float, after: float) -> Series:
    """Draw a gauge whose level changes when the version does."""
    noise = np.random.default_rng(7).integers(-5, 6, 3 * STEPS)
    times = START - EARLIER_S + 60 * np.arange(1.0, 3 * STEPS + 1)
    levels = np.where(times > START, after, before) + noise
    return a_series(list(zip(times, levels, strict=True)), pod="a")


def requests(name: str, before: float, after: float) -> Series:
    """Make a counter whose pace changes when the version does."""
    times = START - EARLIER_S - 600 + 30 * np.arange(0.0, 2 * 110)
    gains = np.where(times > START, after, before) / 2
    return a_series(list(zip(times, gains.cumsum(), strict=True)), __name__=name)


def analyzed(metric: Document, series: Mapping[str, Sequence[Series]]) -> AnalysisReport:
    return analyze(config_of(metric), Past(series), a_window(minutes=STEPS), {})


def config_of(metric: Document, **window: str) -> CanaryConfig:
    return a_config(metric, window={**WINDOW, **window})


ONE_SERVICE = a_metric(query="memory", critical=True)


@pytest.mark.parametrize(
    ("after", "verdict"),
    [(100, Verdict.PASS), (200, Verdict.FAIL)],
    ids=["the same after the switch passes", "twice as much fails"],
)
def test_one_series_is_compared_with_itself_of_before(after: float, verdict: Verdict) -> None:
    report = analyzed(ONE_SERVICE, {"memory": [memory(100, after)]})

    assert report.verdict is verdict, report.metrics[0].judgment.summary
    assert report.metrics[0].findings == ()


def test_events_of_both_times_are_counted_whole() -> None:
    metric = some_counts()
    series = {
        'errors_failed{v="old"}': [requests("failed", 2, 2)],
        'errors_all{v="old"}': [requests("all", 1000, 1000)],
        'errors_failed{v="new"}': [requests("failed", 2, 200)],
        'errors_all{v="new"}': [requests("all", 1000, 1000)],
    }
    report = analyzed(metric, series)

    np.testing.assert_allclose(report.metrics[0].baseline, 0.002)
    np.testing.assert_allclose(report.metrics[0].canary, 0.2)
    assert report.verdict is Verdict.FAIL


def test_the_baseline_alone_is_asked_for_earlier() -> None:
    source = Past({"memory": [memory(100, 100)]})

    analyze(config_of(ONE_SERVICE), source, a_window(minutes=STEPS), {})

    baseline, canary = source.asked
    assert (baseline.query, canary.query) == ("memory", "memory")
    assert canary.start - baseline.start == canary.end - baseline.end == EARLIER_S


def test_the_verdict_says_that_it_is_unpaired() -> None:
    report = analyzed(ONE_SERVICE, {"memory": [memory(100, 100)]})

    assert report.warnings[0].startswith("unpaired: the baseline was read 1h before the canary;")
    assert json.loads(to_json(report))["window"]["baseline_offset_s"] == EARLIER_S


def test_side_by_side_nothing_is_said_of_it() -> None:
    config = a_config(a_metric(), window={"planned": "30m", "warmup": "0s"})
    report = analyze(config, Past({}), a_window(minutes=STEPS), {})

    assert report.warnings == ()
    assert json.loads(to_json(report))["window"]["baseline_offset_s"] == 0


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an offset that would read the baseline after the canary began": (
        {"baseline_offset": "20m"},
        r"baseline_offset \(20m\) must be at least planned \(30m\)",
    ),
    "an offset between two steps": (
        {"baseline_offset": "3607s"},
        r"must be a multiple of the source's step \(15s\)",
    ),
}


@pytest.mark.parametrize(("window", "message"), REFUSED.values(), ids=REFUSED)
def test_an_offset_that_cannot_be_is_refused(window: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config_of(ONE_SERVICE, **window)


def test_a_window_that_reaches_beyond_the_offset_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"is 3600 s and the window 5400 s long"):
        analyze(config_of(ONE_SERVICE), Past({}), a_window(minutes=90), {})


def test_a_forecast_reads_the_baseline_where_it_asked() -> None:
    metric = a_metric(query='memory{v="${v}"}')
    source = Past({'memory{v="old"}': [memory(100, 100)]})

    found = look_ahead(config_of(metric), source, a_window(minutes=STEPS), {}, Ahead(one_side=True))

    assert found.metrics[0].forecast.basis.steps > 0


def test_the_text_calls_the_verdict_unpaired() -> None:
    console = Console(file=StringIO(), width=100)

    print_report(analyzed(ONE_SERVICE, {"memory": [memory(100, 100)]}), console)

    shown = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    assert "PASS  shop  unpaired" in shown
