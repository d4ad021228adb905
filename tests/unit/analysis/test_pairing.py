"""Answers laid on the grid that both sides share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from analysis.pairing import (
    Array,
    CounterPair,
    first_sample,
    halves,
    ratio_on_grid,
    values_on_grid,
)
from analysis.sources.port import Series
from tests.support.builders import GONE, SCRAPE_S, START, a_series, scraped

NAN = math.nan


def edges(steps: int = 3, *, step_s: float = 60.0) -> Array:
    return START + step_s * np.arange(steps + 1.0)


def laid(*series: Series, steps: int = 3) -> list[list[float]]:
    return [[float(v) for v in row] for row in values_on_grid(series, edges(steps)).values]


def after(minutes: float, value: float) -> tuple[float, float]:
    return START + 60 * minutes, value


PLACED = {
    "a value belongs to the step that ends with it": (
        [after(1, 10), after(2, 20), after(3, 30)],
        [10, 20, 30],
    ),
    "a value at the beginning of the first step belongs to none": (
        [after(0, 5), after(1, 10), after(2, 20), after(3, 30)],
        [10, 20, 30],
    ),
    "a value behind the last step belongs to none": (
        [after(3, 30), after(4, 40)],
        [NAN, NAN, 30],
    ),
    "a step without a value is unknown": ([after(1, 10), after(3, 30)], [10, NAN, 30]),
    "a value between two instants answers another question": (
        [after(1, 10), after(1.5, 99), after(2, 20)],
        [10, 20, NAN],
    ),
    "a millisecond beside the instant is rounding": (
        [(START + 60.001, 10), (START + 119.999, 20)],
        [10, 20, NAN],
    ),
    "a tenth of a second is not": ([(START + 60.1, 10)], [NAN, NAN, NAN]),
    "what is no number is unknown": (
        [after(1, math.inf), after(2, NAN), after(3, -math.inf)],
        [NAN, NAN, NAN],
    ),
    "long ago is not here": ([(5.0, 10)], [NAN, NAN, NAN]),
}


@pytest.mark.parametrize(("points", "row"), PLACED.values(), ids=PLACED)
def test_values_are_placed(points: list[tuple[float, float]], row: list[float]) -> None:
    np.testing.assert_array_equal(laid(a_series(points)), [row])


def test_each_series_is_a_pod() -> None:
    found = laid(a_series([after(1, 1)], pod="a"), a_series([after(2, 2)], pod="b"))

    np.testing.assert_array_equal(found, [[1, NAN, NAN], [NAN, 2, NAN]])


def test_no_series_make_one_unknown_row() -> None:
    np.testing.assert_array_equal(laid(), [[NAN, NAN, NAN]])


def test_a_grid_without_steps_has_room_for_nothing() -> None:
    assert values_on_grid([a_series([after(1, 1)])], edges(0)).values.shape == (1, 0)


@pytest.mark.parametrize("step_s", [0.1, 0.25, 7.3, 15.0])
def test_a_grid_of_fractions_is_met_by_timestamps_in_milliseconds(step_s: float) -> None:
    first = round(START / step_s)
    grid = step_s * np.arange(first, first + 101.0)
    points = [(round(float(edge), 3), float(n)) for n, edge in enumerate(grid)]

    found = values_on_grid([a_series(points)], grid).values

    # Within its tolerance of a thousandth of a step, which milliseconds keep above 0.5 s.
    if step_s * 1e-3 >= 0.5e-3:
        np.testing.assert_array_equal(found, [np.arange(1.0, 101.0)])


# ---- quotients of counters


def a_pair(events: list[Series], total: list[Series]) -> CounterPair:
    return CounterPair(numerator=tuple(events), denominator=tuple(total))


def on_grid(pair: CounterPair, **changes: object) -> tuple[list[list[float]], list[list[float]]]:
    settings = {"since": START - 300, "begin": START, "pod_label": None, **changes}
    ratio, _ = ratio_on_grid(pair, edges(2), **settings)  # type: ignore[arg-type]  # as they are
    return ratio.numerator.tolist(), ratio.denominator.tolist()


TOTAL = scraped(0, 10, 20, 30, 40, 50, 60, 70, 80, pod="a", code="200")
ERRORS = scraped(0, 1, 1, 1, 2, 2, 2, 5, 5, pod="a", code="500")


def test_both_counters_are_differenced_on_the_same_steps() -> None:
    assert on_grid(a_pair([ERRORS], [TOTAL, ERRORS])) == ([[2, 3]], [[42, 43]])


def test_without_events_series_there_is_exposure_and_nothing_known_of_events() -> None:
    events, total = on_grid(a_pair([], [TOTAL]))

    assert total == [[40, 40]]
    np.testing.assert_array_equal(events, [[NAN, NAN]])


def test_without_any_series_nothing_is_known() -> None:
    events, total = on_grid(a_pair([], []), begin=math.inf)

    np.testing.assert_array_equal([events, total], np.full((2, 1, 2), NAN))


def test_an_events_series_born_late_counts_in_full_because_the_total_shows_its_target() -> None:
    late = scraped(*[GONE] * 6, 3, 4, 4, pod="a", code="500")

    assert on_grid(a_pair([late], [TOTAL]))[0] == [[0, 4]]


def test_pods_keep_their_rows_on_both_counters() -> None:
    other = scraped(0, 2, 4, 6, 8, 10, 12, 14, 16, pod="b", code="200")

    events, total = on_grid(a_pair([ERRORS], [other, TOTAL]), pod_label="pod")

    assert total == [[40, 40], [8, 8]]
    np.testing.assert_array_equal(events, [[2, 3], [NAN, NAN]])


def test_the_scrape_interval_is_handed_back() -> None:
    pair = a_pair([ERRORS], [TOTAL])

    assert ratio_on_grid(pair, edges(2), since=0, begin=START, pod_label=None)[1] == SCRAPE_S


def test_the_first_sample_is_that_of_either_side() -> None:
    young = [scraped(1, 2, start=START + 600)]

    assert first_sample(young, [a_series([]), ERRORS]) == START
    assert first_sample([], [a_series([])]) == math.inf


# ---- two groups of pods


def named(*pods: str) -> tuple[Series, ...]:
    return tuple(a_series([(0.0, 1.0)], pod=pod, code="200") for pod in pods)


def names(group: Mapping[str, Sequence[Series]]) -> dict[str, list[str]]:
    return {role: [one.labels["pod"] for one in series] for role, series in group.items()}


def test_pods_are_divided_by_turns_in_the_order_of_their_names() -> None:
    groups = halves({"query": named("d", "b", "a", "c", "e")}, pod_label="pod")

    assert groups is not None
    assert [names(group) for group in groups] == [{"query": ["a", "c", "e"]}, {"query": ["d", "b"]}]


def test_a_pod_is_in_the_same_group_with_all_its_counters() -> None:
    roles = {"events": named("b"), "total": named("a", "b", "c")}

    groups = halves(roles, pod_label="pod")

    assert groups is not None
    assert [names(group) for group in groups] == [
        {"events": [], "total": ["a", "c"]},
        {"events": ["b"], "total": ["b"]},
    ]


def test_without_a_label_each_series_is_a_pod() -> None:
    series = (a_series([(0.0, 1.0)], x="1"), a_series([(0.0, 2.0)], x="2"))

    assert halves({"query": series}, pod_label=None) == (
        {"query": series[:1]},
        {"query": series[1:]},
    )


@pytest.mark.parametrize("pods", [(), ("a",), ("a", "a")])
def test_fewer_than_two_pods_make_no_groups(pods: tuple[str, ...]) -> None:
    assert halves({"query": named(*pods)}, pod_label="pod") is None
