"""One estimate, read like a gauge: where it stands, how sure that is, and where harm begins."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from analysis.charts.frame import width_of
from analysis.charts.scales import Scale
from analysis.charts.svg import box, drawing, element, line, lines, place, words

WIDTH, HEIGHT, SMALL_HEIGHT = 320.0, 88.0, 22.0
LEFT, RIGHT = 10.0, 310.0
TOP, BOTTOM = 22.0, 48.0
# The axis reaches at most so many times the outermost limit: what lies beyond is far beyond, and
# a limit must stay to be seen.
FARTHEST = 6.0
# Around the limits, as a part of their distance from no change.
ROOM = 0.7
# Least room of a limit whose distance is nothing, on the working scale.
LEAST = 0.01

# Lower and upper end of what is allowed, or of what may be; `None` where a side has none.
Ends = tuple[float | None, float | None]
FREE: Ends = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """What a gauge shows, all of it on the scale of the estimate.

    Attributes:
        name: What is estimated.
        value: The estimate; `None` where there is none.
        interval: Its confidence interval; `None` where it has none.
        neutral: Where the canary is like the baseline; `None` on a scale that knows no baseline.
        tolerance: Beyond it lies harm that fails.
        margin: Within it harm must lie for a pass; `None` where there is no second limit.
        is_ratio: Whether equal distances are equal ratios.
        told: Writes a value.
    """

    name: str
    value: float | None
    interval: Ends | None
    neutral: float | None
    tolerance: Ends
    margin: Ends | None
    is_ratio: bool
    told: Callable[[float], str]


def gauge(shown: Gauge) -> str:
    """Draw the estimate with its interval against tolerance and margin, as SVG.

    Nothing where there is no estimate, or none on the scale.
    """
    if (axis := _axis(shown)) is None:
        return ""
    return drawing(
        _zones(shown, axis, TOP, BOTTOM),
        _limits(shown, axis),
        _reading(shown, axis, (TOP + BOTTOM) / 2),
        _value(shown, axis),
        width=WIDTH,
        height=HEIGHT,
        name=f"{shown.name} against its limits",
        told=_told(shown),
        class_="sr-gauge",
    )


def small_gauge(shown: Gauge) -> str:
    """Draw the same without words, for a row of a table; nothing where there is no estimate."""
    if (axis := _axis(shown)) is None:
        return ""
    return drawing(
        _zones(shown, axis, 3, SMALL_HEIGHT - 3),
        _reading(shown, axis, SMALL_HEIGHT / 2),
        width=WIDTH,
        height=SMALL_HEIGHT,
        name=f"{shown.name} against its limits",
        told="",
        class_="sr-gauge sr-small",
    )


# ---- the axis


def _axis(shown: Gauge) -> Scale | None:
    """Choose the axis: around the limits, and as far as the interval reaches within reason."""
    value = shown.value
    limits = [end for end in shown.margin or shown.tolerance if end is not None]
    if value is None or not limits or (shown.is_ratio and value <= 0):
        return None
    to, back = (math.log, math.exp) if shown.is_ratio else (float, float)
    middle = to(shown.neutral) if shown.neutral is not None else _middle(limits)
    bounds = [to(limit) for limit in _on_scale(shown, limits)]
    reach = max((abs(bound - middle) for bound in bounds), default=0.0)
    reach = reach or max(abs(to(value) - middle), abs(middle) * LEAST, LEAST)
    seen = [to(one) for one in _on_scale(shown, (value, *(shown.interval or FREE)))]
    low, high = (_end(middle, reach, [*bounds, *seen], sign) for sign in (-1, 1))
    ends = back(low), back(high)
    if not all(map(math.isfinite, ends)) or ends[0] >= ends[1] or (shown.is_ratio and ends[0] <= 0):
        return None
    return Scale(low=ends[0], high=ends[1], start=LEFT, stop=RIGHT, is_log=shown.is_ratio)


def _end(middle: float, reach: float, wanted: list[float], sign: int) -> float:
    """Give one end of the axis: beyond what is wanted there, but no farther than the farthest."""
    farthest = max([sign * (one - middle) for one in wanted], default=0.0)
    return middle + sign * min(max(farthest, 0.0) + ROOM * reach, FARTHEST * reach)


def _middle(limits: list[float]) -> float:
    """Give what a fixed bound is measured from: zero, or the middle of two."""
    return 0.0 if len(limits) == 1 else limits[0] / 2 + limits[1] / 2


def _on_scale(shown: Gauge, values: Iterable[float | None]) -> list[float]:
    """Give of some values those that can be on the axis at all."""
    known = [one for one in values if one is not None and math.isfinite(one)]
    return [one for one in known if one > 0 or not shown.is_ratio]


# ---- the drawing


def _zones(shown: Gauge, axis: Scale, top: float, bottom: float) -> str:
    """Shade what is harm, what is tolerated, and what lies between tolerance and margin."""
    parts = [box(LEFT, top, RIGHT - LEFT, bottom - top, "sr-harm")]
    for ends, class_ in ((shown.margin, "sr-between"), (shown.tolerance, "sr-tolerated")):
        if ends is not None:
            start = LEFT if ends[0] is None else axis.at(ends[0])
            stop = RIGHT if ends[1] is None else axis.at(ends[1])
            parts.append(box(start, top, stop - start, bottom - top, class_))
    if shown.neutral is not None:
        at = axis.at(shown.neutral)
        parts.append(line(at, top, at, bottom, "sr-neutral"))
    return "".join(parts)


def _limits(shown: Gauge, axis: Scale) -> str:
    """Name the limits under the gauge: margins outwards in the first row, tolerances below."""
    rows = [("tolerance" if shown.margin else "limit", shown.tolerance, BOTTOM + 31)]
    if shown.margin is not None and shown.margin != shown.tolerance:
        rows.insert(0, ("margin", shown.margin, BOTTOM + 16))
    parts = [
        _limit(f"{name} {shown.told(end)}", axis.at(end), y, sign)
        for name, ends, y in rows
        for end, sign in zip(ends, (-1, 1), strict=True)
        if end is not None and axis.holds(end)
    ]
    if shown.neutral is not None:
        outward = [sign for end, sign in zip(shown.tolerance, (-1, 1), strict=True) if end]
        sign = 0 if len(outward) != 1 else -outward[0]
        parts.append(_limit("no change", axis.at(shown.neutral), BOTTOM + 16, sign))
    return "".join(parts)


def _limit(text: str, x: float, y: float, sign: int) -> str:
    """Write a name beside its tick: to the right (+1), to the left (-1) or under it (0)."""
    width = width_of(text)
    left = {1: x - 3, 0: x - width / 2, -1: x + 3 - width}[sign]
    left = min(max(left, 0.0), WIDTH - width)
    return line(x, BOTTOM, x, y - 9, "sr-tick") + words(text, left, y)


def _reading(shown: Gauge, axis: Scale, y: float) -> str:
    """Draw interval and estimate; an arrow where either goes on beyond the axis."""
    assert shown.value is not None  # noqa: S101 - there is no axis without a value
    at = axis.at(shown.value)
    parts = []
    if shown.interval is not None:
        lower, upper = shown.interval
        start = LEFT if lower is None else axis.at(lower)
        stop = RIGHT if upper is None else axis.at(upper)
        parts.append(line(start, y, stop, y, "sr-interval"))
        tips = (
            (start, -1, lower is None or lower < axis.low),
            (stop, 1, upper is None or upper > axis.high),
        )
        parts += [_arrow(x, y, sign) for x, sign, is_open in tips if is_open]
        closed = ((x, y - 6, x, y + 6) for x, _, is_open in tips if not is_open)
        parts.append(lines(closed, "sr-interval-end"))
    if axis.holds(shown.value):
        d = f"M{place(at)} {place(y - 7)}l7 7l-7 7l-7 -7Z"
        parts.append(element("path", d=d, class_="sr-estimate"))
    else:
        parts.append(_arrow(at, y, 1 if shown.value > axis.high else -1))
    return "".join(parts)


def _arrow(x: float, y: float, sign: int) -> str:
    """Tell that something goes on."""
    d = f"M{place(x + sign * 7)} {place(y)}l{-sign * 9}-6v12Z"
    return element("path", d=d, class_="sr-arrow")


def _value(shown: Gauge, axis: Scale) -> str:
    """Write the estimate above its place."""
    assert shown.value is not None  # noqa: S101 - there is no axis without a value
    text = shown.told(shown.value) + _spread(shown)
    half = width_of(text) * 0.54
    x = min(max(axis.at(shown.value), half), WIDTH - half)
    return words(text, x, TOP - 7, "sr-value", "middle")


def _spread(shown: Gauge) -> str:
    lower, upper = shown.interval or FREE
    if lower == upper:
        return ""
    if lower is None or upper is None:
        return f" ({f'up to {shown.told(upper)}' if upper is not None else _or_more(shown, lower)})"
    return f" ({shown.told(lower)} to {shown.told(upper)})"


def _or_more(shown: Gauge, lower: float | None) -> str:
    return "" if lower is None else f"{shown.told(lower)} or more"


def _told(shown: Gauge) -> str:
    """Say in words what the gauge shows."""
    assert shown.value is not None  # noqa: S101 - there is no axis without a value
    limits = [("tolerance" if shown.margin else "allowed", shown.tolerance)]
    if shown.margin is not None:
        limits.append(("margin", shown.margin))
    told = "; ".join(f"{name} {_allowed(ends, shown)}" for name, ends in limits)
    return f"Estimate {shown.told(shown.value)}{_spread(shown)}; {told}."


def _allowed(ends: Ends, shown: Gauge) -> str:
    lower, upper = ends
    if lower is None:
        return "any" if upper is None else f"up to {shown.told(upper)}"
    if upper is None:
        return f"from {shown.told(lower)}"
    return f"{shown.told(lower)} to {shown.told(upper)}"
