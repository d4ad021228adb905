"""The shape of a preset's file. pydantic stands at this door; a test opens it for every layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.query import needed, references

INPUTS = ("query", "counts", "sums", "histogram")
# Where a template takes the matchers of a side, and what tells its pods by another metric.
SIDE, JOIN = "side", "join"


class Status(StrEnum):
    """Whether the layer is still made and still the same."""

    CURRENT = "current"
    BETA = "beta"
    RETIRED = "retired"


class Separable(StrEnum):
    """Whether the layer's series tell the sides apart."""

    ALWAYS = "always"
    PARTLY = "partly"


class Certainty(StrEnum):
    """How it is known: read in documentation or source, or deduced from what was read there."""

    DOCUMENTED = "documented"
    INFERRED = "inferred"


class Criticality(StrEnum):
    """What a metric means for a rollout; a guard tells of the comparison, never of the canary."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    GUARD = "guard"


class Controller(StrEnum):
    """Who makes the sides."""

    ARGO_ROLLOUTS = "argo-rollouts"
    FLAGGER = "flagger"
    KUBERNETES = "kubernetes"
    FEATURE_FLAG = "feature-flag"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sided(_Model):
    """A text that differs between the sides by more than the values of variables."""

    baseline: str
    canary: str

    def of(self, side: str) -> str:
        """Give the text of a side."""
        return self.baseline if side == "baseline" else self.canary


class Separation(_Model):
    """A way to tell the sides apart.

    Attributes:
        controllers: Whose rollouts it serves.
        selector: Matchers of a side, without braces.
        differ: Variables whose values tell the sides apart; none where the matchers themselves do.
        join: What tells the side's pods by another metric: `on (…) group_left () <vector of 1>`.
            Counters cannot be read raw through it, so they are judged as rates.
        pods: Label that tells pods apart, where it is another than the layer's.
    """

    controllers: tuple[Controller, ...] = Field(min_length=1)
    selector: str | Sided
    differ: tuple[str, ...] = ()
    join: str | Sided | None = None
    pods: str | None = None
    certainty: Certainty
    source: str
    note: str = ""

    def filled(self, template: str, side: str) -> str:
        """Put a side's matchers and join into a template."""
        join = f" * {_of(self.join, side)}" if self.join else ""
        with_side = template.replace(f"${{{SIDE}}}", _of(self.selector, side))
        return with_side.replace(f"${{{JOIN}}}", join)

    def variables(self) -> frozenset[str]:
        """Name the variables by which the sides are told apart."""
        return frozenset[str]().union(*(references(text) for text in self._texts()))

    def required(self) -> frozenset[str]:
        """Name those of the variables that have no default."""
        return frozenset[str]().union(*(needed(text) for text in self._texts()))

    def _texts(self) -> Iterator[str]:
        yield from (_of(text, side) for text in (self.selector, self.join) for side in _SIDES)


class PresetMetric(_Model):
    """A metric of a layer: what to ask, and how to judge the answer.

    Templates hold `${side}` for the matchers of a side, and expressions `${join}` besides.
    """

    title: str
    group: str
    criticality: Criticality
    recommended: bool = Field(description="whether `presets: layer` takes it")
    query: str | None = None
    counts: Mapping[str, str] | None = None
    sums: Mapping[str, str] | None = None
    histogram: str | None = None
    judge: Mapping[str, Any]
    certainty: Certainty = Certainty.DOCUMENTED
    requires: str = ""

    @model_validator(mode="after")
    def _one_input(self) -> Self:
        if sum(getattr(self, key) is not None for key in INPUTS) != 1:
            raise ValueError(f"a metric has exactly one of {', '.join(INPUTS)}")
        return self

    @property
    def input_key(self) -> str:
        """Name the input that is given."""
        return next(key for key in INPUTS if getattr(self, key) is not None)

    @property
    def input(self) -> str | Mapping[str, str]:
        """The templates of the input: one, or one a role."""
        given: str | Mapping[str, str] = getattr(self, self.input_key)
        return given

    def templates(self) -> Iterator[str]:
        """Give the templates of the input, one after another."""
        yield from [self.input] if isinstance(self.input, str) else self.input.values()


class Preset(_Model):
    """A layer.

    Attributes:
        name: The layer's name, as its file's.
        kind: What sort of layer it is, such as `mesh`.
        pods: Label that tells pods apart, where the series have one.
        separations: Ways to tell the sides apart, the preferred one of a controller first.
        metrics: By id; the same id means the same in every layer.
    """

    name: str
    title: str
    kind: str
    status: Status
    separable: Separable
    prerequisites: str
    pitfalls: tuple[str, ...]
    sources: tuple[str, ...]
    pods: str | None = None
    separations: Mapping[str, Separation] = Field(min_length=1)
    metrics: Mapping[str, PresetMetric] = Field(min_length=1)


_SIDES = ("baseline", "canary")


def _of(text: str | Sided | None, side: str) -> str:
    return text.of(side) if isinstance(text, Sided) else text or ""
