"""The shape of a file of tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from analysis import guards
from analysis.config.fields import Duration, Name, PositiveDuration, Scalar
from analysis.nearest import remedy
from analysis.sources import matching
from analysis.testing import notation
from analysis.testing.notation import Value
from judges import Reason, Verdict

# A file of more is several files.
MOST_CASES, MOST_SERIES = 500, 5000


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_text(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _values(text: str) -> str:
    notation.parse_values(text)
    return " ".join(text.split())


def _labels(text: str) -> str:
    matching.parse_labels(text)
    return text


def _one_of(noun: str, choices: Sequence[str]) -> BeforeValidator:
    """Refuse a word that is none of them, with the nearest that is."""

    def known(value: object) -> object:
        if value in choices:
            return value
        raise ValueError(f"{value!r} is no {noun}; {remedy(str(value), choices)}")

    return BeforeValidator(known)


Values = Annotated[str, BeforeValidator(_as_text), AfterValidator(_values)]
Labels = Annotated[str, AfterValidator(_labels)]
Variables = dict[str, Scalar]
KnownVerdict = Annotated[Verdict, _one_of("verdict", [*map(str, Verdict)])]
KnownReason = Annotated[Reason, _one_of("reason", [*map(str, Reason)])]
KnownGuard = Annotated[str, _one_of("guard", guards.codes())]


class _Series(_Model):
    series: Labels = Field(default="{}", description='labels, such as up{pod="a"}')
    values: Values = Field(description="a value an interval, in promtool's notation")

    @property
    def labels(self) -> dict[str, str]:
        """Give the labels, the name among them."""
        return matching.parse_labels(self.series)

    @property
    def samples(self) -> list[Value]:
        """Give the values, one an interval."""
        return notation.parse_values(self.values)


class InputSeries(_Series):
    """A series as it would have been scraped."""

    series: Labels = Field(description='name and labels, such as up{pod="a"}')

    @field_validator("series")
    @classmethod
    def _is_named(cls, text: str) -> str:
        if "__name__" not in matching.parse_labels(text):
            raise ValueError(f"a scraped series has a name, got {text!r}")
        return text


class AnswerSeries(_Series):
    """A series of the answer to one query of a metric, whatever PromQL would say.

    Several series of one query are its pods, as in a real answer.
    """

    metric: Name
    side: Literal["baseline", "canary"]
    role: str | None = Field(
        default=None, description="which of the metric's queries, where it has two"
    )


class Span(_Model):
    """Which part is judged, counted from the first sample or the recording's start."""

    start: Duration = Field(default=timedelta(0), description="when the canary began")
    end: PositiveDuration | None = Field(default=None, description="default: the last sample")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("end must lie after start")
        return self


class Bounds(_Model):
    """Where a score has to lie."""

    min: float = Field(default=0.0, ge=0, le=100)
    max: float = Field(default=100.0, ge=0, le=100)

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, given: Any) -> Any:  # noqa: ANN401 - what YAML held
        is_number = isinstance(given, int | float) and not isinstance(given, bool)
        return {"min": given, "max": given} if is_number else given

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min ({self.min:g}) must not exceed max ({self.max:g})")
        return self


class MetricExpectation(_Model):
    """What is expected of one metric; what is not given may be anything."""

    verdict: KnownVerdict | None = None
    reason: KnownReason | None = Field(default=None, description="such as beyond_tolerance")
    guard: KnownGuard | None = Field(default=None, description="code of a guard that spoke up")
    summary: str | None = Field(default=None, description="text that its sentence contains")

    @model_validator(mode="before")
    @classmethod
    def _from_verdict(cls, given: Any) -> Any:  # noqa: ANN401 - what YAML held
        return {"verdict": given} if isinstance(given, str) else given


class Expectation(_Model):
    """What is expected of an analysis."""

    verdict: KnownVerdict
    decided_by: tuple[Name, ...] | None = Field(
        default=None, description="metrics that decided, the strongest first"
    )
    reason: KnownReason | None = Field(
        default=None, description="reason of the metric that decided"
    )
    summary: str | None = Field(default=None, description="text that the summary contains")
    score: Bounds | None = Field(default=None, description="a number, or min and max")
    metrics: dict[str, MetricExpectation] = Field(
        default_factory=dict, description="by name: a verdict, or verdict, reason, guard, summary"
    )


class Case(_Model):
    """One test: these series, that verdict."""

    name: Name
    config: str | None = Field(default=None, description="over the file's; relative to the file")
    interval: PositiveDuration | None = Field(default=None, description="over the file's")
    set: Variables = Field(default_factory=dict, description="variables of both sides")
    baseline: Variables = Field(default_factory=dict, description="variables of the baseline")
    canary: Variables = Field(default_factory=dict, description="variables of the canary")
    window: Span = Span()
    recording: str | None = Field(
        default=None, description="a folder of `serinus record`; relative to the file"
    )
    input_series: tuple[InputSeries, ...] = Field(default=(), max_length=MOST_SERIES)
    answers: tuple[AnswerSeries, ...] = Field(default=(), max_length=MOST_SERIES)
    expect: Expectation

    @model_validator(mode="after")
    def _has_data(self) -> Self:
        inline = [key for key in ("input_series", "answers") if getattr(self, key)]
        if (self.recording is None) == (not inline):
            found = f"got recording and {' and '.join(inline)}" if inline else "got none"
            raise ValueError(f"give a recording, or input_series and answers; {found}")
        return self

    def variables(self) -> Mapping[str, Mapping[str, object]]:
        """Give the variables of each side, its own over those of both."""
        return {"baseline": {**self.set, **self.baseline}, "canary": {**self.set, **self.canary}}


class Suite(_Model):
    """A file of tests."""

    config: str | None = Field(default=None, description="of every test that names none")
    interval: PositiveDuration | None = Field(
        default=None, description="distance of inline samples; default: the configuration's step"
    )
    tests: tuple[Case, ...] = Field(min_length=1, max_length=MOST_CASES)
