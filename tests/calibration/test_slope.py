"""Error rates of the judge of growth, on short runs: a correct judge breaks a bound once in 1e6.

The worlds are those in which memory lives: levels that wander, are swept, start up or are shared.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import signal, stats

import judges
from judges import Sample, Verdict
from tests.support.samples import Array

pytestmark = [pytest.mark.calibration, pytest.mark.timeout(120)]

CHANCE = 1e-6
SEED = 20_261_122
STEPS, LOOKS = 60, range(15, 61, 5)
REPLICATES = 150
TIME = np.arange(STEPS)

Draw = Callable[[np.random.Generator, int], Array]


def autoregressive(phi: float, noise: float = 0.05) -> Draw:
    """Give pods around a level of 1, with lag-1 autocorrelation `phi`."""

    def draw(rng: np.random.Generator, pods: int) -> Array:
        shocks = rng.standard_normal((pods, STEPS + 200)) * math.sqrt(1 - phi * phi)
        levels = np.asarray(signal.lfilter([1.0], [1.0, -phi], shocks), dtype=np.float64)
        return 1 + noise * levels[:, 200:]

    return draw


def walk(noise: float) -> Draw:
    """Give pods that wander by `noise` of their level in each step."""
    return lambda rng, pods: 1 + noise * np.cumsum(rng.standard_normal((pods, STEPS)), axis=1)


def swept(rng: np.random.Generator, pods: int) -> Array:
    """Give pods whose memory is collected every 6 to 20 steps, each in its own rhythm."""
    period, phase = rng.uniform(6, 20, (pods, 1)), rng.uniform(0, 1, (pods, 1))
    saw = 0.15 * ((TIME / period + phase) % 1)
    return 1 + saw + 0.01 * rng.standard_normal((pods, STEPS))


def starting(rng: np.random.Generator, pods: int) -> Array:
    """Give pods that start up along one curve, each to a level that differs by 2 %."""
    reached = 0.5 * (1 + 0.02 * rng.standard_normal((pods, 1)))
    levels: Array = 1 + reached * (1 - np.exp(-TIME / 15))
    return levels + 0.01 * rng.standard_normal((pods, STEPS))


def season(rng: np.random.Generator, pods: int) -> Array:
    """Give pods under one load that comes and goes."""
    return (1 + 0.2 * np.sin(2 * np.pi * TIME / STEPS)) * autoregressive(0, 0.03)(rng, pods)


WORLDS: dict[str, Draw] = {
    "independent": autoregressive(0),
    "AR(.5)": autoregressive(0.5),
    "AR(.8)": autoregressive(0.8),
    "AR(.95)": autoregressive(0.95),
    "random walk of .5 %": walk(0.005),
    "random walk of 1 %": walk(0.01),
    "swept": swept,
    "starting up": starting,
    "shared season": season,
}
PODS = {"1+1": (1, 1), "3+3": (3, 3), "5+5": (5, 5), "3+1": (3, 1)}


def drawn(world: str, pods: str, replicates: int, growth: float = 0.0) -> list[tuple[Array, Array]]:
    """Draw both sides, the canary growing by a share of the usual level over the window."""
    rng = np.random.default_rng([SEED, list(WORLDS).index(world), *PODS[pods]])
    draw, (own, other) = WORLDS[world], PODS[pods]
    leak = growth * TIME / STEPS
    return [(draw(rng, own), draw(rng, other) + leak) for _ in range(replicates)]


def fails(judge: judges.Judge, sides: list[tuple[Array, Array]]) -> int:
    samples = (Sample.of_values(*pair) for pair in sides)
    return sum(judge.judge(sample).verdict is Verdict.FAIL for sample in samples)


def at_most(goal: float, replicates: int = REPLICATES) -> int:
    return int(stats.binom.isf(CHANCE, replicates, goal))


def at_least(goal: float, replicates: int = REPLICATES) -> int:
    return int(stats.binom.ppf(CHANCE, replicates, goal))


# Measured with 400 to 500 replicates: at most 6 % where levels keep to a line, 10 % where they
# wander.
GOAL, GOAL_OF_WALKS = 0.075, 0.11


# Two pods that start up to levels which differ do grow differently: only several can tell that this
# is no leak.
NULLS = [
    (world, pods) for world in WORLDS for pods in PODS if (world, pods) != ("starting up", "1+1")
]


@pytest.mark.parametrize(("world", "pods"), NULLS)
def test_any_growth_at_all_is_found_where_there_is_none_as_seldom_as_promised(
    world: str, pods: str
) -> None:
    judge = judges.create("slope", tolerance=0, alpha=0.05)
    goal = GOAL_OF_WALKS if "walk" in world else GOAL

    assert fails(judge, drawn(world, pods, REPLICATES)) <= at_most(goal)


@pytest.mark.parametrize("pods", ["1+1", "3+3", "3+1"])
@pytest.mark.parametrize("world", ["independent", "AR(.8)", "random walk of .5 %", "swept"])
def test_looking_ten_times_costs_nothing(world: str, pods: str) -> None:
    judge = judges.create("slope", tolerance=0, alpha=0.05, looks="anytime", horizon=STEPS)

    alarms = sum(
        any(fails(judge, [(baseline[:, :n], canary[:, :n])]) for n in LOOKS)
        for baseline, canary in drawn(world, pods, 40)
    )

    assert alarms <= at_most(0.075, 40)


@pytest.mark.parametrize("pods", PODS)
def test_growth_at_the_margin_seldom_passes(pods: str) -> None:
    judge = judges.create("slope")
    sides = drawn("independent", pods, REPLICATES, growth=0.1)
    passed = sum(judge.judge(Sample.of_values(*pair)).verdict is Verdict.PASS for pair in sides)

    assert passed <= at_most(0.06)


FOUND = {
    ("independent", "1+1", 0.2): 0.95,
    ("independent", "3+3", 0.2): 0.97,
    ("independent", "3+1", 0.2): 0.9,
    ("AR(.8)", "3+3", 0.5): 0.97,
    ("random walk of .5 %", "1+1", 0.5): 0.95,
    ("random walk of .5 %", "3+3", 0.2): 0.88,
    ("random walk of .5 %", "3+1", 0.5): 0.97,
    ("starting up", "3+3", 0.2): 0.97,
    ("shared season", "1+1", 0.2): 0.97,
    ("swept", "3+3", 0.2): 0.93,
}


@pytest.mark.parametrize(("case", "power"), FOUND.items(), ids=str)
def test_a_leak_is_found(case: tuple[str, str, float], power: float) -> None:
    world, pods, growth = case

    found = fails(judges.create("slope"), drawn(world, pods, REPLICATES, growth))

    assert found >= at_least(power)


def test_the_textbook_line_would_break_these_bounds() -> None:
    """The bounds can be broken: independence assumed where levels wander."""
    alarms = sum(
        stats.linregress(TIME, canary[0] - baseline[0], alternative="greater").pvalue <= 0.05
        for baseline, canary in drawn("random walk of .5 %", "1+1", REPLICATES)
    )

    assert alarms > at_most(GOAL_OF_WALKS)
