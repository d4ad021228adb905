"""From bucket series to cumulative histograms: which series are one, and whether they are any."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from analysis.counters import union
from analysis.guards import Finding
from analysis.sources.port import Series

Array = NDArray[np.float64]
Labels = tuple[tuple[str, str], ...]

# An edge that a histogram lacks at more of its scrapes than this is none of its edges: its program
# was replaced by one with other buckets. Below it, the few scrapes are left out instead.
SELDOM = 0.1


@dataclass(slots=True, kw_only=True, eq=False)
class _Parts:
    """The series of one histogram of one target."""

    buckets: list[tuple[float, Series]] = field(default_factory=list)
    sums: list[Series] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cumulative:
    """One histogram of one target, scrape by scrape.

    Attributes:
        series: Its labels, and when it was scraped.
        edges: Shape (buckets,): ascending, the last infinite.
        times: Shape (n,): the scrapes at which all is known.
        table: Shape (n, buckets + 1): observations up to each edge, and the sum; NaN without one.
    """

    series: Series
    edges: Array
    times: Array
    table: Array


def read(side: str, series: Sequence[Series]) -> tuple[list[Cumulative], Finding | None]:
    """Put together what belongs to one histogram; sums without buckets are left out.

    Args:
        side: Whose series they are.
        series: Cumulative buckets, and their sums where there are any.

    Returns:
        The histograms, or none and why the series are none.
    """
    if (found := _fault(side, series)) is not None:
        return [], found
    every = _parts(series)
    if any(max(edge for edge, _ in parts.buckets) < math.inf for parts in every):
        text = f'{side}: buckets without le="+Inf", which counts all observations'
        return [], finding(text, "select every bucket: name no le in the selector")
    return [_cumulative(parts) for parts in every], None


def _fault(side: str, series: Sequence[Series]) -> Finding | None:
    for one in series:
        if "le" in one.labels and _edge(one) is None:
            text = f"{side}: the bucket le={one.labels['le']!r} of {_name(one)} is no number"
            return finding(text, "every bucket needs its upper bound in le; mend the exporter")
        if "le" not in one.labels and not _name(one).endswith(("_sum", "_count")):
            return _no_buckets(side, _name(one))
    if series and not any("le" in one.labels for one in series):
        return _no_buckets(side, _name(series[0]))
    return None


def finding(summary: str, remedy: str) -> Finding:
    """Say that buckets cannot be compared."""
    return Finding(code="bucket_edges", summary=summary, remedy=remedy)


def _no_buckets(side: str, name: str) -> Finding:
    remedy = "give the selector of a classic histogram's …_bucket, or of a native histogram"
    return finding(f"{side}: {name or 'a series'} has no label le, so it is no bucket", remedy)


def _edge(series: Series) -> float | None:
    """Read an edge, however it is spelled: `1`, `1.0` and `1e0` are one."""
    try:
        edge = float(series.labels["le"])
    except (KeyError, ValueError):
        return None
    return edge if edge > -math.inf else None


def _name(series: Series) -> str:
    return series.labels.get("__name__", "")


def _parts(series: Iterable[Series]) -> list[_Parts]:
    found: dict[Labels, _Parts] = {}
    for one in series:
        labels = {name: value for name, value in one.labels.items() if name != "le"}
        labels["__name__"] = _name(one).removesuffix("_bucket" if "le" in one.labels else "_sum")
        parts = found.setdefault(tuple(sorted(labels.items())), _Parts())
        if (edge := _edge(one)) is not None:
            parts.buckets.append((edge, one))
        elif _name(one).endswith("_sum"):
            parts.sums.append(one)
    return [parts for _, parts in sorted(found.items()) if parts.buckets]


def _cumulative(parts: _Parts) -> Cumulative:
    """Lay the parts of a histogram side by side, at the scrapes that show them all."""
    edges = np.unique([edge for edge, _ in parts.buckets])
    times, table = _side_by_side(parts, edges)
    series = replace(
        parts.buckets[0][1],
        times=times,
        values=table[:, -2],
        exponential=all(one.exponential for _, one in parts.buckets),
    )
    # Below zero no count goes: such a sample is as little of one as NaN is.
    is_known = (table[:, :-1] >= 0) & (table[:, :-1] < np.inf)
    if is_known.all():
        return Cumulative(series=series, edges=edges, times=times, table=table)
    share = is_known.mean(axis=0)
    kept = share >= (1 - SELDOM) * share[-1]
    whole = is_known[:, kept].all(axis=1)
    return Cumulative(
        series=series,
        edges=edges[kept],
        times=times[whole],
        table=table[whole][:, np.append(kept, True)],
    )


def _side_by_side(parts: _Parts, edges: Array) -> tuple[Array, Array]:
    """Give when a histogram was scraped, and what it showed then; NaN where it showed nothing."""
    columns = [(int(np.searchsorted(edges, edge)), one) for edge, one in parts.buckets]
    columns += [(-1, one) for one in parts.sums]
    times = union([one.times for _, one in columns])
    table = np.full((len(times), len(edges) + 1), np.nan)
    for column, one in columns:
        is_whole = len(one.times) == len(times)
        rows = slice(None) if is_whole else np.searchsorted(times, one.times)
        table[rows, column] = one.values
    return times, table
