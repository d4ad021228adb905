"""The `traffic:` block: which part of the requests the canary is to have, or is seen to get."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from analysis.errors import ConfigError
from analysis.query import expand, references

PLACE = "traffic.canary_weight"


def parse_weight(written: object) -> float:
    """Read a weight: `20%`, 20 (percent, as rollout controllers say it) or 0.2.

    Raises:
        ValueError: It is no number, or leaves a side without traffic.

    Examples:
        >>> parse_weight("20%"), parse_weight(20), parse_weight("0.2"), parse_weight("0.5%")
        (0.2, 0.2, 0.2, 0.005)
    """
    text = str(written).strip()
    try:
        value = float(text.removesuffix("%"))
    except ValueError as error:
        raise ValueError(f"expected a weight such as 20% or 0.2, got {written!r}") from error
    share = value / 100 if text.endswith("%") or value >= 1 else value
    if isinstance(written, bool) or not 0 < share < 1:
        raise ValueError(
            f"a weight lies between 0 % and 100 %, so that both sides have traffic, got {written!r}"
        )
    return share


def _fraction(written: object) -> object:
    """Read `10%` as 0.1; pydantic reads the rest."""
    if isinstance(written, str) and written.strip().endswith("%"):
        return float(written.strip().removesuffix("%")) / 100
    return written


def _weight(written: object) -> object:
    if written is None or (isinstance(written, str) and references(written)):
        return written
    parse_weight(written)
    return written if isinstance(written, str | int | float) else str(written)


class WeightUnit(StrEnum):
    """What a weight that is read from a source counts in."""

    PERCENT = "percent"
    FRACTION = "fraction"

    @property
    def whole(self) -> float:
        """All of the traffic, in this unit."""
        return 100.0 if self is WeightUnit.PERCENT else 1.0


class Traffic(BaseModel):
    """How requests are shared between the sides."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    canary_weight: Annotated[
        str | float | None,
        BeforeValidator(_weight),
        WithJsonSchema({"type": ["string", "number"], "examples": ["20%", 0.2, "${weight}"]}),
    ] = Field(
        default=None,
        description="the canary's part of the requests: 20%, 20 or 0.2; ${name} of a variable",
    )
    observed: str | None = Field(
        default=None,
        min_length=1,
        description="a PromQL expression that gives the canary's part at every step, as one "
        "series, instead of canary_weight; the canary's variables fill it",
    )
    unit: WeightUnit = Field(
        default=WeightUnit.PERCENT,
        description="what observed counts in: percent, of 0 to 100, or fraction, of 0 to 1",
    )
    source: str | None = Field(
        default=None, description="name of the source that observed is read from; default the first"
    )
    tolerance: Annotated[
        float,
        BeforeValidator(_fraction),
        Field(ge=0, le=10),
        WithJsonSchema({"type": ["string", "number"], "examples": ["10%", 0.1]}),
    ] = Field(
        default=0.1,
        description="by how much the odds may be off: no traffic layer keeps a weight exactly",
    )

    @model_validator(mode="after")
    def _one_weight(self) -> Self:
        if (self.canary_weight is None) == (self.observed is None):
            raise ValueError(
                "give one of canary_weight, the weight that is set, and observed, a query for it"
            )
        return self

    def share(self, variables: Mapping[str, object]) -> float | None:
        """Give the canary's share as a fraction; `None` where it is observed or nobody said.

        Args:
            variables: The canary's, by name.

        Raises:
            ConfigError: A variable has no value, or one that is no weight.
        """
        if self.canary_weight is None:
            return None
        given = {name: str(value) for name, value in variables.items() if value is not None}
        try:
            text = expand(str(self.canary_weight), given).strip()
            return parse_weight(text) if text else None
        except ConfigError as error:
            message = f"{error.faults[0].message}; give --set NAME=…, or a default: ${{weight:-}}"
            raise ConfigError(message, origin=PLACE) from error
        except ValueError as error:
            raise ConfigError(str(error), origin=PLACE) from error
