"""What the judge of growth answers, and why."""

from __future__ import annotations

import lzma
import math
import re

import numpy as np
import pytest
from scipy import stats

import judges
from judges import InvalidParameterError, Judgment, Reason, Sample, Scale, Values, Verdict
from judges.core import trend
from tests.support.corpus import CORPUS, all_runs, run
from tests.support.samples import Array, a_gauge, faults, judged, judged_counts

PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
STEPS = 60
TIME = np.arange(STEPS)
LOOKS = ("fixed", "anytime", "group_sequential")


def pods(seed: int, count: int, *, noise: float = 0.01, steps: int = STEPS) -> Array:
    """Draw pods that keep to a level of 100, each with its own noise."""
    return np.stack([a_gauge(10 * seed + pod, n=steps, noise=noise) for pod in range(count)])


def leaking(side: Array, growth: float, *, one: bool = False) -> Array:
    """Let a side, or its first pod, grow by a share of 100 over the planned 60 steps."""
    leak = 100 * growth * np.arange(side.shape[-1]) / STEPS
    leaked = side.copy()
    if one:
        leaked[0] += leak
    else:
        leaked += leak
    return leaked


SINGLE = a_gauge(1, n=STEPS, noise=0.01), a_gauge(2, n=STEPS, noise=0.01)
SEVERAL = pods(1, 3), pods(2, 3)
ONE_CANARY = pods(1, 3), pods(2, 1)
SIDES = {"a series a side": SINGLE, "3 pods a side": SEVERAL, "3 pods and 1": ONE_CANARY}


@pytest.mark.parametrize("sides", SIDES.values(), ids=SIDES)
@pytest.mark.parametrize("looks", LOOKS)
def test_a_leak_fails_and_its_absence_passes(sides: tuple[Array, Array], looks: str) -> None:
    baseline, canary = sides

    leaked = judged("slope", baseline, leaking(canary, 0.3), looks=looks)
    steady = judged("slope", baseline, canary, looks=looks)

    assert (leaked.verdict, leaked.reason) == (FAIL, Reason.BEYOND_TOLERANCE)
    assert (steady.verdict, steady.reason) == (PASS, Reason.WITHIN_MARGIN)


@pytest.mark.parametrize("sides", SIDES.values(), ids=SIDES)
def test_growth_that_both_sides_share_is_no_leak(sides: tuple[Array, Array]) -> None:
    start_up = 50 * (1 - np.exp(-TIME / 15))

    judgment = judged("slope", sides[0] + start_up, sides[1] + start_up, looks="anytime")

    assert judgment.verdict is PASS


def test_curved_growth_with_a_leak_on_top_is_decided_by_pods() -> None:
    """Around a straight line the steps are worth next to nothing; the pods agree all the same."""
    start_up = 50 * (1 - np.exp(-TIME / 15))
    baseline, canary = SEVERAL[0] + start_up, leaking(SEVERAL[1], 0.3) + start_up

    assert judged("slope", baseline, canary, looks="anytime").verdict is FAIL


def test_one_leaking_pod_of_three_shows_although_it_spreads_the_canary() -> None:
    judgment = judged("slope", SEVERAL[0], leaking(SEVERAL[1], 0.5, one=True), looks="anytime")

    assert judgment.verdict is FAIL
    assert judgment.estimate is not None
    assert judgment.estimate.value == pytest.approx(100 * 0.5 / 3, rel=0.05)


def test_the_spread_of_the_canary_does_not_widen_the_interval() -> None:
    widths = []
    for canary in (SEVERAL[1], leaking(SEVERAL[1], 0.5, one=True)):
        estimate = judged("slope", SEVERAL[0], canary).estimate
        assert estimate is not None
        assert estimate.interval is not None
        assert estimate.interval.upper is not None
        assert estimate.interval.lower is not None
        widths.append(estimate.interval.upper - estimate.interval.lower)

    assert widths[1] == pytest.approx(widths[0])


def test_pods_of_the_baseline_that_differ_widen_the_interval() -> None:
    apart = SEVERAL[0] + np.array([[-0.2], [0.0], [0.2]]) * TIME

    assert judged("slope", SEVERAL[0], leaking(SEVERAL[1], 0.2)).verdict is FAIL
    assert judged("slope", apart, leaking(SEVERAL[1], 0.2)).verdict is UNSURE


@pytest.mark.parametrize("length", [20, 40, 60])
def test_growth_is_told_for_the_planned_window_however_much_was_seen(length: int) -> None:
    canary = leaking(SINGLE[1], 0.5)

    estimate = judged("slope", SINGLE[0][:length], canary[:length], horizon=STEPS).estimate

    assert estimate is not None
    assert estimate.value == pytest.approx(50, abs=4)
    assert estimate.scale is Scale.DIFFERENCE


def test_growth_may_be_told_for_an_hour() -> None:
    sample = Sample.of_values(SINGLE[0], leaking(SINGLE[1], 0.5), step_s=15.0)

    window, hour = (judges.create("slope", per=per).judge(sample) for per in ("window", "hour"))

    assert window.estimate is not None
    assert hour.estimate is not None
    assert window.estimate.value is not None
    assert hour.estimate.value == pytest.approx(4 * window.estimate.value)
    assert "over the planned 15 minutes" in window.summary
    assert "in an hour" in hour.summary


def test_growth_is_a_share_of_the_limit_where_there_is_one() -> None:
    canary = leaking(SINGLE[1], 0.3)

    near = judged("slope", SINGLE[0], canary, limit=200)
    far = judged("slope", SINGLE[0], canary, limit=2000)

    assert "by 15 % of the limit of 200" in near.summary
    assert (near.verdict, far.verdict) == (FAIL, PASS)


def test_an_absolute_tolerance_is_growth_in_the_metrics_unit() -> None:
    canary = leaking(SINGLE[1], 0.3)

    within, beyond = (
        judged("slope", SINGLE[0], canary, tolerance={"absolute": size}) for size in (40, 10)
    )

    assert (within.verdict, beyond.verdict) == (PASS, FAIL)


def test_the_summary_says_when_the_limit_will_be_reached() -> None:
    flat = np.full(STEPS, 100.0)

    judgment = judged("slope", flat, 100.0 + TIME, limit=500)

    # At its end it stands at 156 (the median of the last six steps) and grows by 60 an hour.
    assert "at its own rate it would reach 500 in 5.7 hours" in judgment.summary
    assert judgment.details["hours_to_limit"] == pytest.approx((500 - 156.5) / 60)


def test_the_summary_says_that_the_limit_is_exceeded_already() -> None:
    judgment = judged("slope", SINGLE[0], SINGLE[1], limit=50)

    assert "already exceeds 50" in judgment.summary
    assert judgment.details["hours_to_limit"] is None


def test_a_flat_canary_reaches_no_limit() -> None:
    judgment = judged("slope", SINGLE[0], np.full(STEPS, 100.0), limit=500)

    assert "reach" not in judgment.summary
    assert judgment.details["hours_to_limit"] is None


@pytest.mark.parametrize(
    ("direction", "growth", "verdict"),
    [
        ("increase", 0.3, FAIL), ("increase", -0.3, PASS), ("decrease", -0.3, FAIL),
        ("decrease", 0.3, PASS), ("either", 0.3, FAIL), ("either", -0.3, FAIL), ("either", 0, PASS),
    ],
)  # fmt: skip
def test_the_direction_says_which_growth_is_harm(
    direction: str, growth: float, verdict: Verdict
) -> None:
    for baseline, canary in SIDES.values():
        judgment = judged("slope", baseline, leaking(canary, growth), direction=direction)
        assert judgment.verdict is verdict


def test_the_slope_is_that_of_least_squares() -> None:
    baseline, canary = SINGLE[0], leaking(SINGLE[1], 0.2)
    expected = stats.linregress(TIME, canary - baseline)

    judgment = judged("slope", baseline, canary)

    assert judgment.details["method"] == "steps"
    assert judgment.estimate is not None
    assert judgment.estimate.value == pytest.approx(STEPS * expected.slope)


def test_without_autocorrelation_the_interval_is_that_of_least_squares_but_for_caution() -> None:
    noise = np.tile([1.0, -1.0], STEPS // 2)
    expected = stats.linregress(TIME, noise).stderr * STEPS * stats.t.isf(0.025, STEPS - 2)

    estimate = judged("slope", np.full(STEPS, 100.0), 100 + noise).estimate

    assert estimate is not None
    assert estimate.interval is not None
    assert estimate.interval.upper is not None
    assert estimate.interval.lower is not None
    half = (estimate.interval.upper - estimate.interval.lower) / 2
    assert expected < half < 1.2 * expected


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, 0.99])
def test_the_variance_of_a_slope_under_autocorrelation_is_that_of_the_matrix(phi: float) -> None:
    correlation = phi ** np.abs(np.subtract.outer(TIME, TIME))
    spacing = TIME - TIME.mean()
    design = np.column_stack([np.ones(STEPS), spacing])
    left_over = np.eye(STEPS) - design @ np.linalg.pinv(design)
    of_slope = spacing @ correlation @ spacing / (spacing @ spacing) ** 2
    expected_power = np.trace(left_over @ correlation)

    noise = trend._Noise.of(phi, STEPS)

    assert noise.variance_of_slope(expected_power, spacing) == pytest.approx(of_slope)
    assert noise.n_effective == pytest.approx(STEPS**2 / correlation.sum())


def test_a_difference_that_wanders_is_judged_by_its_increments() -> None:
    rng = np.random.default_rng(5)
    walk = 100 + np.cumsum(rng.standard_normal((2, STEPS)), axis=1)

    judgment = judged("slope", walk[0], walk[1])

    assert judgment.details["method"] == "increments"
    assert judgment.verdict is UNSURE
    assert judgment.estimate is not None
    moved = (walk[1] - walk[0])[-1] - (walk[1] - walk[0])[0]
    assert judgment.estimate.value == pytest.approx(STEPS * moved / (STEPS - 1))


def test_a_leak_in_a_wandering_series_is_found_without_pods() -> None:
    rng = np.random.default_rng(5)
    walk = 100 + 0.5 * np.cumsum(rng.standard_normal((2, STEPS)), axis=1)

    assert judged("slope", walk[0], leaking(walk[1], 1.0), looks="anytime").verdict is FAIL


def test_so_dependent_a_series_that_nothing_is_left_is_inconclusive() -> None:
    accelerating = 100 + 0.01 * TIME**2

    judgment = judged("slope", SINGLE[0], 1000 * accelerating, limit=1e6, looks="anytime")

    assert (judgment.verdict, judgment.reason) == (UNSURE, Reason.TOO_FEW_EFFECTIVE_SAMPLES)
    assert "6 are needed" in judgment.summary
    assert judgment.settlement is not None
    assert judgment.settlement.minutes is not None


def test_a_young_pod_is_left_out_and_mentioned() -> None:
    """It starts at a quarter of the window and of the level: its side's mean falls by it."""
    canary = SEVERAL[1].copy()
    canary[2, :15] = np.nan
    canary[2, 15:] = 25

    judgment = judged("slope", SEVERAL[0], canary)

    assert judgment.verdict is PASS
    assert judgment.details["pods_canary"] == 2
    assert judgment.details["pods_left_out"] == 1
    assert judgment.warnings == (
        "1 of the canary's pods came or went within the window and are left out",
    )


def test_pods_that_only_come_and_go_do_not_tell_growth() -> None:
    canary = np.full((2, STEPS), np.nan)
    canary[0, :30], canary[1, 30:] = 100, 150

    judgment = judged("slope", SEVERAL[0], canary)

    assert (judgment.verdict, judgment.reason) == (UNSURE, Reason.TOO_FEW_PODS)
    assert "0 of the canary" in judgment.summary


def test_gaps_leave_the_slope() -> None:
    rng = np.random.default_rng(3)
    for baseline, canary in SIDES.values():
        holes = rng.random((2, STEPS)) < 0.2
        holes[:, [0, -1]] = False
        with_gaps = [np.where(hole, np.nan, side) for hole, side in zip(
            holes, (baseline, leaking(canary, 0.3)), strict=True)]  # fmt: skip

        judgment = judged("slope", with_gaps[0], with_gaps[1])

        assert judgment.verdict is FAIL
        assert judgment.estimate is not None
        assert judgment.estimate.value == pytest.approx(30, abs=3)


def test_required_pods_that_are_missing_leave_it_open() -> None:
    judgment = judged("slope", *SINGLE, pods="require")

    assert (judgment.verdict, judgment.reason) == (UNSURE, Reason.TOO_FEW_PODS)
    assert judged("slope", *SEVERAL, pods="require").verdict is PASS


def test_ignored_pods_are_judged_by_the_steps_of_their_mean() -> None:
    means = (Values(values=side).series() for side in SEVERAL)

    assert judged("slope", *SEVERAL, pods="ignore") == judged("slope", *means)


def test_the_cost_of_a_request_may_grow_as_well() -> None:
    served = np.full((3, STEPS), 500.0)
    cost = SEVERAL[0] / 1000 * served, leaking(SEVERAL[1], 0.3) / 1000 * served

    judgment = judged_counts("slope", (cost[0], served), (cost[1], served))

    assert judgment.verdict is FAIL
    assert judgment.details["method"] == "pods"


@pytest.mark.parametrize("unit", [1e-9, 1e9, 2.0**-900, 2.0**900])
@pytest.mark.parametrize("growth", [0.0, 0.075, 0.3])
def test_a_change_of_the_unit_changes_no_verdict(unit: float, growth: float) -> None:
    for baseline, canary in SIDES.values():
        one, other = (
            judged("slope", scale * baseline, scale * leaking(canary, growth), looks="anytime")
            for scale in (1.0, unit)
        )
        assert (one.verdict, one.reason) == (other.verdict, other.reason)
        assert one.harm is not None
        assert other.harm is not None
        assert one.harm.log_e == pytest.approx(other.harm.log_e, rel=1e-6)


def steady(level: float) -> Array:
    return np.full(STEPS, level)


DEGENERATE = {
    "nothing at all": ([], [], {}, UNSURE, Reason.NO_DATA),
    "few steps": (SINGLE[0][:14], SINGLE[1][:14], {}, UNSURE, Reason.TOO_FEW_SAMPLES),
    "no canary": (SINGLE[0], steady(np.nan), {}, UNSURE, Reason.NO_DATA),
    "both flat": (steady(5), steady(9), {}, PASS, Reason.STEADY_WITHIN_TOLERANCE),
    "both zero": (steady(0), steady(0), {}, PASS, Reason.STEADY_WITHIN_TOLERANCE),
    "a straight line": (steady(100), 100.0 + TIME, {}, FAIL, Reason.BEYOND_TOLERANCE),
    "the same line": (100.0 + TIME, 100.0 + TIME, {}, PASS, Reason.WITHIN_MARGIN),
    "one jump": (steady(100), np.where(TIME < 30, 100.0, 150.0), {}, UNSURE, Reason.UNDECIDED),
    "a share of nothing": (steady(0), 1.0 * TIME, {}, UNSURE, Reason.NOT_COMPARABLE),
    "a limit over nothing": (steady(0), 1.0 * TIME, {"limit": 10}, FAIL, Reason.BEYOND_TOLERANCE),
    "so many units over nothing": (
        steady(0), 1.0 * TIME, {"tolerance": {"absolute": 5}}, FAIL, Reason.BEYOND_TOLERANCE,
    ),
    "negative levels": (SINGLE[0] - 300, leaking(SINGLE[1], 0.5) - 300, {}, FAIL, None),
    "the largest doubles": (
        1.7e306 * SINGLE[0], 1.7e306 * leaking(SINGLE[1], -0.3), {}, PASS, Reason.WITHIN_MARGIN,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("baseline", "canary", "parameters", "verdict", "reason"), DEGENERATE.values(), ids=DEGENERATE
)
def test_data_with_little_in_them_have_a_stated_outcome(
    baseline: Array,
    canary: Array,
    parameters: dict[str, object],
    verdict: Verdict,
    reason: Reason | None,
) -> None:
    judgment = judged("slope", baseline, canary, **parameters)

    assert judgment.verdict is verdict
    assert reason is None or judgment.reason is reason
    assert faults(judgment) == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"limit": 0}, "limit must be above 0"),
        ({"limit": -1}, r"must lie in \[0"),
        ({"tolerance": "10%", "margin": "5%"}, "must be at least the tolerance"),
        ({"per": "day"}, "must be one of window, hour"),
    ],
    ids=str,
)
def test_parameters_that_make_no_sense_are_refused(
    parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        judges.create("slope", **parameters)


def undecided(length: int, step_s: float = 60.0, looks: str = "fixed") -> Judgment:
    baseline, canary = a_gauge(7, n=length, noise=0.2), a_gauge(8, n=length, noise=0.2)
    return judges.create("slope", looks=looks).judge(
        Sample.of_values(baseline, canary, step_s=step_s)
    )


def test_an_undecided_growth_says_how_long_it_takes() -> None:
    minutes = []
    for step_s in (15.0, 60.0):
        settlement = undecided(30, step_s).settlement
        assert settlement is not None
        assert settlement.minutes is not None
        minutes.append(settlement.minutes)

    assert minutes[1] == pytest.approx(4 * minutes[0])


def test_twice_the_noise_takes_a_line_no_more_than_the_cube_root_of_four_as_long() -> None:
    noise = np.random.default_rng(4).standard_normal(30)
    around_nothing = noise - np.polyval(np.polyfit(np.arange(30), noise, 1), np.arange(30))
    steps = []
    for size in (20, 40):
        settlement = judged("slope", np.full(30, 100.0), 100 + size * around_nothing).settlement
        assert settlement is not None
        assert settlement.minutes is not None
        steps.append(30 + settlement.minutes)

    assert steps[1] / steps[0] == pytest.approx(4 ** (1 / 3))


def test_in_stages_the_inverse_e_value_is_the_p_value() -> None:
    harm = judged("slope", SINGLE[0], leaking(SINGLE[1], 0.3), looks="group_sequential").harm

    assert harm is not None
    assert harm.log_e is not None
    assert harm.p == pytest.approx(math.exp(-harm.log_e), abs=0)


def test_more_looks_take_more_time() -> None:
    fixed, anytime = (undecided(30, looks=looks).settlement for looks in ("fixed", "anytime"))

    assert fixed is not None
    assert anytime is not None
    assert fixed.minutes is not None
    assert anytime.minutes is not None
    assert anytime.minutes > fixed.minutes


def test_too_few_steps_say_how_many_minutes_are_missing() -> None:
    settlement = undecided(10).settlement

    assert settlement is not None
    assert settlement.minutes == 5


def test_the_margin_that_would_pass_now_does_pass() -> None:
    judgment = undecided(60)
    assert judgment.settlement is not None
    named = re.search(r"a margin of ([\d.]+) % would pass now", judgment.settlement.summary)
    assert named is not None

    wider = judges.create("slope", margin=f"{float(named[1]) + 1}%").judge(
        Sample.of_values(a_gauge(7, n=60, noise=0.2), a_gauge(8, n=60, noise=0.2))
    )

    assert wider.verdict is PASS


def recorded_memory(name: str) -> Sample:
    """Read the resident memory of each pod of a recorded run, every 4 s."""
    pattern = re.compile(r'job="shop".*?pod="([^"]+)".*?track="(\w+)".*?\} (\S+) (\S+)')
    seen: dict[str, dict[str, list[tuple[float, float]]]] = {"baseline": {}, "canary": {}}
    with lzma.open(CORPUS / name / "raw.om.xz", "rt", encoding="utf-8") as file:
        for text in file:
            if text.startswith("process_resident_memory_bytes{") and (
                found := pattern.search(text)
            ):
                pod, side, value, at = found.groups()
                seen[side].setdefault(pod, []).append((float(at), float(value)))
    grid = run(name).start + 4.0 * np.arange(1, STEPS + 1)
    sides = [
        [np.interp(grid, *np.array(points).T) for points in seen[side].values()] for side in seen
    ]
    return Sample.of_values(sides[0], sides[1], step_s=4.0)


def test_the_recorded_leak_is_found_in_its_first_minute_and_no_other_run_leaks() -> None:
    judge = judges.create("slope", looks="anytime", horizon=STEPS)
    samples = {name: recorded_memory(name) for name in all_runs()}
    leak = samples["leak-1"]
    early = Sample.of_values(
        leak.baseline.rows[:, :15], leak.canary.rows[:, :15], step_s=leak.step_s
    )

    failing = [name for name, sample in samples.items() if judge.judge(sample).verdict is FAIL]

    assert failing == ["leak-1"]
    assert judge.judge(early).verdict is FAIL
