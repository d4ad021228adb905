"""The time that is judged, cut into steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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
        first = math.ceil((self.start + self.warmup_s) / self.step_s - 1e-9)
        last = math.floor(self.end / self.step_s + 1e-9)
        return np.arange(first, max(last, first) + 1, dtype=np.float64) * self.step_s

    @property
    def steps(self) -> int:
        """Number of whole steps."""
        return len(self.edges) - 1

    @property
    def judged_s(self) -> float:
        """Seconds covered by the steps."""
        return self.steps * self.step_s


def as_datetime(epoch_s: float) -> datetime:
    """Give epoch seconds as an aware datetime in UTC."""
    return datetime.fromtimestamp(epoch_s, tz=UTC)


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
        ValueError: Less than one whole step is left to judge, or start and lookback are both given.
    """
    if start is not None and lookback is not None:
        raise ValueError("give start or lookback, not both")
    newest = now - lag
    until = min(end, newest) if end is not None else newest
    since = start if start is not None else until - (lookback or planned)
    window = Window(
        start=since.timestamp(),
        end=until.timestamp(),
        warmup_s=warmup.total_seconds(),
        step_s=step.total_seconds(),
    )
    if window.steps < 1:
        raise ValueError(
            f"from {since:%Y-%m-%d %H:%M:%S %Z} to {until:%Y-%m-%d %H:%M:%S %Z} nothing is left to "
            f"judge after a warmup of {warmup} and in steps of {step}; choose an earlier start, "
            f"a later end or a shorter window.warmup"
        )
    return window
