"""What the judge of counts answers, and why."""

from __future__ import annotations

import numpy as np
import pytest

import judges
from judges import InvalidParameterError, Reason, Sample, Scale, Verdict
from tests.support.samples import Array, events, judged_counts

SERVED = np.full(60, 1000.0)
PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def side(seed: int, rate: float, served: Array = SERVED) -> tuple[Array, Array]:
    """Draw the events of one side: a share `rate` of its requests."""
    return np.random.default_rng(seed).poisson(rate * served).astype(float), served


@pytest.mark.parametrize(
    ("rate", "direction", "verdict"),
    [
        (0.01, "increase", PASS), (0.03, "increase", FAIL), (0.003, "increase", PASS),
        (0.01, "decrease", PASS), (0.03, "decrease", PASS), (0.003, "decrease", FAIL),
        (0.01, "either", PASS), (0.03, "either", FAIL), (0.003, "either", FAIL),
    ],
)  # fmt: skip
@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_harm_depends_on_the_direction(
    rate: float, direction: str, verdict: Verdict, looks: str
) -> None:
    judgment = judged_counts(
        "error_ratio", side(1, 0.01), side(2, rate), direction=direction, looks=looks
    )

    assert judgment.verdict is verdict


def test_unequal_traffic_does_no_damage() -> None:
    """A tenth of the traffic, and shares of it that change over time."""
    share = np.where(np.arange(60) < 30, 0.05, 0.3)
    served_baseline, served_canary = 10_000 * (1 - share), 10_000 * share

    alike = judged_counts(
        "error_ratio", side(1, 0.01, served_baseline), side(2, 0.01, served_canary)
    )
    worse = judged_counts(
        "error_ratio", side(1, 0.01, served_baseline), side(2, 0.02, served_canary)
    )

    assert (alike.verdict, worse.verdict) == (PASS, FAIL)


def test_an_incident_on_both_sides_is_not_the_canarys() -> None:
    storm = np.where((np.arange(60) > 20) & (np.arange(60) < 35), 30.0, 1.0)
    baseline, canary = (
        (np.random.default_rng(seed).poisson(10 * storm).astype(float), SERVED) for seed in (1, 2)
    )

    assert judged_counts("error_ratio", baseline, canary).verdict is PASS


def test_bursts_of_one_side_alone_prove_little() -> None:
    """The same number of errors, once spread evenly and once in two bursts."""
    served = np.full(60, 50.0)
    spread = (np.where(np.arange(60) % 3 == 0, 2.0, 0.0), served)
    bursts = (np.where(np.isin(np.arange(60), (10, 40)), 20.0, 0.0), served)
    quiet = (np.where(np.arange(60) % 6 == 0, 1.0, 0.0), served)

    assert judged_counts("error_ratio", quiet, spread).verdict is FAIL
    assert judged_counts("error_ratio", quiet, bursts).verdict is not FAIL


def test_a_rise_below_the_absolute_floor_is_no_harm() -> None:
    served = np.full(60, 1e6)
    rare = side(1, 1e-6, served), side(2, 1e-4, served)

    relative = judged_counts("error_ratio", *rare, tolerance={"ratio": 1.25})
    floored = judged_counts("error_ratio", *rare, tolerance={"ratio": 1.25, "absolute": 2e-4})

    assert (relative.verdict, floored.verdict) == (FAIL, PASS)


def test_without_errors_the_rule_of_three_decides() -> None:
    """The margin is .2 points: 3 / .002 = 1498 requests without an error exclude it at 5 %."""
    none = np.zeros(60)

    for requests, verdict in ((1480, UNSURE), (1520, PASS)):
        served = np.full(60, requests / 60)
        judgment = judged_counts("error_ratio", (none, served), (none, served))

        assert judgment.verdict is verdict


def test_four_errors_against_none_in_six_steps_decide_nothing() -> None:
    judgment = judged_counts(
        "error_ratio",
        (np.zeros(6), np.full(6, 100.0)),
        (np.array([0, 1, 1, 0, 1, 1.0]), np.full(6, 100.0)),
    )

    assert (judgment.verdict, judgment.reason) == (UNSURE, Reason.UNDECIDED)


def test_the_estimate_is_the_ratio_of_the_rates_and_the_interval_holds_it() -> None:
    judgment = judged_counts("error_ratio", side(1, 0.01), side(2, 0.03))
    estimate = judgment.estimate
    rates = [side(1, 0.01)[0].sum() / SERVED.sum(), side(2, 0.03)[0].sum() / SERVED.sum()]

    assert estimate is not None
    assert estimate.scale is Scale.RATIO
    assert [estimate.baseline, estimate.canary] == rates
    assert estimate.value == pytest.approx(rates[1] / rates[0])
    assert estimate.interval is not None
    assert estimate.value is not None
    assert not estimate.interval.excludes(estimate.value)
    assert estimate.interval.excludes(1)


def test_the_summary_holds_the_counts_that_decided() -> None:
    judgment = judged_counts(
        "error_ratio", ([3.0] * 20, [1000.0] * 20), ([9.0] * 20, [1000.0] * 20)
    )

    assert judgment.summary == (
        "0.90 % of requests against 0.30 % (180 of 20,000 against 60 of 20,000), "
        "rose 200 % (95 % CI 123 % to 309 %), "
        "tolerance 25 % and 0.02 points, margin 50 % and 0.2 points"
    )


def test_the_details_hold_the_sums() -> None:
    judgment = judged_counts("error_ratio", side(1, 0.01), side(2, 0.01))

    assert judgment.details["requests_baseline"] == judgment.details["requests_canary"] == 60_000
    assert judgment.details["events_baseline"] == side(1, 0.01)[0].sum()
    assert judgment.details["dispersion"] == 1


def test_the_requests_named_to_settle_it_do_settle_it() -> None:
    served = np.full(20, 30.0)
    quiet, none = (np.where(np.arange(20) == 3, 1.0, 0.0), served), (np.zeros(20), served)
    unsure = judged_counts("error_ratio", quiet, none)
    assert unsure.settlement is not None
    assert unsure.settlement.requests is not None

    times = (600 + unsure.settlement.requests) / 600
    settled = judged_counts(
        "error_ratio", (quiet[0] * times, served * times), (none[0], served * times)
    )

    assert unsure.verdict is UNSURE
    assert settled.verdict is PASS
    assert f"about {unsure.settlement.requests:,.0f} more canary requests" in (
        unsure.settlement.summary
    )


def test_a_rate_between_the_limits_is_not_promised_an_end() -> None:
    """A rise of 37 % lies between the tolerance of 25 % and the margin of 50 %."""
    unsure = judged_counts(
        "error_ratio", ([100.0] * 6, [1e4] * 6), ([137.0] * 6, [1e4] * 6), alpha=1e-9, beta=1e-9
    )

    assert unsure.verdict is UNSURE
    assert unsure.settlement is not None


def test_a_late_regression_is_seen_at_any_look() -> None:
    """Sound for three quarters of the window, then three times the errors."""
    late = np.where(np.arange(60) < 45, 10.0, 30.0)
    canary = (np.random.default_rng(2).poisson(late).astype(float), SERVED)

    assert judged_counts("error_ratio", side(1, 0.01), canary, looks="anytime").verdict is FAIL


def test_steps_unknown_on_either_side_are_left_out() -> None:
    holes = np.arange(60) % 5 == 0
    hidden = np.where(holes, np.nan, SERVED)
    baseline, canary = side(1, 0.01), side(2, 0.02)

    partial = judged_counts("error_ratio", (baseline[0], hidden), canary)

    assert partial.n == 48
    assert partial.details["events_canary"] == canary[0][~holes].sum()


def test_pods_are_summed() -> None:
    first, second = events(1, n=60), events(2, n=60)
    pods = (np.vstack([first, second]), np.vstack([SERVED, SERVED]))

    summed = judged_counts("error_ratio", side(3, 0.01), (first + second, 2 * SERVED))

    assert judged_counts("error_ratio", side(3, 0.01), pods, pods="ignore") == summed


def test_values_are_refused_for_they_have_no_counts() -> None:
    with pytest.raises(TypeError, match=r"build the sample with Sample\.of_counts"):
        judges.create("error_ratio").judge(Sample.of_values([1.0], [2.0]))


def test_a_margin_below_the_tolerance_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="must be at least the tolerance"):
        judges.create("error_ratio", tolerance=2.0, margin=1.5)
