"""How numbers are written in a summary: short, with a unit, never more digits than they deserve."""

from __future__ import annotations

from judges.core.judgment import Estimate, Scale

# A percentage of at least so much has no digit after the point, or one: 14 %, 4.1 %, 0.41 %.
NO_DIGIT, ONE_DIGIT = 9.95, 0.95
HUGE_PERCENT = 1e6


def amount(value: float) -> str:
    """Write a level in the metric's own unit: three significant digits.

    Examples:
        >>> amount(0.0123456), amount(1234567.0), amount(0.0)
        ('0.0123', '1.23e+06', '0')
    """
    return f"{value + 0.0:.3g}"  # + 0.0 turns -0.0 into 0.0


def percent(fraction: float) -> str:
    """Write a fraction as a percentage.

    Examples:
        >>> percent(0.1432), percent(0.00412), percent(3.2)
        ('14 %', '0.41 %', '320 %')
    """
    value = 100 * fraction
    size = abs(value)
    if size >= HUGE_PERCENT:
        return f"{value:.3g} %"
    if size >= NO_DIGIT:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if size >= ONE_DIGIT else f"{value:z.2f} %"  # z: 0.00, never -0.00


def change(estimate: Estimate) -> str:
    """Write an estimate with its interval: `rose 14 % (95 % CI 9 % to 19 %)`."""
    if estimate.value is None:
        return "could not be estimated"
    if estimate.scale is Scale.VALUE:
        moved = f"is {amount(estimate.value)}"
    else:
        size = _size(estimate.value, estimate.scale)
        up = estimate.value > (1 if estimate.scale is Scale.RATIO else 0)
        verb = "rose" if up else "fell"
        moved = f"{verb} {size.lstrip('-')}" if size.strip("-0. %") else "did not move"
    return moved + _interval(estimate)


def _interval(estimate: Estimate) -> str:
    if (interval := estimate.interval) is None:
        return ""
    lower = None if interval.lower is None else _size(interval.lower, estimate.scale)
    upper = None if interval.upper is None else _size(interval.upper, estimate.scale)
    level = f"{100 * interval.level:g} % CI"
    if lower is None and upper is None:
        return f" ({level}: the data bound nothing)"
    if lower is None:
        return f" ({level} up to {upper})"
    return f" ({level} {lower} or more)" if upper is None else f" ({level} {lower} to {upper})"


def _size(value: float, scale: Scale) -> str:
    return percent(value - 1) if scale is Scale.RATIO else amount(value)


def duration(minutes: float) -> str:
    """Write a duration a person can plan with.

    Examples:
        >>> duration(0.4), duration(52.2), duration(400)
        ('1 minute', '52 minutes', '6.7 hours')
    """
    if minutes < 120:
        whole = max(1, round(minutes))
        return f"{whole} minute{'s' if whole > 1 else ''}"
    return f"{minutes / 60:.1f} hours" if minutes < 2880 else f"{minutes / 1440:.0f} days"
