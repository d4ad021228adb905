"""Observations per bucket and step against those counted by hand, both sides on the same edges."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.histograms import Paired, histograms_on_grid
from analysis.sources.port import Series
from tests.support.builders import GONE, SCRAPE_S, START, bucketed, scraped

NAN, INF = math.nan, math.inf
LONG_AGO = START - 300
Counts = list[list[float]]
Observed = Mapping[float, Sequence[float | None]]

# Scrapes are 15 s apart and begin on the first edge, so that each of the two steps holds four.
ONE, ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 3, 6, 9, 12, 15, 18, 21, 24]
STEADY = {1.0: ONE, INF: ALL}
STEADY_COUNTS = [[4, 8], [4, 8]]


def paired(
    baseline: Sequence[Series],
    canary: Sequence[Series] = (),
    *,
    steps: int = 2,
    **asked: Any,
) -> Paired:
    edges = START + 60 * np.arange(steps + 1.0)
    settings = {"since": LONG_AGO, "begin": START, "pod_label": None, **asked}
    return histograms_on_grid((baseline, canary), edges, **settings)


def counted(observed: Observed, **asked: Any) -> Counts:
    """Count one pod's observations, a list a step."""
    found: Counts = paired(bucketed(observed, pod="a"), **asked).baseline.counts[0].tolist()
    return found


# ---- one histogram


def test_observations_are_counted_by_bucket_and_step() -> None:
    assert counted({1: ONE, 5: [2 * n for n in ONE], INF: ALL}) == [[4, 4, 4], [4, 4, 4]]


def test_a_restart_is_one_of_all_buckets_even_of_those_that_passed_their_old_count() -> None:
    # The new process has 4 fast observations, one more than the old one had, and 50 in all.
    found = counted({1: [3, 3, 4, 4, 4], 5: [40, 40, 35, 35, 35], INF: [50, 50, 52, 52, 52]})

    assert found[0] == [4, 31, 17]


def test_a_histogram_born_in_a_living_target_counts_from_nothing() -> None:
    other = scraped(*range(9), __name__="latency_count", pod="a")
    young = bucketed({1: [GONE] * 4 + [2] * 5, INF: [GONE] * 4 + [7] * 5}, pod="a")

    found = paired([*young, other]).baseline.counts[0]

    assert found.tolist() == [[2, 5], [0, 0]]


def test_a_histogram_on_a_new_target_counts_from_nothing() -> None:
    young = bucketed({1: [GONE] * 5 + [2] * 4, INF: [GONE] * 5 + [7] * 4}, pod="a")

    np.testing.assert_array_equal(paired(young).baseline.counts[0], [[NAN, NAN], [2, 5]])


def test_what_was_observed_before_the_window_does_not_count() -> None:
    assert counted({1: [1000, *[1001] * 8], INF: [5000, *[5003] * 8]}) == [[1, 2], [0, 0]]


def test_a_gap_delays_observations_and_leaves_its_steps_unknown() -> None:
    gap: list[float | None] = [GONE] * 4
    observed = {1: [0, 1, 1, 1, 1, *gap, 5], INF: [0, 2, 2, 2, 2, *gap, 9]}

    np.testing.assert_array_equal(counted(observed, steps=3)[:3], [[1, 1], [NAN, NAN], [4, 3]])


def test_a_scrape_that_lacks_a_bucket_delays_its_observations() -> None:
    fast = [*range(4), GONE, *range(5, 25)]

    found = counted({1: fast, INF: [2 * n for n in range(25)]}, steps=6)

    assert found == [[3, 3], [5, 5], *[[4, 4]] * 4]


# ---- scrapes torn in the middle of an observation

TORN = {
    # A scrape a minute, one observation a scrape; the fourth is seen by halves.
    "the lower bucket first": ([0, 1, 2, 3, 3], [0, 1, 2, 2, 3], [[1, 0], [1, 0], [1, 0], [0, 0]]),
    "the upper bucket first": ([0, 1, 2, 2, 3], [0, 1, 2, 3, 3], [[1, 0], [1, 0], [0, 1], [1, 0]]),
}


@pytest.mark.parametrize(("fast", "every", "expected"), TORN.values(), ids=TORN)
def test_no_torn_scrape_makes_a_negative_count(
    fast: list[float], every: list[float], expected: Counts
) -> None:
    series = bucketed({1: fast, INF: every}, every=60, pod="a")

    assert paired(series, steps=4).baseline.counts[0].tolist() == expected


def test_torn_scrapes_do_not_invent_observations() -> None:
    # Each observation is below 1, and every other scrape sees it there before it sees it at all.
    fast = [float(n) for n in range(31)]
    every = [n - n % 2 for n in fast]

    found = paired(bucketed({1: fast, INF: every}, every=60, pod="a"), steps=30).baseline.counts[0]

    assert found.sum(axis=0).tolist() == [30, 0]


# ---- pods


def test_a_pods_histograms_are_added() -> None:
    routes = [one for route in ("/a", "/b") for one in bucketed(STEADY, pod="a", route=route)]

    assert paired(routes, pod_label="pod").baseline.counts.tolist() == [[[8, 16], [8, 16]]]


def test_each_pod_is_a_row() -> None:
    quiet = bucketed({1: [5] * 9, INF: [5] * 9}, pod="b")

    found = paired([*bucketed(STEADY, pod="a"), *quiet], pod_label="pod").baseline.counts

    assert found.tolist() == [STEADY_COUNTS, [[0, 0], [0, 0]]]


def test_without_a_label_all_pods_are_one() -> None:
    both = [one for pod in "ab" for one in bucketed(STEADY, pod=pod)]

    assert paired(both).baseline.counts.tolist() == [[[8, 16], [8, 16]]]


def test_a_step_is_known_when_any_pod_was_scraped_in_it() -> None:
    gone = bucketed({1: ONE[:5], INF: ALL[:5]}, pod="b")

    found = paired([*bucketed(STEADY, pod="a"), *gone]).baseline.counts

    assert found.tolist() == [[[8, 16], [4, 8]]]


def test_a_side_without_series_is_unknown_on_the_edges_of_the_other() -> None:
    found = paired(bucketed(STEADY), [])

    assert found.canary.edges.tolist() == [1, INF]
    assert np.isnan(found.canary.counts).all()
    assert found.finding is None


def test_without_any_series_nothing_is_known() -> None:
    found = paired([], [], begin=INF)

    assert np.isnan(found.baseline.counts).all()
    assert (found.finding, found.warnings, found.interval_s) == (None, (), 0)


def test_the_scrape_interval_is_handed_back() -> None:
    assert paired(bucketed(STEADY)).interval_s == SCRAPE_S


# ---- sums


def a_total(*values: float | None, **labels: str) -> Series:
    named = {"__name__": "latency_sum", **labels}
    return scraped(*values, start=START, every=SCRAPE_S, **named)


def test_the_sums_of_both_sides_make_means() -> None:
    sides = [
        [*bucketed(STEADY, pod=pod), a_total(*(pace * n for n in ALL), pod=pod)]
        for pod, pace in (("a", 0.5), ("c", 0.25))
    ]

    found = paired(*sides)

    assert found.baseline.series().tolist() == [0.5, 0.5]
    assert found.canary.series().tolist() == [0.25, 0.25]


def test_a_restart_is_one_of_the_sum_too() -> None:
    observed = {1: [9, 9, 2, 2, 2], INF: [9, 9, 2, 2, 2]}
    sides = [[*bucketed(observed, pod=pod), a_total(1, 1, 5, 5, 5, pod=pod)] for pod in ("a", "c")]

    totals = paired(*sides, steps=1).baseline.totals

    assert totals is not None
    assert totals.tolist() == [[5]]


def test_observations_below_zero_make_the_sum_fall_but_no_restart() -> None:
    sides = [
        [*bucketed(STEADY, pod=pod), a_total(*(-1.0 * n for n in ALL), pod=pod)]
        for pod in ("a", "c")
    ]

    found = paired(*sides).baseline

    assert found.counts.tolist() == [STEADY_COUNTS]
    assert found.series().tolist() == [-1, -1]


LACKING: dict[str, list[Series]] = {
    "no sum": [],
    "a sum that became NaN": [a_total(*ALL[:4], *[NAN] * 5, pod="c")],
    "a sum of another pod": [a_total(*ALL, pod="d")],
}


@pytest.mark.parametrize("total", LACKING.values(), ids=LACKING)
def test_a_sum_that_one_side_lacks_is_used_on_neither(total: list[Series]) -> None:
    found = paired(
        [*bucketed(STEADY, pod="a"), a_total(*ALL, pod="a")], [*bucketed(STEADY, pod="c"), *total]
    )

    assert found.baseline.totals is None
    assert found.canary.totals is None


# ---- edges that differ

DOUBLE, TRIPLE = [2 * n for n in ONE], [3 * n for n in ONE]
FINE = {1.0: ONE, 2.0: DOUBLE, 3.0: TRIPLE, INF: [4 * n for n in ONE]}
COARSE = {1.0: ONE, 3.0: TRIPLE, INF: [4 * n for n in ONE]}


def test_counts_between_edges_of_one_side_are_merged_into_the_coarser_bucket() -> None:
    found = paired(bucketed(FINE), bucketed(COARSE))

    assert found.baseline.edges.tolist() == found.canary.edges.tolist() == [1, 3, INF]
    assert found.baseline.counts.tolist() == [[[4, 8, 4], [4, 8, 4]]]
    assert found.canary.counts.tolist() == [[[4, 8, 4], [4, 8, 4]]]
    assert found.finding is None
    assert found.warnings == (
        "the buckets differ: 2 of 3 edges are shared, counts were merged onto those",
    )


def test_pods_of_one_side_share_edges_too() -> None:
    mixed = [*bucketed(FINE, pod="a"), *bucketed(COARSE, pod="b")]

    found = paired(mixed, bucketed(FINE, pod="c"))

    assert found.canary.edges.tolist() == [1, 3, INF]


def test_one_shared_edge_is_too_few() -> None:
    other = {1.0: ONE, 2.5: TRIPLE, INF: [4 * n for n in ONE]}

    found = paired(bucketed({1.0: ONE, 2.0: DOUBLE, INF: TRIPLE}), bucketed(other))

    assert found.finding is not None
    assert found.finding.code == "bucket_edges"
    assert found.finding.summary == ("baseline and canary share 1 of 3 bucket edges, 2 are needed")
    assert "the same buckets" in found.finding.remedy


def test_one_edge_is_enough_if_it_is_all_there_is() -> None:
    assert paired(bucketed(STEADY), bucketed(STEADY)).finding is None


def test_the_last_bucket_alone_says_nothing() -> None:
    found = paired(bucketed({INF: ALL}), bucketed({INF: ALL}))

    assert found.finding is not None
    assert found.finding.summary.startswith('the only bucket is le="+Inf"')


EMPTY = {
    "between two edges": (
        {1.0: ONE, 3.0: ONE, INF: TRIPLE},
        {1.0: ONE, 2.0: DOUBLE, 3.0: DOUBLE, INF: TRIPLE},
        [1, 2, 3, INF],
    ),
    "above all edges": (
        {1.0: ONE, 2.0: TRIPLE, INF: TRIPLE},
        {1.0: ONE, 2.0: DOUBLE, 8.0: DOUBLE, INF: TRIPLE},
        [1, 2, 8, INF],
    ),
    "below all edges": (
        {2.0: [0] * 9, 3.0: ONE, INF: TRIPLE},
        {1.0: ONE, 2.0: ONE, 3.0: DOUBLE, INF: TRIPLE},
        [1, 2, 3, INF],
    ),
    "in a pod that observed nothing, whose own edges say nothing": (
        {5.0: [0] * 9, INF: [0] * 9},
        {1.0: ONE, INF: TRIPLE},
        [1, INF],
    ),
}


@pytest.mark.parametrize(("lacking", "having", "expected"), EMPTY.values(), ids=EMPTY)
def test_an_edge_that_a_side_lacks_is_known_where_nothing_was_observed(
    lacking: dict[float, list[float]], having: dict[float, list[float]], expected: list[float]
) -> None:
    found = paired(bucketed(having), bucketed(lacking))

    assert found.baseline.edges.tolist() == expected
    assert (found.finding, found.warnings) == (None, ())


def test_a_fault_of_a_side_is_handed_on() -> None:
    found = paired(bucketed(STEADY), [scraped(*ALL)])

    assert found.finding is not None
    assert found.finding.summary.startswith("canary: requests_total has no label le")
    assert np.isnan(found.canary.counts).all()


# ---- native histograms


def native(observed: Observed) -> list[Series]:
    return [replace(one, exponential=True) for one in bucketed(observed)]


def test_buckets_are_exponential_if_all_of_both_sides_are() -> None:
    assert paired(native(STEADY), native(STEADY)).baseline.exponential
    assert not paired(native(STEADY), bucketed(STEADY)).baseline.exponential
    assert not paired(native(STEADY), bucketed(STEADY)).canary.exponential


def test_counts_beyond_what_a_double_can_count_are_unknown() -> None:
    found = paired(bucketed({1: [0, 1e17, 1e17, 1e17, 1e17, *[1e17] * 4], INF: [1e17] * 9}))

    np.testing.assert_array_equal(found.baseline.counts[0], [[NAN, NAN], [0, 0]])


def test_counts_near_the_largest_double_are_no_trouble() -> None:
    huge = [0, 1.7e308, 0, 1.7e308, 0, 1.7e308, 0, 1.7e308, 0]

    with np.errstate(all="raise"):
        found = paired(bucketed({1: huge, INF: huge}))

    assert np.isnan(found.baseline.counts).all()
