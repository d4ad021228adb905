"""SVG as text: elements, escaped words, paths with gaps. Nothing here knows what is drawn."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# No document may hold these, escaped or not.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def escaped(text: str) -> str:
    """Make others' words fit to stand in markup, as text or within quotes."""
    return html.escape(UNWRITABLE.sub("\ufffd", text), quote=True)


def place(value: float) -> str:
    """Write a coordinate in whole units, about pixels: what is equal stays equal, the order too.

    Examples:
        >>> place(12.04), place(7.7), place(-0.01)
        ('12', '8', '0')
    """
    return f"{round(value)}"


def element(name: str, *children: str, **attributes: str | float | None) -> str:
    """Write an element.

    Args:
        name: Its tag.
        *children: Markup inside.
        **attributes: Numbers are coordinates; `None` leaves one out; `class_` is `class`, and an
            underscore within a name a dash.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(children)
    return f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>"


def _value(value: str | float) -> str:
    return escaped(value) if isinstance(value, str) else place(value)


def words(text: str, x: float, y: float, class_: str | None = None, anchor: str = "start") -> str:
    """Write a text at a place; `anchor` is `start`, `middle` or `end`."""
    where = None if anchor == "start" else anchor
    return element("text", escaped(text), x=x, y=y, class_=class_, text_anchor=where)


def title(text: str) -> str:
    """Name the element around it, for a pointer that rests there and for those who listen."""
    return element("title", escaped(text))


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """Draw a straight line."""
    return lines([(x1, y1, x2, y2)], class_)


def lines(ends: Iterable[tuple[float, float, float, float]], class_: str) -> str:
    """Draw straight lines alike, as one element; nothing where there are none."""
    d, at = "", (0, 0)
    for one in ends:
        x1, y1, x2, y2 = map(round, one)
        # From where the line before ended it is often fewer characters than from the corner.
        near = f"m{_pair(x1 - at[0], y1 - at[1])}"
        d += min(f"M{_pair(x1, y1)}", near, key=len) if d else f"M{_pair(x1, y1)}"
        d += f"h{x2 - x1}" if y1 == y2 else f"v{y2 - y1}" if x1 == x2 else f"L{_pair(x2, y2)}"
        at = (x2, y2)
    return element("path", d=d, class_=class_) if d else ""


def _pair(x: int, y: int) -> str:
    """Write two numbers; a minus parts them as well as a blank does."""
    return f"{x}{y}" if y < 0 else f"{x} {y}"


def box(left: float, top: float, width: float, height: float, class_: str, *inner: str) -> str:
    """Draw a rectangle."""
    # Of whole ends, not of a whole length: beside a line at its end it must not end elsewhere.
    x, y, right, bottom = map(round, (left, top, left + max(width, 0.0), top + max(height, 0.0)))
    # As a path: a fifth shorter than as a rectangle, and there are many.
    return element("path", *inner, d=f"M{x} {y}H{right}V{bottom}H{x}Z", class_=class_)


def path_of(x: Array, y: Array) -> str:
    """Give the path through the points; a NaN interrupts it, a lone point becomes a dot.

    Args:
        x: Shape (n,), finite.
        y: Shape (n,), NaN where nothing is known.

    Examples:
        >>> path_of(np.array([0.0, 3.0, 6.0]), np.array([10.0, 8.5, np.nan]))
        'M0 10l3-1.5'
    """
    known = np.isfinite(y)
    return "".join(
        # A round cap makes a line without length a dot.
        _joined(x[start:stop], y[start:stop]) + ("h0" if stop - start == 1 else "")
        for start, stop in _stretches(known)
    )


def area_of(x: Array, low: Array, high: Array) -> str:
    """Give the outline between two series, each stretch without NaN closed by itself.

    It is told in whole units: an area has no edge that anybody reads.
    """
    known = np.isfinite(low) & np.isfinite(high)
    x, low, high = np.round(x), np.floor(low), np.ceil(high)
    return "".join(
        _joined(
            np.concatenate((x[start:stop], x[start:stop][::-1])),
            np.concatenate((high[start:stop], low[start:stop][::-1])),
        )
        + "Z"
        for start, stop in _stretches(known)
    )


def _stretches(known: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Give begin and end of every run of known points."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(int))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _joined(x: Array, y: Array) -> str:
    """Join points by lines, told from one to the next: exact to a unit across, half a unit up."""
    points = np.stack((2 * np.round(x), np.round(2 * y)), axis=1).astype(int)
    points = points[~_within_level(points[:, 1])]
    begin, *_ = points.tolist()
    steps = [_halves(step) for step in np.diff(points, axis=0).ravel().tolist()]
    text = f"M{_halves(begin[0])} {_halves(begin[1])}"
    # A minus parts two numbers as well as a blank does.
    return text + ("l" + " ".join(steps).replace(" -", "-") if steps else "")


def _within_level(y: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Tell the points that lie on a level line between two others: it is the same without them."""
    is_level = np.diff(y) == 0
    within = np.zeros(len(y), dtype=bool)
    within[1:-1] = is_level[:-1] & is_level[1:]
    return within


@lru_cache(maxsize=4096)
def _halves(count: int) -> str:
    half = ".5" if count % 2 else ""
    whole = str(abs(count) // 2)
    sign = "-" if count < 0 else ""
    return sign + (half if half and whole == "0" else whole + half)


def drawing(
    *parts: str, width: float, height: float, name: str, told: str, class_: str = ""
) -> str:
    """Put a drawing together, which grows with the room it is given.

    Args:
        *parts: Markup inside.
        width: Width in the drawing's own units; about pixels on a telephone.
        height: Height in the same.
        name: What it shows, in a few words.
        told: The same in words, for those who do not see it; empty where they stand beside it.
        class_: Further classes.
    """
    # A label, not a title: no tooltip covers the drawing. Not a description by id either, which
    # would have to be unique on a page with many drawings.
    return element(
        "svg",
        *parts,
        class_=f"sr-chart {class_}".strip(),
        viewBox=f"0 0 {place(width)} {place(height)}",
        role="img",
        aria_label=f"{name}. {told}".removesuffix(". "),
    )
