"""Increases of raw counters against increases counted by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from analysis import counters
from analysis.sources.port import Series
from tests.support.builders import GONE, SCRAPE_S, START, a_series, same_numbers, scraped

NAN, INF = math.nan, math.inf
# Old enough that nothing in a test lies near what was asked or near the beginning of all data.
LONG_AGO = START - 300


def edges(*, steps: int = 2, step_s: float = 60.0, first: float = START) -> counters.Array:
    return first + step_s * np.arange(steps + 1.0)


def increases(
    *series: Series,
    beside: Sequence[Series] = (),
    grid: counters.Array | None = None,
    since: float = LONG_AGO,
    begin: float = LONG_AGO,
    pod_label: str | None = None,
) -> counters.Increases:
    """Difference `series`, whose targets exposed those `beside` them too."""
    seen = counters.scrapes([*series, *beside], since=since, begin=begin)
    on = edges() if grid is None else grid
    return counters.increases([series], on, seen, pod_label=pod_label)


def row(*series: Series, **asked: object) -> list[float]:
    found = increases(*series, **asked)  # type: ignore[arg-type]  # handed through as they are
    assert found.pods == ("",)
    return [float(value) for value in found.values[0][0]]


def alive(samples: int = 9, *, instance: str = "") -> Series:
    """Show that a target was scraped from `START` on, for two steps of a minute."""
    return scraped(*range(samples), __name__="other_total", instance=instance)


# Scrapes are 15 s apart and begin on the first edge, so that each step holds four of them.
COUNTED = {
    "a counter that grows": ([10, 11, 13, 13, 14, 20, 20, 21, 30], [4, 16]),
    "a counter that stands still counts nothing": ([7] * 9, [0, 0]),
    "what was counted before the first edge is no increase": ([1000, 1000, 1001], [1, NAN]),
    "one reset: the value after it has grown from 0": ([10, 11, 2, 3, 4], [5, NAN]),
    "a reset to 0 counts nothing": ([10, 11, 0, 0, 5], [6, NAN]),
    "several resets": ([10, 3, 5, 1, 1, 0, 4, 2, 2], [6, 6]),
    "a counter that only resets": ([9, 8, 7, 6, 5, 4, 3, 2, 1], [26, 10]),
    # Nothing in the samples tells it from growth; only a created timestamp would.
    "a reset past its old value cannot be seen": ([10, 10, 25, 25, 25], [15, NAN]),
    "fractions count as they are": ([0.25, 0.5, 0.5, 1.5, 1.5], [1.25, NAN]),
}


@pytest.mark.parametrize(("values", "expected"), COUNTED.values(), ids=COUNTED)
def test_increases_are_those_counted_by_hand(
    values: list[float | None], expected: list[float]
) -> None:
    # The series was there long before: its first value is no birth.
    before = scraped(values[0], start=START - SCRAPE_S)
    series = a_series(
        [*zip(before.times, before.values, strict=True), *zip(*_points(values), strict=True)],
        **before.labels,
    )

    # The first sample of all data is its own: it is not born at the very beginning.
    assert same_numbers(row(series, begin=START - SCRAPE_S), expected)


def _points(values: Sequence[float | None]) -> tuple[counters.Array, counters.Array]:
    series = scraped(*values)
    return series.times, series.values


GAPS = {
    "an increase during a gap lands in the step of the next scrape": (
        [10, 11, 12, 13, 14, GONE, GONE, GONE, GONE, GONE, GONE, 40, 41],
        [4, NAN, 27],
    ),
    "a gap inside a step loses nothing": (
        [10, 11, GONE, GONE, 14, 15, 15, 15, 16, 16, 16, 16, 16],
        [4, 2, 0],
    ),
    "a reset during a gap counts from 0": (
        [10, 11, 12, 13, 14, GONE, GONE, GONE, GONE, 6, 6, 6, 6],
        [4, NAN, 6],
    ),
}


@pytest.mark.parametrize(("values", "expected"), GAPS.values(), ids=GAPS)
def test_a_gap_delays_an_increase_and_leaves_its_steps_unknown(
    values: list[float | None], expected: list[float]
) -> None:
    series = scraped(*values)

    assert same_numbers(row(series, grid=edges(steps=3), begin=START), expected)


def test_a_scrape_exactly_on_an_edge_belongs_to_the_step_that_ends_there() -> None:
    series = a_series([(START, 5), (START + 60, 7), (START + 120, 12)])

    assert row(series, begin=START) == [2, 5]


def test_a_scrape_just_behind_an_edge_belongs_to_the_step_that_begins_there() -> None:
    series = a_series([(START + 0.001, 5), (START + 60.001, 7), (START + 120, 12)])

    assert row(series, begin=START) == [0, 7]


def test_scrapes_outside_the_grid_count_in_no_step() -> None:
    series = scraped(1, 2, 4, 8, 16, 32, 64, start=START - 45)

    found = row(series, grid=edges(steps=1, step_s=30), begin=START - 45)

    assert found == [(16 - 8) + (32 - 16)]


# ---- births


def test_a_series_born_in_a_living_target_counts_its_first_value() -> None:
    errors = scraped(GONE, GONE, GONE, 3, 5, 5, 5, 5, 5)

    assert row(errors, beside=[alive()]) == [5, 0]


def test_before_its_birth_a_series_of_a_living_target_counts_0_and_is_known() -> None:
    errors = scraped(GONE, GONE, GONE, GONE, GONE, 3, 5, 5, 5)

    assert row(errors, beside=[alive()]) == [0, 5]


def test_a_series_on_a_target_born_inside_the_window_counts_its_first_value() -> None:
    old = alive(instance="old")
    young = scraped(GONE, GONE, GONE, GONE, GONE, 40, 50, 50, 50, instance="young")

    assert same_numbers(row(young, beside=[old], begin=START), [NAN, 50])


def test_at_the_very_beginning_of_all_data_a_first_value_does_not_count() -> None:
    series = scraped(40, 50, 50, 50, 50)

    assert same_numbers(row(series, begin=START), [10, NAN])


def test_a_target_that_joins_two_scrapes_after_the_beginning_may_have_been_there_before() -> None:
    series = scraped(40, 50, start=START + 2 * SCRAPE_S)

    assert row(series, begin=START, grid=edges(steps=1)) == [10]


def test_a_target_that_joins_later_than_that_is_new() -> None:
    series = scraped(40, 50, start=START + 2 * SCRAPE_S + 1)

    assert row(series, begin=START, grid=edges(steps=1)) == [50]


def test_at_the_edge_of_what_was_asked_a_first_value_does_not_count() -> None:
    # Its target is scraped since the edge, but two scrapes are too few to tell that it was absent.
    errors = scraped(GONE, GONE, 40, 50, 50)

    assert row(errors, beside=[alive(5)], since=START, grid=edges(steps=1)) == [10]


def test_away_from_the_edge_of_what_was_asked_it_does() -> None:
    errors = scraped(GONE, GONE, GONE, 40, 50)

    assert row(errors, beside=[alive(5)], since=START, grid=edges(steps=1)) == [50]


def test_another_targets_scrapes_say_nothing_about_a_birth() -> None:
    elsewhere = alive(5, instance="b")
    series = scraped(GONE, 40, 50, 50, 50, instance="a")

    assert row(series, beside=[elsewhere], begin=START, grid=edges(steps=1)) == [10]


# ---- vanishing


def test_a_series_that_vanished_from_a_living_target_starts_anew_from_0() -> None:
    errors = scraped(10, 10, GONE, GONE, 12, 13, 13, 13, 13)

    assert row(errors, beside=[alive()], begin=START) == [12, 1]


def test_one_scrape_without_the_series_is_enough() -> None:
    errors = scraped(10, 10, GONE, 12, 12, 12, 12, 12, 12)

    assert row(errors, beside=[alive()], begin=START) == [12, 0]


def test_a_series_missing_with_its_whole_target_goes_on_where_it_stopped() -> None:
    errors = scraped(10, 10, GONE, GONE, 12, 12, 12, 12, 12)
    beside = scraped(1, 2, GONE, GONE, 3, 4, 5, 6, 7, __name__="other_total", instance="")

    assert row(errors, beside=[beside], begin=START) == [2, 0]


def test_series_with_timestamps_of_their_own_do_not_make_each_other_vanish() -> None:
    # cAdvisor stamps each container by itself, so that a pod's series never share a time.
    one = scraped(1000, 1001, 1002, 1003, 1004, container="app")
    other = scraped(2000, 2001, 2002, 2003, 2004, start=START - 4, container="proxy")

    assert row(one, other, begin=START - 4, grid=edges(steps=1)) == [8]


# ---- samples that are no numbers

ODD = {
    "a NaN is skipped": ([10, NAN, 12, 12, 13], 3),
    "an infinity is skipped": ([10, INF, 12, -INF, 13], 3),
    "a value below zero is skipped": ([10, -5, 12, 12, 13], 3),
    "a first NaN leaves the next value the first": ([NAN, 10, 12, 12, 13], 3),
    "a last NaN adds nothing": ([10, 11, 12, 13, NAN], 3),
    "a reset behind a NaN is seen": ([10, 12, NAN, 1, 1], 3),
}


@pytest.mark.parametrize(("values", "expected"), ODD.values(), ids=ODD)
def test_samples_that_are_no_numbers_are_ignored(values: list[float], expected: float) -> None:
    assert row(scraped(*values), begin=START, grid=edges(steps=1)) == [expected]


def test_a_series_of_nothing_but_nan_counts_0_where_it_was_scraped() -> None:
    assert same_numbers(row(scraped(NAN, NAN, NAN, NAN, NAN), begin=START), [0, NAN])


def test_an_empty_series_has_no_known_step() -> None:
    assert same_numbers(row(a_series([]), begin=INF), [NAN, NAN])


def test_without_any_series_no_step_is_known() -> None:
    assert same_numbers(row(begin=INF), [NAN, NAN])


def test_of_a_counter_without_series_nothing_is_known_where_another_has_pods() -> None:
    fleet = a_fleet()
    seen = counters.scrapes(fleet, since=LONG_AGO, begin=START)

    nothing, some = counters.increases([[], fleet], edges(), seen, pod_label="pod").values

    assert np.isnan(nothing).all()
    assert nothing.shape == some.shape == (2, 2)


def test_counters_are_differenced_each_by_itself() -> None:
    events, total = a_fleet()[1:2], a_fleet()
    seen = counters.scrapes([*events, *total], since=LONG_AGO, begin=START)

    found = counters.increases([events, total], edges(), seen, pod_label="pod")

    assert found.pods == ("a", "b")
    assert same_numbers([*found.values[0][0], *found.values[0][1]], [1, 1, NAN, NAN])
    assert found.values[1].tolist() == [[5, 5], [2, 0]]


# ---- pods


def a_fleet() -> list[Series]:
    return [
        scraped(1, 2, 3, 4, 5, 6, 7, 8, 9, pod="a", code="200"),
        scraped(0, 0, 1, 1, 1, 1, 1, 1, 2, pod="a", code="500"),
        scraped(5, 5, 5, 7, 7, 7, 7, 7, 7, pod="b", code="200"),
    ]


def test_without_a_pod_label_all_series_are_summed() -> None:
    assert row(*a_fleet(), begin=START) == [4 + 1 + 2, 4 + 1 + 0]


def test_with_a_pod_label_each_pod_is_a_row() -> None:
    found = increases(*a_fleet(), begin=START, pod_label="pod")

    assert found.pods == ("a", "b")
    assert found.values[0].tolist() == [[5, 5], [2, 0]]


def test_series_without_the_pod_label_share_a_row() -> None:
    found = increases(*a_fleet(), begin=START, pod_label="host")

    assert found.pods == ("",)
    assert found.values[0].tolist() == [[7, 5]]


@pytest.mark.parametrize("pod_label", [None, "pod"])
def test_the_order_of_series_is_irrelevant(pod_label: str | None) -> None:
    forward, backward = a_fleet(), a_fleet()[::-1]

    one = increases(*forward, begin=START, pod_label=pod_label)
    other = increases(*backward, begin=START, pod_label=pod_label)

    assert one.pods == other.pods
    assert one.values[0].tobytes() == other.values[0].tobytes()


def test_a_step_is_known_when_any_pod_was_scraped_in_it() -> None:
    gone = scraped(1, 2, 3, 4, 5, pod="a")
    there = scraped(1, 1, 1, 1, 1, 1, 1, 1, 2, pod="b")

    assert row(gone, there, begin=START) == [4, 1]


# ---- targets


def test_job_instance_and_pod_make_a_target() -> None:
    labels = {"job": "web", "instance": "10.0.0.1:80", "pod": "web-1", "code": "500"}

    same = counters.target_of(a_series([], **{**labels, "code": "200"}))
    others = [counters.target_of(a_series([], **{**labels, name: "x"})) for name in labels]

    assert counters.target_of(a_series([], **labels)) == same
    assert [other == same for other in others] == [False, False, False, True]


def test_labels_that_hold_a_slash_keep_targets_apart() -> None:
    one = a_series([], job="a/b", instance="c")
    other = a_series([], job="a", instance="b/c")

    assert counters.target_of(one) != counters.target_of(other)


def test_the_scrape_interval_is_the_median_distance_of_two_scrapes() -> None:
    seen = counters.scrapes(
        [scraped(1, 2, GONE, GONE, 3, 4, 5), alive(7)], since=LONG_AGO, begin=START
    )

    assert seen.interval_s == SCRAPE_S


def test_of_a_single_scrape_no_interval_is_known() -> None:
    assert counters.scrapes([scraped(1)], since=LONG_AGO, begin=START).interval_s == 0
