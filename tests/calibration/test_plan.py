"""Forecasts hold: equal canaries pass by the minute forecast in about four of five rollouts.

A forecast is right in the mean over pasts and rollouts, each drawn anew; the bounds are those that
chance breaks once in a million runs where the rate lies between 70 and 90 %. Where the planned end
is what they wait for more may pass: by how much it suffices, a minute does not tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import signal, stats

import judges
from analysis.forecast import Forecast, Planned, forecast
from judges import Judge, Ratio, Sample, Values, Verdict
from judges.core import evidence
from judges.core.sample import Side

pytestmark = [pytest.mark.calibration, pytest.mark.timeout(120)]

CHANCE = 1e-6
SEED = 20_261_122
PAST, PLANNED, LOOKS = 240, 60, 8
LOW, HIGH = 0.70, 0.90

# Draws both sides of so many steps, the canary's level so many times the baseline's.
Draw = Callable[[np.random.Generator, int, float], Sample]


def gauge(phi: float, noise: float = 0.15) -> Draw:
    """Give gauges with lag-1 autocorrelation `phi`, each side its own."""

    def draw(rng: np.random.Generator, n: int, times: float) -> Sample:
        shocks = rng.standard_normal((2, n + 200)) * math.sqrt(1 - phi * phi)
        baseline, canary = np.exp(noise * signal.lfilter([1.0], [1.0, -phi], shocks)[:, 200:])
        return Sample.of_values(baseline, times * canary)

    return draw


def errors(rng: np.random.Generator, n: int, times: float) -> Sample:
    """Draw ten errors a step among a thousand requests, a quarter as many on the canary."""
    requests = [rng.poisson(traffic, n).astype(float) for traffic in (1000, 250)]
    rates = (0.01, 0.01 * times)
    failed = [rng.poisson(r * q).astype(float) for r, q in zip(rates, requests, strict=True)]
    return Sample.of_counts((failed[0], requests[0]), (failed[1], requests[1]))


def a_judge(kind: str, looks: str = "anytime", horizon: int = PLANNED) -> Judge:
    limits: dict[str, object] = {"tolerance": "10%", "margin": "20%"}
    if kind == "error_ratio":
        limits = {"tolerance": "25%", "margin": "50%"}
    return judges.create(kind, looks=looks, alpha=0.003, beta=0.05, horizon=horizon, **limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A metric in a world where nothing is wrong, and how its rollouts are looked at."""

    kind: str
    draw: Draw
    risk: str = "anytime"
    planned: int = PLANNED
    looks: int = LOOKS
    replicates: int = 120

    @property
    def judge(self) -> Judge:
        return a_judge(self.kind, self.risk, self.planned)


WORLDS = {
    "ranks of independent steps": World(kind="mann_whitney", draw=gauge(0.0)),
    "ranks at autocorrelation .5": World(kind="mann_whitney", draw=gauge(0.5), planned=160),
    "means of independent steps": World(kind="mean_ratio", draw=gauge(0.0)),
    "means at autocorrelation .5": World(kind="mean_ratio", draw=gauge(0.5), planned=160),
    "means at a single look": World(kind="mean_ratio", draw=gauge(0.5), risk="fixed", looks=1),
    "errors": World(kind="error_ratio", draw=errors, planned=160, replicates=50),
}
# No early look passes, but the planned end does.
AT_END = {
    "ranks": World(kind="mann_whitney", draw=gauge(0.5)),
    "means": World(kind="mean_ratio", draw=gauge(0.5)),
    "errors": World(kind="error_ratio", draw=errors, planned=30, replicates=50),
}
# Not even the planned end does; a later one would.
TOO_SHORT = {
    "ranks": World(kind="mann_whitney", draw=gauge(0.5), planned=25),
    "means": World(kind="mean_ratio", draw=gauge(0.5), planned=25),
    "errors": World(kind="error_ratio", draw=errors, planned=15, replicates=50),
}


def forecasts(world: World, rng: np.random.Generator) -> list[Forecast]:
    """Forecast from many pasts."""
    planned = Planned(steps=world.planned, warmup_s=0)
    pasts = [world.draw(rng, PAST, 1.0) for _ in range(world.replicates)]
    return [forecast(world.judge, past, planned) for past in pasts]


def steps(found: Forecast) -> int:
    """Give the steps that were forecast, a minute each."""
    assert found.minutes is not None
    return round(found.minutes)


def passed(world: World, needed: list[int], rng: np.random.Generator) -> int:
    """Count the equal canaries that pass at some look within the steps that each needs.

    Where these are more than planned, so many are planned instead.
    """
    rollouts = [(world.draw(rng, n, 1.0), n) for n in needed]
    looks = range(1, world.looks + 1)
    seen = [first_steps(drawn, round(k * n / world.looks)) for drawn, n in rollouts for k in looks]
    meant = [replace(world, planned=max(world.planned, n)).judge for n in needed for _ in looks]
    passes = np.array(
        [judgment.verdict is Verdict.PASS for judgment in judges.judge_many(meant, seen)]
    )
    return int(passes.reshape(len(needed), world.looks).any(axis=1).sum())


def first_steps(sample: Sample, n: int) -> Sample:
    return Sample(baseline=cut(sample.baseline, n), canary=cut(sample.canary, n))


def cut(side: Side, n: int) -> Side:
    if isinstance(side, Values):
        return Values(values=side.values[:, :n])
    assert isinstance(side, Ratio)
    return Ratio(numerator=side.numerator[:, :n], denominator=side.denominator[:, :n])


def is_likely(hits: int, replicates: int, low: float = LOW, high: float = HIGH) -> bool:
    """Tell whether a rate between `low` and `high` may show so many hits."""
    least, most = (
        stats.binom.ppf(CHANCE, replicates, low),
        stats.binom.isf(CHANCE, replicates, high),
    )
    return bool(least <= hits <= most)


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_an_equal_canary_passes_by_the_minute_forecast(world: World) -> None:
    rng = np.random.default_rng([SEED, 1])

    needed = [steps(found) for found in forecasts(world, rng)]

    assert is_likely(passed(world, needed, rng), world.replicates)


@pytest.mark.parametrize("world", AT_END.values(), ids=AT_END)
def test_an_equal_canary_that_waits_for_the_planned_end_passes_there(world: World) -> None:
    rng = np.random.default_rng([SEED, 4])

    needed = [steps(found) for found in forecasts(world, rng)]

    assert stats.mode(needed).mode == evidence.planned_end(world.planned)
    assert is_likely(passed(world, needed, rng), world.replicates, high=1.0)


@pytest.mark.parametrize("world", TOO_SHORT.values(), ids=TOO_SHORT)
def test_an_equal_canary_passes_in_the_plan_that_is_forecast_to_suffice(world: World) -> None:
    rng = np.random.default_rng([SEED, 5])

    needed = [steps(found) for found in forecasts(world, rng)]

    assert np.median(needed) > world.planned
    assert is_likely(passed(world, needed, rng), world.replicates)


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_the_harm_forecast_fails_by_the_planned_end(world: World) -> None:
    rng = np.random.default_rng([SEED, 2])

    # Ranks of few independent steps tell no harm at all, and then none is forecast.
    found = [one.harm.value for one in forecasts(world, rng) if one.harm]
    rollouts = [world.draw(rng, world.planned, harm) for harm in found]
    judged = judges.judge_many([world.judge] * len(found), rollouts)
    failed = sum(judgment.verdict is Verdict.FAIL for judgment in judged)

    assert is_likely(failed, len(found), low=0.6)


def test_a_past_less_dependent_than_the_rollout_breaks_the_bound() -> None:
    """The bound can be broken: independence assumed where there is none."""
    rng = np.random.default_rng([SEED, 3])
    past = World(kind="mean_ratio", draw=gauge(0.0))
    rollout = replace(past, draw=gauge(0.5))

    needed = [steps(found) for found in forecasts(past, rng)]

    assert not is_likely(passed(rollout, needed, rng), rollout.replicates)
