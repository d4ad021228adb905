"""Estimates of a shift: order statistics without forming all pairs, and inverted tests."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from judges.core import shifts
from judges.core.evidence import normal_deviate
from judges.core.ranks import Pairs, RankMethod
from judges.core.selection import SUMS_AT_ONCE
from judges.core.shifts import Shifts
from tests.support.samples import Array, a_gauge, judged

MANY = 2 * math.isqrt(SUMS_AT_ONCE)
Draw = Callable[[np.random.Generator, int], Array]
DRAWS: dict[str, Draw] = {
    "continuous": lambda rng, n: rng.standard_normal(n),
    "whole numbers": lambda rng, n: rng.integers(0, 9, n).astype(float),
    "two values": lambda rng, n: rng.integers(0, 2, n).astype(float),
    "all equal": lambda _, n: np.full(n, 0.3),
    "far apart": lambda rng, n: np.sign(rng.standard_normal(n)) * 1e9 + rng.standard_normal(n),
    "heavy tails": lambda rng, n: rng.standard_t(1, n),
}


def walsh(differences: Array) -> Array:
    i, j = np.triu_indices(len(differences))
    return np.sort((differences[i] + differences[j]) / 2)


def pair_of(baseline: Array, canary: Array) -> Pairs:
    return Pairs.of(baseline[np.newaxis], canary[np.newaxis])


def estimate(baseline: Array, canary: Array, *, signed: bool) -> float:
    return float(Shifts.of(pair_of(baseline, canary), np.array([signed])).middle()[0])


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
@pytest.mark.parametrize("n", [1, 2, 15, MANY - 1, MANY, MANY + 1])
def test_the_estimate_is_the_median_of_all_pairs(draw: Draw, n: int) -> None:
    rng = np.random.default_rng(n)
    baseline, canary = draw(rng, n), draw(rng, n)
    pairs = np.subtract.outer(canary, baseline)

    placed = estimate(baseline, canary, signed=False)
    signed = estimate(baseline, canary, signed=True)

    assert placed == pytest.approx(np.median(pairs), abs=1e-12)
    assert signed == pytest.approx(np.median(walsh(canary - baseline)), abs=1e-12)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
@pytest.mark.parametrize("n", [15, MANY])
def test_every_order_statistic_of_the_differences_is_found(draw: Draw, n: int) -> None:
    rng = np.random.default_rng(n)
    baseline, canary = draw(rng, n), draw(rng, n)
    pairs = np.sort(np.subtract.outer(canary, baseline), axis=None)

    for rank in (0, 1, n, n * n // 3, n * n - 2, n * n - 1):
        found = shifts.difference(baseline, canary, rank)

        assert found == pytest.approx(pairs[rank], abs=1e-12)


@pytest.mark.parametrize("method", RankMethod)
@pytest.mark.parametrize("n", [60, MANY + 1])
def test_the_bounds_leave_the_same_part_of_the_pairs_on_either_side(
    method: RankMethod, n: int
) -> None:
    baseline, canary = (np.log(a_gauge(seed, n=n)) for seed in (1, 2))
    is_signed = np.array([method is RankMethod.SIGNED_RANKS])
    sums = walsh(canary - baseline) if is_signed[0] else np.subtract.outer(canary, baseline)

    for half in (0.05, 0.2, 0.45):
        found = Shifts.of(pair_of(baseline, canary), is_signed).bounds(np.array([half]))

        below, above = (sums < found.lower[0]).sum(), (sums > found.upper[0]).sum()
        assert below == above == math.floor(sums.size * (0.5 - half)) - 1


@pytest.mark.parametrize("half", [0.5, 0.7, math.inf])
def test_a_reach_beyond_all_pairs_bounds_nothing(half: float) -> None:
    baseline, canary = (np.log(a_gauge(seed, n=30)) for seed in (1, 2))

    found = Shifts.of(pair_of(baseline, canary), np.array([False])).bounds(np.array([half]))

    assert np.isnan([found.lower[0], found.upper[0]]).all()


def test_a_median_in_a_gap_is_the_middle_of_its_edges() -> None:
    """Half of the differences lie in [-.1, 0], half in [.9, 1]."""
    baseline = np.linspace(0, 0.1, MANY)
    canary = np.repeat([0.0, 1.0], MANY // 2)

    found = estimate(baseline, canary, signed=False)

    assert found == pytest.approx(0.45, abs=1e-12)


def test_the_shown_interval_excludes_a_ratio_when_the_test_rejects_it() -> None:
    """The interval takes the variance at the estimate, the test that at the limit: nearly equal."""
    baseline, canary = a_gauge(1, n=60), a_gauge(2, n=60, level=112)
    judgment = judged("mann_whitney", baseline, canary, confidence=0.9)
    assert judgment.estimate is not None
    interval = judgment.estimate.interval
    assert interval is not None
    assert interval.lower is not None

    for ratio, rejected in ((interval.lower * 0.99, True), (interval.lower * 1.01, False)):
        harm = judged("mann_whitney", baseline, canary, tolerance=ratio).harm

        assert harm is not None
        assert (harm.p <= 0.05) is rejected


def test_a_deviate_beyond_the_normal_tail_is_capped() -> None:
    assert normal_deviate(1e6, 1e6) == -normal_deviate(-1e6, 1e6) == 38
