"""Rank statistics: places among the other side, signed ranks, and the choice between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from judges.core import placing, ranks
from judges.core.placing import TIE, tie_sizes
from judges.core.ranks import Pairs, RankMethod
from judges.core.studentized import Studentized
from tests.support.samples import Array, a_gauge

Draw = Callable[[int, int], tuple[Array, Array]]


def midranks(values: Array) -> Array:
    found: Array = placing.midranks(values[np.newaxis])[0]
    return found


def signed_ranks(differences: Array) -> Array:
    found: Array = ranks.signed_ranks(differences[np.newaxis])[0]
    return found


def pair_of(baseline: Array, canary: Array) -> Pairs:
    return Pairs.of(baseline[np.newaxis], canary[np.newaxis])


def placed(baseline: Array, canary: Array, shift: float = 0.0) -> tuple[Array, Array]:
    of_canary, of_baseline = pair_of(baseline, canary).placements(np.array([shift]))
    return of_canary[0], of_baseline[0]


def studentized(
    baseline: Array, canary: Array, method: RankMethod, shift: float = 0.0
) -> Studentized:
    is_signed, pair = np.array([method is RankMethod.SIGNED_RANKS]), pair_of(baseline, canary)
    return pair.studentized(is_signed, np.array([shift]), pair.runs(is_signed))


def chosen(baseline: Array, canary: Array) -> RankMethod:
    is_signed = pair_of(baseline, canary).choose()[0]
    return RankMethod.SIGNED_RANKS if is_signed else RankMethod.PLACEMENTS


def gauges(seed: int, n: int, *, phi: float = 0.0) -> tuple[Array, Array]:
    first, second = (np.log(a_gauge(2 * seed + i, n=n, phi=phi)) for i in (0, 1))
    return first, second


def whole(seed: int, n: int, *, values: int = 5) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, values, n).astype(float), rng.integers(0, values, n).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_midranks_are_scipys_and_ties_share_theirs(seed: int) -> None:
    for values in (*gauges(seed, 40), *whole(seed, 40)):
        np.testing.assert_array_equal(midranks(values), stats.rankdata(values))


def test_tie_sizes_count_the_members_of_each_group() -> None:
    np.testing.assert_array_equal(tie_sizes(np.array([3.0, 1.0, 3.0, 2.0, 3.0])), [1, 1, 3])


def test_values_that_differ_by_rounding_are_tied() -> None:
    values = np.array([0.1 + 0.2, 0.3, 0.3 + 3 * TIE, 0.3 - 3 * TIE])

    np.testing.assert_array_equal(midranks(values), [2.5, 2.5, 4, 1])


@pytest.mark.parametrize("draw", [gauges, whole])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shift", [0.0, 1.0, -0.05])
def test_placements_count_the_pairs(draw: Draw, seed: int, shift: float) -> None:
    baseline, canary = draw(seed, 30)
    moved = baseline + shift
    wins = np.sign(np.round(np.subtract.outer(canary, moved), 9)) / 2 + 0.5

    of_canary, of_baseline = placed(baseline, canary, shift)

    np.testing.assert_allclose(of_canary, wins.mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(of_baseline, 1 - wins.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("draw", [gauges, whole])
@pytest.mark.parametrize("seed", range(5))
def test_placements_give_the_brunner_munzel_statistic(draw: Draw, seed: int) -> None:
    baseline, canary = draw(seed, 40)
    expected = stats.brunnermunzel(baseline, canary).statistic

    of_canary, of_baseline = placed(baseline, canary)
    variance = np.var(of_canary, ddof=1) / 40 + np.var(of_baseline, ddof=1) / 40

    assert (of_canary.mean() - 0.5) / np.sqrt(variance) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_signed_ranks_give_the_wilcoxon_statistic(seed: int) -> None:
    for baseline, canary in (gauges(seed, 30), whole(seed, 30)):
        differences = canary - baseline
        expected = stats.wilcoxon(
            differences, zero_method="zsplit", alternative="greater", method="approx"
        ).statistic

        # V = sum of the ranks of positive differences, ranks of zeros split between the signs.
        influence = signed_ranks(differences) * 31
        ranks = stats.rankdata(np.abs(differences))
        assert (influence.sum() + ranks.sum()) / 2 == pytest.approx(expected)


def test_a_shift_is_the_same_as_a_moved_baseline() -> None:
    for seed in range(5):
        baseline, canary = gauges(seed, 30, phi=0.5)
        for method in RankMethod:
            shifted = studentized(baseline, canary, method, 0.07)
            moved = studentized(baseline + 0.07, canary, method)

            assert (shifted.t[0], shifted.z[0]) == pytest.approx((moved.t[0], moved.z[0]))


def test_independent_sides_are_compared_by_placements() -> None:
    assert chosen(*gauges(0, 60)) is RankMethod.PLACEMENTS


def test_sides_that_share_a_pattern_are_compared_by_signed_ranks() -> None:
    load = np.sin(np.arange(60) / 9)
    baseline, canary = gauges(0, 60)

    assert chosen(baseline + load, canary + load) is RankMethod.SIGNED_RANKS


def test_sides_that_take_from_each_other_are_compared_by_signed_ranks() -> None:
    (baseline, canary), (taken, _) = gauges(0, 60), gauges(1, 60)

    assert chosen(baseline + 2 * taken, canary - 2 * taken) is RankMethod.SIGNED_RANKS


def test_a_constant_difference_does_not_change_the_choice() -> None:
    for seed in range(20):
        baseline, canary = gauges(seed, 30, phi=0.5)
        choices = {chosen(baseline, canary + c) for c in (0.0, 0.3, 5.0, -100.0)}

        assert len(choices) == 1


@pytest.mark.parametrize("method", RankMethod)
def test_complete_separation_is_strong_evidence_and_not_infinite(method: RankMethod) -> None:
    baseline, canary = gauges(1, 30)

    found = studentized(baseline, canary + 100, method)

    assert 4 < found.t[0] < 100
    assert studentized(canary + 100, baseline, method).t[0] == pytest.approx(-found.t[0])


def test_no_thirty_steps_speak_louder_than_one_step_against_them_would_allow() -> None:
    baseline, canary = gauges(1, 30)

    found = studentized(baseline, canary + 100, RankMethod.SIGNED_RANKS)

    # The floor is the variance that a single step of opposite sign would give: t = n / 2.
    assert found.t[0] <= 30 / 2


def test_identical_series_give_no_evidence_either_way() -> None:
    series = gauges(1, 30)[0]

    assert studentized(series, series, RankMethod.SIGNED_RANKS).t[0] == 0
