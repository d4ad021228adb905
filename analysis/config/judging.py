"""The `judge:` block: its parameters are checked by the judge itself, through the registry."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

import judges


class JudgeSettings(BaseModel):
    """A judge by kind, with its parameters beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str = Field(description="which judge; `serinus judges` lists them")

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
        if not self.kind:
            return self
        try:
            judges.create(self.kind, **self.parameters)
        except judges.UnknownJudgeError as error:
            raise _faults([("kind", str(error))]) from error
        except judges.InvalidParameterError as error:
            raise _faults(list(error.problems)) from error
        return self


def default_judge(*, counts: bool) -> JudgeSettings:
    """Give the judge of a metric that names none."""
    return JudgeSettings(kind="error_ratio" if counts else "mann_whitney")


def _faults(problems: list[tuple[str, str]]) -> ValidationError:
    """Report every problem at its own parameter."""
    details: list[InitErrorDetails] = [
        {
            "type": PydanticCustomError("judge", "{message}", {"message": message}),
            "loc": (name,) if name else (),
            "input": None,
        }
        for name, message in problems
    ]
    return ValidationError.from_exception_data("judge", details)


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
