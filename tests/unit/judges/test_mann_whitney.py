"""What the judge of gauges answers, and why."""

from __future__ import annotations

import numpy as np
import pytest

import judges
from judges import Direction, InvalidParameterError, Judgment, Reason, Sample, Scale, Verdict
from tests.support.samples import Array, a_gauge, judged

BASELINE, ALIKE, SLOWER = a_gauge(1, n=60), a_gauge(2, n=60), a_gauge(2, n=60, level=150)
PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def interval_of(judgment: Judgment) -> tuple[float, float]:
    assert judgment.estimate is not None
    assert judgment.estimate.interval is not None
    lower, upper = judgment.estimate.interval.lower, judgment.estimate.interval.upper
    assert lower is not None
    assert upper is not None
    return lower, upper


@pytest.mark.parametrize(
    ("level", "direction", "verdict"),
    [
        (100, "increase", PASS), (150, "increase", FAIL), (60, "increase", PASS),
        (100, "decrease", PASS), (150, "decrease", PASS), (60, "decrease", FAIL),
        (100, "either", PASS), (150, "either", FAIL), (60, "either", FAIL),
    ],
)  # fmt: skip
@pytest.mark.parametrize("looks", ["fixed", "anytime"])
@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_harm_depends_on_the_direction(
    level: float, direction: str, verdict: Verdict, looks: str, phi: float
) -> None:
    baseline, canary = a_gauge(1, n=240, phi=phi), a_gauge(2, n=240, phi=phi, level=level)

    judgment = judged("mann_whitney", baseline, canary, direction=direction, looks=looks)

    assert judgment.verdict is verdict


def test_the_estimate_is_the_ratio_of_the_levels() -> None:
    judgment = judged("mann_whitney", BASELINE, SLOWER)
    lower, upper = interval_of(judgment)

    assert judgment.estimate is not None
    assert judgment.estimate.scale is Scale.RATIO
    assert judgment.estimate.value == pytest.approx(1.5, rel=0.1)
    assert lower < 1.5 < upper
    assert judgment.estimate.baseline == pytest.approx(float(np.median(BASELINE)))
    assert judgment.estimate.canary == pytest.approx(float(np.median(SLOWER)))


def test_values_that_are_not_all_positive_are_compared_by_difference() -> None:
    judgment = judged("mann_whitney", BASELINE - 100, SLOWER - 100)

    assert judgment.estimate is not None
    assert judgment.estimate.scale is Scale.DIFFERENCE
    assert judgment.estimate.value == pytest.approx(50, rel=0.1)


def test_an_absolute_tolerance_is_in_the_metrics_unit() -> None:
    for absolute, verdict in ((80, PASS), (30, FAIL)):
        tolerance = {"absolute": absolute}

        assert judged("mann_whitney", BASELINE, SLOWER, tolerance=tolerance).verdict is verdict


def test_both_parts_of_a_tolerance_must_be_exceeded() -> None:
    for absolute, verdict in ((80, PASS), (1, FAIL)):
        tolerance = {"ratio": 1.1, "absolute": absolute}

        assert judged("mann_whitney", BASELINE, SLOWER, tolerance=tolerance).verdict is verdict


def test_the_reason_and_the_summary_hold_the_numbers_that_decided() -> None:
    judgment = judged("mann_whitney", BASELINE, SLOWER)
    lower, upper = interval_of(judgment)

    assert judgment.reason is Reason.BEYOND_TOLERANCE
    assert judgment.summary == (
        f"rose {100 * (judgment.estimate.value - 1):.0f} % "  # type: ignore[union-attr,operator]
        f"(95 % CI {100 * (lower - 1):.0f} % to {100 * (upper - 1):.0f} %), "
        "tolerance 10 %, margin 20 %"
    )


def test_the_margin_is_twice_the_tolerance_unless_given() -> None:
    between = a_gauge(2, n=240, level=117)
    baseline = a_gauge(1, n=240)

    given = judged("mann_whitney", baseline, between, tolerance="18%", margin="30%")
    derived = judged("mann_whitney", baseline, between, tolerance="18%")
    strict = judged("mann_whitney", baseline, between, tolerance="18%", margin="18%")

    assert "margin 30 %" in given.summary
    assert "margin 36 %" in derived.summary
    assert (given.verdict, derived.verdict, strict.verdict) == (PASS, PASS, UNSURE)


def test_a_margin_below_the_tolerance_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"margin \(5 %\) must be at least the tol"):
        judges.create("mann_whitney", tolerance="10%", margin="5%")


def test_the_textbook_variance_has_no_form_for_repeated_looks() -> None:
    with pytest.raises(InvalidParameterError, match="no form for repeated looks"):
        judges.create("mann_whitney", variance="classic", looks="anytime")


def test_a_shared_pattern_does_not_hide_harm() -> None:
    """The swing is ten times the harm; side by side it cancels."""
    load = np.exp(np.sin(np.arange(60) / 9))

    shared = judged("mann_whitney", BASELINE * load, 1.3 * ALIKE * load)
    blind = judged("mann_whitney", BASELINE * load, 1.3 * ALIKE * load, variance="classic")

    assert (shared.verdict, shared.details["method"]) == (FAIL, "signed_ranks")
    assert blind.verdict is UNSURE


def test_a_drifting_series_says_it_is_worth_too_few_steps() -> None:
    judgment = judged("mann_whitney", BASELINE, ALIKE * np.exp(np.linspace(-1, 1, 60)))

    assert judgment.reason is Reason.TOO_FEW_EFFECTIVE_SAMPLES
    assert judgment.verdict is UNSURE
    assert judgment.n_effective is not None
    assert judgment.n_effective < 6
    assert f"worth only {judgment.n_effective:.1f} independent ones" in judgment.summary


def test_what_is_unknown_on_either_side_is_left_out() -> None:
    holes = np.arange(60) % 4 == 0
    partial = judged("mann_whitney", np.where(holes, np.nan, BASELINE), SLOWER)
    whole = judged("mann_whitney", BASELINE[~holes], SLOWER[~holes])

    assert partial.n == 45
    assert partial == whole


def test_several_pods_are_judged_by_their_mean() -> None:
    pods = np.vstack([SLOWER * 0.9, SLOWER * 1.1])

    assert judged("mann_whitney", BASELINE, pods, pods="ignore").estimate == (
        judged("mann_whitney", BASELINE, SLOWER).estimate
    )


def of_pods(seed: int, *, level: float, noise: float = 0.0, spread: float = 0.0) -> Array:
    """Draw three pods that differ by `spread` among themselves, by `noise` in each step."""
    rng = np.random.default_rng(seed)
    own = spread * rng.standard_normal((3, 1)) + noise * rng.standard_normal((3, 60))
    return level * np.exp(own)


@pytest.mark.parametrize("noise", [0.1, 0.03, 0.01, 0.001, 0.0001])
@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_harm_in_all_pods_is_seen_however_quiet_their_steps(noise: float, looks: str) -> None:
    baseline, canary = (of_pods(seed, level=100 + 50 * seed, noise=noise) for seed in (0, 1))

    assert judged("mann_whitney", baseline, canary, looks=looks, alpha=0.001).verdict is FAIL


@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_pods_that_differ_as_usual_are_no_harm_where_their_steps_tie(looks: str) -> None:
    for seed in range(40):
        rounded = (np.round(of_pods(2 * seed + side, level=100, spread=0.035)) for side in (0, 1))
        baseline, canary = (
            level + (np.random.default_rng(seed + side).random((1, 60)) < 0.2)
            for side, level in zip((0, 50), rounded, strict=True)
        )
        parameters = {"tolerance": 0, "alpha": 0.001, "looks": looks}

        assert judged("mann_whitney", baseline, canary, **parameters).verdict is not FAIL


def test_quotients_of_counters_are_judged_as_a_gauge() -> None:
    ones = np.ones(60)
    sample = Sample.of_counts((BASELINE, ones), (2 * SLOWER, 2 * ones))

    judgment = judges.create("mann_whitney").judge(sample)

    assert judgment == judged("mann_whitney", BASELINE, SLOWER)


def test_an_undecided_judgment_says_what_would_settle_it() -> None:
    unsure = judged("mann_whitney", a_gauge(1, noise=0.6), a_gauge(2, noise=0.6))

    assert (unsure.verdict, unsure.reason) == (UNSURE, Reason.UNDECIDED)
    assert unsure.settlement is not None
    assert unsure.settlement.minutes is not None
    assert unsure.settlement.minutes > 1
    assert "more at this noise" in unsure.settlement.summary


def test_the_margin_named_to_pass_now_does_pass() -> None:
    baseline, canary = a_gauge(1, noise=0.6), a_gauge(2, noise=0.6)
    unsure = judged("mann_whitney", baseline, canary)
    _, upper = interval_of(unsure)

    settled = judged("mann_whitney", baseline, canary, margin=upper * 1.01)

    assert unsure.settlement is not None
    assert f"a margin of {100 * (upper - 1):.0f} % would pass now" in unsure.settlement.summary
    assert settled.verdict is PASS


def test_longer_steps_take_longer_to_settle() -> None:
    sides = a_gauge(1, noise=0.6), a_gauge(2, noise=0.6)
    minutes = [
        judges.create("mann_whitney").judge(Sample.of_values(*sides, step_s=step)).settlement
        for step in (15.0, 60.0)
    ]

    assert all(minutes)
    assert minutes[1].minutes == pytest.approx(4 * minutes[0].minutes)  # type: ignore[union-attr,operator]


def test_only_an_undecided_judgment_has_a_settlement() -> None:
    assert judged("mann_whitney", BASELINE, SLOWER).settlement is None
    assert judged("mann_whitney", BASELINE, BASELINE).settlement is None


def test_a_wider_confidence_gives_a_wider_interval() -> None:
    narrow, wide = (
        interval_of(judged("mann_whitney", BASELINE, ALIKE, confidence=level))
        for level in (0.8, 0.99)
    )

    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_the_same_sample_gets_the_same_answer() -> None:
    assert judged("mann_whitney", BASELINE, ALIKE) == judged("mann_whitney", BASELINE, ALIKE)


def test_a_direction_is_an_enum_in_the_judge() -> None:
    judge = judges.create("mann_whitney", direction="decrease")

    assert judge.direction is Direction.DECREASE  # type: ignore[attr-defined]  # a parameter
