"""What charts have around them: axes with few labels, and a legend that needs no color."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.charts.scales import Scale, ticks, time_ticks
from analysis.charts.svg import box, element, lines, place, words

# An em of the labels, in the drawing's units, and the mean width of a letter in it.
EM = 11.0
LETTER = 0.56 * EM


def width_of(text: str) -> float:
    """Estimate the width of a label in the drawing's units."""
    return LETTER * len(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """The rectangle that holds the data, in the drawing's units, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Its width."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Its height."""
        return self.bottom - self.top

    def shade(self, start: float, stop: float, class_: str) -> str:
        """Shade a stretch of its width."""
        return box(start, self.top, stop - start, self.height, class_)


def vertical(plot: Plot, scale: Scale, told: Callable[[float], str], count: int = 4) -> str:
    """Draw the lines and labels of a vertical axis."""
    at = [(scale.at(mark), told(mark)) for mark in ticks(scale.low, scale.high, count)]
    labels = (words(text, plot.left - 5, y + 4) for y, text in at)
    return lines(((plot.left, y, plot.right, y) for y, _ in at), "sr-grid") + element(
        "g", *labels, text_anchor="end"
    )


def horizontal(plot: Plot, at: Sequence[tuple[float, str]]) -> str:
    """Draw the base line and the labels under it, those left out that would run into others.

    Args:
        plot: Where.
        at: Place and label of each, from left to right.
    """
    drawn = [(plot.left, plot.bottom, plot.right, plot.bottom)]
    labels: list[str] = []
    free_from = 0.0
    for x, text in at:
        half = width_of(text) / 2
        middle = min(max(x, half), plot.right - half + 6)
        if middle - half < free_from:
            continue
        free_from = middle + half + 6
        drawn.append((x, plot.bottom, x, plot.bottom + 4))
        labels.append(words(text, middle, plot.bottom + 15))
    return lines(drawn, "sr-axis") + element("g", *labels, text_anchor="middle")


def clock_axis(plot: Plot, scale: Scale) -> str:
    """Draw a horizontal axis of time."""
    return horizontal(plot, [(scale.at(t), text) for t, text in time_ticks(scale.low, scale.high)])


def legend(entries: Sequence[tuple[str, str]], x: float, y: float) -> str:
    """Draw samples of lines, each with its name.

    Args:
        entries: Class of the line and its name.
        x: Left end.
        y: Base line of the names.
    """
    parts: list[str] = []
    for class_, name in entries:
        parts.append(f'<path d="M{place(x)} {place(y - 4)}h22" class="{class_}"/>')
        parts.append(words(name, x + 27, y))
        x += 27 + width_of(name) + 14
    return "".join(parts)
