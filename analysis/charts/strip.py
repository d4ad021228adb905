"""Pods side by side: is it the version, or one bad pod?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.charts.frame import Plot, horizontal, width_of
from analysis.charts.numbers import Unit, level
from analysis.charts.scales import Scale, span_of, ticks
from analysis.charts.svg import drawing, element, line, place, title, words

Array = NDArray[np.float64]

WIDTH = 460.0
PLOT = Plot(left=64, top=8, right=452, bottom=68)
HEIGHT = 90.0
RADIUS = 5.0
# Of a fleet the dots of a side run into each other: only its ends are named, all are drawn.
MOST_NAMED = 40
LONGEST_NAME = 28


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PodLevels:
    """The pods of a side.

    Attributes:
        names: Name of each pod.
        levels: Its level over the window, shape (pods,); NaN where unknown.
    """

    names: Sequence[str]
    levels: Array


def pods_strip(name: str, baseline: PodLevels, canary: PodLevels, unit: Unit = Unit.PLAIN) -> str:
    """Draw every pod's level, a row a side, as SVG; nothing where no pod has one."""
    rows = [("baseline", baseline, "sr-baseline-dot"), ("canary", canary, "sr-canary-dot")]
    if not any(np.isfinite(side.levels).any() for _, side, _ in rows):
        return ""
    low, high = span_of(baseline.levels, canary.levels)
    x = Scale(low=low, high=high, start=PLOT.left, stop=PLOT.right)
    at = [(x.at(mark), level(mark, unit)) for mark in ticks(low, high, 5)]
    return drawing(
        horizontal(PLOT, at),
        *(_row(*row, x, PLOT.top + 14 + 32 * index, unit) for index, row in enumerate(rows)),
        width=WIDTH,
        height=HEIGHT,
        name=f"{name} by pod",
        told=" ".join(_told(side, levels, unit) for side, levels, _ in rows),
    )


def _row(name: str, side: PodLevels, class_: str, x: Scale, y: float, unit: Unit) -> str:
    pods = zip(side.names, side.levels.tolist(), strict=True)
    known = [(pod, value) for pod, value in pods if math.isfinite(value)]
    dots = [
        element("circle", *_named(pod, value, unit, len(known)), cx=x.at(value), r=RADIUS)
        for pod, value in known
    ]
    base = line(PLOT.left, y, PLOT.right, y, "sr-grid")
    drawn = element("g", *dots, class_=class_, transform=f"translate(0 {place(y)})")
    return base + words(name, PLOT.left - 8, y + 4, anchor="end") + drawn + _worst(known, x, y)


def _named(pod: str, value: float, unit: Unit, count: int) -> tuple[str, ...]:
    return (title(f"{pod or 'all'}: {level(value, unit)}"),) if count <= MOST_NAMED else ()


def _worst(known: Sequence[tuple[str, float]], x: Scale, y: float) -> str:
    """Name the pod that stands apart from the others of its side."""
    if (apart := _apart(known)) is None:
        return ""
    pod, value = apart
    text = pod if len(pod) <= LONGEST_NAME else f"…{pod[-LONGEST_NAME:]}"
    half = width_of(text) / 2
    middle = min(max(x.at(value), PLOT.left + half), PLOT.right - half)
    return words(text, middle, y - 9, anchor="middle")


def _apart(known: Sequence[tuple[str, float]]) -> tuple[str, float] | None:
    """Find the pod that is farther from the nearest other than those are from each other."""
    if len(known) < 3:
        return None
    ordered = sorted(known, key=lambda one: one[1])
    values = [value for _, value in ordered]
    below, above = values[1] - values[0], values[-1] - values[-2]
    if above >= below:
        return ordered[-1] if above > values[-2] - values[0] else None
    return ordered[0] if below > values[-1] - values[1] else None


def _told(name: str, side: PodLevels, unit: Unit) -> str:
    known = side.levels[np.isfinite(side.levels)]
    if not len(known):
        return f"No pod of the {name} is known."
    low, high = level(float(known.min()), unit), level(float(known.max()), unit)
    if len(known) == 1:
        return f"The {name}'s one pod is at {low}."
    return f"The {name}'s {len(known)} pods are at {low} to {high}."
