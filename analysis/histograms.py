"""From cumulative histograms to observations per bucket and step, both sides on the same edges.

A histogram is one counter with many parts: they restart together, and an edge says something only
where it is known of every pod. An edge that a pod lacks is known all the same if nothing fell
between the edges beside it, so quiet pods and empty native buckets cost no resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import buckets, counters
from analysis.buckets import Cumulative
from analysis.config import SIDES
from analysis.counters import Scrapes
from analysis.guards import Finding
from analysis.sources.port import Series
from judges import Histogram

Array = NDArray[np.float64]

# Beyond this a double no longer counts every observation: what claims so many counts nothing.
MOST_OBSERVATIONS = 2.0**53
# Fewer shared edges leave a shape of two buckets to compare.
LEAST_SHARED = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paired:
    """Both sides of a histogram.

    Attributes:
        baseline: The baseline's observations.
        canary: The canary's, on the same edges.
        interval_s: Scrape interval that the samples show, in seconds; 0 where unknown.
        warnings: What a reader should know.
        finding: Why the sides cannot be compared; `None` where they can.
    """

    baseline: Histogram
    canary: Histogram
    interval_s: float
    warnings: tuple[str, ...] = ()
    finding: Finding | None = None


def histograms_on_grid(
    sides: tuple[Sequence[Series], Sequence[Series]],
    edges: Array,
    *,
    since: float,
    begin: float,
    pod_label: str | None,
) -> Paired:
    """Difference the buckets of both sides onto the grid.

    Args:
        sides: Raw cumulative buckets of baseline and canary, and their sums where there are any.
        edges: Bounds of the steps, epoch seconds, shape (steps + 1,).
        since: First instant that was asked for, epoch seconds.
        begin: First sample on either side, epoch seconds.
        pod_label: Label that names the pods; without it all series make one.
    """
    seen = [counters.scrapes(series, since=since, begin=begin) for series in sides]
    read = [buckets.read(name, series) for name, series in zip(SIDES, sides, strict=True)]
    # What overflows becomes infinite, and what is infinite unknown.
    with np.errstate(over="ignore", invalid="ignore"):
        counted = [
            [_count(one, edges, scrapes, pod_label) for one in found]
            for (found, _), scrapes in zip(read, seen, strict=True)
        ]
        shared = _shared(counted)
        baseline, canary = (_side(one, shared, len(edges) - 1) for one in counted)
    return Paired(
        baseline=baseline,
        canary=canary,
        interval_s=max(scrapes.interval_s for scrapes in seen),
        warnings=shared.warnings,
        finding=next((fault for _, fault in read if fault), shared.finding),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Counted:
    """One histogram's observations on the grid.

    Attributes:
        pod: Its pod.
        edges: Shape (buckets,).
        counts: Shape (steps, buckets): NaN where it was not scraped.
        sums: Shape (steps,): sum of the observed values.
        exponential: Whether its buckets grow by a constant factor.
    """

    pod: str
    edges: Array
    counts: Array
    sums: Array
    exponential: bool


def _count(one: Cumulative, grid: Array, seen: Scrapes, pod_label: str | None) -> _Counted:
    rows = _laid(one, grid, seen)
    counts = rows[:, :-1].copy()
    counts[:, 1:] -= rows[:, :-2]
    return _Counted(
        pod=counters.pod_of(one.series, pod_label),
        edges=one.edges,
        counts=_settled(counts),
        sums=rows[:, -1],
        exponential=one.series.exponential,
    )


def _laid(one: Cumulative, grid: Array, seen: Scrapes) -> Array:
    """Give what a histogram's table gained in each step, NaN where it was not scraped."""
    places, width = counters.places_of(one.times, grid), one.table.shape[1]
    cells = places[:, np.newaxis] * width + np.arange(width)
    sums = np.bincount(cells.ravel(), _gains(one, seen).ravel(), minlength=len(grid) * width)
    known = np.zeros(len(grid), dtype=np.bool_)
    known[places] = True
    known[counters.places_of(seen.times[counters.target_of(one.series)], grid)] = True
    rows: Array = np.where(known[:, np.newaxis], sums.reshape(len(grid), width), np.nan)
    return rows[1:]


def _gains(one: Cumulative, seen: Scrapes) -> Array:
    """Difference the cumulative counts in time: if any of them fell, all began anew."""
    gains = np.diff(one.table, axis=0, prepend=one.table[:1])
    # A new process may pass the old count of some bucket by its first scrape, but hardly of all.
    # The sum has no say: observations below zero make it fall.
    restarted = np.any(gains[:, :-1] < 0, axis=1)
    counters.mark_births(restarted, one.series, one.times, seen)
    return np.where(restarted[:, np.newaxis], one.table, gains)


def _settled(counts: Array) -> Array:
    """Let no bucket count less than nothing, without inventing observations.

    A scrape in the middle of an observation sees it in some buckets only, and the next scrape in
    the others: their difference is first too small by one, then too large. What a step lacks is
    taken from the next ones.
    """
    if not (counts < 0).any():
        return counts
    so_far = np.maximum(np.nancumsum(counts, axis=0), 0.0)
    settled = np.diff(np.maximum.accumulate(so_far, axis=0), axis=0, prepend=0.0)
    return np.where(np.isnan(counts), np.nan, settled)


# ---- both sides on the same edges


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shared:
    """What both sides have in common.

    Attributes:
        edges: Shape (buckets,): the last infinite.
        exponential: Whether all buckets of both sides grow by a constant factor.
        has_sums: Whether every histogram knows its sum wherever it was scraped.
        warnings: What a reader should know.
        finding: Why the edges are too few.
    """

    edges: Array
    exponential: bool
    has_sums: bool
    warnings: tuple[str, ...] = ()
    finding: Finding | None = None


def _shared(sides: Sequence[Sequence[_Counted]]) -> _Shared:
    every = [one for side in sides for one in side]
    busy = [one for one in every if np.nansum(one.counts) > 0]
    union = np.unique(np.concatenate([[np.inf], *(one.edges for one in busy or every)]))
    known = np.ones(len(union), dtype=np.bool_)
    for one in every:
        known &= _knows(one, union)
    shared, of = int(known.sum()) - 1, len(union) - 1
    least = LEAST_SHARED if shared < of else 1
    return _Shared(
        edges=union[known],
        exponential=bool(every) and all(one.exponential for one in every),
        has_sums=bool(every) and all(_has_sums(one) for one in every),
        warnings=(_merged_note(shared, of),) if shared < of else (),
        finding=_too_few(shared, of) if busy and shared < least else None,
    )


def _knows(one: _Counted, edges: Array) -> NDArray[np.bool_]:
    """Tell at which edges it is known how many of a histogram's observations lie below."""
    place = np.searchsorted(one.edges, edges)
    is_empty = np.nansum(one.counts, axis=0) == 0
    knows: NDArray[np.bool_] = (one.edges[place] == edges) | is_empty[place]
    return knows


def _has_sums(one: _Counted) -> bool:
    return bool((np.isfinite(one.sums) | np.isnan(one.counts[:, 0])).all())


def _merged_note(shared: int, of: int) -> str:
    return f"the buckets differ: {shared} of {of} edges are shared, counts were merged onto those"


def _too_few(shared: int, of: int) -> Finding:
    if of == 0:
        text = 'the only bucket is le="+Inf", which says nothing of the values'
        return buckets.finding(text, "select every bucket: name no le in the selector")
    text = f"baseline and canary share {shared} of {of} bucket edges, {LEAST_SHARED} are needed"
    remedy = "give both versions the same buckets, or compare means: sums of …_sum over …_count"
    return buckets.finding(text, remedy)


def _side(counted: Sequence[_Counted], shared: _Shared, steps: int) -> Histogram:
    rows = {pod: row for row, pod in enumerate(sorted({one.pod for one in counted}) or [""])}
    counts = np.full((len(rows), steps, len(shared.edges)), np.nan)
    totals = np.full((len(rows), steps), np.nan)
    for one in counted:
        _add(counts[rows[one.pod]], _merged(one, shared.edges))
        _add(totals[rows[one.pod]], one.sums)
    counts[~(counts.sum(axis=2) <= MOST_OBSERVATIONS)] = np.nan
    return Histogram(
        edges=shared.edges,
        counts=counts,
        totals=totals if shared.has_sums else None,
        exponential=shared.exponential,
    )


def _merged(one: _Counted, edges: Array) -> Array:
    """Give the counts of a histogram on coarser edges, shape (steps, len(edges))."""
    place = np.searchsorted(edges, one.edges)
    merged: Array = one.counts @ (place[:, np.newaxis] == np.arange(len(edges))).astype(np.float64)
    return merged


def _add(total: Array, part: Array) -> None:
    """Add in place what is known; unknown and known is known."""
    known = ~np.isnan(part)
    total[known] = np.where(np.isnan(total[known]), 0.0, total[known]) + part[known]
