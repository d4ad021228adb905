"""How levels are written where people compare them: three digits, a unit, no exponent."""

from __future__ import annotations

import math
from enum import StrEnum

from judges.core import wording

# From here on a number is written with its thousands counted off, and from there on in them.
THOUSAND, TEN_THOUSAND = 1e3, 1e4
LEAST_PLAIN, MOST_PLAIN = 1e-4, 1e15
_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_SECONDS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"))
_FRACTIONS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


class Unit(StrEnum):
    """What a level is counted in."""

    PLAIN = "plain"
    SHARE = "share"
    SECONDS = "seconds"
    BYTES = "bytes"


def level(value: float | None, unit: Unit = Unit.PLAIN) -> str:
    """Write a level in its unit; a dash where there is none.

    Examples:
        >>> level(0.00794, Unit.SHARE), level(0.0373, Unit.SECONDS), level(4.72e7, Unit.BYTES)
        ('0.79 %', '37.3 ms', '47.2 MB')
        >>> level(1234.0), level(4.72e7), level(0.0005), level(None)
        ('1,234', '47.2 M', '0.0005', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    match unit:
        case Unit.SHARE:
            return wording.percent(value) if value else "0 %"
        case Unit.SECONDS:
            return _seconds(value)
        case Unit.BYTES:
            return _large(value, "B", least=THOUSAND) or f"{plain(value)} B"
        case Unit.PLAIN:
            return _large(value, "", least=TEN_THOUSAND) or plain(value)


def plain(value: float) -> str:
    """Write a number with three digits, or with all of its whole ones.

    Examples:
        >>> plain(1234.5), plain(0.012345), plain(0.00001234), plain(-0.0)
        ('1,234', '0.0123', '1.23e-05', '0')
    """
    size = abs(value)
    if THOUSAND <= size < MOST_PLAIN:
        return f"{value:,.0f}"
    if size >= MOST_PLAIN or 0 < size < LEAST_PLAIN:
        return f"{value:.3g}"
    return _significant(value)


def _significant(value: float) -> str:
    text = f"{value + 0.0:.3g}"
    return f"{float(text):f}".rstrip("0").rstrip(".") if "e" in text else text


def _large(value: float, unit: str, *, least: float) -> str:
    size = abs(value)
    if size < least:
        return ""
    factor, prefix = next((one for one in _LARGE if size >= one[0] * 0.9995), _LARGE[-1])
    if size / factor >= TEN_THOUSAND:
        return f"{value:.3g} {unit}".rstrip()
    return f"{plain(value / factor)} {prefix}{unit}"


def _seconds(value: float) -> str:
    size = abs(value)
    if size == 0:
        return "0 s"
    # Below two minutes, two hours, two days the smaller unit says it better.
    for factor, unit in _SECONDS:
        if size >= 2 * factor:
            return f"{plain(value / factor)} {unit}"
    factor, unit = next((one for one in _FRACTIONS if size >= one[0] * 0.9995), _FRACTIONS[-1])
    return f"{plain(value / factor)} {unit}"
