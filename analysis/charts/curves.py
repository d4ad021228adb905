"""Any lines or points over two axes: trade-offs, error rates, histories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.charts.frame import Plot, horizontal, legend, vertical
from analysis.charts.numbers import level
from analysis.charts.scales import Scale, span_of, ticks
from analysis.charts.svg import drawing, element, line, path_of, title, words

Array = NDArray[np.float64]

WIDTH, HEIGHT = 460.0, 280.0
PLOT = Plot(left=60, top=28, right=452, bottom=236)
# Line styles, not only colors, tell so many curves apart.
MOST_STYLES = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """One line or cloud of points.

    Attributes:
        name: What it shows; stands in the legend.
        x: Shape (n,), finite.
        y: Shape (n,), NaN where nothing is known.
        labels: What each point is, shown while a pointer rests on it; none draws no points.
        is_joined: Whether the points are joined, in the order given.
    """

    name: str
    x: Array
    y: Array
    labels: Sequence[str] = field(default=())
    is_joined: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One of the two axes.

    Attributes:
        name: What is along it.
        told: Writes a value.
        span: Its ends; `None` to fit them to the data.
        limit: A value that matters, drawn across; `None` for none.
    """

    name: str
    told: Callable[[float], str] = level
    span: tuple[float, float] | None = None
    limit: float | None = None


def curves(name: str, shown: Sequence[Curve], across: Axis, up: Axis) -> str:
    """Draw lines or points over two axes, as SVG.

    Args:
        name: What the chart shows, in a few words.
        shown: At most as many as there are line styles.
        across: The horizontal axis.
        up: The vertical axis.

    Raises:
        ValueError: There are more curves than line styles.
    """
    if len(shown) > MOST_STYLES:
        raise ValueError(
            f"{len(shown)} curves, but {MOST_STYLES} line styles; draw several charts instead"
        )
    low, high = across.span or span_of(*(curve.x for curve in shown))
    x = Scale(low=low, high=high, start=PLOT.left, stop=PLOT.right)
    low, high = up.span or span_of(*(curve.y for curve in shown))
    y = Scale(low=low, high=high, start=PLOT.bottom, stop=PLOT.top)
    return drawing(
        vertical(PLOT, y, up.told),
        horizontal(PLOT, [(x.at(mark), across.told(mark)) for mark in ticks(x.low, x.high, 5)]),
        _limits(across, up, x, y),
        *(_curve(curve, f"sr-curve-{place}", x, y) for place, curve in enumerate(shown, 1)),
        legend([(f"sr-curve-{k}", one.name) for k, one in enumerate(shown, 1)], PLOT.left, 13),
        words(across.name, PLOT.right, HEIGHT - 8, anchor="end"),
        words(f"↑ {up.name}", 0, HEIGHT - 8),
        width=WIDTH,
        height=HEIGHT,
        name=name,
        told=f"{up.name} over {across.name}. " + " ".join(_told(one, up) for one in shown),
    )


def _limits(across: Axis, up: Axis, x: Scale, y: Scale) -> str:
    parts = []
    if across.limit is not None and x.holds(across.limit):
        parts.append(
            line(x.at(across.limit), PLOT.top, x.at(across.limit), PLOT.bottom, "sr-bound")
        )
    if up.limit is not None and y.holds(up.limit):
        parts.append(line(PLOT.left, y.at(up.limit), PLOT.right, y.at(up.limit), "sr-bound"))
    return "".join(parts)


def _curve(curve: Curve, class_: str, x: Scale, y: Scale) -> str:
    across, up = x.all_at(curve.x), y.all_at(curve.y)
    parts = []
    if curve.is_joined and len(across):
        parts.append(element("path", d=path_of(across, up), class_=f"sr-line {class_}"))
    parts += [
        element("circle", title(label), cx=px, cy=py, r=4, class_=f"{class_}-dot")
        for label, px, py in zip(
            curve.labels, across.tolist(), up.tolist(), strict=bool(curve.labels)
        )
        if np.isfinite(py)
    ]
    return "".join(parts)


def _told(curve: Curve, up: Axis) -> str:
    known = curve.y[np.isfinite(curve.y)]
    if not len(known):
        return f"{curve.name}: nothing known."
    return f"{curve.name}: {up.told(float(known.min()))} to {up.told(float(known.max()))}."
