"""The `judge:` block: its parameters are checked by the judge itself, through the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

import judges
from analysis.config.fields import Place, faults_of
from judges.core.sample import Side

# The judge of each kind of input, where the configuration names none.
DEFAULT_JUDGES = {
    "query": "mann_whitney",
    "counts": "error_ratio",
    "sums": "mean_ratio",
    "histogram": "quantile_ratio",
}
# What a judge is given of each kind of input.
SIDES_OF: Mapping[str, type[Side]] = {
    "query": judges.Values,
    "counts": judges.Ratio,
    "sums": judges.Ratio,
    "histogram": judges.Histogram,
}
# How an input is written, for those who have to write another; `sums` says nothing more here.
_WRITTEN = {
    "query": "query",
    "counts": "counts: {events, total}",
    "histogram": "histogram: the selector of its buckets",
}


class JudgeSettings(BaseModel):
    """A judge by kind, with its parameters beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str = Field(min_length=1, description="which judge; `serinus judges` lists them")

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters as written."""
        return dict(self.model_extra or {})

    def create(self, **defaults: object) -> judges.Judge:
        """Make the judge; a parameter written in the configuration wins over a default."""
        known = judges.parameters(self.kind)
        used = {name: value for name, value in defaults.items() if name in known}
        return judges.create(self.kind, **{**used, **self.parameters})

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        try:
            judges.create(self.kind, **self.parameters)
        except judges.UnknownJudgeError as error:
            raise faults_of([(("kind",), str(error))]) from error
        except judges.InvalidParameterError as error:
            raise faults_of(places_of(error)) from error
        return self


def default_judge(of_input: str) -> JudgeSettings:
    """Give the judge of a metric that names none."""
    return JudgeSettings(kind=DEFAULT_JUDGES[of_input])


def misfit(kind: str, of_input: str) -> str | None:
    """Tell which inputs a judge needs instead of this one; `None` where it can read it."""
    accepted = judges.judge_class(kind).accepts
    if SIDES_OF[of_input] in accepted:
        return None
    wanted = [text for key, text in _WRITTEN.items() if SIDES_OF[key] in accepted]
    return f"{kind} needs {' or '.join(wanted)} instead of {of_input}"


def places_of(error: judges.InvalidParameterError) -> list[tuple[Place, str]]:
    """Give each problem with its parameter; with none where it lies between parameters."""
    return [((name,) if name else (), message) for name, message in error.problems]


def judge_schema() -> dict[str, Any]:
    """Describe every judge's parameters as JSON Schema."""
    return {"oneOf": [_schema_of(kind) for kind in judges.kinds()]}


def _schema_of(kind: str) -> dict[str, Any]:
    properties: dict[str, Any] = {"kind": {"const": kind}}
    for name, field in judges.parameters(kind).items():
        properties[name] = {**field.metadata["schema"], "description": field.metadata["doc"]}
    return {
        "type": "object",
        "title": kind,
        "properties": properties,
        "required": ["kind"],
        "additionalProperties": False,
    }
