"""How a configuration writes durations and names."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import durationpy
from pydantic import BeforeValidator, PlainSerializer, StringConstraints, WithJsonSchema


def parse_duration(value: object) -> timedelta:
    """Read a duration such as `15s`, `5m`, `1h30m`, `1d`.

    Raises:
        ValueError: The value is no duration, or is negative.
    """
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError(f"expected a duration with a unit, such as 15s or 5m, got {value!r}")
    try:
        duration = durationpy.from_str(value)
    except Exception as error:
        raise ValueError(f"expected a duration such as 15s, 5m or 1h30m, got {value!r}") from error
    if duration < timedelta(0):
        raise ValueError(f"a duration must not be negative, got {value!r}")
    return timedelta(seconds=duration.total_seconds())


def format_duration(value: timedelta) -> str:
    """Write a duration as PromQL and a configuration write it: `90s`, `5m`, `1h`, `500ms`.

    Examples:
        >>> format_duration(timedelta(minutes=90)), format_duration(timedelta(hours=2))
        ('90m', '2h')
    """
    milliseconds = round(value / timedelta(milliseconds=1))
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["15s", "5m", "1h30m"]}),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Query = Annotated[str, StringConstraints(min_length=1, max_length=20_000, strip_whitespace=True)]
