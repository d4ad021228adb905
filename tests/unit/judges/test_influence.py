"""Each step's part in an effect: when two sides are paired, and what is then known of the noise."""

from __future__ import annotations

import numpy as np
import pytest

from judges.core.dependence import LongRuns, hides_slow_part, long_runs
from judges.core.influence import OPPOSED_PATTERN, SHARED_PATTERN, Influence
from tests.support.samples import Array, a_gauge

N = 60


def noise(first: int, *, rows: int = 1, n: int = N, phi: float = 0.0) -> Array:
    """Draw standard noise, shape (rows, n)."""
    seeds = range(first, first + rows)
    return np.log([a_gauge(seed, n=n, level=1.0, noise=1.0, phi=phi) for seed in seeds])


def correlations(first: Array, second: Array) -> Array:
    pairs = zip(first, second, strict=True)
    return np.array([np.corrcoef(one, other)[0, 1] for one, other in pairs])


def assert_same(runs: LongRuns, expected: LongRuns) -> None:
    np.testing.assert_array_equal(runs.variance, expected.variance)
    np.testing.assert_array_equal(runs.df, expected.df)
    np.testing.assert_array_equal(runs.n_effective, expected.n_effective)
    np.testing.assert_array_equal(runs.autocorrelation, expected.autocorrelation)


CANARY, BASELINE, LOAD = noise(1), noise(2), noise(3)


def test_the_variances_of_independent_sides_add() -> None:
    canary, baseline = noise(1, n=4000), 2 * noise(2, n=4000)

    runs = Influence(canary=canary, baseline=baseline).runs

    assert_same(runs, long_runs(canary, baseline))
    assert runs.variance[0] == pytest.approx(1 + 4, rel=0.3)


def test_independent_sides_have_twice_the_degrees_of_freedom_of_one() -> None:
    runs = Influence(canary=CANARY, baseline=BASELINE).runs

    assert runs.df[0] > 1.5 * long_runs(CANARY).df[0]


def test_a_pattern_that_both_sides_share_cancels() -> None:
    canary, baseline = CANARY + 5 * LOAD, BASELINE + 5 * LOAD

    runs = Influence(canary=canary, baseline=baseline).runs

    assert_same(runs, long_runs(canary - baseline))
    assert runs.variance[0] < long_runs(canary, baseline).variance[0] / 5


def test_load_that_one_side_takes_from_the_other_is_counted_twice() -> None:
    canary, baseline = CANARY + LOAD, BASELINE - LOAD

    runs = Influence(canary=canary, baseline=baseline).runs

    assert_same(runs, long_runs(canary - baseline))
    assert runs.variance[0] > long_runs(canary, baseline).variance[0]


def test_sides_that_seem_opposed_are_never_paired_to_gain_variance() -> None:
    canary, baseline = noise(1, rows=300, n=30), noise(1001, rows=300, n=30)
    opposed = correlations(canary, baseline) < -OPPOSED_PATTERN
    paired, apart = long_runs(canary - baseline), long_runs(canary, baseline)
    assert (paired.variance < apart.variance)[opposed].any()

    runs = Influence(canary=canary, baseline=baseline).runs

    assert (runs.variance >= apart.variance)[opposed].all()
    assert (runs.variance > apart.variance)[opposed].any()


@pytest.mark.parametrize("n", [20, 30, 60, 240])
def test_chance_seldom_makes_a_shared_pattern(n: int) -> None:
    """Where pairing would lower the variance it is done in at most 2 % of independent pairs."""
    canary, baseline = noise(1, rows=300, n=n), noise(2001, rows=300, n=n)
    apart = long_runs(canary, baseline)

    runs = Influence(canary=canary, baseline=baseline).runs

    assert ((runs.variance < apart.variance).mean()) <= 0.02


def test_a_slight_pattern_is_left_alone_however_many_steps_show_it() -> None:
    load = noise(3, n=5000)
    canary, baseline = noise(1, n=5000) + 0.5 * load, noise(2, n=5000) + 0.5 * load
    assert 0.1 < correlations(canary, baseline)[0] < SHARED_PATTERN

    assert_same(Influence(canary=canary, baseline=baseline).runs, long_runs(canary, baseline))


def test_few_independent_steps_show_a_pattern_less_than_many_do() -> None:
    """The same correlation of .5: of steps that are worth sixty, and of steps worth a few."""
    fast, slow = noise(1, rows=3), noise(1, rows=3, phi=0.95)
    paired = []
    for canary, other, load in (fast, slow):
        axes = np.linalg.qr(np.stack([np.ones(N), canary, other, load]).T)[0].T[1:]
        sides = axes[[0]], 0.5 * axes[[0]] + np.sqrt(0.75) * axes[[1]]
        runs = Influence(canary=sides[0], baseline=sides[1]).runs
        paired.append(bool(runs.variance[0] == long_runs(sides[0] - sides[1]).variance[0]))

    assert paired == [True, False]


def test_levels_are_irrelevant() -> None:
    there = Influence(canary=CANARY, baseline=BASELINE).runs
    elsewhere = Influence(canary=CANARY + 7, baseline=BASELINE + 3).runs

    assert elsewhere.variance[0] == pytest.approx(there.variance[0])
    assert elsewhere.n_effective[0] == pytest.approx(there.n_effective[0])


def test_a_metric_gets_the_same_answer_whatever_stands_beside_it() -> None:
    canary = np.vstack([CANARY + 5 * LOAD, CANARY, CANARY + LOAD])
    baseline = np.vstack([BASELINE + 5 * LOAD, BASELINE, BASELINE - LOAD])
    together = Influence(canary=canary, baseline=baseline).runs

    for row in range(3):
        alone = Influence(canary=canary[[row]], baseline=baseline[[row]]).runs

        assert alone[0] == together[row]


@pytest.mark.parametrize("side", [CANARY, np.ones((1, N))], ids=["one side", "both sides"])
def test_sides_that_do_not_vary_divide_nothing_by_zero(side: Array) -> None:
    with np.errstate(all="raise"):
        runs = Influence(canary=side, baseline=np.full((1, N), 0.1)).runs

    assert runs.variance[0] == long_runs(side).variance[0]


def test_a_slow_part_that_both_sides_share_does_not_hide_in_their_difference() -> None:
    slow, own = noise(5, n=240, phi=0.95), noise(6, n=240, phi=0.95)
    canary, baseline = noise(7, n=240), noise(8, n=240)
    assert hides_slow_part([canary + slow])[0]

    shared = Influence(canary=canary + slow, baseline=baseline + slow)
    apart = Influence(canary=canary + slow, baseline=baseline + own)

    assert not shared.slow[0]
    assert apart.slow[0]
