"""The time that is judged, cut into steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analysis.config.fields import format_duration
from analysis.errors import TooEarlyError

Array = NDArray[np.float64]

# Twelve days in steps of 10 s: anything longer is a start or a step that was not meant.
MOST_STEPS = 100_000
# In steps: 2e9 s divided by a step of 1 ms is known to a four-thousandth.
ROUNDING = 1e-3
_WRITTEN = "%Y-%m-%d %H:%M:%S %Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time and the grid of steps laid over its judged part.

    The grid lies on multiples of the step, so that every look at the same rollout, both sides and
    a server's cache agree on it; the last, incomplete step is left out.

    Attributes:
        start: When the canary began to be observed, epoch seconds.
        end: Newest data that is used, epoch seconds.
        warmup_s: Seconds after `start` that are not judged.
        step_s: Length of a step in seconds.
    """

    start: float
    end: float
    warmup_s: float
    step_s: float

    @property
    def edges(self) -> Array:
        """The bounds of the steps, epoch seconds, shape (steps + 1,)."""
        return _edges(*self._places(), self.step_s)

    @property
    def steps(self) -> int:
        """Number of whole steps."""
        first, last = self._places()
        return last - first

    @property
    def judged_s(self) -> float:
        """Seconds covered by the steps."""
        return self.steps * self.step_s

    def earlier(self, offset_s: float) -> Window:
        """Give the same stretch `offset_s` seconds earlier, in whole steps on the same grid."""
        return replace(self, start=self.start - offset_s, end=self.end - offset_s)

    def before(self, length_s: float) -> Window:
        """Give the stretch of `length_s` seconds before this one, in steps as long, all of it."""
        return Window(start=self.start - length_s, end=self.start, warmup_s=0.0, step_s=self.step_s)

    def _places(self) -> tuple[int, int]:
        return _places(self.start + self.warmup_s, self.end, self.step_s)


@lru_cache(maxsize=64)  # every query of a look asks for the same
def _places(start: float, end: float, step_s: float) -> tuple[int, int]:
    """Give the first and the last edge, counted in steps since 1970."""
    first = math.ceil(start / step_s - ROUNDING)
    return first, max(math.floor(end / step_s + ROUNDING), first)


@lru_cache(maxsize=64)
def _edges(first: int, last: int, step_s: float) -> Array:
    edges = np.arange(first, last + 1, dtype=np.float64) * step_s
    edges.flags.writeable = False
    return edges


def as_datetime(epoch_s: float) -> datetime:
    """Give epoch seconds as an aware datetime in UTC."""
    return datetime.fromtimestamp(epoch_s, tz=UTC)


def parse_instant(text: str) -> datetime:
    """Read an instant: RFC 3339 with its offset from UTC, or epoch seconds.

    Raises:
        ValueError: The text is no instant, or lacks its offset.
        OverflowError: It lies beyond all dates.
    """
    try:
        return datetime.fromtimestamp(float(text), tz=UTC)
    except ValueError:
        read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC; add Z or +01:00")
    return read


def select_window(  # noqa: PLR0913 - the choices of one look, all by name
    *,
    now: datetime,
    start: datetime | None,
    end: datetime | None,
    lookback: timedelta | None,
    planned: timedelta,
    warmup: timedelta,
    step: timedelta,
    lag: timedelta,
) -> Window:
    """Choose the window of one look from what the caller gave.

    An end in the future or too fresh is drawn back to `now - lag`; without a start the window
    reaches `lookback`, or else the planned length, back from its end.

    Raises:
        TooEarlyError: No whole step is left to judge yet.
        ValueError: The end lies before the start, there are more than `MOST_STEPS`, or start and
            lookback are both given.
    """
    if start is not None and lookback is not None:
        raise ValueError("give start or lookback, not both")
    newest = now - lag
    until = min(end, newest) if end is not None else newest
    since = start if start is not None else _back(until, lookback or planned)
    window = Window(
        start=since.timestamp(),
        end=until.timestamp(),
        warmup_s=warmup.total_seconds(),
        step_s=step.total_seconds(),
    )
    _check(window, f"from {since:{_WRITTEN}} to {until:{_WRITTEN}}")
    return window


def _check(window: Window, stretch: str) -> None:
    step, warmup = (
        format_duration(timedelta(seconds=seconds)) for seconds in (window.step_s, window.warmup_s)
    )
    if window.end <= window.start:
        raise ValueError(f"{stretch} is no time at all; choose a later end or an earlier start")
    if window.steps < 1:
        raise TooEarlyError(
            f"{stretch} nothing is left to judge after a warmup of {warmup}, in steps of {step}; "
            f"ask again later, or choose an earlier start, a later end or a shorter window.warmup"
        )
    if window.steps > MOST_STEPS:
        raise ValueError(
            f"{stretch} are {window.steps:,} steps of {step}, {MOST_STEPS:,} at most are judged; "
            f"choose a later start or a longer source.prometheus.step"
        )


def _back(until: datetime, length: timedelta) -> datetime:
    try:
        return until - length
    except OverflowError as error:
        raise ValueError(f"{until:{_WRITTEN}} lies too far back to be meant") from error
