"""False alarms of the judge of extreme effects, looked at as often as a controller would."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from scipy import signal, stats

import judges
from judges import Sample, Verdict
from tests.support.samples import Array

pytestmark = [pytest.mark.calibration, pytest.mark.timeout(120)]

CHANCE = 1e-6
SEED = 20_261_122
STEPS, LOOKS = 240, range(15, 241, 5)
ROLLOUTS = 150
PHI = 0.8


def gauge(rng: np.random.Generator) -> Array:
    shocks = rng.standard_normal(STEPS + 200) * math.sqrt(1 - PHI * PHI)
    noise: Array = np.exp(0.15 * signal.lfilter([1.0], [1.0, -PHI], shocks)[200:])
    return noise


def gauges() -> Iterator[list[Sample]]:
    """Draw rollouts in which a gauge varies by 15 % and nothing is wrong: a sample a look."""
    rng = np.random.default_rng(SEED)
    for _ in range(ROLLOUTS):
        baseline, canary = gauge(rng), gauge(rng)
        yield [Sample.of_values(baseline[:n], canary[:n]) for n in LOOKS]


def errors(rate: float, traffic: float) -> Iterator[list[Sample]]:
    """Draw the same with `rate` errors a step, and the canary with part of the traffic."""
    rng = np.random.default_rng(SEED)
    served = np.full(STEPS, 1000.0)
    for _ in range(ROLLOUTS):
        k_b, k_c = rng.poisson(rate, STEPS), rng.poisson(rate * traffic, STEPS)
        yield [
            Sample.of_counts((k_b[:n], served[:n]), (k_c[:n], traffic * served[:n])) for n in LOOKS
        ]


def alarms(judge: judges.Judge, rollouts: Iterator[list[Sample]]) -> int:
    return sum(
        any(judge.judge(look).verdict is Verdict.FAIL for look in looks) for looks in rollouts
    )


WORLDS: dict[str, Callable[[], Iterator[list[Sample]]]] = {
    "a gauge": gauges,
    "0.2 errors a step": lambda: errors(0.2, 1),
    "2 errors a step": lambda: errors(2, 1),
    "20 errors a step, a quarter of the traffic": lambda: errors(20, 0.25),
}


@pytest.mark.parametrize("world", WORLDS)
def test_46_looks_at_a_good_canary_seldom_see_a_spike(world: str) -> None:
    found = alarms(judges.create("spike"), WORLDS[world]())

    assert found <= stats.binom.isf(CHANCE, ROLLOUTS, 0.001)


def test_twice_the_baseline_in_half_of_the_steps_would_break_this_bound() -> None:
    judge = judges.create("spike", ratio=1.3, hits=2)

    assert alarms(judge, gauges()) > stats.binom.isf(CHANCE, ROLLOUTS, 0.001)
