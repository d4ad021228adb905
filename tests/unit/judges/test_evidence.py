"""From statistic to evidence: p-values, e-values and what they decide."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from judges import Direction, Evidence, Looks, Verdict
from judges.core import evidence

CLAIM, NO_CLAIM = Evidence(p=1e-6, log_e=14.0), Evidence(p=0.6, log_e=-2.0)


@pytest.mark.parametrize("t", [-5.0, -0.5, 0.0, 0.5, 5.0])
def test_the_normal_deviate_has_the_same_tail(t: float) -> None:
    assert stats.norm.sf(evidence.normal_deviate(t, 7.0)) == pytest.approx(stats.t.sf(t, 7.0))


@pytest.mark.parametrize("z", [-3.0, -1.0, 0.0, 1.0, 3.0, 6.0])
@pytest.mark.parametrize("n", [15, 60, 240])
@pytest.mark.parametrize("alpha", [0.05, 0.001, 0.6])
def test_the_normal_mixture_is_the_integral_it_stands_for(z: float, n: int, alpha: float) -> None:
    """Mix the likelihood ratio of a drift over a half-normal prior, numerically."""
    log_e = evidence.log_e_normal(z, n, alpha=alpha, best_at=30)
    spread = 2 * math.log(1 / (2 * alpha)) if alpha < 0.5 else 0.1
    rho = 30 / (spread + math.log1p(max(spread, 0.1)))
    s = z * math.sqrt(n)

    def mixed(drift: float) -> float:
        prior = 2 * math.sqrt(rho / (2 * math.pi)) * math.exp(-rho * drift * drift / 2)
        return prior * math.exp(drift * s - drift * drift * n / 2)

    # The integrand peaks at s / (n + rho), with standard deviation 1 / sqrt(n + rho).
    peak, width = max(s / (n + rho), 0), 1 / math.sqrt(n + rho)
    edges = [0, *(peak + k * width for k in (1, 3, 6, 12))]
    total = sum(integrate.quad(mixed, a, b)[0] for a, b in pairwise(edges))

    assert log_e == pytest.approx(math.log(total), abs=1e-6)


def test_a_normal_walk_rarely_ever_reaches_the_e_value_of_its_level() -> None:
    rng = np.random.default_rng(20261122)
    looks, paths, alpha = 240, 4000, 0.05
    walk = np.cumsum(rng.standard_normal((paths, looks)), axis=1)
    n = np.arange(1, looks + 1)
    z = walk / np.sqrt(n)
    log_e = np.vectorize(
        lambda z, n: evidence.log_e_normal(float(z), float(n), alpha=alpha, best_at=60)
    )
    # The bound is monotone in z, so the least z that reaches the level suffices at each look.
    grid = np.linspace(0, 8, 1601)
    reached = np.array([grid[np.argmax(log_e(grid, m) >= math.log(1 / alpha))] for m in n])

    false = int((z >= reached).any(axis=1).sum())

    assert false <= stats.binom.isf(1e-6, paths, alpha)


@pytest.mark.parametrize(
    ("harm", "safety", "verdict"),
    [
        (CLAIM, NO_CLAIM, Verdict.FAIL),
        (NO_CLAIM, CLAIM, Verdict.PASS),
        (CLAIM, CLAIM, Verdict.FAIL),
        (NO_CLAIM, NO_CLAIM, Verdict.INCONCLUSIVE),
    ],
    ids=["harm is shown", "harm is excluded", "both: failure is asked first", "neither"],
)
@pytest.mark.parametrize("looks", Looks)
def test_evidence_decides(harm: Evidence, safety: Evidence, verdict: Verdict, looks: Looks) -> None:
    assert evidence.decide(harm, safety, alpha=0.01, beta=0.05, looks=looks) is verdict


def test_one_look_is_decided_by_p_and_many_by_e() -> None:
    nominal = Evidence(p=0.009, log_e=math.log(99))

    assert evidence.suffices(nominal, level=0.01, looks=Looks.FIXED)
    assert not evidence.suffices(nominal, level=0.01, looks=Looks.ANYTIME)


def test_the_level_itself_suffices() -> None:
    exact = Evidence(p=0.01, log_e=-math.log(0.01))

    assert all(evidence.suffices(exact, level=0.01, looks=looks) for looks in Looks)


def test_without_a_sequential_form_many_looks_are_decided_by_p() -> None:
    assert evidence.suffices(Evidence(p=0.001), level=0.01, looks=Looks.ANYTIME)


def test_harm_in_either_direction_pays_for_the_choice() -> None:
    both = evidence.strongest([CLAIM, NO_CLAIM])

    assert both.p == pytest.approx(2e-6)
    assert both.log_e == pytest.approx(math.log((math.exp(14) + math.exp(-2)) / 2))
    assert evidence.strongest([NO_CLAIM, NO_CLAIM]).p == 1


def test_safety_in_both_directions_needs_both() -> None:
    both = evidence.weakest([CLAIM, NO_CLAIM])

    assert both == NO_CLAIM


def test_one_direction_is_taken_as_it_is() -> None:
    assert evidence.strongest([CLAIM]) is CLAIM
    assert evidence.weakest([CLAIM]) == CLAIM


def test_a_side_without_a_sequential_form_leaves_the_whole_without() -> None:
    mixed = [CLAIM, Evidence(p=0.2)]

    assert evidence.strongest(mixed).log_e is None
    assert evidence.weakest(mixed).log_e is None


@pytest.mark.parametrize(
    ("direction", "signs"),
    [(Direction.INCREASE, (1,)), (Direction.DECREASE, (-1,)), (Direction.EITHER, (1, -1))],
)
def test_a_direction_knows_which_way_harm_lies(
    direction: Direction, signs: tuple[int, ...]
) -> None:
    assert direction.signs == signs


@pytest.mark.parametrize(
    ("n", "starts"), [(5, []), (19, []), (20, [15]), (36, [15, 30]), (60, [15, 30, 45])]
)
def test_evidence_starts_anew_at_quarters_of_the_plan(n: int, starts: list[int]) -> None:
    assert evidence.restarts(n, 60, least=5) == starts


@pytest.mark.parametrize("horizon", [2, 3, 4, 5])
def test_evidence_never_starts_anew_where_nothing_of_the_plan_is_left(horizon: int) -> None:
    assert all(0 < start < horizon for start in evidence.restarts(100, horizon, least=5))


def test_evidence_that_has_not_started_holds_its_stake() -> None:
    assert evidence.with_restarts(0.0, []) == pytest.approx(0)
    assert evidence.with_restarts(-math.inf, []) == pytest.approx(math.log(3 / 8))


def test_evidence_since_a_restart_counts_for_its_share() -> None:
    late = evidence.with_restarts(-50.0, [-50.0, 20.0, 0.0])

    assert late == pytest.approx(20 + math.log(1 / 8), abs=1e-6)


def test_capital_that_waits_for_the_planned_end_is_neither_won_nor_lost_before() -> None:
    level, none = np.array([0.05]), np.array([0.0])

    assert evidence.with_end(none, None, level)[0] == pytest.approx(0)
    assert evidence.with_end(none - 700, None, level)[0] == pytest.approx(math.log(0.8))


@pytest.mark.parametrize(("p", "passes"), [(0.039, True), (0.041, False)])
def test_at_the_planned_end_its_part_of_the_level_suffices(p: float, passes: bool) -> None:
    level = np.array([0.05])

    for level_of in (-5.0, -700.0):
        log_e = evidence.with_end(np.array([level_of]), np.array([p]), level)[0]

        assert bool(log_e >= -math.log(0.05)) is passes


def test_a_normal_walk_rarely_passes_at_any_look_or_at_the_end() -> None:
    """Looks at every step to the planned end, the last with its bet: the level holds for all."""
    rng = np.random.default_rng(20261122)
    paths, steps, level = 4000, 60, 0.05
    walk = np.cumsum(rng.standard_normal((paths, steps)), axis=1)
    passed = np.zeros(paths, dtype=bool)
    for n in range(5, steps + 1):
        z = walk[:, n - 1] / math.sqrt(n)
        over = evidence.log_e_normals(z, n, alpha=level, best_at=steps / 2)
        at_end = stats.norm.sf(z) if n == steps else None
        passed |= evidence.with_end(over, at_end, np.full(paths, level)) >= -math.log(level)

    assert int(passed.sum()) <= stats.binom.isf(1e-6, paths, level)
    assert passed.mean() > 0.03


def test_the_planned_end_comes_a_little_before_the_last_step() -> None:
    assert [evidence.planned_end(n) for n in (2, 20, 60, 240)] == [2, 19, 57, 228]
