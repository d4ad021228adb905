"""The canary config of a Kayenta, and what a call that starts it says beside it."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from ruamel.yaml.comments import CommentedMap

from analysis.config.load import in_order, parse_mapping, validate
from analysis.errors import ConfigError

# One character beyond the basic plane, as JSON escapes it; not where the backslash is escaped.
_PAIR = re.compile(
    r"(?<!\\)(?P<before>(?:\\\\)*)(?P<pair>\\u[dD][89abAB]\w{2}\\u[dD][c-fC-F]\w{2})"
)
RULE = "a canary config is a JSON object with name and metrics"


class _Document(BaseModel):
    # Kayenta ignores what it does not know; so that nothing is lost in silence, it is kept here
    # and told.
    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:  # noqa: ANN401 - what JSON held
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}


class Query(_Document):
    """What is asked of a metric's store."""

    type: str
    metric_name: str = Field(default="", alias="metricName")
    label_bindings: list[str] = Field(default_factory=list, alias="labelBindings")
    group_by: list[str] = Field(default_factory=list, alias="groupByFields")
    resource_type: str = Field(default="", alias="resourceType")
    inline: str = Field(default="", alias="customInlineTemplate")
    named: str = Field(default="", alias="customFilterTemplate")
    deprecated: str = Field(default="", alias="customFilter")


class Settings(_Document):
    """Settings of a metric by who reads them; a judge reads `canary`."""

    canary: dict[str, Any] = Field(default_factory=dict)


class Metric(_Document):
    """One metric."""

    name: str = Field(min_length=1, max_length=200)
    groups: list[str] = Field(default_factory=list)
    scope: str = Field(default="default", alias="scopeName")
    query: Query
    settings: Settings = Field(default=Settings(), alias="analysisConfigurations")


class Judge(_Document):
    """Who judges."""

    name: str = "NetflixACAJudge-v1.0"
    settings: dict[str, Any] = Field(default_factory=dict, alias="judgeConfigurations")


class Thresholds(_Document):
    """Scores from which a canary passes, or is marginal."""

    passing: float | None = Field(default=None, alias="pass")
    marginal: float | None = None


class Classifier(_Document):
    """How metrics make a score."""

    weights: dict[str, float] = Field(default_factory=dict, alias="groupWeights")
    thresholds: Thresholds = Field(default=Thresholds(), alias="scoreThresholds")


class CanaryDocument(_Document):
    """A whole canary config."""

    name: str = Field(min_length=1, max_length=200)
    judge: Judge = Judge()
    metrics: list[Metric] = Field(min_length=1, max_length=500)
    templates: dict[str, str] = Field(default_factory=dict)
    classifier: Classifier = Classifier()


class ExecutionDocument(_Document):
    """What a call that starts an analysis says: once (scopes by name) or repeatedly (a list)."""

    scopes: dict[str, dict[str, Any]] | list[dict[str, Any]] = Field(default_factory=dict)
    thresholds: Thresholds = Thresholds()
    lifetime: float | None = Field(default=None, alias="lifetimeDurationMins")
    begin_after: float = Field(default=0, alias="beginAfterMins")
    lookback: float = Field(default=0, alias="lookbackMins")


class _Adhoc(_Document):
    config: CanaryDocument = Field(alias="canaryConfig")
    request: ExecutionDocument = Field(default=ExecutionDocument(), alias="executionRequest")


def _as_yaml(text: str) -> str:
    """Make YAML of JSON where it is none, line for line: of its tabs, and of pairs of escapes."""

    def character(match: re.Match[str]) -> str:
        pair = match["pair"].encode().decode("unicode_escape")
        return match["before"] + pair.encode("utf-16", "surrogatepass").decode("utf-16")

    return _PAIR.sub(character, text.replace("\t", "  "))


def read(text: str, origin: str) -> tuple[CanaryDocument, ExecutionDocument, CommentedMap]:
    """Read a canary config, alone or within a call that starts it; the lines are kept.

    Raises:
        ConfigError: The text is no JSON, or no canary config; with every fault found.
    """
    try:
        plain = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"is no JSON: {error}", origin=origin) from error
    if not isinstance(plain, dict):
        raise ConfigError(RULE, origin=origin)
    document = parse_mapping(_as_yaml(text), origin, rule=RULE)
    if "canaryConfig" in plain:
        adhoc, faults = validate(document, _Adhoc)
        found = None if adhoc is None else (adhoc.config, adhoc.request, document)
    else:
        config, faults = validate(document, CanaryDocument)
        found = None if config is None else (config, ExecutionDocument(), document)
    if found is None:
        raise ConfigError(in_order(faults), origin=origin)
    return found
