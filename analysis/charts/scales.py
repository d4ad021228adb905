"""From values to places, and where an axis is labeled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Distances of time labels, in seconds: what a clock shows as round.
ROUND_TIMES = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600 * hours for hours in (1, 2, 3, 6, 12)),
    *(86_400 * days for days in (1, 2, 7, 14, 28)),
)
DAY_S = 86_400
# Part of the span that stays free above and below.
ROOM = 0.08
# Values so near zero, as a part of the largest, that the axis may as well begin there.
NEAR_ZERO = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis.

    Attributes:
        low: Value at `start`.
        high: Value at `stop`.
        start: Place of `low`, in the drawing's units.
        stop: Place of `high`.
        is_log: Whether equal distances are equal ratios; both values are then positive.
    """

    low: float
    high: float
    start: float
    stop: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """Give the place of a value; outside of the axis it is the end of it."""
        share = self._share(value)
        return self.start + min(max(share, 0.0), 1.0) * (self.stop - self.start)

    def all_at(self, values: Array) -> Array:
        """Give the places of values, shape (n,), not held within the axis; NaN stays NaN."""
        # Halved: the distance of two doubles may not fit a double.
        span = self.high / 2 - self.low / 2
        places: Array = self.start + (values / 2 - self.low / 2) / span * (self.stop - self.start)
        return places

    def holds(self, value: float) -> bool:
        """Tell whether a value lies on the axis."""
        return self.low <= value <= self.high

    def _share(self, value: float) -> float:
        if self.is_log:
            if value <= 0:
                return 0.0
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)


def span_of(*values: Array, floor: float | None = None) -> tuple[float, float]:
    """Choose the ends of an axis for values: from 0 where that costs little, with some room.

    Args:
        *values: Arrays of any shape, NaN where nothing is known.
        floor: Least distance of the ends, where all values are nearly the same.
    """
    known = np.concatenate([one[np.isfinite(one)].ravel() for one in values])
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    if 0 <= low <= NEAR_ZERO * high or low == high == 0:
        low = 0.0
    if -NEAR_ZERO * abs(low) <= high < 0:
        high = 0.0
    least = floor if floor is not None else max(abs(low), abs(high)) * 1e-6 or 1.0
    room = max(high / 2 - low / 2, least / 2) * 2 * ROOM
    room = room if math.isfinite(high + room) and math.isfinite(low - room) else 0.0
    return (low if low == 0 else low - room), (high if high == 0 < -low else high + room)


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Give about `count` round values between two others.

    Examples:
        >>> ticks(0, 0.0087)
        [0.0, 0.0025, 0.005, 0.0075]
    """
    span = high - low
    if not (0 < span < math.inf):
        return [low]
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def time_ticks(start: float, end: float, count: int = 5) -> list[tuple[float, str]]:
    """Give round times between two instants, epoch seconds, with their labels in UTC."""
    span = end - start
    step = next((s for s in ROUND_TIMES if span / s <= count), ROUND_TIMES[-1])
    first = math.ceil(start / step)
    places = [k * step for k in range(first, math.floor(end / step) + 1)]
    return [
        (float(at), clock(at, with_seconds=step < 60, with_date=step >= DAY_S)) for at in places
    ]


def clock(epoch_s: float, *, with_seconds: bool = False, with_date: bool = False) -> str:
    """Write an instant as a clock in UTC shows it."""
    form = "%b %d" if with_date else "%H:%M:%S" if with_seconds else "%H:%M"
    return datetime.fromtimestamp(epoch_s, tz=UTC).strftime(form)
