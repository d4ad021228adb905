"""How a forecast is put into words, and limits into what a configuration holds."""

from __future__ import annotations

import math
from datetime import timedelta

from analysis.config.fields import format_duration
from analysis.forecast.model import Harm, Planned, Remedy
from judges import Limit, Scale
from judges.core import wording

# Longer windows are planned in whole minutes, shorter ones in whole steps.
WHOLE_MINUTES_S = 600.0
SHORT_MINUTES = 10.0
SURELY = "each in four rollouts of five"


def summary(minutes: float | None, harm: Harm | None, *, growth: bool = False) -> str:
    """Say after what time an equal canary passes, and which harm fails by the planned end.

    Args:
        minutes: Minutes until it passes.
        harm: The smallest harm that fails.
        growth: Whether harm is growth over the planned window, not a change of level.
    """
    passes = (
        "a canary equal to the baseline does not pass, however long it runs"
        if minutes is None
        else f"a canary equal to the baseline passes after {time(minutes)}"
    )
    what = "no harm, however large," if harm is None else _describe(harm, growth=growth)
    return f"{passes}; {what} fails by the planned end ({SURELY})"


def _describe(harm: Harm, *, growth: bool) -> str:
    """Describe a harm: `a rise of 14 %`, `a level of 0.52`."""
    if harm.scale is Scale.VALUE:
        return f"a level of {wording.amount(harm.value)}"
    rises = harm.value > (1 if harm.scale is Scale.RATIO else 0)
    size = change(harm).lstrip("+−")
    if growth:
        return f"growth of {size} {'more' if rises else 'less'} than the baseline's"
    return f"a {'rise' if rises else 'fall'} of {size}"


def change(harm: Harm) -> str:
    """Write a harm for a table: `+14 %`, `−0.03`, `0.52`."""
    if harm.scale is Scale.VALUE:
        return wording.amount(harm.value)
    moved = harm.value - 1 if harm.scale is Scale.RATIO else harm.value
    size = abs(moved)
    text = wording.percent(size) if harm.scale is Scale.RATIO else wording.amount(size)
    return f"{'+' if moved > 0 else '−'}{text}"


def time(minutes: float) -> str:
    """Write a time to wait: of a short one the tenth of a minute matters.

    Examples:
        >>> time(4.0833), time(24.2), time(400.0)
        ('4.1 minutes', '24 minutes', '6.7 hours')
    """
    return f"{minutes:.1f} minutes" if minutes < SHORT_MINUTES else wording.duration(minutes)


def longer(steps: int, step_s: float, planned: Planned) -> Remedy:
    """Advise a longer window."""
    seconds = planned.minutes(steps, step_s) * 60
    unit = 60.0 if seconds > WHOLE_MINUTES_S else step_s
    length = format_duration(timedelta(seconds=math.ceil(seconds / unit) * unit))
    return Remedy(change="window.planned", value=length, summary=f"window.planned: {length}")


def wider(limit: Limit) -> Remedy:
    """Advise a wider margin."""
    text = written(limit)
    return Remedy(change="judge.margin", value=text, summary=f"a margin of {text}")


def bound(level: float, sign: int) -> Remedy:
    """Advise a looser bound: an upper one where `sign` is +1, else a lower one."""
    name, text = ("max" if sign > 0 else "min"), wording.amount(level)
    return Remedy(change=f"judge.{name}", value=level, summary=f"{name}: {text}")


def busier(factor: float) -> Remedy:
    """Advise more traffic."""
    rounded = math.ceil(10 * factor) / 10
    text = f"{rounded:.1f} times the traffic"
    return Remedy(change="traffic", value=rounded, summary=text)


def written(limit: Limit) -> str:
    """Write a limit as a configuration does, rounded up to two digits."""
    limit = rounded(limit)
    if limit.absolute == 0:
        return f"{100 * (limit.ratio - 1):.10g}%"
    return f"{{ratio: {limit.ratio:.10g}, absolute: {limit.absolute:.10g}}}"


def rounded(limit: Limit) -> Limit:
    """Round a limit up to two digits."""
    return Limit(ratio=1 + _up(limit.ratio - 1), absolute=_up(limit.absolute))


def _up(value: float) -> float:
    """Round up to two significant digits."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    # A hair less than it is: what is round already must not be rounded once more.
    return math.ceil(value / unit * (1 - 1e-9)) * unit
