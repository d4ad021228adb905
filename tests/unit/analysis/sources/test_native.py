"""Native histograms told as classic ones, against cumulative counts added up by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pytest

from analysis.sources.port import Series
from analysis.sources.prometheus_http.native import Bucket, Native, Sample, as_classic
from tests.support.builders import START

NAN, INF = math.nan, math.inf
OPEN_LEFT, OPEN_RIGHT, CLOSED = 0, 1, 3
ZERO = 2.0**-128


def a_bucket(left: float, right: float, count: float, *, rule: int = OPEN_LEFT) -> Bucket:
    return Bucket(rule, left, right, count)


def zero(count: float, *, width: float = ZERO) -> Bucket:
    return a_bucket(-width, width, count, rule=CLOSED)


def series_of(*samples: Sequence[Bucket], extra: float = 0, **labels: str) -> list[Series]:
    """Tell a native histogram, sampled every second, in classic series."""
    listed = [
        (
            START + n,
            Sample(count=extra + sum(b.observations for b in buckets), sum=0.5, buckets=[*buckets]),
        )
        for n, buckets in enumerate(samples)
    ]
    return list(as_classic(Native(labels={"__name__": "latency", **labels}, samples=listed)))


def cumulative(*samples: Sequence[Bucket], extra: float = 0) -> dict[float, list[float]]:
    """Give the count up to each edge, sample by sample."""
    return {
        float(one.labels["le"]): one.values.tolist()
        for one in series_of(*samples, extra=extra)
        if "le" in one.labels
    }


LOW, HIGH = a_bucket(1, 2, 5), a_bucket(2, 4, 7)
TOLD: dict[str, tuple[list[list[Bucket]], Mapping[float, list[float]]]] = {
    "neighbors": ([[LOW, HIGH]], {1: [0], 2: [5], 4: [12], INF: [12]}),
    "an empty bucket between two others": (
        [[LOW, a_bucket(4, 8, 3)]],
        {1: [0], 2: [5], 4: [5], 8: [8], INF: [8]},
    ),
    "a bucket that only a later sample has": (
        [[LOW], [LOW, a_bucket(8, 16, 3)]],
        {1: [0, 0], 2: [5, 5], 8: [5, 5], 16: [5, 8], INF: [5, 8]},
    ),
    "zeros": ([[zero(2), LOW]], {ZERO: [2], 1: [2], 2: [7], INF: [7]}),
    "zeros of no width": ([[zero(2, width=0.0), LOW]], {0: [2], 1: [2], 2: [7], INF: [7]}),
    "observations below zero": (
        [[a_bucket(-4, -2, 3, rule=OPEN_RIGHT), zero(2), LOW]],
        {-2: [3], ZERO: [5], 1: [5], 2: [10], INF: [10]},
    ),
    "observations beyond all finite numbers": (
        [[LOW, a_bucket(1024, INF, 4)]],
        {1: [0], 2: [5], 1024: [5], INF: [9]},
    ),
    "buckets chosen by hand, from the lowest on": (
        [[a_bucket(-INF, 0.5, 1, rule=CLOSED), a_bucket(0.5, 3, 2), a_bucket(3, INF, 4)]],
        {0.5: [1], 3: [3], INF: [7]},
    ),
    "nothing at all": ([[], []], {INF: [0, 0]}),
    "a restart": (
        [[LOW, HIGH], [a_bucket(1, 2, 1)]],
        {1: [0, 0], 2: [5, 1], 4: [12, 1], INF: [12, 1]},
    ),
    # Of 1 to 4 the second sample knows only the whole.
    "a resolution that was lowered": (
        [[LOW, HIGH, a_bucket(4, 8, 1)], [a_bucket(1, 4, 13), a_bucket(4, 16, 2)]],
        {1: [0, 0], 4: [12, 13], 16: [13, 15], INF: [13, 15]},
    ),
    "a resolution that was raised": (
        [[a_bucket(1, 4, 13)], [LOW, HIGH]],
        {1: [0, 0], 4: [13, 12], INF: [13, 12]},
    ),
    "zeros that took in the lowest buckets": (
        [[zero(1), a_bucket(0.5, 1, 2), LOW], [zero(3, width=1.0), LOW]],
        {1: [3, 3], 2: [8, 8], INF: [8, 8]},
    ),
}


@pytest.mark.parametrize(("samples", "expected"), TOLD.values(), ids=TOLD)
def test_the_counts_are_those_added_up_by_hand(
    samples: list[list[Bucket]], expected: Mapping[float, list[float]]
) -> None:
    assert cumulative(*samples) == expected


def test_observations_of_nan_are_in_no_bucket_but_counted() -> None:
    assert cumulative([LOW], extra=3) == {1: [0], 2: [5], INF: [8]}


def test_the_series_are_named_as_those_of_a_classic_histogram() -> None:
    named = [dict(one.labels) for one in series_of([a_bucket(0.25, 0.5, 1)], pod="a")]

    assert named == [
        {"__name__": "latency_bucket", "pod": "a", "le": "0.25"},
        {"__name__": "latency_bucket", "pod": "a", "le": "0.5"},
        {"__name__": "latency_bucket", "pod": "a", "le": "+Inf"},
        {"__name__": "latency_sum", "pod": "a"},
    ]


def test_the_sum_has_a_series_of_its_own() -> None:
    total = series_of([LOW], [LOW])[-1]

    assert total.times.tolist() == [START, START + 1]
    assert total.values.tolist() == [0.5, 0.5]


def test_an_edge_is_spelled_in_full() -> None:
    edge = 2 ** (1 / 8)

    spelled = [one.labels["le"] for one in series_of([a_bucket(1, edge, 1)])[:2]]

    assert [float(text) for text in spelled] == [1, edge]


def is_exponential(*buckets: Bucket) -> list[bool]:
    return [one.exponential for one in series_of(buckets) if "le" in one.labels]


@pytest.mark.parametrize("schema", range(-4, 9))
def test_the_buckets_of_every_schema_are_known_to_be_exponential(schema: int) -> None:
    factor = 2.0 ** (2.0**-schema)
    bounds = [factor**n for n in range(-20 if schema >= 0 else -2, 3)]
    buckets = [a_bucket(left, right, 1) for left, right in pairwise(bounds)]

    assert set(is_exponential(zero(1), *buckets)) == {True}


def test_buckets_chosen_by_hand_are_not_exponential() -> None:
    found = is_exponential(
        a_bucket(-INF, 0.5, 1, rule=CLOSED), a_bucket(0.5, 1, 2), a_bucket(1, 2.5, 2)
    )

    assert set(found) == {False}


def test_the_sum_is_no_bucket() -> None:
    assert not series_of([LOW])[-1].exponential


MALFORMED = {
    "bounds in the wrong order": a_bucket(2, 1, 3),
    "a bucket of no width": a_bucket(1, 1, 3),
    "bounds that are no numbers": a_bucket(NAN, NAN, 3),
    "bounds at the ends of what can be held": a_bucket(5e-324, 1.7e308, 3),
    "a bucket from zero on": a_bucket(0, 1, 3),
    "a negative count": a_bucket(1, 2, -3),
    "an infinite count": a_bucket(1, 2, INF),
}


@pytest.mark.parametrize("bucket", MALFORMED.values(), ids=MALFORMED)
def test_a_bucket_that_hardly_can_be_is_no_surprise(bucket: Bucket) -> None:
    with np.errstate(all="raise"):
        found = cumulative([LOW, bucket, HIGH])

    assert INF in found
