"""Both sides over time: what was judged, what was warm-up, when was looked, where is nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.charts.frame import Plot, clock_axis, legend, vertical
from analysis.charts.numbers import Unit, level
from analysis.charts.scales import Scale, clock, span_of
from analysis.charts.svg import area_of, drawing, element, line, lines, path_of, words
from analysis.charts.thinning import Thinned, thinned

Array = NDArray[np.float64]

WIDTH, HEIGHT = 460.0, 168.0
PLOT = Plot(left=54, top=24, right=452, bottom=142)
# A place for every six units of width: not much more than a line is broad.
MOST_PLACES = 66
# Within less than this a clock without seconds says too little.
SHORT_S = 1800.0
SIDES = (("baseline", "sr-baseline"), ("canary", "sr-canary"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """What a chart over time shows.

    Attributes:
        name: What is counted.
        times: Ends of the steps, epoch seconds, shape (steps,).
        baseline: Shape (steps,), NaN where nothing is known.
        canary: The same of the canary.
        start: When the canary began to be observed: before the first step lies the warm-up.
        judged_from: Begin of the first step, epoch seconds.
        unit: What levels are counted in.
        bounds: Fixed bounds that the canary must keep to, each with its name.
        looks: When was looked at what was there by then, epoch seconds.
        decided: The look at which the verdict was reached.
    """

    name: str
    times: Array
    baseline: Array
    canary: Array
    start: float
    judged_from: float
    unit: Unit = Unit.PLAIN
    bounds: Sequence[tuple[float, str]] = field(default=())
    looks: Sequence[float] = field(default=())
    decided: float | None = None


def timeline(shown: Timeline) -> str:
    """Draw both sides over time, as SVG; nothing where there is no step."""
    if len(shown.times) == 0:
        return ""
    sides = [
        thinned(shown.times, side, MOST_PLACES)
        for side in (
            _of_steps(shown.baseline, len(shown.times)),
            _of_steps(shown.canary, len(shown.times)),
        )
    ]
    x, y = _axes(shown, sides)
    return drawing(
        _background(shown, x),
        vertical(PLOT, y, lambda value: level(value, shown.unit)),
        clock_axis(PLOT, x),
        _bounds(shown, y),
        *(_side(side, class_, x, y) for side, (_, class_) in zip(sides, SIDES, strict=True)),
        _looks(shown, x),
        legend([(class_, name) for name, class_ in reversed(SIDES)], PLOT.left, 13),
        width=WIDTH,
        height=HEIGHT,
        name=f"{shown.name} over time",
        told=_told(shown),
    )


def _of_steps(side: Array, steps: int) -> Array:
    """Give a side as many steps as there are times: none at all is known of one that is missing."""
    return side if len(side) == steps else np.full(steps, np.nan)


def _axes(shown: Timeline, sides: Sequence[Thinned]) -> tuple[Scale, Scale]:
    first = min(shown.start, shown.judged_from)
    x = Scale(low=first, high=float(shown.times[-1]), start=PLOT.left, stop=PLOT.right)
    bounds = np.array([bound for bound, _ in shown.bounds])
    low, high = span_of(*(end for side in sides for end in (side.low, side.high)), bounds)
    return x, Scale(low=low, high=high, start=PLOT.bottom, stop=PLOT.top)


def _background(shown: Timeline, x: Scale) -> str:
    """Shade the warm-up, and name it where there is room."""
    parts = []
    begin, end = x.at(shown.start), x.at(shown.judged_from)
    if end - begin >= 1:
        parts.append(PLOT.shade(begin, end, "sr-warmup"))
    if end - begin >= 52:
        parts.append(words("warm-up", (begin + end) / 2, PLOT.top + 13, anchor="middle"))
    return "".join(parts)


def _side(side: Thinned, class_: str, x: Scale, y: Scale) -> str:
    across = x.all_at(side.times)
    middle, low, high = (y.all_at(one) for one in (side.middle, side.low, side.high))
    line_ = element("path", d=path_of(across, middle) or "M0 0", class_=f"sr-line {class_}")
    if not side.is_thinned:
        return line_
    spread = element("path", d=area_of(across, low, high) or "M0 0", class_=f"{class_}-spread")
    return spread + line_


def _bounds(shown: Timeline, y: Scale) -> str:
    return "".join(
        line(PLOT.left, y.at(bound), PLOT.right, y.at(bound), "sr-bound")
        + words(name, PLOT.right, y.at(bound) - 4, anchor="end")
        for bound, name in shown.bounds
    )


def _looks(shown: Timeline, x: Scale) -> str:
    """Tick each look, and tell the one that decided."""
    at = [x.at(look) for look in shown.looks]
    ticks_ = lines(((t, PLOT.bottom - 4, t, PLOT.bottom) for t in at), "sr-look")
    return ticks_ + ("" if shown.decided is None else _decided(shown.decided, x))


def _decided(when: float, x: Scale) -> str:
    at = x.at(when)
    is_late = at > (PLOT.left + PLOT.right) / 2
    text = f"decided {clock(when, with_seconds=x.high - x.low < SHORT_S)}"
    name = words(
        text, at - 4 if is_late else at + 4, PLOT.top + 9, anchor="end" if is_late else "start"
    )
    return line(at, PLOT.top, at, PLOT.bottom, "sr-decided") + name


def _told(shown: Timeline) -> str:
    """Say in words what the lines show."""
    sides = zip(SIDES, (shown.baseline, shown.canary), strict=True)
    return " ".join(_side_told(name, side, shown.unit) for (name, _), side in sides)


def _side_told(name: str, side: Array, unit: Unit) -> str:
    known = side[np.isfinite(side)]
    if not len(known):
        return f"The {name} has no data."
    mean = float(np.sum(known / len(known)))
    low, high = level(float(known.min()), unit), level(float(known.max()), unit)
    gaps = len(side) - len(known)
    missing = f", {gaps} of {len(side)} steps unknown" if gaps else ""
    return f"The {name} is {level(mean, unit)} on average, {low} to {high}{missing}."
