"""Data that leave little or nothing to compare: each has a stated outcome, and no warning leaks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from judges import Reason, Verdict
from tests.support.samples import Array, a_gauge, events, faults, judged, judged_counts

N = 30
X, Y = a_gauge(1), a_gauge(2)
SIGNED = np.random.default_rng(3).standard_normal((2, N))
STEP = np.arange(N)
NAN, INF = math.nan, math.inf
GROWN = np.array([10.0, 20.0, 30.0] * 10)

PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def steady(level: float) -> Array:
    return np.full(N, level)


GAUGES = {
    "nothing at all": ([], [], UNSURE, Reason.NO_DATA),
    "one step": ([1.0], [2.0], UNSURE, Reason.TOO_FEW_SAMPLES),
    "one step short of min_samples": (X[:14], Y[:14], UNSURE, Reason.TOO_FEW_SAMPLES),
    "no baseline": (steady(NAN), Y, UNSURE, Reason.NO_DATA),
    "no canary": (X, steady(NAN), UNSURE, Reason.NO_DATA),
    "a baseline of infinities": (steady(INF), Y, UNSURE, Reason.NO_DATA),
    "sides seen at different steps only": (
        np.where(STEP % 2, X, NAN), np.where(STEP % 2, NAN, Y), UNSURE, Reason.NO_DATA,
    ),
    "too few steps seen on both sides": (
        np.where(STEP < 20, X, NAN), np.where(STEP > 9, Y, -INF), UNSURE, Reason.TOO_FEW_SAMPLES,
    ),
    "both constant and equal": (steady(5), steady(5), PASS, Reason.STEADY_WITHIN_TOLERANCE),
    "both zero": (steady(0), steady(0), PASS, Reason.STEADY_WITHIN_TOLERANCE),
    "constant, a little apart": (steady(5), steady(5.4), PASS, Reason.STEADY_WITHIN_TOLERANCE),
    "constant, apart by the tolerance": (
        steady(10_000), steady(11_000), PASS, Reason.STEADY_WITHIN_TOLERANCE,
    ),
    "constant, far apart": (steady(5), steady(50), UNSURE, Reason.STEADY_DIFFERENCE),
    "constant, the canary lower": (steady(5), steady(1), PASS, Reason.STEADY_WITHIN_TOLERANCE),
    "constant, zero against one": (steady(0), steady(1), UNSURE, Reason.STEADY_DIFFERENCE),
    "one spike in a constant": (
        steady(1), np.where(STEP == 7, 9.0, 1.0), UNSURE, Reason.STEADY_DIFFERENCE,
    ),
    "a constant baseline, the canary around it": (steady(100), Y, PASS, Reason.WITHIN_MARGIN),
    "a constant baseline, the canary far above": (
        steady(10), Y, FAIL, Reason.BEYOND_TOLERANCE,
    ),
    "a zero baseline, the canary above": (steady(0), Y, FAIL, Reason.BEYOND_TOLERANCE),
    "a constant canary amid the baseline": (X, steady(100), PASS, Reason.WITHIN_MARGIN),
    "a constant canary far above": (X, steady(900), FAIL, Reason.BEYOND_TOLERANCE),
    "identical series": (X, X, PASS, Reason.WITHIN_MARGIN),
    "two values, tied at every step": (STEP % 2, STEP % 2, PASS, Reason.WITHIN_MARGIN),
    "two values, tied across steps": (
        STEP % 2, (STEP + 1) % 2, PASS, Reason.WITHIN_MARGIN,
    ),
    "negative values, alike": (-X, -X, PASS, Reason.WITHIN_MARGIN),
    "negative values, the canary higher": (-X, -X / 2, FAIL, Reason.BEYOND_TOLERANCE),
    "values around zero, the canary higher": (
        SIGNED[0], SIGNED[1] + 5, FAIL, Reason.BEYOND_TOLERANCE,
    ),
    "zeros among the values": (
        np.where(STEP % 7, X, 0), np.where(STEP % 5, 3 * Y, 0), FAIL, Reason.BEYOND_TOLERANCE,
    ),
    "tiny values, alike": (1e-9 * X, 1e-9 * X, PASS, Reason.WITHIN_MARGIN),
    "tiny values, the canary higher": (1e-9 * X, 2e-9 * Y, FAIL, Reason.BEYOND_TOLERANCE),
    "huge values, alike": (1e18 * X, 1e18 * X, PASS, Reason.WITHIN_MARGIN),
    "huge values, the canary higher": (1e18 * X, 2e18 * Y, FAIL, Reason.BEYOND_TOLERANCE),
    "values near the largest double": (1e304 * X, 2e304 * Y, FAIL, Reason.BEYOND_TOLERANCE),
    "signed values near the largest double": (
        5e306 * SIGNED[0], 5e306 * (SIGNED[1] + 5), FAIL, Reason.BEYOND_TOLERANCE,
    ),
    "the largest double itself": (
        np.where(STEP % 2, 1.7e308, 1.6e308), np.where(STEP % 2, 1.6e308, 1.7e308),
        PASS, Reason.WITHIN_MARGIN,
    ),
    "subnormal values, the canary higher": (
        5e-324 * (1 + STEP % 3), 5e-323 * (1 + STEP % 3), FAIL, Reason.BEYOND_TOLERANCE,
    ),
    "subnormal values around zero": (
        5e-324 * (STEP % 3 - 1), 5e-323 * (STEP % 3 - 1), UNSURE, Reason.UNDECIDED,
    ),
    "every value from tiny to huge": (
        np.logspace(-300, 300, N), np.logspace(300, -300, N),
        UNSURE, Reason.TOO_FEW_EFFECTIVE_SAMPLES,
    ),
    "one absurd reading among signed values": (
        np.append(SIGNED[0][1:], 1e15), SIGNED[1] + 9, FAIL, Reason.BEYOND_TOLERANCE,
    ),
    "complete separation, the canary above": (X, X + 1000, FAIL, Reason.BEYOND_TOLERANCE),
    "complete separation, the canary below": (X + 1000, Y, PASS, Reason.WITHIN_MARGIN),
    "exactly a tenth more: within a tolerance of 10 %": (X, 1.1 * X, PASS, Reason.WITHIN_MARGIN),
    "exactly a tenth more, of few values": (GROWN, 1.1 * GROWN, PASS, Reason.WITHIN_MARGIN),
    "exactly three times": (X, 3 * X, FAIL, Reason.BEYOND_TOLERANCE),
}  # fmt: skip


@pytest.mark.parametrize(
    ("baseline", "canary", "verdict", "reason"), GAUGES.values(), ids=GAUGES.keys()
)
def test_mann_whitney_answers(
    baseline: Array, canary: Array, verdict: Verdict, reason: Reason
) -> None:
    judgment = judged("mann_whitney", baseline, canary)

    assert (judgment.verdict, judgment.reason) == (verdict, reason)
    assert faults(judgment) == []


@pytest.mark.parametrize(
    ("baseline", "canary"), [case[:2] for case in GAUGES.values()], ids=GAUGES.keys()
)
@pytest.mark.parametrize(
    "parameters",
    [
        {"variance": "classic"},
        {"looks": "anytime", "direction": "either"},
        {"tolerance": {"absolute": 1.0}, "direction": "decrease"},
        {"tolerance": {"absolute": 1e300}},
        {"tolerance": 0, "alpha": 1e-12, "beta": 1e-12, "confidence": 1 - 1e-12},
    ],
    ids=str,
)
def test_mann_whitney_emits_no_nan(
    baseline: Array, canary: Array, parameters: dict[str, object]
) -> None:
    assert faults(judged("mann_whitney", baseline, canary, **parameters)) == []


@pytest.mark.parametrize("unit", [1.0, 1000.0, 0.001, 3.7, 60.0, 1e-9, 1e18])
@pytest.mark.parametrize("ratio", [1.07, 1.1, 1.25, 1.5])
@pytest.mark.parametrize("variance", ["robust", "classic"])
def test_a_canary_exactly_at_the_tolerance_is_within_it_in_every_unit(
    unit: float, ratio: float, variance: str
) -> None:
    for baseline in (GROWN, np.array([3.0, 7.0] * 15), X):
        judgment = judged(
            "mann_whitney", unit * baseline, ratio * (unit * baseline),
            tolerance=ratio, variance=variance,
        )  # fmt: skip

        assert judgment.harm is not None
        assert judgment.harm.p >= 0.4
        assert judgment.verdict is not FAIL


BOUNDED = {
    "nothing at all": ([], {"max": 2}, UNSURE, Reason.NO_DATA),
    "nothing known": (steady(NAN), {"max": 2}, UNSURE, Reason.NO_DATA),
    "one step": ([1.0], {"max": 2}, UNSURE, Reason.TOO_FEW_SAMPLES),
    "one step, its maximum": ([1.0], {"max": 2, "statistic": "max"}, PASS, Reason.WITHIN_BOUNDS),
    "constant, within": (steady(0.1), {"max": 2}, PASS, Reason.WITHIN_BOUNDS),
    "constant, beyond": (steady(3), {"max": 2}, FAIL, Reason.OUT_OF_BOUNDS),
    "constant, on the bound": (steady(2), {"max": 2}, UNSURE, Reason.UNDECIDED),
    "constant, its median beyond": (
        steady(3), {"max": 2, "statistic": "median"}, FAIL, Reason.OUT_OF_BOUNDS,
    ),
    "constant zero": (steady(0), {"max": 2, "min": -1}, PASS, Reason.WITHIN_BOUNDS),
    "negative, below the minimum": (-X, {"min": 0}, FAIL, Reason.OUT_OF_BOUNDS),
    "infinities are unknown, not large": (
        np.where(STEP % 3, X, INF), {"max": 200}, PASS, Reason.WITHIN_BOUNDS,
    ),
    "tiny, beyond": (1e-9 * X, {"max": 1e-8}, FAIL, Reason.OUT_OF_BOUNDS),
    "so tiny that squares vanish": (1e-200 * X, {"max": 1e-199}, FAIL, Reason.OUT_OF_BOUNDS),
    "subnormal, within": (5e-324 * (1 + STEP % 3), {"max": 1}, PASS, Reason.WITHIN_BOUNDS),
    "huge, beyond": (1e18 * X, {"max": 1e19}, FAIL, Reason.OUT_OF_BOUNDS),
    "so huge that squares overflow": (1e303 * X, {"max": 1e306}, PASS, Reason.WITHIN_BOUNDS),
    "so huge that sums overflow": (steady(1.7e308), {"max": 1e308}, FAIL, Reason.OUT_OF_BOUNDS),
    "far on the other side of zero": (
        steady(1.7e308), {"max": -1.7e308, "statistic": "median"}, FAIL, Reason.OUT_OF_BOUNDS,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("canary", "parameters", "verdict", "reason"), BOUNDED.values(), ids=BOUNDED.keys()
)
def test_threshold_answers(
    canary: Array, parameters: dict[str, object], verdict: Verdict, reason: Reason
) -> None:
    judgment = judged("threshold", np.full(len(canary), NAN), canary, **parameters)

    assert (judgment.verdict, judgment.reason) == (verdict, reason)
    assert faults(judgment) == []


@pytest.mark.parametrize(
    ("baseline", "canary"), [case[:2] for case in GAUGES.values()], ids=GAUGES.keys()
)
@pytest.mark.parametrize("relative", ["value", "ratio", "difference"])
@pytest.mark.parametrize("statistic", ["mean", "median", "p95", "share", "last", "max", "min"])
def test_threshold_emits_no_nan(
    baseline: Array, canary: Array, relative: str, statistic: str
) -> None:
    judgment = judged(
        "threshold", baseline, canary, min=-1, max=2, statistic=statistic, relative=relative
    )

    assert faults(judgment) == []


def per_step(count: float) -> Array:
    return np.full(N, count)


K, MORE, NONE, SERVED = events(1), events(2, mean=12), per_step(0), per_step(1000)

COUNTS = {
    "nothing at all": (([], []), ([], []), UNSURE, Reason.NO_EXPOSURE),
    "no requests": ((NONE, NONE), (NONE, NONE), UNSURE, Reason.NO_EXPOSURE),
    "no requests to the canary": ((K, SERVED), (NONE, NONE), UNSURE, Reason.NO_EXPOSURE),
    "no requests to the baseline": ((NONE, NONE), (K, SERVED), UNSURE, Reason.NO_EXPOSURE),
    "nothing known of the baseline": (
        (per_step(NAN), per_step(NAN)), (K, SERVED), UNSURE, Reason.NO_EXPOSURE,
    ),
    "requests that run backwards": ((K, SERVED), (K, -SERVED), UNSURE, Reason.NO_EXPOSURE),
    "no errors, many requests": ((NONE, SERVED), (NONE, SERVED), PASS, Reason.WITHIN_MARGIN),
    "no errors, few requests": (
        (NONE, per_step(1)), (NONE, per_step(1)), UNSURE, Reason.UNDECIDED,
    ),
    "one error in all": (
        (NONE, SERVED), (np.where(STEP == 5, 1, 0), SERVED), PASS, Reason.WITHIN_MARGIN,
    ),
    "errors of the canary only": ((NONE, SERVED), (K, SERVED), FAIL, Reason.BEYOND_TOLERANCE),
    "errors of the baseline only": ((K, SERVED), (NONE, SERVED), PASS, Reason.WITHIN_MARGIN),
    "no error series yet is no error": (
        (per_step(NAN), SERVED), (K, SERVED), FAIL, Reason.BEYOND_TOLERANCE,
    ),
    "every request fails on both sides": (
        (SERVED, SERVED), (SERVED, SERVED), PASS, Reason.WITHIN_MARGIN,
    ),
    "every request fails on the canary": (
        (NONE, SERVED), (SERVED, SERVED), FAIL, Reason.BEYOND_TOLERANCE,
    ),
    "one step": (([1.0], [10.0]), ([2.0], [10.0]), UNSURE, Reason.UNDECIDED),
    "one burst on each side": (
        (np.where(STEP == 5, 1000, 0), SERVED), (np.where(STEP == 9, 1000, 0), SERVED),
        UNSURE, Reason.UNDECIDED,
    ),
    "more errors than requests": (
        (MORE, per_step(1)), (4 * MORE, per_step(1)), FAIL, Reason.BEYOND_TOLERANCE,
    ),
    "infinite counts are unknown": (
        (np.where(STEP % 3, K, INF), SERVED), (MORE, np.where(STEP % 4, SERVED, INF)),
        FAIL, Reason.BEYOND_TOLERANCE,
    ),
    "huge counts": ((1e8 * K, 1e8 * SERVED), (9e8 * K, 1e8 * SERVED), FAIL, None),
    "more events than a counter holds": (
        (1e18 * K, 1e18 * SERVED), (9e18 * K, 1e18 * SERVED), UNSURE, Reason.NOT_COMPARABLE,
    ),
    "counts whose squares overflow": (
        (1e200 * K, 1e203 * SERVED), (K, SERVED), UNSURE, Reason.NOT_COMPARABLE,
    ),
    "the largest double": (
        (per_step(1.7e308), per_step(1.7e308)), (K, SERVED), UNSURE, Reason.NOT_COMPARABLE,
    ),
    "fractions of requests": ((1e-9 * K, 1e-6 * SERVED), (1e-9 * K, 1e-6 * SERVED), UNSURE, None),
    "subnormal counts": (
        (5e-324 * K, 5e-322 * SERVED), (5e-324 * K, 5e-322 * SERVED), UNSURE, None,
    ),
    "a canary with next to no traffic": ((K, 1e17 * SERVED), (MORE, SERVED), FAIL, None),
    "a baseline with next to no traffic": ((K, SERVED), (MORE, 1e17 * SERVED), PASS, None),
}  # fmt: skip


@pytest.mark.parametrize(
    ("baseline", "canary", "verdict", "reason"), COUNTS.values(), ids=COUNTS.keys()
)
def test_error_ratio_answers(
    baseline: tuple[Array, Array],
    canary: tuple[Array, Array],
    verdict: Verdict,
    reason: Reason | None,
) -> None:
    judgment = judged_counts("error_ratio", baseline, canary)

    assert judgment.verdict is verdict
    assert reason is None or judgment.reason is reason
    assert faults(judgment) == []


@pytest.mark.parametrize(
    ("baseline", "canary"), [case[:2] for case in COUNTS.values()], ids=COUNTS.keys()
)
@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("error_ratio", {"looks": "anytime", "direction": "either"}),
        ("error_ratio", {"direction": "decrease", "tolerance": {"ratio": 1.0}}),
        ("error_ratio", {"alpha": 1e-12, "beta": 1e-12, "confidence": 1 - 1e-12}),
        ("mann_whitney", {}),
        ("threshold", {"max": 0.01}),
        ("threshold", {"max": 0.01, "statistic": "share"}),
        ("threshold", {"max": 1.5, "relative": "ratio"}),
    ],
    ids=str,
)
def test_counts_make_no_nan(
    baseline: tuple[Array, Array],
    canary: tuple[Array, Array],
    kind: str,
    parameters: dict[str, object],
) -> None:
    assert faults(judged_counts(kind, baseline, canary, **parameters)) == []


def test_a_ratio_to_a_zero_baseline_is_not_comparable() -> None:
    judgment = judged("threshold", steady(0), Y, max=2, relative="ratio")

    assert (judgment.verdict, judgment.reason) == (UNSURE, Reason.NOT_COMPARABLE)
    assert "baseline is 0" in judgment.summary


@pytest.mark.parametrize("level", [0.0, -5.0])
def test_sides_that_are_the_same_have_no_ratio_and_no_harm(level: float) -> None:
    judgment = judged("mean_ratio", steady(level), steady(level))

    assert (judgment.verdict, judgment.reason) == (PASS, Reason.STEADY_WITHIN_TOLERANCE)
    assert judgment.summary == "both sides are the same at every step"
