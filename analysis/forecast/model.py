"""What a forecast says: how long a metric needs, what it can show, and what would help."""

from __future__ import annotations

import math
from dataclasses import dataclass

from judges import Limit, Scale

# A rollout is planned so that an equal canary passes in four of five cases.
POWER = 0.8
# Traffic is split evenly where the past shows one side only and nobody says otherwise.
EVEN_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The rollout that is planned.

    Attributes:
        steps: Steps that are judged, after the warm-up.
        warmup_s: Seconds before them.
        share: The canary's part of all requests, a fraction; `None` leaves it as it was.
        one_side: Whether the past holds the baseline alone, its canary being the baseline at
            another time: both will then share what is one side's traffic now.
    """

    steps: int
    warmup_s: float
    share: float | None = None
    one_side: bool = False

    def minutes(self, steps: float, step_s: float) -> float:
        """Give the minutes from the start of the rollout to the end of so many judged steps."""
        return (self.warmup_s + steps * step_s) / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """The smallest harm that would fail.

    Attributes:
        value: The effect, on `scale`.
        scale: Whether it is a ratio, a difference or a level.
        level: The canary's level then, in the metric's unit.
    """

    value: float
    scale: Scale
    level: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One change with which the planned window suffices.

    Attributes:
        change: What to change: a key of the configuration, or `traffic`.
        value: To what: a duration, a limit as the configuration writes it, a bound, or the factor
            on the traffic.
        summary: The same in a sentence.
    """

    change: str
    value: float | str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What of the past a forecast stands on.

    Attributes:
        steps: Steps in which both sides were observed.
        n_effective: The independent steps these are worth; `None` where it plays no part.
        autocorrelation: Lag-1 autocorrelation of the compared series.
        events: The baseline's events; `None` where none are counted.
        requests: The baseline's requests.
    """

    steps: int
    n_effective: float | None = None
    autocorrelation: float | None = None
    events: float | None = None
    requests: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is to be expected of one metric.

    Attributes:
        kind: Its judge.
        suffices: Whether an equal canary passes in the planned window with probability `POWER`;
            `None` where the past does not tell.
        summary: Why, in one sentence.
        basis: What of the past it stands on.
        minutes: Minutes from the start, warm-up included, until an equal canary has passed with
            probability `POWER`; `None` where time does not bring it about, or nobody can tell.
        requests: The canary's requests in that time, where requests are judged.
        harm: The smallest harm that fails within the planned window with probability `POWER`.
        margin: The narrowest margin with which the planned window would suffice, not below the
            tolerance.
        remedies: What would make the planned window suffice, each by itself.
        warnings: What a reader should know before trusting the forecast.
    """

    kind: str
    suffices: bool | None
    summary: str
    basis: Basis
    minutes: float | None = None
    requests: float | None = None
    harm: Harm | None = None
    margin: Limit | None = None
    remedies: tuple[Remedy, ...] = ()
    warnings: tuple[str, ...] = ()


def known(value: float | None) -> float | None:
    """Give a number that a double can hold, or `None`."""
    return value if value is not None and math.isfinite(value) else None
