"""Declare a judge's parameters: default, how to read them, and what they mean.

A judge is a frozen dataclass; each field made here carries, in its metadata, the parser that
the registry applies to raw values and the sentence that `serinus judges` prints.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from judges.core.limits import Limit, parse_limit

Parser = Callable[[object], object]


class Direction(StrEnum):
    """Which change of the canary against the baseline is harm."""

    INCREASE = "increase"
    DECREASE = "decrease"
    EITHER = "either"

    @property
    def signs(self) -> tuple[int, ...]:
        """Give +1 for an increase that harms, -1 for a decrease that does."""
        both = {Direction.INCREASE: (1,), Direction.DECREASE: (-1,), Direction.EITHER: (1, -1)}
        return both[self]


class Looks(StrEnum):
    """How often the same rollout may be judged without spoiling the error rates."""

    ANYTIME = "anytime"  # any number of looks: e-values
    GROUP_SEQUENTIAL = "group_sequential"  # any number of looks until a declared end: stages
    FIXED = "fixed"  # one look, at a moment chosen beforehand: p-values


class Pods(StrEnum):
    """Whether pods are replicates of their side."""

    AUTO = "auto"  # where a side shows several
    IGNORE = "ignore"  # steps alone
    REQUIRE = "require"  # without two pods of the baseline nothing is decided


def parameter(default: Any, parse: Parser, doc: str, schema: Mapping[str, Any]) -> Any:
    """Declare one parameter of a judge.

    Args:
        default: The value where none is given, already parsed.
        parse: Turns a raw value into the field's type; raises `ValueError` with rule and remedy.
        doc: One sentence: meaning, unit, and why the default.
        schema: What a JSON Schema says of the raw value.
    """
    metadata = {"parse": parse, "doc": doc, "schema": dict(schema)}
    return dataclasses.field(default=default, metadata=metadata)


def number(
    default: float | None, doc: str, *, low: float = float("-inf"), high: float = float("inf")
) -> Any:
    """Declare a number within [low, high]; `None` is allowed where it is the default."""

    def parse(value: object) -> float | None:
        if value is None and default is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"expected a number, got {value!r}")
        if not low <= value <= high or value in (float("inf"), float("-inf")):
            raise ValueError(f"must lie in [{low:g}, {high:g}], got {value!r}")
        return float(value)

    bounds = {"minimum": low, "maximum": high}
    finite = {key: bound for key, bound in bounds.items() if abs(bound) != float("inf")}
    kind = ["number", "null"] if default is None else "number"
    return parameter(default, parse, doc, {"type": kind, **finite})


def whole(default: int, doc: str, *, low: int) -> Any:
    """Declare a whole number of at least `low`."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"expected a whole number, got {value!r}")
        if value < low:
            raise ValueError(f"must be at least {low}, got {value!r}")
        return value

    return parameter(default, parse, doc, {"type": "integer", "minimum": low})


def probability(default: float, doc: str) -> Any:
    """Declare a probability in (0, 1)."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
            raise ValueError(f"must lie in (0, 1), got {value!r}; 0.01 suits most gates")
        return float(value)

    schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    return parameter(default, parse, doc, schema)


def choice(default: StrEnum, doc: str) -> Any:
    """Declare one of the members of an enumeration."""
    kind = type(default)
    known = [member.value for member in kind]

    def parse(value: object) -> StrEnum:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}, got {value!r}")
        return kind(value)

    return parameter(default, parse, doc, {"enum": known})


LIMIT_SCHEMA: Mapping[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"},
        {"type": "number", "minimum": 1},
        {"const": 0},
        {
            "type": "object",
            "properties": {
                "ratio": {"anyOf": [{"type": "string"}, {"type": "number"}]},
                "absolute": {"type": "number", "minimum": 0},
            },
            "additionalProperties": False,
        },
    ]
}


def limit(default: Limit | None, doc: str) -> Any:
    """Declare a tolerance or margin; `None` where the judge derives it."""

    def parse(value: object) -> Limit | None:
        return None if value is None and default is None else parse_limit(value)

    derived = [] if default is not None else [{"type": "null"}]
    return parameter(default, parse, doc, {"anyOf": [*LIMIT_SCHEMA["anyOf"], *derived]})


# The parameters that every comparative judge has; the words must not drift apart.


def tolerance(default: str) -> Any:
    """Declare the harm beyond which, once shown, the canary fails."""
    doc = "harm beyond this, once shown, fails: '10%', 1.1, or {ratio, absolute}"
    return limit(parse_limit(default), doc)


def margin() -> Any:
    """Declare the harm that must be excluded for a pass."""
    return limit(None, "harm up to this must be excluded for a pass; default twice the tolerance")


def direction(default: Direction = Direction.INCREASE) -> Any:
    """Declare which change is harm."""
    return choice(default, "which change is harm")


def alpha() -> Any:
    """Declare the error rate of a fail."""
    return probability(0.01, "probability of failing a canary whose harm is within the tolerance")


def beta() -> Any:
    """Declare the error rate of a pass."""
    return probability(0.05, "probability of passing a canary whose harm reaches the margin")


def looks() -> Any:
    """Declare how often the judge may be asked."""
    doc = "anytime: any number of looks; group_sequential: twelve stages until horizon; fixed: one"
    return choice(Looks.FIXED, doc)


def horizon() -> Any:
    """Declare the planned length of the analysis."""
    doc = "planned steps of the whole analysis; evidence over looks is sharpest at half of them"
    return whole(60, doc, low=2)


def pods() -> Any:
    """Declare whether pods are replicates of their side."""
    doc = "auto: where a side shows several pods they are its replicates; ignore; require: two"
    return choice(Pods.AUTO, doc)


def confidence() -> Any:
    """Declare the level of the interval that is shown."""
    return probability(0.95, "two-sided level of the interval shown with the estimate")


def min_samples() -> Any:
    """Declare the steps below which nothing is decided."""
    doc = "steps below which nothing is decided; the long-run variance is not trusted with fewer"
    return whole(15, doc, low=4)
