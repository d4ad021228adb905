"""Whether a comparison is valid: each guard fires for its reason, and none on a valid one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from analysis.guards import Comparison, Finding, Severity, Weight, inspect
from analysis.guards.little_exposure import LEAST_REQUESTS
from analysis.guards.same_series import LEAST_EQUAL_STEPS
from analysis.sources.port import Series
from judges import Sample
from tests.support.builders import START, a_series

N = 20
OLD = 100 + np.sin(np.arange(N))
NEW = 101 + np.cos(np.arange(N))
NAN = np.full(N, math.nan)
REQUESTS = np.full(N, 50.0)


def stored(side: str) -> Series:
    """Make a series as stored: it has its metric's name."""
    return a_series([(1, 1)], __name__="memory", v=side)


def aggregate(**labels: str) -> Series:
    """Make a series as evaluated: it has lost its name."""
    return a_series([(1, 1)], **labels)


def a_gauge(old: ArrayLike = OLD, new: ArrayLike = NEW, /, **changes: Any) -> Comparison:
    return _comparison(Sample.of_values(old, new), **changes)


def a_rate(values: ArrayLike, /, **changes: Any) -> Comparison:
    """Make the same rate of a counter on both sides, its labels aggregated away."""
    sides = {"baseline": (aggregate(),), "canary": (aggregate(),)}
    return a_gauge(values, values, **{**sides, "rate_s": 60.0, **changes})


def some_counts(
    old: ArrayLike = REQUESTS,
    new: ArrayLike = REQUESTS,
    /,
    *,
    events: ArrayLike = 0.0,
    **changes: Any,
) -> Comparison:
    """Make counts whose sides fail differently from step to step."""
    varied = np.asarray(events, dtype=np.float64) + np.arange(np.size(old)) % 3
    sample = Sample.of_counts((varied, old), (varied[::-1], new))
    return _comparison(sample, **changes)


def _comparison(sample: Sample, **changes: Any) -> Comparison:
    sides = {"baseline": (stored("old"),), "canary": (stored("new"),)}
    return Comparison(sample=sample, **{**sides, **changes})


def a_histogram(
    old: ArrayLike = REQUESTS,
    new: ArrayLike = REQUESTS,
    /,
    **changes: Any,
) -> Comparison:
    """Make a histogram of two buckets whose sides differ from step to step."""
    fast = 0.2 * (np.arange(N) % 3)
    sides = [
        np.stack([share * np.asarray(one), (1 - share) * np.asarray(one)], axis=1)
        for share, one in ((fast, old), (fast[::-1], new))
    ]
    return _comparison(Sample.of_histograms([0.1, math.inf], *sides), **changes)


UNLIKE = Finding(code="bucket_edges", summary="share 1 of 3", remedy="use the same")


LONG = 40


def busy(share: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give a hundred requests a step, of which the canary has its share, now more and now less."""
    canary = 100 * share + np.where(np.arange(LONG) % 2, 3.0, -3.0)
    return 100 - canary, canary


def codes(comparison: Comparison) -> list[str]:
    return [finding.code for finding in inspect(comparison)]


def the_finding(comparison: Comparison) -> Finding:
    (finding,) = inspect(comparison)
    return finding


VALID = {
    "two gauges": a_gauge(),
    "two gauges with gaps": a_gauge(
        np.where(np.arange(N) % 2, OLD, math.nan), np.where(np.arange(N) % 3, NEW, math.nan)
    ),
    "gauges of several pods": a_gauge([OLD, OLD + 1], [NEW, NAN]),
    "equal constants": a_gauge(np.full(N, 5.0), np.full(N, 5.0)),
    "hardly any change, and equal by chance": a_gauge(
        np.repeat([0.0, 1.0, 0.0, 1.0, 0.0], 4), np.repeat([0.0, 1.0, 0.0, 1.0, 0.0], 4)
    ),
    "aggregates, which have no labels left": a_gauge(
        baseline=(aggregate(),), canary=(aggregate(),)
    ),
    "aggregates by a label that both sides have": a_gauge(
        baseline=(aggregate(zone="a"), aggregate(zone="b")),
        canary=(aggregate(zone="a"), aggregate(zone="b")),
    ),
    "constant values of a gauge by pod, which are no series as stored": a_gauge(
        np.full(N, 5.0),
        np.full(N, 5.0),
        baseline=(aggregate(pod="a"),),
        canary=(aggregate(pod="a"),),
    ),
    "what has no label at all, though it is handed through": a_gauge(
        baseline=(aggregate(),), canary=(aggregate(),), shows_series=True
    ),
    "no errors on either side": a_rate(np.zeros(N)),
    "a constant rate of pods that the labels tell apart": a_rate(
        np.full(N, 5.0), baseline=(aggregate(pod="a"),), canary=(aggregate(pod="b"),)
    ),
    "a constant rate through four windows of it": a_rate(np.full(N, 5.0), rate_s=300.0),
    "a constant rate in nine steps": a_rate(np.full(9, 5.0)),
    "a cron job on both sides": a_gauge(
        1.0 * (np.arange(N) % 4 == 0), 1.0 * (np.arange(N) % 4 == 0)
    ),
    "counts": some_counts(),
    "counts without any event": some_counts(events=-(np.arange(N) % 3)),
    "just enough requests": some_counts(REQUESTS, np.full(N, LEAST_REQUESTS / N)),
    "no series of events": some_counts(events=math.nan),
    "a histogram": a_histogram(),
    "a histogram with just enough observations": a_histogram(
        REQUESTS, np.full(N, LEAST_REQUESTS / N)
    ),
    "a share of the requests as the weight says": some_counts(
        *busy(0.1), weight=Weight.constant(0.1, tolerance=0.1)
    ),
    "a share within the tolerance": some_counts(
        *busy(0.5), weight=Weight.constant(0.45, tolerance=0.3)
    ),
    "too few steps to tell a share": some_counts(weight=Weight.constant(0.1, tolerance=0.1)),
    "a gauge, whatever the weight": a_gauge(weight=Weight.constant(0.1, tolerance=0.1)),
    "a bound that is asked of the canary alone, whatever its share": some_counts(
        *busy(0.5), weight=Weight.constant(0.1, tolerance=0.1), needs_baseline=False
    ),
    "a canary that was not scraped in a fifth of the steps": a_gauge(
        OLD, np.where(np.arange(N) % 5, NEW, math.nan)
    ),
    "a metric with gaps on both sides, held against a bound": a_gauge(
        np.where(np.arange(N) % 3, NAN, OLD),
        np.where(np.arange(N) % 3, NAN, NEW),
        needs_baseline=False,
    ),
    "a bound held against a canary that is there more often": a_gauge(
        np.where(np.arange(N) % 3, NAN, OLD), NEW, needs_baseline=False
    ),
    "a canary held against a bound": a_gauge(NAN, NEW, needs_baseline=False),
    "one query for both sides, held against a bound": a_gauge(
        OLD, OLD, canary=(stored("old"),), needs_baseline=False
    ),
}


@pytest.mark.parametrize("comparison", VALID.values(), ids=VALID)
def test_no_guard_fires_on_a_valid_comparison(comparison: Comparison) -> None:
    assert codes(comparison) == []


FIRES: dict[str, tuple[Comparison, str, str, str]] = {
    "a warning of the source": (
        a_gauge(warnings=("results truncated", "store x is down")),
        "partial_answer",
        "the source warned: results truncated; store x is down",
        "a partial answer is never judged",
    ),
    "no series of the canary": (
        a_gauge(OLD, NAN, canary=()),
        "side_missing",
        "canary: the query matched no series",
        "check the labels and the variables of this side",
    ),
    "no series of the baseline": (
        a_gauge(NAN, NEW, baseline=()),
        "side_missing",
        "baseline: the query matched no series",
        "check the labels and the variables of this side",
    ),
    "no series at all": (
        a_gauge(NAN, NAN, baseline=(), canary=()),
        "side_missing",
        "baseline and canary: the query matched no series",
        "that its pods are scraped",
    ),
    "series without a value in the window": (
        a_gauge(OLD, NAN),
        "side_missing",
        "canary: series exist, but none has a value in the judged steps",
        "less its warmup, covers the time the pods were running",
    ),
    "counts without a known total": (
        some_counts(REQUESTS, NAN),
        "side_missing",
        "canary: series exist, but none has a value in the judged steps",
        "check that the window",
    ),
    "no series of a canary held against a bound": (
        a_gauge(NAN, NAN, baseline=(), canary=(), needs_baseline=False),
        "side_missing",
        "canary: the query matched no series",
        "check the labels",
    ),
    "the same stored series on both sides": (
        a_gauge(baseline=(stored("x"),), canary=(stored("x"),)),
        "same_series",
        "baseline and canary are the same series",
        "use one that does, or the pods' own metrics",
    ),
    "the same values at every step": (
        a_gauge(OLD, OLD, baseline=(aggregate(),), canary=(aggregate(),)),
        "same_series",
        "baseline and canary are the same series",
        "the labels do not tell the sides apart at this layer",
    ),
    "the same series on both sides, which a function handed through": (
        a_gauge(
            np.zeros(N),
            np.zeros(N),
            baseline=(aggregate(pod="a"),),
            canary=(aggregate(pod="a"),),
            shows_series=True,
        ),
        "same_series",
        "baseline and canary are the same series",
        "the labels do not tell the sides apart at this layer",
    ),
    "a constant rate on both sides": (
        a_rate(np.full(N, 2.5)),
        "same_series",
        "baseline and canary have the very same rate in all 20 steps, 2.5 at last",
        "or, if nothing but a timer calls both sides, judge what users ask for",
    ),
    "a periodic rate on both sides": (
        a_rate(np.resize([2.5, 3.0], N)),
        "same_series",
        "baseline and canary have the very same rate in all 20 steps, 3 at last",
        "the labels do not tell the sides apart at this layer",
    ),
    "a canary whose pods ended": (
        a_gauge(OLD, np.r_[NEW[:15], NAN[15:]], begin=START),
        "coverage",
        "the canary is known in 15 of 20 steps, the last until 08:15:00; the baseline in 20",
        "see whether its pods ended",
    ),
    "a baseline with gaps": (
        some_counts(np.where(np.arange(N) % 2, REQUESTS, math.nan), REQUESTS),
        "coverage",
        "the baseline is known in 10 of 20 steps; the canary in 20",
        "see whether its pods ended",
    ),
    "a canary held against a bound while it lasted": (
        a_gauge(NAN, np.r_[NEW[:3], NAN[3:]], needs_baseline=False, begin=START),
        "coverage",
        "the canary is known in 3 of 20 steps, the last until 08:03:00; the bound is held against",
        "see whether its pods ended",
    ),
    "a canary that began late": (
        a_gauge(OLD, np.r_[NAN[:5], NEW[5:]], begin=START),
        "young_side",
        "the canary is first seen at 08:05:00, after 5 of 20 steps",
        "let --start be when its pods were ready",
    ),
    "a baseline that began late": (
        a_gauge(np.r_[NAN[:9], OLD[9:]], NEW, begin=START),
        "young_side",
        "the baseline is first seen at 08:09:00, after 9 of 20 steps",
        "or see why they came so late",
    ),
    "a baseline that takes in the canary": (
        a_gauge(baseline=(stored("old"), stored("new"))),
        "shared_series",
        "1 of the canary's 1 series are also among the baseline's 2, such as memory{v=\"new\"}",
        "select each side by a label that only it has",
    ),
    "half of the requests at a weight of a tenth": (
        some_counts(*busy(0.5), weight=Weight.constant(0.1, tolerance=0.1)),
        "traffic_share",
        "the canary has 50 % of the requests (2,000 against 2,000), its weight is 10 %",
        "whether the layer blends both",
    ),
    "a canary that loses a fifth of its requests": (
        some_counts(*busy(0.444), weight=Weight.constant(0.5, tolerance=0.1)),
        "traffic_share",
        "the canary has 44 % of the requests",
        "see whether the canary loses requests before it counts them",
    ),
    "few requests of the canary": (
        some_counts(REQUESTS, np.full(N, 1.45)),
        "little_exposure",
        f"canary: 29 requests in the judged steps, {LEAST_REQUESTS} are needed",
        "wait longer, raise the canary's weight, or send it synthetic traffic",
    ),
    "few requests of the baseline": (
        some_counts(np.r_[np.full(N - 1, 0.0), 3.0]),
        "little_exposure",
        "baseline: 3 requests in the judged steps",
        "wait longer",
    ),
    "few observations of the canary": (
        a_histogram(REQUESTS, np.full(N, 1.45)),
        "little_exposure",
        f"canary: 29 observations in the judged steps, {LEAST_REQUESTS} are needed",
        "wait longer",
    ),
    "a histogram that nobody scraped": (
        a_histogram(REQUESTS, NAN),
        "side_missing",
        "canary: series exist, but none has a value in the judged steps",
        "check that the window",
    ),
    "buckets that cannot be compared": (
        a_histogram(edges=UNLIKE),
        "bucket_edges",
        "share 1 of 3",
        "use the same",
    ),
    "series that are no buckets": (
        a_histogram(REQUESTS, NAN, edges=UNLIKE),
        "bucket_edges",
        "share 1 of 3",
        "use the same",
    ),
    "the same histogram on both sides": (
        a_histogram(baseline=(stored("x"),), canary=(stored("x"),)),
        "same_series",
        "baseline and canary are the same series",
        "use one that does",
    ),
    "no requests at all": (
        some_counts(REQUESTS, np.zeros(N)),
        "little_exposure",
        "canary: 0 requests in the judged steps",
        "wait longer",
    ),
}


@pytest.mark.parametrize(("comparison", "code", "summary", "remedy"), FIRES.values(), ids=FIRES)
def test_a_guard_fires_with_code_numbers_and_remedy(
    comparison: Comparison, code: str, summary: str, remedy: str
) -> None:
    finding = the_finding(comparison)

    assert finding.code == code
    assert finding.summary.startswith(summary)
    assert remedy in finding.remedy


def test_a_threshold_asks_nothing_of_the_baselines_requests() -> None:
    assert codes(some_counts(np.zeros(N), REQUESTS, needs_baseline=False)) == []


def test_values_that_are_equal_where_both_are_known_are_the_same() -> None:
    gaps = np.where(np.arange(N) % 6, OLD, math.nan)

    assert codes(a_gauge(gaps, OLD)) == ["same_series"]


@pytest.mark.parametrize(("changes", "expected"), [(4, []), (LEAST_EQUAL_STEPS, ["same_series"])])
def test_equal_values_are_no_chance_from_five_changes_on(
    changes: int, expected: Sequence[str]
) -> None:
    values = np.r_[np.arange(changes + 1.0), np.full(N - changes - 1, float(changes))]

    assert codes(a_gauge(values, values)) == expected


def test_rounding_does_not_make_a_constant_change() -> None:
    noisy = 0.1 + 1e-17 * np.arange(N)

    assert the_finding(a_rate(noisy)).severity is Severity.WITHHELD
    assert codes(a_gauge(noisy, noisy)) == []


def test_the_severity_follows_how_sure_it_is() -> None:
    values = np.r_[np.arange(8.0), np.full(N - 8, 7.0)]

    assert the_finding(a_rate(values)).severity is Severity.INVALID
    assert the_finding(a_rate(np.full(N, 7.0))).severity is Severity.WITHHELD


def test_every_finding_is_given() -> None:
    one = (stored("x"),)

    found = codes(
        some_counts(REQUESTS, np.zeros(N), warnings=("partial",), baseline=one, canary=one)
    )

    assert found == ["partial_answer", "same_series", "little_exposure"]


def test_what_can_be_judged_is_judged_and_only_what_cannot_is_not() -> None:
    found = [the_finding(case) for case, *_ in FIRES.values()]
    severities = {one.code: one.severity for one in found}

    invalid = {one.code for one in found if one.severity is Severity.INVALID}
    assert invalid == {"side_missing", "same_series", "bucket_edges", "partial_answer"}
    assert {*severities.values()} == {Severity.INVALID, Severity.WITHHELD}
