"""Compiled loops give what numpy gives, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import judges
from judges import Sample
from judges.core import compiled, kernels, placing, selection
from tests.support.samples import Array

Draw = Callable[[np.random.Generator, int, int], Array]
DRAWS: dict[str, Callable[..., Any]] = {
    "continuous": lambda rng, m, n: rng.standard_normal((m, n)),
    "whole numbers": lambda rng, m, n: rng.integers(0, 9, (m, n)) * np.float64(1),
    "two values": lambda rng, m, n: 0.1 * rng.integers(0, 2, (m, n)),
    "all equal": lambda _, m, n: np.full((m, n), 0.3),
    "far apart": lambda rng, m, n: np.sign(rng.standard_normal((m, n))) * 1e9 + rng.random((m, n)),
    "heavy tails": lambda rng, m, n: rng.standard_t(1, (m, n)),
    "ties by rounding": lambda rng, m, n: 0.1 * rng.integers(0, 20, (m, n)) + 0.2,
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@pytest.mark.parametrize("n", [1, 2, 4, 7, 15, 64, 65, 130, 361])
def test_both_forms_select_the_same_sums(draw: Draw, n: int) -> None:
    rng = np.random.default_rng(n)
    x, y = (np.sort(draw(rng, 12, n), axis=1) for _ in range(2))
    walsh = np.arange(12) % 2 == 0
    x[walsh] = y[walsh]
    total = np.where(walsh, n * (n + 1) // 2, n * n)

    for share in (0.0, 0.02, 0.5, 0.98):
        rank = np.minimum((share * total).astype(np.intp), total - 1)
        for upper in (rank, np.minimum(rank + 1, total - 1)):
            found = kernels.order_statistics(x, y, walsh, rank, upper)

            np.testing.assert_array_equal(
                found, selection.order_statistics(x, y, walsh, rank, upper)
            )
            sums = [
                np.sort(np.add.outer(x[i], y[i])[np.triu_indices(n) if walsh[i] else ...].ravel())
                for i in range(12)
            ]
            expected = [s[r] / 2 + s[u] / 2 for s, r, u in zip(sums, rank, upper, strict=True)]
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@pytest.mark.parametrize("n", [1, 3, 4, 41, 200])
def test_both_forms_rank_and_place_alike(draw: Draw, n: int) -> None:
    rng = np.random.default_rng(7)
    baseline, canary = draw(rng, 9, n), draw(rng, 9, n)
    orders = np.argsort(baseline, axis=1), np.argsort(canary, axis=1)
    ascending = np.sort(baseline, axis=1), np.sort(canary, axis=1)

    np.testing.assert_array_equal(
        kernels.places(*ascending, orders[1], placing.TIE), placing.places(*ascending, orders[1])
    )
    np.testing.assert_array_equal(
        kernels.midranks(baseline, orders[0], placing.TIE), placing.midranks(baseline, orders[0])
    )
    for one, other in zip(
        kernels.placements(*ascending, *orders, placing.TIE),
        placing.placements(*ascending, *orders),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_values_of_the_two_sides_within_a_rounding_are_tied_in_both_forms() -> None:
    rng = np.random.default_rng(3)
    places = rng.integers(0, 9, (2, 20, 57))
    baseline, canary = np.sort(places + placing.TIE * rng.uniform(-1, 1, places.shape), axis=2)
    orders = np.argsort(rng.random((2, 20, 57)), axis=2)

    for one, other in zip(
        kernels.placements(baseline, canary, orders[0], orders[1], placing.TIE),
        placing.placements(baseline, canary, orders[0], orders[1]),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_every_rank_of_few_sums_is_found(draw: Draw) -> None:
    n = 9
    x, y = (np.sort(draw(np.random.default_rng(seed), 1, n), axis=1) for seed in (1, 2))
    ranks = np.arange(n * n)
    many_x, many_y = (np.repeat(side, len(ranks), axis=0) for side in (x, y))
    walsh = np.zeros(len(ranks), dtype=np.bool_)

    found = kernels.order_statistics(many_x, many_y, walsh, ranks, ranks)

    np.testing.assert_array_equal(found, np.sort(np.add.outer(x[0], y[0]).ravel()))


def test_a_rank_that_is_not_there_has_no_statistic() -> None:
    x, none = np.zeros((1, 4)), np.array([-1])

    for select in (kernels.order_statistics, selection.order_statistics):
        assert np.isnan(select(x, x, np.array([False]), none, none)[0])


@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_judgments_do_not_show_which_form_was_used(
    looks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(11)
    judge = judges.create("mann_whitney", looks=looks, horizon=60)
    draws = np.exp(0.1 * rng.standard_normal((300, 2, 60)))
    draws[::3] *= np.exp(rng.standard_normal((100, 1, 60)))  # a pattern that both sides share
    samples = [Sample.of_values(*draw) for draw in draws]
    judged = []

    for worth in (0, 10**12):
        monkeypatch.setattr(compiled, "WORTH_COMPILING", worth)
        assert (compiled.kernels(100) is kernels) == (worth == 0)
        judged.append(judges.judge_many([judge] * len(samples), samples))

    assert judged[0] == judged[1]


def test_many_small_calls_are_worth_what_a_large_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "WORTH_COMPILING", 100)
    monkeypatch.setattr(compiled, "_asked", [0])

    found = [compiled.kernels(40) is not None for _ in range(4)]

    assert found == [False, False, True, True]
