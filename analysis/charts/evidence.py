"""Evidence as it gathers, look by look, in parts of what a verdict asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.charts.frame import Plot, clock_axis, legend, vertical
from analysis.charts.scales import Scale, clock
from analysis.charts.svg import drawing, element, line, path_of, words

Array = NDArray[np.float64]

WIDTH, HEIGHT = 460.0, 132.0
PLOT = Plot(left=54, top=24, right=452, bottom=106)
# More than so many times what is asked for adds nothing to the picture.
MOST = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathering:
    """Evidence over looks, each of shape (looks,): 1 is what a verdict asks for.

    Attributes:
        name: What it is evidence about.
        times: When was looked, epoch seconds.
        harm: That the canary is worse than tolerated; NaN where there is none.
        safety: That it is no worse than the margin; NaN where there is none.
    """

    name: str
    times: Array
    harm: Array
    safety: Array


def evidence(shown: Gathering) -> str:
    """Draw how evidence gathered, as SVG; nothing with fewer than two looks."""
    if len(shown.times) < 2:
        return ""
    x = Scale(
        low=float(shown.times[0]), high=float(shown.times[-1]), start=PLOT.left, stop=PLOT.right
    )
    y = Scale(low=0, high=MOST * 1.02, start=PLOT.bottom, stop=PLOT.top)
    lines = [("sr-harm-line", "it is worse", shown.harm)]
    if np.isfinite(shown.safety).any():
        lines.append(("sr-safety-line", "it is fine", shown.safety))
    return drawing(
        vertical(PLOT, y, lambda value: f"{100 * value:.0f} %", count=2),
        line(PLOT.left, y.at(1), PLOT.right, y.at(1), "sr-bound"),
        words("enough for a verdict", PLOT.right, y.at(1) - 4, anchor="end"),
        *(_line(values, class_, x, y, shown.times) for class_, _, values in lines),
        clock_axis(PLOT, x),
        legend([(class_, f"evidence that {name}") for class_, name, _ in lines], PLOT.left, 13),
        width=WIDTH,
        height=HEIGHT,
        name=f"Evidence about {shown.name} over time",
        told=" ".join(_told(name, values, shown.times) for _, name, values in lines),
    )


def _line(values: Array, class_: str, x: Scale, y: Scale, times: Array) -> str:
    held = np.clip(values, 0.0, MOST)
    return element("path", d=path_of(x.all_at(times), y.all_at(held)), class_=f"sr-line {class_}")


def _told(name: str, values: Array, times: Array) -> str:
    enough = np.flatnonzero(np.nan_to_num(values) >= 1)
    if len(enough):
        return f"Evidence that {name} sufficed from {clock(float(times[enough[0]]))} on."
    most = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
    return f"Evidence that {name} reached {100 * max(most, 0.0):.0f} % of what a verdict asks for."
