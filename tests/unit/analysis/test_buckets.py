"""Which series make a histogram, and what is said of those that make none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from analysis.buckets import Cumulative, read
from analysis.sources.port import Series
from tests.support.builders import GONE, SCRAPE_S, START, bucketed, scraped

NAN, INF = math.nan, math.inf


def a_bucket(le: str, *values: float | None, **labels: str) -> Series:
    named = {"__name__": "latency_bucket", **labels, "le": le}
    return scraped(*values, start=START, every=SCRAPE_S, **named)


def histograms(series: Sequence[Series]) -> list[Cumulative]:
    found, _ = read("canary", series)
    return found


def the_histogram(*series: Series) -> Cumulative:
    (found,) = histograms(series)
    return found


def observed(histogram: Cumulative) -> list[list[float]]:
    """Give the cumulative counts, a list a scrape."""
    found: list[list[float]] = histogram.table[:, :-1].tolist()
    return found


# ---- what belongs together


def test_the_buckets_of_a_histogram_are_laid_side_by_side_in_the_order_of_their_edges() -> None:
    found = the_histogram(
        a_bucket("+Inf", 4, 9), a_bucket("10", 3, 7), a_bucket("2.5", 1, 2), a_bucket("5", 2, 5)
    )

    assert found.edges.tolist() == [2.5, 5, 10, INF]
    assert found.times.tolist() == [START, START + SCRAPE_S]
    assert observed(found) == [[1, 2, 3, 4], [2, 5, 7, 9]]


def test_histograms_that_differ_in_another_label_are_apart() -> None:
    edges = {1: [1, 2], INF: [3, 4]}

    found = histograms([*bucketed(edges, pod="a"), *bucketed(edges, pod="b")])

    assert [one.series.labels["pod"] for one in found] == ["a", "b"]


def test_the_order_of_series_is_irrelevant() -> None:
    series = [*bucketed({1: [1, 2], INF: [3, 4]}, pod="a"), *bucketed({INF: [5, 6]}, pod="b")]

    forward, backward = histograms(series), histograms(series[::-1])

    assert [observed(one) for one in forward] == [observed(one) for one in backward]


SPELLINGS = {
    "the same everywhere": ("1", "1"),
    "with a fraction, as Prometheus 3 does": ("1", "1.0"),
    "with an exponent": ("1e0", "1.0"),
    "infinity": ("+Inf", "inf"),
}


@pytest.mark.parametrize(("before", "after"), SPELLINGS.values(), ids=SPELLINGS)
def test_an_edge_spelled_otherwise_from_some_day_on_goes_on_as_it_was(
    before: str, after: str
) -> None:
    others = [] if before == "+Inf" else [a_bucket("+Inf", 10, 20, 30, 40)]

    found = the_histogram(
        *others, a_bucket(before, 10, 20, GONE, GONE), a_bucket(after, GONE, GONE, 30, 40)
    )

    assert found.table[:, 0].tolist() == [10, 20, 30, 40]


def test_a_sum_beside_the_buckets_is_theirs() -> None:
    buckets = bucketed({1: [1, 2], INF: [3, 4]}, pod="a")
    total = scraped(0.5, 1.5, __name__="latency_sum", pod="a")
    another = scraped(7, 8, __name__="latency_sum", pod="b")
    count = scraped(3, 4, __name__="latency_count", pod="a")

    assert the_histogram(*buckets, total, another, count).table[:, -1].tolist() == [0.5, 1.5]


def test_without_a_sum_none_is_known() -> None:
    assert np.isnan(the_histogram(*bucketed({INF: [3, 4]})).table[:, -1]).all()


def test_buckets_are_exponential_if_all_are() -> None:
    one, other = bucketed({1: [1, 2], INF: [3, 4]})
    native = replace(one, exponential=True), replace(other, exponential=True)

    assert the_histogram(*native).series.exponential
    assert not the_histogram(native[0], other).series.exponential


# ---- scrapes that show less than all


def test_a_scrape_without_some_bucket_is_left_out() -> None:
    steady, torn = [*range(20)], [*range(9), GONE, *range(10, 20)]

    found = the_histogram(*bucketed({1: torn, INF: steady}))

    assert found.edges.tolist() == [1, INF]
    assert found.times.tolist() == [START + SCRAPE_S * n for n in range(20) if n != 9]
    assert len(found.series.times) == 20


def test_an_edge_that_is_there_for_half_of_the_time_is_none() -> None:
    found = the_histogram(
        *bucketed(
            {
                1: [1, 1, 1, 1, 1, 1],
                2: [1, 1, 1, GONE, GONE, GONE],
                3: [GONE, GONE, GONE, 2, 2, 2],
                INF: [3, 3, 3, 3, 3, 3],
            }
        )
    )

    assert found.edges.tolist() == [1, INF]
    assert len(found.times) == 6


UNUSABLE = {"NaN": NAN, "an infinity": INF, "a negative count": -1.0}


@pytest.mark.parametrize("value", UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_count_is_as_good_as_missing(value: float) -> None:
    steady = [float(n) for n in range(20)]

    found = the_histogram(*bucketed({1: [*steady[:9], value, *steady[10:]], INF: steady}))

    assert len(found.times) == 19


def test_a_histogram_without_any_whole_scrape_has_none() -> None:
    found = the_histogram(*bucketed({1: [NAN, NAN], INF: [NAN, NAN]}))

    assert len(found.times) == 0


def test_a_series_without_samples_makes_a_histogram_without_scrapes() -> None:
    assert len(the_histogram(*bucketed({1: [], INF: []})).times) == 0


# ---- what is no histogram

GOOD = bucketed({0.1: [1, 2], INF: [3, 4]})
FAULTS: dict[str, tuple[Sequence[Series], str, str]] = {
    "a counter": (
        [scraped(1, 2)],
        "canary: requests_total has no label le, so it is no bucket",
        "give the selector of a classic histogram's …_bucket, or of a native histogram",
    ),
    "a counter among buckets": (
        [*GOOD, scraped(1, 2)],
        "canary: requests_total has no label le",
        "…_bucket",
    ),
    "a series that has lost its name": (
        [scraped(1, 2, __name__="")],
        "canary: a series has no label le",
        "…_bucket",
    ),
    "the sum alone": (
        [scraped(1, 2, __name__="latency_sum")],
        "canary: latency_sum has no label le",
        "…_bucket",
    ),
    "an edge that is a word": (
        [*GOOD, a_bucket("fast", 1, 2)],
        "canary: the bucket le='fast' of latency_bucket is no number",
        "mend the exporter",
    ),
    "an edge that is NaN": ([a_bucket("NaN", 1, 2)], "canary: the bucket le='NaN'", "mend"),
    "an edge below everything": ([a_bucket("-Inf", 1)], "canary: the bucket le='-Inf'", "mend"),
    "one bucket of many": (
        [a_bucket("0.1", 1, 2)],
        'canary: buckets without le="+Inf", which counts all observations',
        "name no le in the selector",
    ),
    "a pod that lacks the last bucket": (
        [*bucketed({1: [1], INF: [1]}, pod="a"), *bucketed({1: [1]}, pod="b")],
        'canary: buckets without le="+Inf"',
        "name no le in the selector",
    ),
}


@pytest.mark.parametrize(("series", "summary", "remedy"), FAULTS.values(), ids=FAULTS)
def test_what_is_no_histogram_is_told_with_a_remedy(
    series: Sequence[Series], summary: str, remedy: str
) -> None:
    histograms, found = read("canary", series)

    assert not histograms
    assert found is not None
    assert found.code == "bucket_edges"
    assert found.summary.startswith(summary)
    assert remedy in found.remedy


FINE = {
    "buckets": GOOD,
    "no series": [],
    "buckets with their sum and count": [
        *GOOD,
        scraped(1, 2, __name__="latency_sum"),
        scraped(1, 2, __name__="latency_count"),
    ],
}


@pytest.mark.parametrize("series", FINE.values(), ids=FINE)
def test_a_histogram_is_not_remarked_on(series: Sequence[Series]) -> None:
    _, found = read("canary", series)

    assert found is None
