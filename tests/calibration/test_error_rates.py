"""The error rates we state, on short runs: a correct judge breaks a bound once in a million.

The long table is made by `make calibrate`; it shares scenarios and judges with these.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import judges
from benchmarks import calibrate
from benchmarks.calibrate import REPORTED_SEED, two_sided
from benchmarks.scenarios import ERRORS, GAUGES, Scenario, gauge
from judges import Sample, Verdict

pytestmark = [pytest.mark.calibration, pytest.mark.timeout(300)]

CHANCE = 1e-6
BY_NAME = {scenario.name: scenario for scenario in GAUGES}


def fails(kind: str, scenario: Scenario, n: int, effect: float, replicates: int) -> int:
    rng = np.random.default_rng([REPORTED_SEED, n, replicates])
    judge = two_sided(kind)
    return sum(
        judge.judge(Sample.of_values(*gauge(scenario, rng, n, effect))).verdict is Verdict.FAIL
        for _ in range(replicates)
    )


def at_most(goal: float, replicates: int) -> int:
    """Give the most alarms that a judge with this error rate may show."""
    return int(stats.binom.isf(CHANCE, replicates, goal))


def at_least(goal: float, replicates: int) -> int:
    """Give the fewest detections that a judge with this power may show."""
    return int(stats.binom.ppf(CHANCE, replicates, goal))


FALSE_ALARMS = {
    "independent": 0.075,
    "AR(0.5)": 0.075,
    "AR(0.8)": 0.11,
    "AR(0.95)": 0.11,
    "shared season": 0.06,
}


@pytest.mark.parametrize("n", [30, 60, 240])
@pytest.mark.parametrize(("name", "goal"), FALSE_ALARMS.items(), ids=FALSE_ALARMS)
@pytest.mark.parametrize("kind", ["mann_whitney", "mean_ratio"])
def test_false_alarms_of_a_single_look_stay_within_the_goal(
    kind: str, name: str, goal: float, n: int
) -> None:
    assert fails(kind, BY_NAME[name], n, 0.0, 200) <= at_most(goal, 200)


POWER = {("independent", 30): 0.66, ("AR(0.5)", 60): 0.74, ("shared season", 30): 0.66}


@pytest.mark.parametrize(("cell", "goal"), POWER.items(), ids=[f"{n} {k}" for k, n in POWER])
def test_most_of_what_an_oracle_finds_is_found(cell: tuple[str, int], goal: float) -> None:
    scenario, n = BY_NAME[cell[0]], cell[1]

    assert fails("mann_whitney", scenario, n, scenario.oracle(n), 400) >= at_least(goal, 400)


def test_the_textbook_test_would_break_these_bounds() -> None:
    """The bounds can be broken: independence assumed where there is none."""
    rng = np.random.default_rng(REPORTED_SEED)
    judge = two_sided("mann_whitney", variance="classic")
    alarms = sum(
        judge.judge(Sample.of_values(*gauge(BY_NAME["AR(0.8)"], rng, 60, 0.0))).verdict
        is Verdict.FAIL
        for _ in range(200)
    )

    assert alarms > at_most(0.11, 200)


@pytest.mark.parametrize("world", range(len(ERRORS)), ids=[world.name for world in ERRORS])
def test_equal_error_rates_seldom_fail_however_they_come(world: int) -> None:
    cell = calibrate.error_cell(world, 60, 2.0, 300)

    false_alarms, _ = calibrate.measure(cell, REPORTED_SEED)

    # Bursts of each side alone are the worst case: measured 5.6 % at a nominal 5 %.
    assert false_alarms.hits <= at_most(0.07, 300)


def test_errors_twice_as_many_are_found() -> None:
    _, power = calibrate.measure(calibrate.error_cell(0, 60, 2.0, 300), REPORTED_SEED)

    assert power.hits >= at_least(0.95, 300)


@pytest.mark.parametrize(("phi_index", "goal"), [(0, 0.03), (1, 0.06)], ids=["iid", "AR(.5)"])
def test_looking_46_times_costs_nothing(phi_index: int, goal: float) -> None:
    cell = calibrate.look_cell("mann_whitney", GAUGES[phi_index], 40)

    anytime, fixed = calibrate.measure(cell, REPORTED_SEED)

    assert anytime.hits <= at_most(goal, 40)
    assert fixed.hits >= anytime.hits


def test_a_good_rollout_of_twelve_metrics_does_not_fail() -> None:
    cell = calibrate.rollout_cell(1, "10%", 1.0, 20)

    for rate in calibrate.measure(cell, REPORTED_SEED):
        assert rate.hits <= at_most(0.01, 20)


def test_a_critical_metric_half_as_large_again_is_found() -> None:
    judge = judges.create("mann_whitney", tolerance="10%", looks="anytime", alpha=0.003, horizon=60)
    rng = np.random.default_rng(REPORTED_SEED)
    found = 0
    for _ in range(50):
        baseline, canary = (np.exp(0.15 * x) for x in GAUGES[0].draw(rng, 60))
        found += judge.judge(Sample.of_values(baseline, 1.5 * canary)).verdict is Verdict.FAIL

    assert found >= at_least(0.97, 50)
