"""What the judge of quantiles answers, and why."""

from __future__ import annotations

import numpy as np
import pytest

import judges
from judges import InvalidParameterError, Judgment, Reason, Sample, Scale, Verdict
from tests.support.samples import FINE, Array, judged_buckets, latencies

PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def judgment_of(baseline: Array, canary: Array, **parameters: object) -> Judgment:
    return judged_buckets("quantile_ratio", baseline, canary, grid=FINE, **parameters)


@pytest.mark.parametrize(
    ("level", "direction", "verdict"),
    [
        (0.2, "increase", PASS), (0.3, "increase", FAIL), (0.13, "increase", PASS),
        (0.2, "decrease", PASS), (0.3, "decrease", PASS), (0.13, "decrease", FAIL),
        (0.2, "either", PASS), (0.3, "either", FAIL), (0.13, "either", FAIL),
    ],
)  # fmt: skip
@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_harm_depends_on_the_direction(
    level: float, direction: str, verdict: Verdict, looks: str
) -> None:
    baseline, canary = latencies(1, n=60), latencies(2, n=60, level=level)

    assert judgment_of(baseline, canary, direction=direction, looks=looks).verdict is verdict


def test_a_ramp_of_traffic_while_all_get_slower_is_not_the_canarys() -> None:
    share, level = np.linspace(0.01, 0.5, 40), np.linspace(0.1, 0.3, 40)
    baseline = latencies(1, requests=5000 * (1 - share), level=level)
    alike = latencies(2, requests=5000 * share, level=level)
    worse = latencies(2, requests=5000 * share, level=1.5 * level)

    assert judgment_of(baseline, alike).verdict is PASS
    assert judgment_of(baseline, worse).verdict is FAIL


def test_a_slow_tail_beyond_the_quantile_is_none_of_its_business() -> None:
    """Two of a hundred requests hang: the p99 sees it, the p95 hardly."""
    baseline, canary = latencies(1), latencies(2)
    canary[:, -5] += 20

    assert judgment_of(baseline, canary, quantile=0.9).verdict is PASS
    assert judgment_of(baseline, canary, quantile=0.99).verdict is FAIL


def test_the_same_steps_tell_less_where_they_drift_slowly() -> None:
    """The canary's steps once as they came, and once from the fastest to the slowest."""
    drawn = np.exp(0.3 * np.random.default_rng(1).standard_normal(40))
    baseline, mixed = latencies(1), latencies(2, level=0.3 * drawn)
    drifting = mixed[np.argsort(mixed @ np.arange(len(FINE)))]

    independent, dependent = judgment_of(baseline, mixed), judgment_of(baseline, drifting)

    assert independent.verdict is FAIL
    assert (dependent.verdict, dependent.reason) == (UNSURE, Reason.TOO_FEW_EFFECTIVE_SAMPLES)


def test_the_estimate_is_the_ratio_of_the_quantiles_and_the_interval_holds_it() -> None:
    estimate = judgment_of(latencies(1), latencies(2, level=0.3)).estimate

    assert estimate is not None
    assert estimate.scale is Scale.RATIO
    assert estimate.baseline == pytest.approx(0.2 * np.exp(0.5 * 1.645), rel=0.03)
    assert estimate.canary == pytest.approx(0.3 * np.exp(0.5 * 1.645), rel=0.03)
    assert estimate.baseline is not None
    assert estimate.canary is not None
    assert estimate.value == pytest.approx(estimate.canary / estimate.baseline)
    assert estimate.interval is not None
    assert not estimate.interval.excludes(1.5)
    assert estimate.interval.excludes(1.25)


def test_quantile_and_bucket_are_named() -> None:
    judgment = judgment_of(latencies(1), latencies(2), quantile=0.5)

    assert judgment.summary.startswith("p50 ")
    assert judgment.details["quantile"] == 0.5
    lower, upper = judgment.details["bucket_lower"], judgment.details["bucket_upper"]
    assert isinstance(lower, float)
    assert isinstance(upper, float)
    assert lower <= 0.205
    assert upper >= 0.195
    assert upper == pytest.approx(1.1 * lower)


# ---- buckets too wide


DOUBLING = np.array([0.1, 0.2, 0.4, 0.8, np.inf])
USUAL, MORE = (500.0, 440.0, 60.0, 2.0, 0.0), (500.0, 420.0, 80.0, 2.0, 0.0)


def wide(
    canary: tuple[float, ...], *, mean: float | None, quantile: float = 0.95, **parameters: object
) -> Judgment:
    """Judge a p95 within a bucket of a factor 2; the canary's mean is `mean` times as high."""
    rng = np.random.default_rng(1)
    sides = [rng.poisson(side, (60, 5)).astype(float) for side in (USUAL, canary)]
    means = None if mean is None else (0.11, 0.11 * mean)
    totals = means and tuple(
        m * side.sum(axis=1) * np.exp(0.01 * rng.standard_normal(60))
        for m, side in zip(means, sides, strict=True)
    )
    sample = Sample.of_histograms(DOUBLING, *sides, totals=totals)
    return judges.create("quantile_ratio", quantile=quantile, **parameters).judge(sample)


def test_in_a_bucket_wider_than_the_margin_harm_needs_the_mean_as_a_witness() -> None:
    """Interpolation says 18 %, and a tolerance of 5 % would fail on that."""
    alone = wide(MORE, mean=1.0, tolerance="5%")
    seconded = wide(MORE, mean=1.05, tolerance="5%")

    assert alone.verdict is UNSURE
    assert seconded.verdict is FAIL
    assert seconded.warnings == (
        "interpolated within the bucket 0.2 to 0.4, which is wider than the margin",
    )


def test_in_a_bucket_within_the_margin_no_witness_is_asked() -> None:
    judgment = wide(MORE, mean=1.0, tolerance="5%", margin="110%")

    assert judgment.verdict is FAIL
    assert judgment.warnings == ()


@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_a_bucket_wider_than_the_margin_never_passes(looks: str) -> None:
    judgment = wide(USUAL, mean=1.0, looks=looks)
    narrow = wide(USUAL, mean=1.0, looks=looks, margin="110%")

    assert (judgment.verdict, judgment.reason) == (UNSURE, Reason.COARSE_BUCKETS)
    assert "harm up to the margin cannot be excluded" in judgment.summary
    assert judgment.settlement is not None
    assert judgment.settlement.minutes is None
    assert "finer buckets" in judgment.settlement.summary
    assert narrow.verdict is PASS


def test_in_the_first_bucket_no_ratio_is_judged() -> None:
    judgment = wide(USUAL, mean=None, quantile=0.3)

    assert (judgment.verdict, judgment.reason) == (UNSURE, Reason.COARSE_BUCKETS)
    assert "0 to 0.1" in judgment.summary
    assert "exceedance at 0.1" in judgment.summary


# ---- too little to judge


def test_the_minutes_named_to_fill_the_tail_fill_it_and_fewer_do_not() -> None:
    few = np.tile(latencies(1, n=1), (30, 1)) / 100
    unsure = judgment_of(few, few, quantile=0.99)
    assert unsure.settlement is not None
    assert unsure.settlement.minutes is not None
    windows = 1 + unsure.settlement.minutes / 30

    reasons = [
        judgment_of(side, side, quantile=0.99).reason
        for side in (few.repeat(times, axis=0) for times in (int(windows), int(windows) + 1))
    ]

    assert (unsure.verdict, unsure.reason) == (UNSURE, Reason.TOO_FEW_EVENTS)
    assert reasons[0] is Reason.TOO_FEW_EVENTS
    assert reasons[1] is not Reason.TOO_FEW_EVENTS


def test_fewer_steps_than_asked_for_decide_nothing() -> None:
    baseline, canary = latencies(1, n=14), latencies(2, n=14, level=1.0)

    assert judgment_of(baseline, canary).reason is Reason.TOO_FEW_SAMPLES
    assert judgment_of(baseline, canary, min_samples=14).verdict is FAIL


def test_values_are_refused_for_they_have_no_buckets() -> None:
    with pytest.raises(TypeError, match=r"build it with Sample\.of_histograms"):
        judges.create("quantile_ratio").judge(Sample.of_values([1.0], [2.0]))


@pytest.mark.parametrize("name", ["tolerance", "margin"])
def test_an_absolute_limit_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"{name} must be a ratio"):
        judges.create("quantile_ratio", **{name: {"ratio": 1.5, "absolute": 0.1}})


def test_a_metric_gets_the_same_answer_whatever_is_judged_beside_it() -> None:
    rule = judges.create("quantile_ratio", looks="anytime")
    samples = [
        Sample.of_histograms(FINE, latencies(seed), latencies(seed + 10, level=level))
        for seed, level in enumerate((0.2, 0.3, 0.22))
    ]

    assert judges.judge_many([rule] * 3, samples) == [rule.judge(sample) for sample in samples]
