"""What the judge of bounds answers, and why."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import judges
from judges import InvalidParameterError, Reason, Sample, Scale, Verdict
from tests.support.samples import a_gauge, judged, judged_counts

GAUGE = a_gauge(1, n=60)
UNSEEN = np.full(60, np.nan)
PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [
        ({"max": 120}, PASS), ({"max": 80}, FAIL), ({"max": 100}, UNSURE),
        ({"min": 80}, PASS), ({"min": 120}, FAIL), ({"min": 100}, UNSURE),
        ({"min": 80, "max": 120}, PASS), ({"min": 10, "max": 80}, FAIL),
        ({"min": 120, "max": 200}, FAIL),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("statistic", ["mean", "median"])
@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_a_level_has_three_outcomes(
    bounds: dict[str, object], verdict: Verdict, statistic: str, looks: str
) -> None:
    judgment = judged("threshold", UNSEEN, GAUGE, statistic=statistic, looks=looks, **bounds)

    assert judgment.verdict is verdict
    assert judgment.reason is {
        PASS: Reason.WITHIN_BOUNDS, FAIL: Reason.OUT_OF_BOUNDS, UNSURE: Reason.UNDECIDED,
    }[verdict]  # fmt: skip


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("max", GAUGE.max()), ("min", GAUGE.min()), ("last", GAUGE[-1])],
)
def test_what_was_seen_has_two_outcomes(statistic: str, value: float) -> None:
    below = judged("threshold", UNSEEN, GAUGE, statistic=statistic, max=value - 0.01)
    at = judged("threshold", UNSEEN, GAUGE, statistic=statistic, max=value)

    assert (below.verdict, at.verdict) == (FAIL, PASS)
    assert at.estimate is not None
    assert (at.estimate.value, at.estimate.scale) == (value, Scale.VALUE)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "needs max, min or both"),
        ({"min": 3, "max": 2}, r"min \(3\) must not exceed max \(2\)"),
        ({"max": 1, "statistic": "p100"}, "a quantile such as p95"),
        ({"max": 1, "statistic": "p0"}, "a quantile such as p95"),
        ({"max": "high"}, "expected a number"),
    ],
    ids=str,
)
def test_bounds_that_make_no_sense_are_refused(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        judges.create("threshold", **parameters)


def test_the_mean_of_independent_steps_is_that_of_the_t_test() -> None:
    # This series shows no autocorrelation and no slow wave, so nothing is inflated.
    series = np.tile([1.0, 3.0, 2.0, 2.5, 1.5], 12)
    expected = stats.ttest_1samp(series, 2.1, alternative="less").pvalue

    judgment = judged("threshold", UNSEEN, series, max=2.1)

    assert judgment.safety is not None
    assert judgment.safety.p == pytest.approx(expected)


def test_a_quantile_beyond_its_bound_is_too_many_values_beyond_it() -> None:
    """60 steps, of which k exceed the bound, against a share of 5 %."""
    for over, verdict in ((0, PASS), (2, UNSURE), (12, FAIL)):
        series = np.tile([1.0, 2.0], 30)
        series[np.linspace(3, 55, over).astype(int)] = 10
        judgment = judged("threshold", UNSEEN, series, max=5, statistic="p95")

        assert judgment.harm is not None
        assert judgment.harm.p == pytest.approx(
            stats.binomtest(over, 60, 0.05, alternative="greater").pvalue
        )
        assert judgment.verdict is verdict


def test_a_share_of_steps_may_lie_outside_both_bounds() -> None:
    series = np.tile([1.0, 2.0], 30)
    series[[5, 20, 33, 48]] = [10, -10, 10, -10]

    for share, verdict in ((0.3, PASS), (0.1, UNSURE), (0.005, FAIL)):
        judgment = judged("threshold", UNSEEN, series, min=0, max=5, statistic="share", share=share)

        assert judgment.estimate is not None
        assert judgment.estimate.value == pytest.approx(4 / 60)
        assert judgment.summary == (
            f"share is 0.0667, {share:g} may be outside, allowed at most 5 and at least 0"
        )
        assert judgment.verdict is verdict


def test_autocorrelated_excursions_count_as_fewer() -> None:
    scattered, together = np.tile([1.0, 2.0], 30), np.tile([1.0, 2.0], 30)
    scattered[np.linspace(3, 55, 10).astype(int)] = 10
    together[20:30] = 10

    harm = [
        judged("threshold", UNSEEN, series, max=5, statistic="p95").harm
        for series in (scattered, together)
    ]

    assert harm[0] is not None
    assert harm[1] is not None
    assert harm[0].p < 0.01 < harm[1].p


def test_a_drifting_mean_is_worth_too_few_steps() -> None:
    judgment = judged("threshold", UNSEEN, np.linspace(1, 2, 60), max=1.9)

    assert (judgment.verdict, judgment.reason) == (UNSURE, Reason.TOO_FEW_EFFECTIVE_SAMPLES)


def test_a_drifting_series_wholly_beyond_the_bound_fails_all_the_same() -> None:
    judgment = judged("threshold", UNSEEN, np.linspace(50, 52, 60), max=1, alpha=0.05)

    assert judgment.verdict is FAIL
    assert judgment.n_effective is not None
    assert judgment.n_effective < 6


@pytest.mark.parametrize(
    ("relative", "bound"), [("ratio", 1.25), ("difference", 25)], ids=["ratio", "difference"]
)
def test_a_bound_may_be_relative_to_the_baseline(relative: str, bound: float) -> None:
    near, far = a_gauge(2, n=60, level=105), a_gauge(2, n=60, level=160)

    alike = judged("threshold", GAUGE, near, max=bound, relative=relative)
    apart = judged("threshold", GAUGE, far, max=bound, relative=relative)

    assert (alike.verdict, apart.verdict) == (PASS, FAIL)
    assert f"{relative} to the baseline" in apart.summary


def test_a_fixed_bound_needs_no_baseline() -> None:
    assert judged("threshold", UNSEEN, GAUGE, max=120) == (
        judged("threshold", GAUGE, GAUGE, max=120)
    )


def test_a_quotient_of_counters_is_weighted_by_its_traffic() -> None:
    """Most requests came while the share was .1; the mean of the steps would say .3."""
    served = np.tile([9000.0, 1000.0], 30)
    failed = served * np.tile([0.1, 0.5], 30)

    judgment = judged_counts("threshold", (failed, served), (failed, served), max=0.2)

    assert judgment.estimate is not None
    assert judgment.estimate.value == pytest.approx(0.14)
    assert judgment.verdict is PASS


def test_the_summary_says_what_was_seen_and_what_is_allowed() -> None:
    series = np.tile([1.0, 3.0, 2.0, 2.5, 1.5], 12)

    judgment = judged("threshold", UNSEEN, series, max=5, min=-1)

    assert judgment.summary == "mean is 2 (95 % CI 1.82 to 2.18), allowed at most 5 and at least -1"


def test_an_undecided_mean_says_how_long_it_takes() -> None:
    minutes = []
    for step in (15.0, 60.0):
        sample = Sample.of_values(UNSEEN, a_gauge(5, n=60), step_s=step)
        settlement = judges.create("threshold", max=101).judge(sample).settlement
        assert settlement is not None
        assert settlement.minutes is not None
        minutes.append(settlement.minutes)

    assert minutes[1] == pytest.approx(4 * minutes[0])


def test_a_mean_on_the_bound_is_not_promised_an_end() -> None:
    settlement = judged("threshold", UNSEEN, np.tile([1.0, 3.0], 30), max=2).settlement

    assert settlement is not None
    assert settlement.minutes is None
    assert "on the bound" in settlement.summary


def minutes_of(**parameters: object) -> float:
    settlement = judged("threshold", UNSEEN, a_gauge(5, n=60), max=102, **parameters).settlement
    assert settlement is not None
    assert settlement.minutes is not None
    return settlement.minutes


def test_a_mean_within_its_bound_takes_as_long_as_a_pass_does() -> None:
    assert minutes_of(alpha=1e-6) == minutes_of(alpha=0.01)
    assert minutes_of(beta=0.01) > minutes_of(beta=0.05)


def test_a_mean_takes_longer_when_asked_any_number_of_times() -> None:
    assert minutes_of(looks="anytime") > minutes_of(looks="fixed")


def test_what_was_seen_may_lie_as_far_from_a_bound_as_doubles_reach() -> None:
    for statistic in ("last", "max", "min"):
        judgment = judged("threshold", [0.0], [-1.7e308], max=1.7e308, statistic=statistic)

        assert judgment.verdict is PASS
