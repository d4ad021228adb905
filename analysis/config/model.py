"""The shape of `canary.yaml`. pydantic stands at this door only; judges check their parameters."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

import judges
from analysis.config.fields import (
    Duration,
    Name,
    Place,
    Query,
    Variable,
    faults_of,
    format_duration,
)
from analysis.config.judging import (
    DEFAULT_JUDGES,
    JudgeSettings,
    default_judge,
    misfit,
    places_of,
)
from judges import Looks

SIDES = ("baseline", "canary")
# Given to every query by the window.
BUILT_IN = ("step", "window")

Faults = Iterator[tuple[Place, str]]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _positive(value: timedelta) -> timedelta:
    if value < timedelta(milliseconds=1):
        raise ValueError("a duration here must be at least 1ms")
    return value


PositiveDuration = Annotated[Duration, AfterValidator(_positive)]


class PrometheusSettings(_Model):
    """Where the series are, and how finely they are read.

    Credentials never stand here: they come from the environment or from files.
    """

    url: str = Field(default="${PROMETHEUS_URL:-}", description="base URL; ${ENV} is expanded")
    step: PositiveDuration = Field(
        default=timedelta(seconds=15), description="distance of the judged steps"
    )
    lag: Duration = Field(
        default=timedelta(seconds=30),
        description="newest data left out: scrapes still on their way",
    )
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=30), description="longest wait for one query"
    )
    deadline: PositiveDuration = Field(
        default=timedelta(seconds=120), description="longest wait for all queries together"
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="such as X-Scope-OrgID; ${ENV} is expanded"
    )
    bearer_token_file: str | None = Field(default=None, description="file that holds the token")
    bearer_token_env: str | None = Field(default=None, description="variable that holds the token")
    username: str | None = Field(default=None, description="for basic authentication")
    password_env: str | None = Field(default=None, description="variable that holds the password")
    password_file: str | None = Field(default=None, description="file that holds the password")
    ca_file: str | None = Field(default=None, description="certificates to trust")

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        ways = [self.bearer_token_file, self.bearer_token_env, self.username]
        if sum(way is not None for way in ways) > 1:
            raise ValueError("give one of bearer_token_file, bearer_token_env and username")
        secrets = [self.password_env, self.password_file]
        if (self.username is None) == any(secret is not None for secret in secrets):
            raise ValueError("username needs password_env or password_file, and they need it")
        return self


class SourceSettings(_Model):
    """The metric source."""

    prometheus: PrometheusSettings = PrometheusSettings()


class WindowSettings(_Model):
    """The time that is judged."""

    planned: PositiveDuration = Field(
        default=timedelta(minutes=60), description="length of the whole analysis"
    )
    warmup: Duration = Field(
        default=timedelta(minutes=3), description="left out at the start, of both sides"
    )
    history: PositiveDuration | None = Field(
        default=None,
        description="how much of the baseline's past before the start tells of the noise; 24h "
        "serves windows of up to 72m",
    )

    @model_validator(mode="after")
    def _something_left(self) -> Self:
        if self.warmup >= self.planned:
            warmup, planned = format_duration(self.warmup), format_duration(self.planned)
            raise ValueError(f"warmup ({warmup}) must be shorter than planned ({planned})")
        return self


# Smaller, shared among the metrics, a probability may end as 0.
Probability = Annotated[float, Field(ge=1e-9, lt=1)]


class Risk(_Model):
    """The error rates of the whole rollout."""

    false_fail: Probability = Field(
        default=0.01,
        description="probability that a good rollout fails, over all looks and metrics",
    )
    false_pass: Probability = Field(
        default=0.05, description="probability that harm at a critical metric's margin passes"
    )
    looks: Looks = Field(
        default=Looks.ANYTIME, description="anytime: judge as often as you like; fixed: only once"
    )


class Scoring(_Model):
    """How metrics make a score from 0 to 100."""

    pass_: float = Field(default=95.0, gt=0, le=100, alias="pass")
    marginal: float = Field(default=75.0, gt=0, le=100)
    weights: dict[str, Annotated[float, Field(ge=0.001, le=1e6)]] = Field(
        default_factory=dict, description="weight of each group; groups not named share the rest"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if math.ceil(self.marginal) >= math.ceil(self.pass_):
            raise ValueError(
                f"marginal ({self.marginal:g}) must lie below pass ({self.pass_:g}) by a whole "
                f"point, so that what is inconclusive can lie between"
            )
        return self


class Counts(_Model):
    """Events among a total: selectors of two counters, read raw."""

    events: Query = Field(description="selector of the counter of events, such as failed requests")
    total: Query = Field(description="selector of the counter of all requests")


class Sums(_Model):
    """A quotient of two counters, read raw: seconds over requests, bytes over requests."""

    numerator: Query = Field(description="selector of the counter on top")
    denominator: Query = Field(description="selector of the counter below")


class Metric(_Model):
    """One metric: what to ask, and which judge looks at the answer."""

    name: Name
    group: Name = "default"
    critical: bool = Field(default=False, description="the rollout passes only if this passes")
    muted: bool = Field(default=False, description="judged and shown, without a say in the verdict")
    query: Query | None = Field(default=None, description="a PromQL expression, read at every step")
    counts: Counts | None = None
    sums: Sums | None = None
    histogram: Query | None = Field(
        default=None,
        description="selector of a classic histogram's buckets or of a native histogram, read raw",
    )
    pods: str | None = Field(
        default=None,
        description="label that tells pods apart, such as pod",
        pattern=r"^[a-zA-Z_]\w*$",
    )
    judge: JudgeSettings = Field(default_factory=lambda: JudgeSettings.model_construct(kind=""))

    @model_validator(mode="after")
    def _one_input(self) -> Self:
        given = [key for key in DEFAULT_JUDGES if getattr(self, key) is not None]
        if len(given) != 1:
            found = f"got {' and '.join(given)}" if given else "got none"
            rule = "a metric has exactly one of query, counts, sums and histogram"
            raise ValueError(f"{rule}; {found}")
        return self

    @property
    def input_key(self) -> str:
        """Name the input that is given: `query`, `counts`, `sums` or `histogram`."""
        return next(key for key in DEFAULT_JUDGES if getattr(self, key) is not None)

    @model_validator(mode="after")
    def _judge_fits(self) -> Self:
        if not self.judge.kind:
            object.__setattr__(self, "judge", default_judge(self.input_key))
        if (text := misfit(self.judge.kind, self.input_key)) is not None:
            raise ValueError(text)
        return self

    def templates(self) -> list[tuple[str, str]]:
        """List the metric's queries, each with its role."""
        if self.counts is not None:
            return [("events", self.counts.events), ("total", self.counts.total)]
        if self.sums is not None:
            return [("numerator", self.sums.numerator), ("denominator", self.sums.denominator)]
        if self.histogram is not None:
            return [("buckets", self.histogram)]
        return [("query", self.query or "")]


class CanaryConfig(_Model):
    """A whole configuration."""

    version: Literal[1] = 1
    name: Name
    source: SourceSettings = SourceSettings()
    variables: dict[str, Variable] = Field(
        default_factory=dict,
        description="shared variables, and those of each side under baseline and canary; "
        "null means the caller must give it",
    )
    window: WindowSettings = WindowSettings()
    risk: Risk = Risk()
    scoring: Scoring = Scoring()
    metrics: tuple[Metric, ...] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        found = (self._names(), self._groups(), self._looks(), self._variables())
        if faults := [fault for faults in found for fault in faults]:
            raise faults_of(faults)
        return self

    def _names(self) -> Faults:
        first: dict[str, int] = {}
        for index, metric in enumerate(self.metrics):
            if (same := first.setdefault(metric.name, index)) != index:
                text = f"is the name of metrics[{same}] too; give each its own"
                yield ("metrics", index, "name"), text
        if all(metric.muted for metric in self.metrics):
            yield ("metrics",), "all are muted, so nothing could decide; let one speak"

    def _groups(self) -> Faults:
        groups = sorted({metric.group for metric in self.metrics})
        for name in self.scoring.weights:
            if name not in groups:
                near = difflib.get_close_matches(name, groups, n=1)
                remedy = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(groups)}"
                yield ("scoring", "weights", name), f"is no group of a metric; {remedy}"

    def _looks(self) -> Faults:
        for index, metric in enumerate(self.metrics):
            try:
                metric.judge.create(looks=self.risk.looks.value)
            except judges.InvalidParameterError as error:
                for place, text in places_of(error):
                    yield ("metrics", index, "judge", *place), text

    def _variables(self) -> Faults:
        for name, value in self.variables.items():
            if isinstance(value, dict) != (name in SIDES):
                rule = "baseline and canary hold a side's variables; every other name one value"
                yield ("variables", name), rule
            inner = [(name, one) for one in value] if isinstance(value, dict) else [(name,)]
            for place in inner:
                if place[-1] in BUILT_IN:
                    text = "is given by the window; choose another name"
                    yield ("variables", *place), text

    def side_variables(self, side: str) -> Mapping[str, Any]:
        """Give what the configuration says of a side's variables, over the shared ones."""
        shared = {k: v for k, v in self.variables.items() if not isinstance(v, dict)}
        own = self.variables.get(side, {})
        return {**shared, **(own if isinstance(own, dict) else {})}

    def lasting(self, planned: timedelta) -> Self:
        """Give the same configuration for an analysis of another planned length."""
        window = self.window.model_copy(update={"planned": planned})
        return self.model_copy(update={"window": window})
