"""The pipeline over a source that is a table: from answers to one report."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.config import CanaryConfig
from analysis.config.load import digest
from analysis.consumers.json import to_json
from analysis.engine import analyze, conclude, prepare
from analysis.errors import ConfigError, SourceError
from analysis.report import AnalysisReport, MetricReport
from analysis.sources.port import Answer, Series
from analysis.window import Window
from judges import Reason, Verdict
from tests.support.builders import (
    GONE,
    START,
    Document,
    FakeSource,
    a_config,
    a_metric,
    a_series,
    a_window,
    an_answer,
    some_counts,
)

PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
STEPS = 30
TIMEOUT = SourceError("the query timed out after 30 s", code="timeout")

Answers = Mapping[str, Sequence[Series] | Answer | SourceError]


def gauge(level: float, *, seed: int = 1, **labels: str) -> Series:
    """Draw a gauge with noise, evaluated at the end of every step, in whole numbers."""
    noise = np.random.default_rng(seed).integers(-5, 6, STEPS)
    return a_series([(START + 60 * (n + 1), level + noise[n]) for n in range(STEPS)], **labels)


def counter(per_minute: float, *, first: float = 0, born: int = -5, **labels: str) -> Series:
    """Make a counter scraped every 30 s; `born` minutes after the start of the window."""
    minutes = np.arange(born, STEPS + 0.25, 0.5)
    points = [(START + 60 * m, first + per_minute * (m - born)) for m in minutes]
    return a_series(points, __name__="requests_total", **labels)


GOOD: Answers = {
    'memory{v="old"}': [gauge(100, seed=1)],
    'memory{v="new"}': [gauge(100, seed=2)],
}
BAD: Answers = {**GOOD, 'memory{v="new"}': [gauge(200, seed=2)]}
OTHER: Answers = {
    'cpu{v="old"}': [gauge(100, seed=3)],
    'cpu{v="new"}': [gauge(100, seed=4)],
}
TRAFFIC: Answers = {
    'errors_failed{v="old"}': [counter(2, first=7, pod="a", code="500")],
    'errors_all{v="old"}': [counter(1000, first=9e6, pod="a")],
    'errors_failed{v="new"}': [counter(2, pod="b", code="500")],
    'errors_all{v="new"}': [counter(1000, pod="b")],
}


def analyzed(
    answers: Answers,
    *metrics: Document,
    config: CanaryConfig | None = None,
    window: Window | None = None,
    variables: Mapping[str, Mapping[str, object]] | None = None,
    **settings: Any,
) -> AnalysisReport:
    return analyze(
        config or a_config(*metrics, **settings),
        FakeSource(answers),
        window or a_window(minutes=STEPS),
        variables or {},
    )


def the_metric(answers: Answers, metric: Document, **settings: Any) -> MetricReport:
    (report,) = analyzed(answers, metric, **settings).metrics
    return report


# ---- verdicts


def test_a_canary_like_its_baseline_passes() -> None:
    report = analyzed(GOOD, a_metric())

    assert (report.verdict, report.score, report.decided_by) == (PASS, 100, ())


def test_a_canary_twice_as_large_fails() -> None:
    report = analyzed(BAD, a_metric(critical=True))

    assert (report.verdict, report.score, report.decided_by) == (FAIL, 0, ("memory",))
    assert report.summary.startswith("memory: rose ")


def test_errors_among_requests_are_counted_from_raw_samples() -> None:
    metric = the_metric(TRAFFIC, some_counts())

    assert metric.judgment.verdict is PASS
    # Two errors and a thousand requests a minute, in thirty steps of a minute.
    assert metric.judgment.details["events_canary"] == 60
    assert metric.judgment.details["requests_canary"] == 30_000
    np.testing.assert_allclose(metric.canary, 0.002)


def test_the_first_errors_of_a_new_pod_are_counted() -> None:
    # The canary's error series appears in the tenth minute, with forty errors at once.
    born = {'errors_failed{v="new"}': [counter(0, first=40, born=10, pod="b", code="500")]}

    metric = the_metric({**TRAFFIC, **born}, some_counts())

    assert metric.judgment.details["events_canary"] == 40


def test_a_bound_on_the_canary_needs_no_baseline() -> None:
    metric = a_metric(judge={"kind": "threshold", "max": 150})
    alone = {'memory{v="new"}': GOOD['memory{v="new"}']}

    report = analyzed(alone, metric)

    assert report.verdict is PASS
    assert np.isnan(report.metrics[0].baseline).all()


def test_a_bound_relative_to_the_baseline_needs_one() -> None:
    metric = a_metric(judge={"kind": "threshold", "max": 1.5, "relative": "ratio"})
    alone = {'memory{v="new"}': GOOD['memory{v="new"}']}

    assert the_metric(alone, metric).judgment.reason is Reason.GUARD
    assert analyzed(GOOD, metric).verdict is PASS


def latencies(*, slow: int, beat: int = 3, **labels: str) -> list[Series]:
    """Make a histogram of a thousand requests a minute, `slow` of which take half a second."""
    minutes = np.arange(-5, STEPS + 0.25, 0.5)
    per_minute = {"0.1": 900 - slow, "0.25": 1000 - slow, "1": 1000, "+Inf": 1000}
    return [
        a_series(
            [(START + 60 * m, rate * (m + 5) + round(m) % beat) for m in minutes],
            **{"__name__": "latency_bucket", "le": le, **labels},
        )
        for le, rate in per_minute.items()
    ]


LATENCY = a_metric("latency", histogram='latency_bucket{v="${v}"}', judge={"kind": "mean_ratio"})
QUICK: Answers = {
    'latency_bucket{v="old"}': latencies(slow=10, pod="a"),
    'latency_bucket{v="new"}': latencies(slow=10, beat=4, pod="b"),
}
SLOW: Answers = {**QUICK, 'latency_bucket{v="new"}': latencies(slow=400, pod="b")}


@pytest.mark.parametrize(("answers", "verdict"), [(QUICK, PASS), (SLOW, FAIL)])
def test_a_histogram_is_judged(answers: Answers, verdict: Verdict) -> None:
    metric = the_metric(answers, LATENCY)

    assert (metric.judgment.verdict, metric.findings) == (verdict, ())
    assert metric.pods == {"baseline": 1, "canary": 1}
    assert [(q.role, q.kind, q.series) for q in metric.queries] == [("buckets", "buckets", 4)] * 2


def test_the_level_of_a_histogram_is_its_mean() -> None:
    metric = the_metric(SLOW, LATENCY)

    # 900 - 400 in the middle of 0 and 0.1, 100 in that of 0.1 and 0.25, 400 in that of 0.25 and 1.
    np.testing.assert_allclose(metric.canary, 0.5 * 0.05 + 0.1 * 0.175 + 0.4 * 0.625, rtol=0.01)


def test_a_histogram_by_pod_has_a_row_a_pod() -> None:
    pods = [one for pod in "bcd" for one in latencies(slow=10, beat=4, pod=pod)]

    metric = the_metric({**QUICK, 'latency_bucket{v="new"}': pods}, {**LATENCY, "pods": "pod"})

    assert metric.pods == {"baseline": 1, "canary": 3}


# ---- what cannot be judged

MISSING = {
    "no series of the canary": ({'memory{v="new"}': []}, "canary: the query matched no series"),
    "no series of the baseline": (
        {'memory{v="old"}': []},
        "baseline: the query matched no series",
    ),
    "no value of the canary in the window": (
        {'memory{v="new"}': [a_series([(START - 600, 1)])]},
        "canary: series exist, but none has a value in the judged steps",
    ),
}


@pytest.mark.parametrize(("change", "summary"), MISSING.values(), ids=MISSING)
def test_a_missing_side_is_inconclusive(change: Answers, summary: str) -> None:
    report = analyzed({**GOOD, **change}, a_metric())

    judgment = report.metrics[0].judgment
    assert (report.verdict, judgment.reason) == (UNSURE, Reason.GUARD)
    assert judgment.summary == summary
    assert [finding.code for finding in report.metrics[0].findings] == ["side_missing"]


def test_a_warning_of_the_source_is_inconclusive_however_bad_the_canary() -> None:
    partial = an_answer(*_series(BAD, "new"), warnings=["results truncated"])

    report = analyzed({**BAD, 'memory{v="new"}': partial}, a_metric(critical=True))

    assert report.verdict is UNSURE
    assert report.metrics[0].findings[0].code == "partial_answer"
    assert "results truncated" in report.metrics[0].judgment.summary


def _series(answers: Answers, v: str) -> Sequence[Series]:
    found = answers[f'memory{{v="{v}"}}']
    assert isinstance(found, list)
    return found


def test_a_remark_of_the_source_is_passed_on_with_the_judgment() -> None:
    remarked = Answer(series=tuple(_series(GOOD, "new")), infos=("not a counter",))

    metric = the_metric({**GOOD, 'memory{v="new"}': remarked}, a_metric())

    assert metric.judgment.verdict is PASS
    assert metric.judgment.warnings == ("the source notes: not a counter",)


def test_a_query_without_an_answer_leaves_its_metric_open_and_the_others_judged() -> None:
    answers = {**GOOD, **OTHER, 'memory{v="new"}': TIMEOUT}

    report = analyzed(answers, a_metric("memory"), a_metric("cpu"))

    memory, cpu = report.metrics
    assert (memory.judgment.verdict, memory.judgment.reason) == (UNSURE, Reason.SOURCE)
    assert memory.judgment.summary == f"no answer from the source: {TIMEOUT}"
    assert [(query.series, query.error) for query in memory.queries] == [
        (1, None),
        (None, str(TIMEOUT)),
    ]
    assert cpu.judgment.verdict is PASS
    assert report.source_errors == (str(TIMEOUT),)


def test_a_query_without_an_answer_does_not_hide_harm_elsewhere() -> None:
    answers = {**BAD, **OTHER, 'cpu{v="new"}': TIMEOUT}

    report = analyzed(answers, a_metric("memory", critical=True), a_metric("cpu"))

    assert (report.verdict, report.decided_by) == (FAIL, ("memory",))


def test_no_answer_at_all_is_an_error() -> None:
    with pytest.raises(SourceError, match="timed out"):
        analyzed(dict.fromkeys(GOOD, TIMEOUT), a_metric())


def test_sides_that_ask_the_same_are_an_error_before_anything_is_asked() -> None:
    source = FakeSource(GOOD)

    with pytest.raises(ConfigError, match="both sides ask the same query"):
        analyze(a_config(), source, a_window(), {"canary": {"v": "old"}})

    assert source.asked == []


def test_both_sides_behind_one_balancer_are_found_by_their_values() -> None:
    metric = the_metric({**GOOD, 'memory{v="new"}': GOOD['memory{v="old"}']}, a_metric())

    assert [finding.code for finding in metric.findings] == ["same_series"]


# ---- what is judged, but not believed when it looks well


def cut(answers: Answers, query: str, *, after: int) -> Answers:
    """Let the series of a query end after some samples."""
    found = answers[query]
    assert isinstance(found, list)
    ended = [replace(one, times=one.times[:after], values=one.values[:after]) for one in found]
    return {**answers, query: ended}


def test_a_canary_that_died_passes_nothing_by_what_was_seen_of_it() -> None:
    alive = the_metric(GOOD, a_metric())
    dead = the_metric(cut(GOOD, 'memory{v="new"}', after=20), a_metric())

    assert alive.judgment.verdict is PASS
    assert [finding.code for finding in dead.findings] == ["coverage"]
    assert (dead.judgment.verdict, dead.judgment.reason) == (UNSURE, Reason.GUARD)
    assert dead.judgment.summary.startswith("the canary is known in 20 of 30 steps")
    assert dead.judgment.estimate is not None


def test_a_canary_that_did_harm_and_died_fails() -> None:
    report = analyzed(cut(BAD, 'memory{v="new"}', after=20), a_metric(critical=True))

    assert [finding.code for finding in report.metrics[0].findings] == ["coverage"]
    assert (report.verdict, report.metrics[0].judgment.verdict) == (FAIL, FAIL)


def test_a_canary_that_failed_its_few_requests_and_lost_its_traffic_fails() -> None:
    last = {
        'errors_all{v="new"}': [counter(0.5, pod="b")],
        'errors_failed{v="new"}': [counter(0.5, pod="b")],
    }

    metric = the_metric({**TRAFFIC, **last}, some_counts())

    assert [finding.code for finding in metric.findings] == ["little_exposure"]
    assert metric.judgment.verdict is FAIL


WEIGHTS = {
    "as it is": ("50%", PASS, []),
    "as it is not": (10, UNSURE, ["traffic_share"]),
    "from a variable": ("${weight}", UNSURE, ["traffic_share"]),
    "from a variable that is empty": ("${none:-}", PASS, []),
}


@pytest.mark.parametrize(("weight", "verdict", "found"), WEIGHTS.values(), ids=WEIGHTS)
def test_the_requests_of_both_sides_are_held_against_the_weight(
    weight: str | float, verdict: Verdict, found: Sequence[str]
) -> None:
    config = a_config(some_counts(), traffic={"canary_weight": weight})

    report = analyze(config, FakeSource(TRAFFIC), a_window(), {"canary": {"weight": "10"}})

    (metric,) = report.metrics
    assert [finding.code for finding in metric.findings] == found
    assert metric.judgment.verdict is verdict


NO_WEIGHTS = {
    "nobody gave it": ({}, "the variable 'weight' has no value; give --set"),
    "it is none": ({"weight": "much"}, "expected a weight such as 20% or 0.2, got 'much'"),
    "it leaves a side without traffic": ({"weight": "100%"}, "so that both sides have traffic"),
}


@pytest.mark.parametrize(("given", "message"), NO_WEIGHTS.values(), ids=NO_WEIGHTS)
def test_a_weight_that_is_none_is_an_error_before_anything_is_asked(
    given: dict[str, object], message: str
) -> None:
    source = FakeSource(TRAFFIC)
    config = a_config(some_counts(), traffic={"canary_weight": "${weight}"})

    with pytest.raises(ConfigError, match=message):
        analyze(config, source, a_window(), {"canary": given})

    assert source.asked == []


def test_little_traffic_is_inconclusive() -> None:
    quiet = {'errors_all{v="new"}': [counter(0.5, pod="b")], 'errors_failed{v="new"}': []}

    metric = the_metric({**TRAFFIC, **quiet}, some_counts())

    assert [finding.code for finding in metric.findings] == ["little_exposure"]
    assert "15 requests" in metric.judgment.summary


NO_HISTOGRAM: dict[str, tuple[Sequence[Series], str]] = {
    "a counter": ([counter(1000, pod="b")], "canary: requests_total has no label le"),
    "one bucket": (latencies(slow=10)[:1], 'canary: buckets without le="+Inf"'),
    "other edges": (
        [
            replace(one, labels={"le": one.labels["le"].replace("0.25", "0.3")})
            for one in latencies(slow=10)
            if one.labels["le"] != "1"
        ],
        "baseline and canary share 1 of 4 bucket edges",
    ),
}


@pytest.mark.parametrize(("series", "summary"), NO_HISTOGRAM.values(), ids=NO_HISTOGRAM)
def test_what_makes_no_common_histogram_is_inconclusive(
    series: Sequence[Series], summary: str
) -> None:
    metric = the_metric({**QUICK, 'latency_bucket{v="new"}': series}, LATENCY)

    assert (metric.judgment.verdict, metric.judgment.reason) == (UNSURE, Reason.GUARD)
    assert [finding.code for finding in metric.findings] == ["bucket_edges"]
    assert metric.judgment.summary.startswith(summary)


def test_a_histogram_without_series_is_a_missing_side() -> None:
    metric = the_metric({**QUICK, 'latency_bucket{v="new"}': []}, LATENCY)

    assert [finding.code for finding in metric.findings] == ["side_missing"]


# ---- remarks on counters


def test_buckets_that_were_merged_are_remarked_on() -> None:
    fewer = [one for one in latencies(slow=10, beat=4) if one.labels["le"] != "0.1"]

    metric = the_metric({**QUICK, 'latency_bucket{v="new"}': fewer}, LATENCY)

    assert metric.judgment.verdict is PASS
    assert "2 of 3 edges are shared" in metric.judgment.warnings[0]


def test_a_histogram_too_is_remarked_on_if_the_step_is_shorter_than_the_scrape_interval() -> None:
    metric = the_metric(QUICK, LATENCY, window=a_window(minutes=STEPS, step_s=15))

    assert "shorter than the scrape interval of 30 s" in str(metric.judgment.warnings)


def test_events_that_match_nothing_are_remarked_on() -> None:
    none: Answers = {name: [] for name in TRAFFIC if name.startswith("errors_failed")}

    metric = the_metric({**TRAFFIC, **none}, some_counts())

    assert metric.judgment.verdict is not UNSURE
    assert "matched no series on either side" in metric.judgment.warnings[0]


def test_a_step_shorter_than_the_scrape_interval_is_remarked_on() -> None:
    window = a_window(minutes=STEPS, step_s=15)

    metric = the_metric(TRAFFIC, some_counts(), window=window)

    assert "the step of 15 s is shorter than the scrape interval of 30 s" in str(
        metric.judgment.warnings
    )


def test_a_step_of_one_scrape_is_not() -> None:
    metric = the_metric(TRAFFIC, some_counts(), window=a_window(minutes=STEPS, step_s=30))

    assert metric.judgment.warnings == ()


# ---- the same again


def test_the_same_input_gives_the_same_bytes() -> None:
    answers = {**GOOD, **TRAFFIC}
    metrics = (a_metric(), some_counts())

    assert to_json(analyzed(answers, *metrics)) == to_json(analyzed(answers, *metrics))


def test_the_order_of_series_is_irrelevant() -> None:
    pods = [gauge(100, seed=n, pod=f"p{n}") for n in range(4)]
    counters = [counter(100 * n, pod=f"p{n}") for n in range(1, 5)]
    metrics = (a_metric(), some_counts(pods="pod"))

    forward, backward = (
        {**GOOD, **TRAFFIC, 'memory{v="new"}': pods[::way], 'errors_all{v="new"}': counters[::way]}
        for way in (1, -1)
    )

    assert to_json(analyzed(forward, *metrics)) == to_json(analyzed(backward, *metrics))


def test_the_order_of_metrics_changes_no_judgment() -> None:
    answers = {**BAD, **OTHER}

    forward = analyzed(answers, a_metric("memory"), a_metric("cpu"))
    backward = analyzed(answers, a_metric("cpu"), a_metric("memory"))

    assert [one.judgment for one in forward.metrics] == [
        one.judgment for one in backward.metrics[::-1]
    ]
    assert (forward.verdict, forward.score) == (backward.verdict, backward.score)


def test_the_warm_up_is_not_judged() -> None:
    # The canary is ten times as large for its first five minutes.
    warm = a_series(
        [
            (time, value * 10 if time <= START + 300 else value)
            for one in _series(GOOD, "new")
            for time, value in zip(one.times, one.values, strict=True)
        ]
    )
    answers = {**GOOD, 'memory{v="new"}': [warm]}

    report = analyzed(answers, a_metric(), window=a_window(minutes=STEPS, warmup_s=300))

    assert report.verdict is PASS
    assert report.metrics[0].judgment.n == STEPS - 5


# ---- what is asked, and said


def test_questions_that_metrics_share_are_asked_once() -> None:
    source = FakeSource(GOOD)
    config = a_config(
        a_metric("a", query='memory{v="${v}"}'), a_metric("b", query='memory{v="${v}"}')
    )

    analyze(config, source, a_window(minutes=STEPS), {})

    assert [request.query for request in source.asked] == list(GOOD)


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []

    analyze(
        a_config(),
        FakeSource(GOOD),
        a_window(minutes=STEPS),
        {},
        progress=lambda answered, asked: told.append((answered, asked)),
    )

    assert told == [(1, 2), (2, 2)]


def test_a_report_says_where_it_comes_from() -> None:
    config = a_config(variables={"canary": {"v": "new"}})
    variables = {"baseline": {"v": "old", "n": 5}, "canary": {}}

    provenance = analyzed(GOOD, config=config, variables=variables).provenance

    assert provenance.config_digest == digest(config)
    assert provenance.version == importlib.metadata.version("serinus")
    assert provenance.libraries["numpy"] == np.__version__
    assert provenance.variables == {"baseline": {"n": "5", "v": "old"}, "canary": {}}


def test_a_metric_is_reported_with_its_queries_pods_and_levels() -> None:
    pods = [gauge(100, seed=n, pod=f"p{n}") for n in range(3)]
    silent = a_series([(START + 60, float("nan"))], pod="p3")

    metric = the_metric({**GOOD, 'memory{v="new"}': [*pods, silent]}, a_metric())

    assert [(q.side, q.role, q.kind, q.query, q.series) for q in metric.queries] == [
        ("baseline", "query", "range", 'memory{v="old"}', 1),
        ("canary", "query", "range", 'memory{v="new"}', 4),
    ]
    assert metric.pods == {"baseline": 1, "canary": 3}
    assert metric.times.tolist() == [START + 60 * (n + 1) for n in range(STEPS)]
    np.testing.assert_allclose(metric.canary, np.mean([pod.values for pod in pods], axis=0))


def test_a_window_longer_than_planned_is_remarked_on() -> None:
    config = a_config(window={"planned": "20m"})

    assert analyzed(GOOD, config=config).warnings == (
        "the window is longer than window.planned (20m); evidence is tuned for that",
    )
    assert analyzed(GOOD).warnings == ()


def test_weights_and_lost_points_are_reported() -> None:
    answers = {**GOOD, **OTHER, 'cpu{v="new"}': []}
    scoring = {"weights": {"a": 75, "b": 25}}

    report = analyzed(
        answers, a_metric("memory", group="a"), a_metric("cpu", group="b"), scoring=scoring
    )

    assert [(one.weight, one.lost) for one in report.metrics] == [(0.75, 0), (0.25, 12.5)]
    assert [(group.name, group.weight, group.score) for group in report.groups] == [
        ("a", 0.75, 100),
        ("b", 0.25, 50),
    ]


def test_a_muted_metric_is_judged_and_shown() -> None:
    report = analyzed({**BAD, **OTHER}, a_metric("memory", muted=True), a_metric("cpu"))

    assert (report.verdict, report.metrics[0].judgment.verdict) == (PASS, FAIL)


def test_scrapes_that_are_missing_leave_their_steps_unknown() -> None:
    values = [None if 20 <= n < 30 else 100.0 * n for n in range(71)]
    points = [(START - 300 + 30 * n, v) for n, v in enumerate(values) if v is not GONE]
    gap = {'errors_all{v="new"}': [a_series(points, __name__="requests_total", pod="b")]}
    only = {**TRAFFIC, **gap, 'errors_failed{v="new"}': []}

    metric = the_metric(only, some_counts())

    # Minute 4:30 is the last scrape before the gap, minute 10 the first behind it.
    assert np.flatnonzero(np.isnan(metric.canary)).tolist() == [5, 6, 7, 8]
    assert metric.judgment.details["requests_canary"] == 6000


def test_looks_concluded_together_are_what_they_are_alone() -> None:
    config = a_config(a_metric("memory"), some_counts("errors"))
    looks = [
        prepare(config, FakeSource({**answers, **TRAFFIC}), a_window(minutes=minutes), {})
        for answers in (dict(GOOD), dict(BAD))
        for minutes in (10, 20, 30)
    ]

    together = [to_json(look.report()) for look in conclude(looks)]

    assert together == [to_json(conclude([look])[0].report()) for look in looks]
    assert len(set(together)) == len(together)
