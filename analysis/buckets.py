"""From bucket series to cumulative histograms: which series are one, and whether they are any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

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


def histograms(series: Iterable[Series]) -> list[Cumulative]:
    """Put together what belongs to one histogram; sums without buckets are left out."""
    return [_cumulative(parts) for parts in _parts(series)]


def fault(side: str, series: Sequence[Series]) -> Finding | None:
    """Tell why the series of a side are no histogram; `None` where they are, or where none are."""
    for one in series:
        if "le" in one.labels and _edge(one) is None:
            text = f"{side}: the bucket le={one.labels['le']!r} of {_name(one)} is no number"
            return finding(text, "every bucket needs its upper bound in le; mend the exporter")
        if "le" not in one.labels and not _name(one).endswith(("_sum", "_count")):
            return _no_buckets(side, _name(one))
    if series and not any("le" in one.labels for one in series):
        return _no_buckets(side, _name(series[0]))
    if any(max(edge for edge, _ in parts.buckets) < np.inf for parts in _parts(series)):
        text = f'{side}: buckets without le="+Inf", which counts all observations'
        return finding(text, "select every bucket: name no le in the selector")
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
    return edge if np.isfinite(edge) or edge == np.inf else None


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
    every = [*(one for _, one in parts.buckets), *parts.sums]
    times = np.unique(np.concatenate([one.times for one in every]))
    edges = np.unique([edge for edge, _ in parts.buckets])
    table = np.full((len(times), len(edges) + 1), np.nan)
    for edge, one in parts.buckets:
        table[np.searchsorted(times, one.times), np.searchsorted(edges, edge)] = one.values
    for one in parts.sums:
        table[np.searchsorted(times, one.times), -1] = one.values
    # Below zero no count goes: such a sample is as little of one as NaN is.
    is_known = np.isfinite(table[:, :-1]) & (table[:, :-1] >= 0)
    share = is_known.mean(axis=0) if len(times) else np.ones(len(edges))
    kept = share >= (1 - SELDOM) * share[-1]
    whole = is_known[:, kept].all(axis=1)
    return Cumulative(
        series=replace(
            parts.buckets[0][1],
            times=times,
            values=table[:, -2],
            exponential=all(one.exponential for _, one in parts.buckets),
        ),
        edges=edges[kept],
        times=times[whole],
        table=table[whole][:, np.append(kept, True)],
    )
