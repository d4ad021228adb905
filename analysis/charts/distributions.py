"""Two histograms, bucket by bucket: the shape of what both sides observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.charts.frame import Plot, horizontal, legend, vertical
from analysis.charts.numbers import Unit, level
from analysis.charts.scales import Scale
from analysis.charts.svg import box, drawing, element, line, place, title, words

Array = NDArray[np.float64]

WIDTH, HEIGHT = 460.0, 150.0
PLOT = Plot(left=54, top=24, right=452, bottom=122)
# Native histograms have hundreds of buckets; beyond this a bar is thinner than its outline.
MOST_BUCKETS = 40
# Buckets at either end that hold less than this of both sides are left out of the picture.
NEGLIGIBLE = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distributions:
    """What both sides observed.

    Attributes:
        name: What was observed.
        edges: Shape (buckets,): upper bound of each bucket, ascending, the last infinite.
        baseline: Shape (buckets,): observations in each bucket, not cumulative.
        canary: The same of the canary.
        unit: What is observed is counted in it.
        marks: Levels to be shown, such as a quantile of each side: class of the line, and level.
    """

    name: str
    edges: Array
    baseline: Array
    canary: Array
    unit: Unit = Unit.PLAIN
    marks: Sequence[tuple[str, float]] = field(default=())


def distributions(shown: Distributions) -> str:
    """Draw both distributions over the same buckets, as SVG; nothing where a side is empty.

    Every bucket is drawn equally wide, whatever it spans: buckets are laid to be finer where it
    matters, and a tail would be too thin to see otherwise.
    """
    if not (shown.baseline.sum() > 0 and shown.canary.sum() > 0):
        return ""
    edges, shares = _few(shown.edges, [_shares(shown.baseline), _shares(shown.canary)])
    y = Scale(low=0, high=float(np.max(shares)) * 1.08, start=PLOT.bottom, stop=PLOT.top)
    return drawing(
        vertical(PLOT, y, lambda value: level(value, Unit.SHARE), count=3),
        _bars(edges, shares, y, shown.unit),
        element("path", d=_outline(shares[0], y), class_="sr-line sr-baseline"),
        "".join(_mark(class_, value, edges) for class_, value in shown.marks),
        _labels(edges, shown.unit),
        legend([("sr-canary-bar", "canary"), ("sr-baseline", "baseline")], PLOT.left, 13),
        words("share of each bucket", PLOT.right, 13, anchor="end"),
        width=WIDTH,
        height=HEIGHT,
        name=f"{shown.name}: distribution",
        told=_told(edges, shares, shown.unit),
    )


def _shares(counts: Array) -> Array:
    shares: Array = counts / counts.sum()
    return shares


def _few(edges: Array, shares: Sequence[Array]) -> tuple[Array, Array]:
    """Leave out empty ends, and put neighbors together until few enough buckets are left."""
    both = np.array(shares)
    told = np.flatnonzero((both > NEGLIGIBLE).any(axis=0))
    first, last = int(told[0]), int(told[-1])
    kept = np.array([*both.T[first : last + 1]])
    # What is left out at the ends is so little that it may count with its neighbor.
    kept[0] += both[:, :first].sum(axis=1)
    kept[-1] += both[:, last + 1 :].sum(axis=1)
    size = -(-len(kept) // MOST_BUCKETS)
    starts = np.arange(0, len(kept), size)
    ends = np.minimum(starts + size, len(kept)) - 1 + first
    merged: Array = np.add.reduceat(kept, starts, axis=0).T
    upper = np.array(edges[ends])
    upper[-1] = edges[-1] if last == len(edges) - 1 else upper[-1]
    return upper, merged


def _width(count: int) -> float:
    return PLOT.width / count


def _bars(edges: Array, shares: Array, y: Scale, unit: Unit) -> str:
    width = _width(len(edges))
    return "".join(
        box(
            PLOT.left + index * width + 1,
            y.at(canary),
            width - 2,
            PLOT.bottom - y.at(canary),
            "sr-canary-bar",
            title(_bucket_told(edges, index, (baseline, canary), unit)),
        )
        for index, (baseline, canary) in enumerate(shares.T.tolist())
    )


def _bucket_told(edges: Array, index: int, shares: tuple[float, float], unit: Unit) -> str:
    upper = float(edges[index])
    lower = level(float(edges[index - 1]), unit) if index else ""
    if not np.isfinite(upper):
        span = f"above {lower}" if lower else "all"
    else:
        span = f"{lower} to {level(upper, unit)}" if lower else f"up to {level(upper, unit)}"
    baseline, canary = (level(share, Unit.SHARE) for share in shares)
    return f"{span}: canary {canary}, baseline {baseline}"


def _outline(shares: Array, y: Scale) -> str:
    width = _width(len(shares))
    d = f"M{place(PLOT.left)} {place(PLOT.bottom)}"
    for index, share in enumerate(shares.tolist()):
        d += f"V{place(y.at(share))}H{place(PLOT.left + (index + 1) * width)}"
    return d + f"V{place(PLOT.bottom)}"


def _mark(class_: str, value: float, edges: Array) -> str:
    """Draw a level at its place among the buckets, between their edges in proportion."""
    index = int(np.searchsorted(edges, value))
    if not np.isfinite(value) or index >= len(edges) or not np.isfinite(edges[index]):
        return ""
    lower = float(edges[index - 1]) if index else min(0.0, float(edges[0]))
    inside = (value - lower) / (float(edges[index]) - lower) if edges[index] > lower else 1.0
    x = PLOT.left + (index + min(max(inside, 0.0), 1.0)) * _width(len(edges))
    return line(x, PLOT.top - 4, x, PLOT.bottom, f"sr-mark {class_}")


def _labels(edges: Array, unit: Unit) -> str:
    width = _width(len(edges))
    finite = [float(edge) for edge in edges if np.isfinite(edge)]
    at = [(PLOT.left + (i + 1) * width, level(edge, unit)) for i, edge in enumerate(finite)]
    return horizontal(PLOT, at)


def _told(edges: Array, shares: Array, unit: Unit) -> str:
    index = int(np.argmax(np.abs(shares[1] - shares[0])))
    told = _bucket_told(edges, index, (float(shares[0][index]), float(shares[1][index])), unit)
    return f"{len(edges)} buckets; they differ most in {told}."
