"""What a caller sends, checked at the door."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from analysis.config.fields import parse_duration

_MOST_VARIABLES, _LONGEST = 64, 1024
_EPOCH = re.compile(r"\d{9,11}(\.\d+)?")


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError(f"must be longer than 0s, got {value.total_seconds():g}s")
    return value


def _instant(value: object) -> object:
    """Read RFC 3339 or epoch seconds, also as text: every argument of Argo's comes as text."""
    if isinstance(value, str) and _EPOCH.fullmatch(value):
        value = float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, tz=UTC)
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("has no offset from UTC; add Z or +01:00")
    return value


def _values(given: dict[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if not name.isidentifier() or len(name) > _LONGEST:
            raise ValueError(f"{name[:40]!r} is no name of a variable")
        if len(value) > _LONGEST:
            raise ValueError(f"{name} is longer than {_LONGEST} characters")
    return given


Instant = Annotated[datetime, BeforeValidator(_instant), AfterValidator(_aware)]
Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
Value = Annotated[str, BeforeValidator(lambda v: str(v) if isinstance(v, (int, float)) else v)]
Values = Annotated[dict[str, Value], Field(max_length=_MOST_VARIABLES), AfterValidator(_values)]


class Mode(StrEnum):
    """How long a call waits."""

    SYNC = "sync"  # for a look
    ASYNC = "async"  # not at all


class StartRequest(BaseModel):
    """The body of a call that starts or fetches an analysis.

    Attributes:
        config: Name of a configuration of the service.
        inline: A configuration as YAML text, where the operator allows it.
        baseline: Variables of the baseline, such as its pod template hash.
        canary: Variables of the canary.
        variables: Variables of both.
        start: When the canary began; default: when the key was first seen.
        lookback: Judge once, this far back from now, instead of from a start on.
        end: When to decide at the latest; may lie in the future. Default: start + planned.
        planned: Length of the whole analysis; default: that of the configuration.
        mode: Whether to wait for a look.
        final: Whether this look is the last one, so that `inconclusive` ends the analysis.
        budget: How long a synchronous call may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: str = Field(default="", max_length=128)
    inline: str | None = Field(default=None, max_length=1_000_000)
    baseline: Values = Field(default_factory=dict)
    canary: Values = Field(default_factory=dict)
    variables: Values = Field(default_factory=dict)
    start: Instant | None = None
    lookback: Duration | None = None
    end: Instant | None = None
    planned: Duration | None = None
    mode: Mode = Mode.SYNC
    final: bool = False
    budget: Duration | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: Any) -> Any:  # noqa: ANN401 - pydantic hands over the raw body
        """Take an empty text for nothing: that is how an argument without a value arrives."""
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value not in ("", None)}

    @model_validator(mode="after")
    def _one_configuration(self) -> StartRequest:
        if bool(self.config) == bool(self.inline):
            raise ValueError("give config, the name of a configuration, or else inline")
        if self.lookback is not None and self.start is not None:
            raise ValueError("give start or lookback, not both")
        return self

    def sides(self) -> dict[str, dict[str, str]]:
        """Give the variables of each side."""
        return {
            "baseline": {**self.variables, **self.baseline},
            "canary": {**self.variables, **self.canary},
        }
