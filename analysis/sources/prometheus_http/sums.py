"""Sums of a server told as counters, so that what comes after need not know the difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from analysis.sources.port import Array, Request, RequestKind, Series
from analysis.sources.prometheus_http.growth import step_s

# In steps: what lies further apart has a step without any sum between.
_GAP = 1.5

Labels = tuple[tuple[str, str], ...]


def as_counters(series: Sequence[Series], request: Request, scale: float) -> tuple[Series, ...]:
    """Tell sums per step as counters that grow by them, as if they had been scraped each step.

    After a gap a counter begins anew at zero, half a step before its first sum.
    """
    told: list[Series] = []
    for group in _groups(series):
        times = np.unique(np.concatenate([one.times for one in group]))
        told += [_as_counter(one, times, request, scale) for one in group]
    return tuple(told)


def _groups(series: Sequence[Series]) -> Iterator[list[Series]]:
    """Put together the buckets of one histogram: they were scraped together."""
    found: dict[Labels, list[Series]] = {}
    for one in series:
        labels = {name: value for name, value in one.labels.items() if name != "le"}
        found.setdefault(tuple(sorted(labels.items())), []).append(one)
    yield from found.values()


def _as_counter(one: Series, times: Array, request: Request, scale: float) -> Series:
    length_s = step_s(request)
    gains = np.zeros(len(times))
    gains[np.searchsorted(times, one.times)] = np.nan_to_num(one.values) * scale
    places = np.flatnonzero(np.append(True, np.diff(times) > _GAP * length_s))
    runs = np.split(gains, places[1:])
    return Series(
        labels=_labels(one, request),
        times=np.insert(times, places, times[places] - length_s / 2),
        values=np.concatenate([np.concatenate(([0.0], np.cumsum(run))) for run in runs]),
    )


def _labels(one: Series, request: Request) -> dict[str, str]:
    """Name the sum of a histogram, which is what has no edge among its buckets."""
    is_sum = request.kind is RequestKind.BUCKETS and "le" not in one.labels
    return {**one.labels, "__name__": "_sum"} if is_sum else dict(one.labels)
