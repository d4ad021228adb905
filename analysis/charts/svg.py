"""SVG as text: elements, escaped words, paths with gaps. Nothing here knows what is drawn."""

from __future__ import annotations

import html
import re

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# No document may hold these, escaped or not.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def escaped(text: str) -> str:
    """Make others' words fit to stand in markup, as text or within quotes."""
    return html.escape(UNWRITABLE.sub("\ufffd", text), quote=True)


def place(value: float) -> str:
    """Write a coordinate: a tenth of a unit is finer than any eye.

    Examples:
        >>> place(12.04), place(7.25), place(-0.01)
        ('12', '7.2', '0')
    """
    text = f"{value:.1f}"
    return "0" if text == "-0.0" else text.removesuffix(".0")


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


def words(text: str, x: float, y: float, class_: str = "sr-label", anchor: str = "start") -> str:
    """Write a text at a place; `anchor` is `start`, `middle` or `end`."""
    where = None if anchor == "start" else anchor
    return element("text", escaped(text), x=x, y=y, class_=class_, text_anchor=where)


def title(text: str) -> str:
    """Name the element around it, for a pointer that rests there and for those who listen."""
    return element("title", escaped(text))


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """Draw a straight line."""
    d = f"M{place(x1)} {place(y1)}"
    across = f"H{place(x2)}" if y1 == y2 else f"V{place(y2)}" if x1 == x2 else ""
    return element("path", d=d + (across or f"L{place(x2)} {place(y2)}"), class_=class_)


def box(left: float, top: float, width: float, height: float, class_: str, *inner: str) -> str:
    """Draw a rectangle."""
    shape = {"x": left, "y": top, "width": max(width, 0.0), "height": max(height, 0.0)}
    return element("rect", *inner, **shape, class_=class_)


def path_of(x: Array, y: Array) -> str:
    """Give the path through the points; a NaN interrupts it, a lone point becomes a dot.

    Args:
        x: Shape (n,), finite.
        y: Shape (n,), NaN where nothing is known.
    """
    parts: list[str] = []
    is_known = np.isfinite(y).tolist()
    is_down = False
    for known, next_known, px, py in zip(
        is_known, [*is_known[1:], False], x.tolist(), y.tolist(), strict=True
    ):
        if known:
            parts.append(f"{'L' if is_down else 'M'}{place(px)} {place(py)}")
            # A round cap makes a line without length a dot.
            parts += ["h0"] if not is_down and not next_known else []
        is_down = known
    return "".join(parts)


def area_of(x: Array, low: Array, high: Array) -> str:
    """Give the outline between two series, each stretch without NaN closed by itself."""
    known = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(int)))
    outlines: list[str] = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        there = zip(x[start:stop].tolist(), high[start:stop].tolist(), strict=True)
        back = zip(x[start:stop][::-1].tolist(), low[start:stop][::-1].tolist(), strict=True)
        corners = [f"{place(px)} {place(py)}" for px, py in (*there, *back)]
        outlines.append(f"M{'L'.join(corners)}Z")
    return "".join(outlines)


def drawing(
    *parts: str, width: float, height: float, name: str, told: str, class_: str = ""
) -> str:
    """Put a drawing together, which grows with the room it is given.

    Args:
        *parts: Markup inside.
        width: Width in the drawing's own units; about pixels on a telephone.
        height: Height in the same.
        name: What it shows, in a few words.
        told: The same in words, for those who do not see it.
        class_: Further classes.
    """
    # The name is an attribute as well: a reader of screens takes that, and no tooltip covers
    # the whole drawing. A description by id would have to be unique on a page with many of them.
    return element(
        "svg",
        element("desc", escaped(told)),
        *parts,
        class_=f"sr-chart {class_}".strip(),
        viewBox=f"0 0 {place(width)} {place(height)}",
        role="img",
        aria_label=f"{name}. {told}",
        xmlns="http://www.w3.org/2000/svg",
    )
