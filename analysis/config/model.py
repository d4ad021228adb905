"""The shape of `canary.yaml`. pydantic stands at this door only; judges check their parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

import judges
from analysis.config.fields import (
    Duration,
    Name,
    Place,
    PositiveDuration,
    Section,
    SidedQuery,
    Variable,
    faults_of,
    format_duration,
    query_of,
)
from analysis.config.judging import (
    DEFAULT_JUDGES,
    JudgeSettings,
    default_judge,
    misfit,
    places_of,
)
from analysis.config.sources import SourceName, SourceSettings
from analysis.config.traffic import Traffic
from analysis.nearest import remedy
from judges import Looks

SIDES = ("baseline", "canary")
# Given to every query by the window.
BUILT_IN = ("step", "window")

Faults = Iterator[tuple[Place, str]]


class WindowSettings(Section):
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

    baseline_offset: PositiveDuration | None = Field(
        default=None,
        description="how much earlier than the canary the baseline is read: before and after "
        "instead of side by side, so the sides share no time; at least planned",
    )

    @model_validator(mode="after")
    def _offset_reaches_back(self) -> Self:
        if self.baseline_offset is not None and self.baseline_offset < self.planned:
            offset, planned = format_duration(self.baseline_offset), format_duration(self.planned)
            raise ValueError(
                f"baseline_offset ({offset}) must be at least planned ({planned}), or the baseline "
                f"would be read after the canary began"
            )
        return self

    @model_validator(mode="after")
    def _something_left(self) -> Self:
        if self.warmup >= self.planned:
            warmup, planned = format_duration(self.warmup), format_duration(self.planned)
            raise ValueError(f"warmup ({warmup}) must be shorter than planned ({planned})")
        return self


# Smaller, shared among the metrics, a probability may end as 0.
Probability = Annotated[float, Field(ge=1e-9, lt=1)]


class Risk(Section):
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


class Scoring(Section):
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


class Counts(Section):
    """Events among a total: selectors of two counters, read raw."""

    events: SidedQuery = Field(
        description="selector of the counter of events, such as failed requests"
    )
    total: SidedQuery = Field(description="selector of the counter of all requests")


class Sums(Section):
    """A quotient of two counters, read raw: seconds over requests, bytes over requests."""

    numerator: SidedQuery = Field(description="selector of the counter on top")
    denominator: SidedQuery = Field(description="selector of the counter below")


class PresetUse(Section):
    """A layer whose metrics are taken, and how it tells the sides apart."""

    layer: str = Field(description="which layer; `serinus presets list` names them")
    separation: str | None = Field(
        default=None,
        description="how the sides are told apart: by name, or by controller (argo-rollouts, "
        "flagger, kubernetes, feature-flag); needed where the layer knows several ways",
    )
    only: tuple[str, ...] = Field(
        default=(), description="these metrics; without it the recommended ones"
    )
    without: tuple[str, ...] = Field(default=(), description="not these metrics")


class Metric(Section):
    """One metric: what to ask, and which judge looks at the answer."""

    name: Name
    preset: str | None = Field(
        default=None,
        exclude=True,
        description="layer/metric, written out here; every other field lies over it",
    )
    separation: str | None = Field(
        default=None,
        exclude=True,
        description="how the preset's layer tells the sides apart, as in presets",
    )
    group: Name = "default"
    critical: bool = Field(default=False, description="the rollout passes only if this passes")
    muted: bool = Field(default=False, description="judged and shown, without a say in the verdict")
    source: str | None = Field(
        default=None, description="name of the source it is read from; default the first"
    )
    query: SidedQuery | None = Field(
        default=None, description="a PromQL expression, read at every step"
    )
    counts: Counts | None = None
    sums: Sums | None = None
    histogram: SidedQuery | None = Field(
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
    def _separation_has_a_preset(self) -> Self:
        if self.separation is not None:  # presets are written out before they come here
            raise ValueError("separation says how a preset tells the sides apart; name its preset")
        return self

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

    def templates(self, side: str) -> list[tuple[str, str]]:
        """List the metric's queries of a side, each with its role."""
        return [(role, query_of(query, side)) for role, query in self._queries() if query]

    def _queries(self) -> list[tuple[str, SidedQuery | None]]:
        if self.counts is not None:
            return [("events", self.counts.events), ("total", self.counts.total)]
        if self.sums is not None:
            return [("numerator", self.sums.numerator), ("denominator", self.sums.denominator)]
        if self.histogram is not None:
            return [("buckets", self.histogram)]
        return [("query", self.query)]


class CanaryConfig(Section):
    """A whole configuration."""

    version: Literal[1] = 1
    name: Name
    source: SourceSettings = SourceSettings()
    sources: dict[SourceName, SourceSettings] = Field(
        default_factory=dict,
        description="several sources by name, instead of `source`; the first is that of every "
        "metric that names none",
    )
    variables: dict[str, Variable] = Field(
        default_factory=dict,
        description="shared variables, and those of each side under baseline and canary; "
        "null means the caller must give it",
    )
    window: WindowSettings = WindowSettings()
    traffic: Traffic | None = Field(
        default=None, description="what the requests of both sides are held against"
    )
    risk: Risk = Risk()
    scoring: Scoring = Scoring()
    presets: str | PresetUse | tuple[str | PresetUse, ...] = Field(
        default=(),
        exclude=True,
        description="layers whose recommended metrics are judged beside those under metrics",
    )
    metrics: tuple[Metric, ...] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        found = (
            *(self._names(), self._groups(), self._looks(), self._variables()),
            *(self._sources(), self._offset(), self._weight_source()),
        )
        if faults := [fault for faults in found for fault in faults]:
            raise faults_of(faults)
        if self.sources:
            object.__setattr__(self, "source", next(iter(self.sources.values())))
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
                text = f"is no group of a metric; {remedy(name, groups)}"
                yield ("scoring", "weights", name), text

    def _looks(self) -> Faults:
        for index, metric in enumerate(self.metrics):
            try:
                metric.judge.create(looks=self.risk.looks.value)
            except judges.InvalidParameterError as error:
                for place, text in places_of(error):
                    yield ("metrics", index, "judge", *place), text

    def _offset(self) -> Faults:
        offset, step = self.window.baseline_offset, self.step
        if offset is not None and offset % step:
            text = f"must be a multiple of the source's step ({format_duration(step)})"
            yield ("window", "baseline_offset"), text

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

    def _sources(self) -> Faults:
        if self.sources and "source" in self.model_fields_set:
            yield ("sources",), "give source or sources, not both"
        steps = {name: settings.step for name, settings in self.sources.items()}
        first = next(iter(steps.items()), None)
        for name, step in steps.items():
            if first is not None and step != first[1]:
                text = (
                    f"has a step of {format_duration(step)}, {first[0]} one of "
                    f"{format_duration(first[1])}; all metrics are judged on one grid of steps"
                )
                yield ("sources", name), text
        for index, metric in enumerate(self.metrics):
            if metric.source is not None and metric.source not in self.sources:
                yield ("metrics", index, "source"), _unknown_source(metric.source, self.sources)

    def _weight_source(self) -> Faults:
        name = self.traffic.source if self.traffic is not None else None
        if name is not None and name not in self.sources:
            yield ("traffic", "source"), _unknown_source(name, self.sources)

    def source_name(self, metric: Metric) -> str:
        """Name the source that a metric is read from; empty where there is but one."""
        return metric.source or next(iter(self.sources), "")

    @property
    def named_sources(self) -> Mapping[str, SourceSettings]:
        """Every source by its name; the only one has none."""
        return self.sources or {"": self.source}

    @property
    def step(self) -> timedelta:
        """Distance of the judged steps, the same for every source."""
        return self.source.step

    @property
    def lag(self) -> timedelta:
        """Newest data left out: as much as the slowest source needs."""
        return max(settings.lag for settings in self.named_sources.values())

    def side_variables(self, side: str) -> Mapping[str, Any]:
        """Give what the configuration says of a side's variables, over the shared ones."""
        shared = {k: v for k, v in self.variables.items() if not isinstance(v, dict)}
        own = self.variables.get(side, {})
        return {**shared, **(own if isinstance(own, dict) else {})}

    def lasting(self, planned: timedelta) -> Self:
        """Give the same configuration for an analysis of another planned length."""
        window = self.window.model_copy(update={"planned": planned})
        return self.model_copy(update={"window": window})


def _unknown_source(name: str, known: Mapping[str, SourceSettings]) -> str:
    if not known:
        return "names a source, but there are no `sources`; describe them, or leave it out"
    return f"is none of the sources; {remedy(name, known)}"
