"""The least that suffices."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.forecast.search import PRECISION, Array, smallest, soonest


@pytest.mark.parametrize("threshold", [1, 2, 3, 5, 17, 999, 1000])
def test_the_fewest_steps_are_found_to_two_per_cent(threshold: int) -> None:
    found = soonest(lambda n: n >= threshold, least=1, most=1000)

    assert found is not None
    assert threshold <= found <= max(threshold, PRECISION * threshold)


def test_no_steps_are_fewer_than_the_least() -> None:
    assert soonest(lambda n: n >= 3, least=15, most=1000) == 15


def test_more_than_the_most_are_not_sought() -> None:
    assert soonest(lambda n: n > 1000, least=1, most=1000) is None


def test_each_number_is_tried_once_and_few_are() -> None:
    tried: list[int] = []

    def suffices(n: int) -> bool:
        tried.append(n)
        return n >= 4321

    soonest(suffices, least=1, most=100_000)

    assert len(tried) < 25


@pytest.mark.parametrize("threshold", [1.0, 1.0001, 3.0, 777.7, 1000.0])
def test_the_smallest_value_is_found_to_two_per_cent(threshold: float) -> None:
    found = smallest(lambda tried: list(tried >= threshold), least=1.0, most=1000.0)

    assert found is not None
    assert threshold <= found <= PRECISION * threshold


def test_a_value_beyond_the_most_is_none() -> None:
    assert smallest(lambda tried: [False] * len(tried), least=1.0, most=10.0) is None


def test_many_values_are_tried_at_once() -> None:
    calls = 0

    def suffice(tried: Array) -> list[bool]:
        nonlocal calls
        calls += 1
        return [bool(one) for one in np.asarray(tried) > 31_415.9]

    smallest(suffice, least=1.0, most=1e6)

    assert calls <= 4
