"""The baseline's past in the pipeline: what is asked, what is made of it, and when it is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.config import CanaryConfig
from analysis.engine import analyze
from analysis.errors import SourceError
from analysis.planning import plan, plan_history, unique_requests
from analysis.report import AnalysisReport
from analysis.sources.port import Answer, Request, Series
from analysis.sources.recording import Recording
from judges import Verdict
from tests.support.builders import (
    START,
    Document,
    FakeSource,
    a_config,
    a_metric,
    a_series,
    a_window,
    an_answer,
    same_series,
    some_counts,
)

Answers = Mapping[str, Sequence[Series] | Answer | SourceError]

STEPS, PAST = 30, 600  # 20 windows of 30 steps, ten hours of minutes
TEN_HOURS = {"history": "10h", "planned": "33m", "warmup": "3m"}
OLD, NEW = 'memory{v="old"}', 'memory{v="new"}'


def gauge(seed: int, **labels: str) -> Series:
    """Draw a gauge whose noise is slow under white noise, over the past and the window."""
    rng = np.random.default_rng(seed)
    slow = np.zeros(PAST + STEPS)
    for n in range(1, len(slow)):
        slow[n] = 0.9 * slow[n - 1] + 0.44 * rng.standard_normal()
    values = 100 * np.exp(0.1 * (slow + rng.standard_normal(len(slow))))
    times = START + 60 * np.arange(1.0 - PAST, STEPS + 1)
    return a_series(list(zip(times, values, strict=True)), **labels)


def counter(seed: int, name: str, **labels: str) -> Series:
    """Draw a counter scraped twice a minute, over the past and the window."""
    gains = np.random.default_rng(seed).integers(80, 120, 2 * (PAST + STEPS) + 11)
    times = START + 30 * np.arange(len(gains)) - 60 * PAST - 300
    points = list(zip(times, np.cumsum(gains.astype(float)), strict=True))
    return a_series(points, __name__=name, **labels)


GAUGES: Answers = {
    OLD: [gauge(seed, pod=f"old-{seed}") for seed in (1, 2, 3)],
    NEW: [gauge(seed, pod=f"new-{seed}") for seed in (4, 5, 6)],
}


def analyzed(
    answers: Answers,
    metric: Document | None = None,
    **settings: Any,
) -> AnalysisReport:
    config = a_config(metric or a_metric(), **{"window": TEN_HOURS, **settings})
    return analyze(config, FakeSource(answers), a_window(minutes=STEPS), {})


def used(report: AnalysisReport) -> tuple[object, object]:
    details = report.metrics[0].judgment.details
    return details.get("history"), details.get("history_steps")


def test_the_past_of_the_baselines_pods_informs_the_judge() -> None:
    told, without = analyzed(GAUGES), analyzed(GAUGES, window={})

    assert used(told) == ("used", PAST)
    assert used(without) == (None, None)
    assert told.metrics[0].judgment.n_effective != without.metrics[0].judgment.n_effective


def test_what_is_shown_of_a_metric_is_the_window_alone() -> None:
    told, without = analyzed(GAUGES).metrics[0], analyzed(GAUGES, window={}).metrics[0]

    np.testing.assert_array_equal(told.times, without.times)
    np.testing.assert_array_equal(told.baseline, without.baseline)
    assert (told.pods, told.findings) == (without.pods, ())


def test_the_queries_of_the_past_are_reported() -> None:
    queries = analyzed(GAUGES).metrics[0].queries

    assert [(one.side, one.role, one.series) for one in queries] == [
        ("baseline", "query", 3),
        ("canary", "query", 3),
        ("baseline", "history_query", 3),
    ]


COUNTED: dict[str, tuple[Document, Answers]] = {
    "a quotient of two counters": (
        some_counts(judge={"kind": "mean_ratio"}, pods="pod"),
        {
            f'errors_{what}{{v="{side}"}}': [
                counter(100 * index + pod, f"errors_{what}", pod=f"{side}-{pod}")
                for pod in range(2)
            ]
            for index, what in enumerate(("failed", "all"))
            for side in ("old", "new")
        },
    ),
    "the mean of a histogram": (
        a_metric(histogram='latency{v="${v}"}', judge={"kind": "mean_ratio"}, pods="pod"),
        {
            f'latency{{v="{side}"}}': [
                replace(
                    one := counter(pod, "latency_bucket", pod=f"{side}-{pod}", le=edge),
                    values=np.floor(one.values * share),
                )
                for pod in range(2)
                for edge, share in (("0.1", 0.5), ("0.2", 0.9), ("+Inf", 1.0))
            ]
            for side in ("old", "new")
        },
    ),
}


@pytest.mark.parametrize(("metric", "answers"), COUNTED.values(), ids=COUNTED)
def test_counters_have_a_past_too(metric: Document, answers: Answers) -> None:
    report = analyzed({**answers, **_moved(answers)}, metric)

    assert report.metrics[0].findings == ()
    assert used(report) == ("used", PAST)


def _moved(answers: Answers) -> Answers:
    """Let the canary's counters come one scrape later, so that no step is equal."""
    return {
        query: [replace(one, times=one.times + 30) for one in series if isinstance(one, Series)]
        for query, series in answers.items()
        if '"new"' in query and isinstance(series, list)
    }


class ForgetfulSource(FakeSource):
    """A source that answers what is judged, and of the past something else."""

    past: Answer | SourceError

    def answer(self, requests: Sequence[Request], **kwargs: Any) -> Any:
        """Answer the past with `past`."""
        found = dict(super().answer(requests, **kwargs))
        return {one: self.past if one.end <= START else told for one, told in found.items()}


def forgetful(past: Answer | SourceError) -> AnalysisReport:
    source = ForgetfulSource(GAUGES)
    source.past = past
    return analyze(a_config(window=TEN_HOURS), source, a_window(minutes=STEPS), {})


TIMEOUT = SourceError("the query timed out after 30 s", code="timeout")
LEFT: dict[str, tuple[Answer | SourceError, str]] = {
    "the source did not answer": (TIMEOUT, "the query timed out after 30 s"),
    "the answer is partial": (an_answer(gauge(1), warnings=["a store is down"]), "a store is down"),
    "nothing was there": (an_answer(), "fewer than two pods of the baseline"),
    "one pod was there": (an_answer(gauge(1, pod="a")), "fewer than two pods of the baseline"),
}


@pytest.mark.parametrize(("past", "note"), LEFT.values(), ids=LEFT)
def test_a_past_that_cannot_be_had_is_noted_and_done_without(
    past: Answer | SourceError, note: str
) -> None:
    told, without = forgetful(past), analyzed(GAUGES, window={"planned": "33m", "warmup": "3m"})

    judgment, expected = told.metrics[0].judgment, without.metrics[0].judgment
    assert judgment.warnings[-1].startswith("judged without window.history: ")
    assert note in judgment.warnings[-1]
    assert replace(judgment, warnings=()) == replace(expected, warnings=())
    assert told.source_errors == ()


def test_a_past_too_short_is_noted_by_the_judge() -> None:
    report = analyzed(GAUGES, window={**TEN_HOURS, "history": "9h"})

    assert used(report) == ("unused", 540)
    assert (
        "the history has 540 usable steps, 600 are needed" in report.metrics[0].judgment.warnings[0]
    )


def test_without_a_pods_label_counters_are_judged_without_a_past() -> None:
    metric, answers = COUNTED["a quotient of two counters"]
    alone = {key: value for key, value in metric.items() if key != "pods"}

    judgment = analyzed({**answers, **_moved(answers)}, alone).metrics[0].judgment

    (note,) = judgment.warnings
    assert note.startswith("judged without window.history: the metric has no pods label")


def test_a_judge_that_learns_nothing_from_a_past_says_nothing_of_it() -> None:
    bound = a_metric(judge={"kind": "threshold", "max": 1000})

    assert analyzed(GAUGES, bound).metrics[0].judgment.warnings == ()


# ---- recordings


def recorded(config: CanaryConfig) -> Recording:
    """Record what is planned, as `serinus record` does."""
    window = a_window(minutes=STEPS)
    asks = (*plan(config, window, {}), *plan_history(config, window, {}))
    found = FakeSource(GAUGES).answer(unique_requests(asks))
    answers = {key: answer for key, answer in found.items() if isinstance(answer, Answer)}
    return Recording(window=window, variables={}, source="a table", answers=answers)


@pytest.mark.parametrize("minutes", [15, STEPS])
def test_a_recording_answers_each_look_with_its_past(minutes: int) -> None:
    config, window = a_config(window=TEN_HOURS), a_window(minutes=minutes)

    live = analyze(config, FakeSource(GAUGES), window, {})
    again = analyze(config, recorded(config), window, {})

    assert used(again) == ("used", PAST)
    assert [m.judgment for m in again.metrics] == [m.judgment for m in live.metrics]


def test_a_recording_made_without_a_past_is_judged_without_it() -> None:
    report = analyze(a_config(window=TEN_HOURS), recorded(a_config()), a_window(minutes=STEPS), {})

    assert report.verdict is not Verdict.FAIL
    assert report.source_errors == ()
    assert "the recording holds no answer" in report.metrics[0].judgment.warnings[-1]


def test_the_window_of_a_recording_is_cut_from_the_window_not_the_past() -> None:
    config = a_config(window=TEN_HOURS)
    early = unique_requests(plan(config, a_window(minutes=15), {}))

    found = recorded(config).answer(early)[early[0]]

    assert isinstance(found, Answer)
    first = found.series[0]
    assert same_series(first, replace(first, times=START + 60 * np.arange(1.0, 16)))
