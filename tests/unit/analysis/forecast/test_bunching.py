"""How events bunch, with the traffic and the rate to come."""

from __future__ import annotations

import math

import pytest

from analysis.forecast.bunching import Bunching, information_of

SEEN = Bunching(factor=3.0, df=30.0, steps=60, information=10.0)
ALONE = Bunching(factor=1.0, df=math.inf, steps=60, information=10.0)


def test_twice_the_events_bunch_twice_as_much() -> None:
    assert SEEN.at(10.0) == 3.0
    assert SEEN.at(20.0) == 5.0
    assert SEEN.at(0.0) == 1.0


def test_events_that_come_by_themselves_go_on_to() -> None:
    assert (ALONE.at(1000.0), ALONE.deflator(1000.0, 60, 0.05)) == (1.0, 1.0)


def test_what_bunched_without_any_baseline_event_is_taken_as_it_was() -> None:
    assert Bunching(factor=2.0, df=9.0, steps=60, information=0.0).at(5.0) == 2.0


def test_fewer_steps_know_it_less_surely() -> None:
    few, many = (SEEN.deflator(10.0, steps, 0.001) for steps in (12, 6000))

    assert few > 1.5 * many
    assert many == pytest.approx(3.0, rel=0.02)


@pytest.mark.parametrize("tail", [0.5, 0.7])
def test_a_tail_that_is_none_widens_nothing(tail: float) -> None:
    assert SEEN.deflator(10.0, 60, tail) == 3.0


def test_the_rarer_side_carries_the_information() -> None:
    assert information_of(100.0, 1.0) == pytest.approx(1.0, rel=0.02)
    assert information_of(50.0, 50.0) == 25.0
    assert information_of(0.0, 0.0) == 0.0
