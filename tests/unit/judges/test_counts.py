"""Events among requests: the conditional binomial, its interval, its mixtures, its dispersion."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from judges.core import counts
from judges.core.counts import Coins, Tally
from tests.support.samples import Array, events

LEVEL = 0.95
TALLIES = [(0, 1), (1, 0), (3, 9), (9, 3), (0, 12), (12, 0), (40, 35), (400, 900)]


def a_tally(
    baseline: Array, canary: Array, *, served_baseline: float = 1000, served_canary: float = 250
) -> Tally:
    return Tally(
        events_baseline=np.asarray([baseline], dtype=float),
        total_baseline=np.full((1, len(baseline)), float(served_baseline)),
        events_canary=np.asarray([canary], dtype=float),
        total_canary=np.full((1, len(canary)), float(served_canary)),
    )


def a_coin(hits: float, tosses: float, chance: float) -> Coins:
    return Coins(hits=np.array([hits]), tosses=np.array([tosses]), chance=np.array([chance]))


def coin_of(tally: Tally, ratio: float) -> Coins:
    return counts.coins(tally, np.array([ratio]))


def interval_of(tally: Tally) -> tuple[float, float, float]:
    found = counts.rate_ratios(tally, np.ones(1), level=LEVEL)
    return float(found.lower[0]), float(found.value[0]), float(found.upper[0])


def dispersion_of(tally: Tally) -> tuple[float, float]:
    found = counts.dispersion(tally)
    return float(found.factor[0]), float(found.df[0])


@pytest.mark.parametrize(("baseline", "canary"), TALLIES)
@pytest.mark.parametrize("ratio", [1.0, 1.25, 3.0])
def test_the_tails_are_those_of_the_binomial_test(baseline: int, canary: int, ratio: float) -> None:
    chance = ratio * 250 / (1000 + ratio * 250)
    total = baseline + canary
    coin = coin_of(a_tally(np.array([baseline]), np.array([canary])), ratio)

    more = stats.binomtest(canary, total, chance, alternative="greater").pvalue
    fewer = stats.binomtest(canary, total, chance, alternative="less").pvalue

    assert coin.p_more()[0] == pytest.approx(more)
    assert coin.p_fewer()[0] == pytest.approx(fewer)


@pytest.mark.parametrize(("baseline", "canary"), TALLIES)
def test_the_interval_is_that_of_clopper_and_pearson(baseline: int, canary: int) -> None:
    expected = stats.binomtest(canary, baseline + canary).proportion_ci(LEVEL, method="exact")

    found = interval_of(a_tally(np.array([baseline]), np.array([canary])))

    odds = [share / (1 - share) * 4 if share < 1 else math.nan for share in expected]
    estimate = 4 * canary / baseline if baseline else math.nan
    assert found == pytest.approx((odds[0], estimate, odds[1]), nan_ok=True)


def test_no_events_bound_nothing() -> None:
    lower, *others = interval_of(a_tally(np.zeros(3), np.zeros(3)))

    assert lower == 0
    assert np.isnan(others).all()


def test_steps_with_other_shares_of_traffic_keep_their_own_chance() -> None:
    """Half of the canary's events fell where it had most of the traffic: that is its share."""
    tally = Tally(
        events_baseline=np.array([[90.0, 10.0]]),
        total_baseline=np.array([[900.0, 100.0]]),
        events_canary=np.array([[10.0, 90.0]]),
        total_canary=np.array([[100.0, 900.0]]),
    )

    coin = coin_of(tally, 1.0)

    assert (coin.hits[0], coin.tosses[0]) == (100, 200)
    assert coin.chance[0] == pytest.approx(0.5)


def test_a_step_without_traffic_changes_nothing() -> None:
    tally, idle = a_tally(events(1), events(2)), np.zeros((1, 1))
    longer = Tally(
        events_baseline=np.hstack([tally.events_baseline, idle]),
        total_baseline=np.hstack([tally.total_baseline, idle]),
        events_canary=np.hstack([tally.events_canary, idle]),
        total_canary=np.hstack([tally.total_canary, idle]),
    )

    one, other = coin_of(longer, 1.25), coin_of(tally, 1.25)

    assert (one.hits, one.tosses) == (other.hits, other.tosses)
    assert one.chance == pytest.approx(other.chance)


def test_deflated_tosses_keep_their_share() -> None:
    coin = a_coin(30, 50, 0.5)
    halved = coin.deflated(np.array([2.0]))

    assert (halved.hits[0], halved.tosses[0], halved.chance[0]) == (15, 25, 0.5)
    assert halved.p_more() > coin.p_more()


def mixture(coin: tuple[float, float, float], best_at: float) -> float:
    """Mix the likelihood ratio over a beta prior above the chance, numerically."""
    k, tosses, p0 = coin
    rest = tosses - k
    spread = 2 * math.log(10)
    strength = max(best_at / (spread + math.log1p(spread)) - 1, 0.5)
    a, b = p0 * strength, (1 - p0) * strength

    def total(hits: float, others: float) -> float:
        """Integrate p^(a-1) (p/p0)^hits … over (p0, 1), the pole at 1 taken as a weight."""
        found: float = integrate.quad(
            lambda p: p ** (a - 1) * (p / p0) ** hits * (1 - p0) ** -others,
            p0, 1, weight="alg", wvar=(0, b - 1 + others), limit=400,
        )[0]  # fmt: skip
        return found

    return total(k, rest) / total(0, 0)


@pytest.mark.parametrize("chance", [0.2, 0.5, 0.9])
@pytest.mark.parametrize(("hits", "tosses"), [(0, 0), (3, 5), (5, 40), (25, 60), (30, 31)])
def test_the_beta_mixture_is_the_integral_it_stands_for(
    chance: float, hits: int, tosses: int
) -> None:
    coin = (hits, tosses, chance)
    expected = np.mean([mixture(coin, best_at) for best_at in counts.MIXTURE_EVENTS])

    assert a_coin(*coin).log_e_more()[0] == pytest.approx(math.log(expected), abs=1e-5)


def test_evidence_for_fewer_is_evidence_for_more_of_the_others() -> None:
    assert a_coin(4, 40, 0.5).log_e_fewer() == a_coin(36, 40, 0.5).log_e_more() > 3


def test_far_below_the_chance_the_mixture_stays_finite_and_small() -> None:
    found = [float(a_coin(10, t, 0.9).log_e_more()[0]) for t in (10, 1e3, 1e6, 1e9)]

    assert all(math.isfinite(log_e) for log_e in found)
    assert found == sorted(found, reverse=True)
    assert found[-1] < -1


def hits_needed(tosses: int, chance: float, log_level: float) -> int:
    """Find the fewest hits whose evidence reaches the level; more hits are more evidence."""
    low, high = 0, tosses + 1
    while low < high:
        middle = (low + high) // 2
        reached = bool(a_coin(middle, tosses, chance).log_e_more()[0] >= log_level)
        low, high = (low, middle) if reached else (middle + 1, high)
    return low


@pytest.mark.parametrize("chance", [0.2, 0.5])
def test_a_fair_coin_rarely_ever_reaches_the_e_value_of_its_level(chance: float) -> None:
    paths, tosses, level = 4000, 600, 0.05
    needed = [hits_needed(k, chance, -math.log(level)) for k in range(1, tosses + 1)]
    rng = np.random.default_rng(20261122)
    hits = np.cumsum(rng.random((paths, tosses)) < chance, axis=1)

    false = int((hits >= needed).any(axis=1).sum())

    assert false <= stats.binom.isf(1e-6, paths, level)
    assert false >= 20  # and not because it could never speak


def test_poisson_events_show_no_dispersion_more_often_than_the_gate_allows() -> None:
    # Two tests at 5 % each open the gate.
    opened = sum(
        dispersion_of(a_tally(events(2 * i, n=60, mean=8), events(2 * i + 1, n=60, mean=2)))[0] > 1
        for i in range(400)
    )

    assert opened <= stats.binom.isf(1e-6, 400, 0.0975)


@pytest.mark.parametrize("spread", [2.0, 5.0])
def test_bunched_events_show_their_dispersion(spread: float) -> None:
    """Counts whose variance is `spread` times the mean on both sides."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(100):
        size = 20 / (spread - 1)
        first, second = rng.negative_binomial(size, size / (size + 20), (2, 240)).astype(float)
        found.append(dispersion_of(a_tally(first, second, served_canary=1000))[0])

    assert np.median(found) == pytest.approx(spread, rel=0.25)


def test_bursts_that_both_sides_share_are_no_dispersion() -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(100):
        intensity = np.exp(rng.standard_normal(120))
        first, second = (rng.poisson(k * intensity).astype(float) for k in (8, 2))
        found.append(dispersion_of(a_tally(first, second))[0])

    assert np.median(found) == 1


@pytest.mark.parametrize(
    ("baseline", "canary"),
    [
        (events(1, n=19), events(2, n=19)),
        (events(1, mean=0.1), events(2, mean=0.1)),
        (np.zeros(60), events(1, n=60)),
        (events(1, n=60), np.zeros(60)),
    ],
    ids=["too few steps", "too few events", "events on the canary only", "on the baseline only"],
)
def test_without_enough_to_estimate_it_there_is_no_dispersion(
    baseline: Array, canary: Array
) -> None:
    assert dispersion_of(a_tally(baseline, canary)) == (1.0, math.inf)


def test_an_allowance_grants_the_baseline_events() -> None:
    floored = a_tally(np.zeros(2), np.ones(2)).with_floor(np.array([0.01]))

    np.testing.assert_allclose(floored.events_baseline, [[10, 10]])
    np.testing.assert_array_equal(floored.events_canary, [[1, 1]])


def test_swapping_twice_changes_nothing() -> None:
    tally = a_tally(events(1), events(2))

    twice = tally.swapped().swapped()

    np.testing.assert_array_equal(twice.events_canary, tally.events_canary)
    np.testing.assert_array_equal(twice.total_baseline, tally.total_baseline)


def test_the_beta_tail_is_the_binomial_tail_at_whole_numbers() -> None:
    assert special.betainc(7, 14, 0.3) == pytest.approx(stats.binom.sf(6, 20, 0.3))
