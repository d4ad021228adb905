"""Estimates of a shift: order statistics without forming all pairs, and inverted tests."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from judges.core import shifts
from judges.core.evidence import normal_deviate
from judges.core.ranks import Pair, RankMethod
from judges.core.shifts import SUMS_AT_ONCE
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


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
@pytest.mark.parametrize("n", [1, 2, 15, MANY - 1, MANY, MANY + 1])
def test_the_estimate_is_the_median_of_all_pairs(draw: Draw, n: int) -> None:
    rng = np.random.default_rng(n)
    baseline, canary = draw(rng, n), draw(rng, n)
    pairs = np.subtract.outer(canary, baseline)

    placed = shifts.hodges_lehmann(RankMethod.PLACEMENTS, baseline, canary)
    signed = shifts.hodges_lehmann(RankMethod.SIGNED_RANKS, baseline, canary)

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
@pytest.mark.parametrize(("n", "phi"), [(60, 0.0), (60, 0.5), (400, 0.6)])
def test_the_interval_ends_where_the_test_begins_to_reject(
    method: RankMethod, n: int, phi: float
) -> None:
    baseline, canary = (np.log(a_gauge(seed, n=n, phi=phi)) for seed in (1, 2))
    pair = Pair.of(baseline, canary)
    centre = shifts.hodges_lehmann(method, baseline, canary)

    def deviate(shift: float) -> float:
        return pair.studentized(method, shift).z

    lower, upper = shifts.invert(deviate, centre=centre, step=0.01, reach=10.0, z=1.96)

    assert lower is not None
    assert upper is not None
    assert lower < centre < upper
    half = (upper - lower) / 2
    assert deviate(lower - 1e-9) >= 1.96 > deviate(lower + 0.01 * half)
    assert deviate(upper + 1e-9) <= -1.96 < deviate(upper - 0.01 * half)


@pytest.mark.parametrize("step", [0.0, 1e-6, 0.3, 5.0, 1e6])
def test_the_interval_does_not_depend_on_where_the_search_begins(step: float) -> None:
    lower, upper = shifts.invert(
        lambda shift: math.atan(3 - shift), centre=3.0, step=step, reach=100.0, z=1.0
    )

    assert lower == pytest.approx(3 - math.tan(1), rel=2e-3)
    assert upper == pytest.approx(3 + math.tan(1), rel=2e-3)


def test_a_median_in_a_gap_is_the_middle_of_its_edges() -> None:
    """Half of the differences lie in [-.1, 0], half in [.9, 1]."""
    baseline = np.linspace(0, 0.1, MANY)
    canary = np.repeat([0.0, 1.0], MANY // 2)

    found = shifts.hodges_lehmann(RankMethod.PLACEMENTS, baseline, canary)

    assert found == pytest.approx(0.45, abs=1e-12)


def test_a_side_that_is_never_rejected_has_no_bound() -> None:
    lower, upper = shifts.invert(
        lambda shift: 2.0 * (shift < -1), centre=0.0, step=0.1, reach=5.0, z=1.5
    )

    assert lower == pytest.approx(-1, rel=2e-3)
    assert upper is None


def test_the_shown_interval_excludes_a_ratio_exactly_when_the_test_rejects_it() -> None:
    baseline, canary = a_gauge(1, n=60), a_gauge(2, n=60, level=112)
    judgment = judged("mann_whitney", baseline, canary, confidence=0.9)
    assert judgment.estimate is not None
    interval = judgment.estimate.interval
    assert interval is not None
    assert interval.lower is not None

    for ratio, rejected in ((interval.lower * 0.998, True), (interval.lower * 1.002, False)):
        harm = judged("mann_whitney", baseline, canary, tolerance=ratio).harm

        assert harm is not None
        assert (harm.p <= 0.05) is rejected


def test_a_deviate_beyond_the_normal_tail_is_capped() -> None:
    assert normal_deviate(1e6, 1e6) == -normal_deviate(-1e6, 1e6) == 38
