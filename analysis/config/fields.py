"""How a configuration writes durations, names and variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

import durationpy
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    PlainSerializer,
    StringConstraints,
    Tag,
    WithJsonSchema,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

Place = tuple[str | int, ...]

# Beyond ten years a duration is a slip of the hand, and dates run out.
LONGEST = timedelta(days=3650)


class Section(BaseModel):
    """A part of a configuration: unknown keys are errors, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def parse_duration(value: object) -> timedelta:
    """Read a duration such as `15s`, `5m`, `1h30m`, `1d`.

    Raises:
        ValueError: The value is no duration, is negative, or is longer than ten years.
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
    if duration > LONGEST:
        raise ValueError(f"a duration must be at most {LONGEST.days}d, got {value!r}")
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


def faults_of(problems: Iterable[tuple[Place, str]]) -> ValidationError:
    """Report every problem at its own place, seen from the model that found it."""
    details: list[InitErrorDetails] = [
        {
            "type": PydanticCustomError("fault", "{text}", {"text": text}),
            "loc": place,
            "input": None,
        }
        for place, text in problems
    ]
    return ValidationError.from_exception_data("faults", details)


def _positive(value: timedelta) -> timedelta:
    if value < timedelta(milliseconds=1):
        raise ValueError("a duration here must be at least 1ms")
    return value


def _name(value: str) -> str:
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError(f"a name must hold no control characters, got {value!r}")
    return value


def _variable(value: object) -> object:
    """Refuse whatever would reach a query otherwise than it was written."""
    if not isinstance(value, Mapping):
        return _scalar(value)
    problems: list[tuple[Place, str]] = []
    for name, inner in value.items():
        try:
            _scalar(inner)
        except ValueError as error:
            problems.append(((name,), str(error)))
    if problems:
        raise faults_of(problems)
    return value


def _scalar(value: object) -> object:
    if isinstance(value, bool) or not (value is None or isinstance(value, str | int | float)):
        written = str(value).lower() if isinstance(value, bool) else str(value)
        raise ValueError(f"must be text, a number or null, got {written}; put text in quotes")
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["15s", "5m", "1h30m"]}),
]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_name)]
Scalar = str | int | float | None
Variable = Annotated[Scalar | dict[str, Scalar], BeforeValidator(_variable)]
Query = Annotated[str, StringConstraints(min_length=1, max_length=20_000, strip_whitespace=True)]


class BySide(Section):
    """A query that differs between the sides by more than the values of variables."""

    baseline: Query
    canary: Query


def _form(value: object) -> str:
    return SIDED if isinstance(value, Mapping | BySide) else SINGLE


# How pydantic names the two forms in the place of a fault, which no reader needs.
SINGLE, SIDED = "(single)", "(sided)"
SidedQuery = Annotated[
    Annotated[Query, Tag(SINGLE)] | Annotated[BySide, Tag(SIDED)], Discriminator(_form)
]


def query_of(query: str | BySide, side: str) -> str:
    """Give the query of a side."""
    if isinstance(query, str):
        return query
    return query.baseline if side == "baseline" else query.canary
