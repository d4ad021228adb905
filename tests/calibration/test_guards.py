"""How often a guard cries wolf: the share of the requests on valid comparisons, and on broken ones.

The requests are split at random under a load that swings, or each side has bursts of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from analysis.calibration.scenarios import Array, Pair, Rng, autoregressive
from analysis.guards import Comparison, Rollout, Weight, inspect, inspect_rollout
from judges import Sample

pytestmark = [pytest.mark.calibration, pytest.mark.timeout(240)]

CHANCE = 1e-6
SEED = 20_261_126
REPLICATES, STEPS, REQUESTS = 600, 60, 100.0
# What the page of the guard states.
RANDOM, OWN_BURSTS = 0.001, 0.01


def lognormal(rng: Rng, spread: float, phi: float) -> Array:
    waves = autoregressive(rng, (REPLICATES, STEPS), phi)
    load: Array = np.exp(spread * waves - spread * spread / 2)
    return load


def _steady(_: Rng) -> Pair:
    load = np.ones((REPLICATES, STEPS))
    return load, load


def _shared(rng: Rng) -> Pair:
    load = lognormal(rng, 1.0, 0.8)
    return load, load


def _own(spread: float, phi: float) -> Callable[[Rng], Pair]:
    return lambda rng: (lognormal(rng, spread, phi), lognormal(rng, spread, phi))


def _batches(rng: Rng) -> Pair:
    shape = (REPLICATES, STEPS)
    return rng.gamma(1, 1, shape), rng.gamma(1, 1, shape)


WORLDS: dict[str, tuple[Callable[[Rng], Pair], float]] = {
    "a steady load, split at random": (_steady, RANDOM),
    "a load that swings threefold, split at random": (_shared, RANDOM),
    "batches of each side": (_batches, OWN_BURSTS),
    "bursts of each side, half as much again, autocorrelation .5": (_own(0.5, 0.5), OWN_BURSTS),
    "bursts of each side, a third, autocorrelation .8": (_own(0.3, 0.8), OWN_BURSTS),
    "bursts of each side, half as much again, autocorrelation .9": (_own(0.5, 0.9), OWN_BURSTS),
}


def comparisons(world: str, share: float, *, served: float = 1.0) -> list[Comparison]:
    """Draw requests at a weight, of which the canary counts but a part."""
    rng = np.random.default_rng(SEED)
    baselines, canaries = WORLDS[world][0](rng)
    old = rng.poisson(REQUESTS * (1 - share) * baselines).astype(float)
    new = rng.poisson(served * REQUESTS * share * canaries).astype(float)
    weight = Weight.constant(share, tolerance=0.1)
    return [
        Comparison(
            sample=Sample.of_counts((b % 2, b), (c % 3, c)), baseline=(), canary=(), weight=weight
        )
        for b, c in zip(old, new, strict=True)
    ]


def alarms(drawn: list[Comparison]) -> int:
    return sum("traffic_share" in {finding.code for finding in inspect(one)} for one in drawn)


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("world", WORLDS)
def test_a_share_as_the_weight_says_seldom_alarms(world: str, share: float) -> None:
    stated = WORLDS[world][1]

    assert alarms(comparisons(world, share)) <= stats.binom.isf(CHANCE, REPLICATES, stated)


def test_a_test_that_takes_requests_for_independent_would_alarm_far_too_often() -> None:
    drawn = comparisons("bursts of each side, a third, autocorrelation .8", 0.5)

    naive = 0
    for one in drawn:
        old, new = (float(side.sum()) for side in one.exposures())
        naive += bool(stats.binomtest(int(new), int(old + new), 0.5).pvalue < RANDOM)
    assert naive > REPLICATES / 2


@pytest.mark.parametrize(("served", "least"), [(0.5, 0.8), (0.8, 0.5)])
def test_requests_that_are_lost_are_noticed_where_the_split_is_random(
    served: float, least: float
) -> None:
    drawn = comparisons("a load that swings threefold, split at random", 0.5, served=served)

    assert alarms(drawn) >= stats.binom.isf(1 - CHANCE, REPLICATES, least)


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize(
    "world", [name for name, (_, stated) in WORLDS.items() if stated == RANDOM]
)
def test_a_constant_weight_is_seldom_taken_for_a_changed_one(world: str, share: float) -> None:
    found = sum(
        bool(inspect_rollout(Rollout(comparisons={"errors": one}, since=-480.0, begin=0.0)))
        for one in comparisons(world, share)
    )

    assert found <= stats.binom.isf(CHANCE, REPLICATES, RANDOM)
