"""Both sides in the height of a line of text: the shape, without an axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.charts.scales import Scale, span_of
from analysis.charts.svg import drawing, element, path_of
from analysis.charts.thinning import thinned

Array = NDArray[np.float64]

WIDTH, HEIGHT = 120.0, 24.0
MOST_PLACES = 40


def sparkline(baseline: Array, canary: Array, *, name: str) -> str:
    """Draw the shape of both sides, as SVG; nothing where nothing is known.

    Args:
        baseline: Shape (steps,), NaN where nothing is known; empty for one side alone.
        canary: The same of the canary.
        name: What is counted.
    """
    sides = [(baseline, "sr-baseline"), (canary, "sr-canary")]
    known = [side[np.isfinite(side)] for side, _ in sides]
    if not any(len(one) for one in known):
        return ""
    low, high = span_of(*known)
    y = Scale(low=low, high=high, start=HEIGHT - 2, stop=2)
    return drawing(
        *(_line(side, class_, y) for side, class_ in sides if np.isfinite(side).any()),
        width=WIDTH,
        height=HEIGHT,
        name=f"{name} over time",
        told="",
        class_="sr-small",
    )


def _line(side: Array, class_: str, y: Scale) -> str:
    # Its means: a shape of forty places has no room for a spread.
    few = thinned(np.arange(len(side), dtype=np.float64), side, MOST_PLACES)
    across = np.linspace(2, WIDTH - 2, len(few.middle))
    return element("path", d=path_of(across, y.all_at(few.middle)), class_=f"sr-line {class_}")
