"""Native histograms told as classic ones: cumulative series, one an edge, and one of the sum.

What comes after need not know the difference. The edges are those of all samples of a series
together, and at each of them every count is exact: an edge inside a bucket of some sample, whose
resolution was lower, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from analysis.sources.port import Array, Series

# A factor is 2 to the power of 2 to the power of -schema, and a schema a whole number. Measured on
# the bounds of schema 8, the narrowest, in full precision: off by less than 1e-12.
# https://prometheus.io/docs/specs/native_histograms/#standard-exponential-schemas
_WHOLE = 1e-6


class Bucket(NamedTuple):
    """A bucket that is not empty; empty ones are not sent.

    Attributes:
        rule: Which of its bounds belong to it, as the API numbers the cases.
        left: Lower bound.
        right: Upper bound.
        observations: How many fell into it.
    """

    rule: int
    left: float
    right: float
    observations: float


class Sample(msgspec.Struct):
    """A native histogram at one instant, as the API words it.

    Attributes:
        count: Observations so far.
        sum: Sum of the observed values so far.
        buckets: Its buckets, in the order of their bounds.
    """

    count: float
    sum: float
    buckets: list[Bucket] = []


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Native:
    """A series of native histograms.

    Attributes:
        labels: Its labels.
        samples: Epoch seconds, and the histogram at that time.
    """

    labels: Mapping[str, str]
    samples: list[tuple[float, Sample]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Buckets:
    """All buckets of all samples, one after the other.

    Attributes:
        sample: Shape (n,): to which sample it belongs.
        left: Shape (n,): lower bound.
        right: Shape (n,): upper bound.
        observations: Shape (n,): how many fell into it.
    """

    sample: NDArray[np.intp]
    left: Array
    right: Array
    observations: Array


def as_classic(native: Native) -> Iterator[Series]:
    """Give the series that a classic histogram of the same observations would have."""
    times = np.array([time for time, _ in native.samples], dtype=np.float64)
    buckets = _flat(native)
    edges = _edges(buckets)
    counts = np.array([sample.count for _, sample in native.samples], dtype=np.float64)
    cumulative = [*_cumulative(buckets, edges, len(times)).T, counts]
    exponential = _is_exponential(buckets)
    for edge, values in zip([*edges.tolist(), np.inf], cumulative, strict=True):
        labels = {**_named(native.labels, "_bucket"), "le": _text(edge)}
        yield Series(labels=labels, times=times, values=values, exponential=exponential)
    sums = np.array([sample.sum for _, sample in native.samples], dtype=np.float64)
    yield Series(labels=_named(native.labels, "_sum"), times=times, values=sums)


def _named(labels: Mapping[str, str], ending: str) -> dict[str, str]:
    return {**labels, "__name__": labels.get("__name__", "") + ending}


def _text(edge: float) -> str:
    return "+Inf" if np.isinf(edge) else repr(edge)


def _flat(native: Native) -> _Buckets:
    sizes = [len(sample.buckets) for _, sample in native.samples]
    rows = [bucket for _, sample in native.samples for bucket in sample.buckets]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return _Buckets(
        sample=np.repeat(np.arange(len(sizes)), sizes),
        left=table[:, 1],
        right=table[:, 2],
        observations=table[:, 3],
    )


def _edges(buckets: _Buckets) -> Array:
    """Find the finite edges at which the count of every sample is known, ascending.

    A lower bound is one too: below it lies an empty bucket, or one that has it as its upper bound.
    """
    bounds = np.concatenate((buckets.right, buckets.left[buckets.left > 0]))
    edges = np.unique(bounds[np.isfinite(bounds)])
    # Of each bucket the edges from the first above its lower bound to before its upper bound.
    first = np.searchsorted(edges, buckets.left, side="right")
    behind = np.maximum(np.searchsorted(edges, buckets.right, side="left"), first)
    opened = np.zeros(len(edges) + 1)
    np.add.at(opened, first, 1)
    np.add.at(opened, behind, -1)
    known: Array = edges[np.cumsum(opened)[:-1] == 0]
    return known


def _cumulative(buckets: _Buckets, edges: Array, samples: int) -> Array:
    """Count the observations up to each edge, shape (samples, edges)."""
    table = np.zeros((samples, len(edges) + 1))
    place = np.searchsorted(edges, buckets.right)
    np.add.at(table, (buckets.sample, place), buckets.observations)
    cumulative: Array = table[:, :-1].cumsum(axis=1)
    return cumulative


def _is_exponential(buckets: _Buckets) -> bool:
    """Tell whether all buckets grow by the factor of a schema; custom ones are anything."""
    regular = (buckets.left > 0) & (buckets.right > buckets.left) & np.isfinite(buckets.right)
    schema = np.log2(np.log2(buckets.right[regular]) - np.log2(buckets.left[regular]))
    return bool((np.abs(schema - np.round(schema)) < _WHOLE).all())
