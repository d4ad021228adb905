"""What Kayenta's clients send, checked at the door as Kayenta's own JSON reader does.

Fields that we do not know are for others, and null is the same as nothing. What Kayenta would
take for something else without a word, such as a text for a number, is refused.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AllowInfNan,
    BaseModel,
    ConfigDict,
    Field,
    field_serializer,
    model_validator,
)

from analysis.config import BUILT_IN
from analysis.service.kayenta import forms
from analysis.service.requests import Value

# What clients call the scope of all metrics.
SCOPE = "default"
_DAY_S = 86_400
# Nine times what Prometheus answers to one query, which is 11,000 points.
MOST_POINTS = 100_000
MOST_PAIRS = 2000
_LONGEST = 1024


def _written(text: str) -> str:
    if text.encode(errors="replace").decode() != text:
        raise ValueError("has half a character (a lone surrogate), which no answer can repeat")
    return text


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    """Refuse what cannot be given back as it came: no JSON has NaN, no text half a character."""
    try:
        json.dumps(given, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError("holds NaN, Infinity or half a character, which no answer has") from error
    return given


Name = Annotated[str, Field(max_length=_LONGEST), AfterValidator(_written)]
Text = Annotated[Value, AfterValidator(_written)]
Plain = Annotated[dict[str, Any], AfterValidator(_plain)]
# "NaN" and "Infinity" come as texts, for JSON has no numbers for them.
Point = Annotated[float, AllowInfNan(True)] | None
Points = Annotated[list[Point], Field(max_length=MOST_POINTS)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:  # noqa: ANN401 - pydantic hands over the raw body
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}


class Scope(_Document):
    """One side of a comparison; `region` is what some clients call `location`."""

    scope: Name
    location: Name = ""
    region: Name = ""
    start: datetime
    end: datetime
    step: float = Field(default=60, ge=0.001, le=_DAY_S)
    extended_scope_params: dict[Name, Text] = Field(
        default_factory=dict, max_length=64, alias="extendedScopeParams"
    )

    @property
    def variables(self) -> dict[str, str]:
        """Give what a configuration may refer to; what it cannot refer to is left out."""
        place = self.location or self.region
        named = {"scope": self.scope, "hash": self.scope, "location": place, "namespace": place}
        further = {
            name: value
            for name, value in self.extended_scope_params.items()
            if name.isidentifier() and name not in BUILT_IN
        }
        return {name: value for name, value in (named | further).items() if value}


class ScopePair(_Document):
    """Both sides of a scope."""

    control_scope: Scope = Field(alias="controlScope")
    experiment_scope: Scope = Field(alias="experimentScope")


class Thresholds(_Document):
    """Scores from which a canary passes, or is marginal."""

    passing: float = Field(alias="pass", ge=0, le=100)
    marginal: float = Field(ge=0, le=100)


class TellingThresholds(Thresholds):
    """Thresholds that a score can be put below, so that a failing canary is never promoted."""

    @model_validator(mode="after")
    def _leaves_room(self) -> TellingThresholds:
        if self.passing == 0:
            raise ValueError("pass must be above 0, or every canary passes; 95 is usual")
        if self.marginal > self.passing:
            raise ValueError(f"marginal {self.marginal:g} must not exceed pass {self.passing:g}")
        return self


class ExecutionRequest(_Document):
    """What starts a canary execution."""

    scopes: dict[Name, ScopePair] = Field(min_length=1, max_length=16)
    thresholds: TellingThresholds

    @property
    def sides(self) -> ScopePair:
        """Give both sides, of the scope that clients name `default`, or else of the first."""
        return self.scopes.get(SCOPE) or next(iter(self.scopes.values()))


class AdHocRequest(_Document):
    """An execution request with the canary config that it is about."""

    canary_config: Plain = Field(alias="canaryConfig")
    execution_request: ExecutionRequest = Field(alias="executionRequest")


class StandaloneScope(_Document):
    """Both sides of a standalone analysis, and its time."""

    scope_name: Name = Field(default="default", alias="scopeName")
    control_scope: Name = Field(alias="controlScope")
    control_location: Name = Field(default="", alias="controlLocation")
    control_offset: float = Field(default=0, alias="controlOffsetInMinutes")
    experiment_scope: Name = Field(alias="experimentScope")
    experiment_location: Name = Field(default="", alias="experimentLocation")
    start: datetime | None = Field(default=None, alias="startTimeIso")
    end: datetime | None = Field(default=None, alias="endTimeIso")
    step: float = Field(default=60, ge=0.001, le=_DAY_S)
    extended_scope_params: dict[Name, Text] = Field(
        default_factory=dict, max_length=64, alias="extendedScopeParams"
    )


class StandaloneRequest(_Document):
    """What starts a standalone analysis: several judgments over a lifetime."""

    scopes: list[StandaloneScope] = Field(min_length=1, max_length=1)
    thresholds: TellingThresholds
    lifetime_mins: float = Field(default=0, ge=0, le=43_200, alias="lifetimeDurationMins")
    begin_after_mins: float = Field(default=0, ge=0, le=43_200, alias="beginAfterMins")
    lookback_mins: float = Field(default=0, ge=0, alias="lookbackMins")
    interval_mins: float = Field(default=0, ge=0, alias="analysisIntervalMins")

    @model_validator(mode="after")
    def _can_be_meant(self) -> StandaloneRequest:
        scope = self.scopes[0]
        if self.lookback_mins:
            raise ValueError("lookbackMins must be 0: here each look covers all since the start")
        if scope.control_offset:
            raise ValueError("controlOffsetInMinutes must be 0: both sides cover the same time")
        if not (self.lifetime_mins or scope.end):
            raise ValueError("give lifetimeDurationMins or endTimeIso")
        return self


class AdHocStandalone(_Document):
    """A standalone analysis with the canary config that it is about."""

    canary_config: Plain = Field(alias="canaryConfig")
    execution_request: StandaloneRequest = Field(alias="executionRequest")


class AnalysisConfigurations(_Document):
    """Settings of a metric by who reads them; a judge reads `canary`."""

    canary: dict[str, Any] = Field(default_factory=dict)


class CanaryMetric(_Document):
    """A metric of a canary config; a judge does not look at its query."""

    name: Name
    query: dict[str, Any] = Field(default_factory=dict)
    groups: list[Name] = Field(default_factory=list, max_length=64)
    analysis_configurations: AnalysisConfigurations = Field(
        default=AnalysisConfigurations(), alias="analysisConfigurations"
    )

    @property
    def settings(self) -> dict[str, Any]:
        """Give what the judge is told of this metric."""
        return self.analysis_configurations.canary

    def has(self, flag: str) -> bool:
        """Tell whether a flag is set, such as `muted` or `critical`.

        Raises:
            ValueError: It is neither true nor false: the text "false" would else be taken for true.
        """
        value = self.settings.get(flag)
        if value is not None and not isinstance(value, bool):
            raise ValueError(f"{self.name}: {flag} must be true or false, got {value!r}")
        return bool(value)


class JudgeChoice(_Document):
    """Who judges, and how."""

    name: Name = ""
    judge_configurations: dict[str, Any] = Field(default_factory=dict, alias="judgeConfigurations")


class Classifier(_Document):
    """How metrics make a score."""

    group_weights: dict[Name, float] = Field(default_factory=dict, alias="groupWeights")


class CanaryConfigDocument(_Document):
    """A canary config; a judge looks at its metrics and weights alone."""

    name: Name = ""
    description: str = Field(default="", max_length=10_000)
    applications: list[Name] = Field(default_factory=list, max_length=64)
    templates: dict[Name, str] = Field(default_factory=dict, max_length=MOST_PAIRS)
    metrics: list[CanaryMetric] = Field(default_factory=list, max_length=MOST_PAIRS)
    judge: JudgeChoice = JudgeChoice()
    classifier: Classifier = Classifier()


class PairValues(_Document):
    """The values of both sides; in any order, and not of equal number."""

    control: Points = Field(default_factory=list)
    experiment: Points = Field(default_factory=list)

    @field_serializer("control", "experiment", when_used="json")
    def _written(self, points: list[float | None]) -> list[float | str]:
        return [forms.number(point) for point in points]


class KeptConfig(CanaryConfigDocument):
    """A canary config that is to be kept here."""

    id: Name = ""
    name: Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    applications: list[Name] = Field(min_length=1, max_length=64)
    metrics: list[CanaryMetric] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _id_is_name(self) -> KeptConfig:
        if self.id and self.id != self.name:
            raise ValueError(f"id must be the name here, {self.name!r}, or be left out")
        return self


class MetricSetPair(_Document):
    """A metric's values; series with labels make a pair each, all of one name."""

    name: Name
    id: Name = ""
    tags: dict[Name, Text] = Field(default_factory=dict, max_length=256)
    values: PairValues = PairValues()


class RemoteRequest(_Document):
    """What a Kayenta sends to its remote judge."""

    canary_config: CanaryConfigDocument = Field(alias="canaryConfig")
    score_thresholds: Thresholds = Field(alias="scoreThresholds")
    metric_set_pair_list: list[MetricSetPair] = Field(
        alias="metricSetPairList", max_length=MOST_PAIRS
    )
