"""What a judge answers: a verdict, the reason for it, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Verdict(StrEnum):
    """The three answers."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Reason(StrEnum):
    """Why a verdict is what it is; stable words for programs."""

    BEYOND_TOLERANCE = "beyond_tolerance"
    WITHIN_MARGIN = "within_margin"
    UNDECIDED = "undecided"
    OUT_OF_BOUNDS = "out_of_bounds"
    WITHIN_BOUNDS = "within_bounds"
    NO_DATA = "no_data"
    NO_EXPOSURE = "no_exposure"
    TOO_FEW_SAMPLES = "too_few_samples"
    TOO_FEW_EFFECTIVE_SAMPLES = "too_few_effective_samples"
    TOO_FEW_EVENTS = "too_few_events"
    TOO_FEW_PODS = "too_few_pods"
    COARSE_BUCKETS = "coarse_buckets"
    STEADY_WITHIN_TOLERANCE = "steady_within_tolerance"
    STEADY_DIFFERENCE = "steady_difference"
    NOT_COMPARABLE = "not_comparable"
    SOURCE = "source"
    GUARD = "guard"


class Scale(StrEnum):
    """What an estimate is."""

    RATIO = "ratio"  # canary / baseline
    DIFFERENCE = "difference"  # canary - baseline, in the metric's unit
    VALUE = "value"  # the canary's own level, in the metric's unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Bounds of an estimate, on its scale.

    Attributes:
        lower: Lower bound; `None` where the data give none.
        upper: Upper bound; `None` where the data give none.
        level: Two-sided confidence level, a fraction.
    """

    lower: float | None
    upper: float | None
    level: float

    def excludes(self, value: float) -> bool:
        """Tell whether `value` lies outside the bounds."""
        below = self.lower is not None and value < self.lower
        return below or (self.upper is not None and value > self.upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The size of the effect, as a person would quote it.

    Attributes:
        value: The estimate, on `scale`.
        scale: Whether it is a ratio, a difference or a level.
        interval: Its confidence interval for this one look.
        baseline: The baseline's own level, in the metric's unit.
        canary: The canary's own level, in the metric's unit.
    """

    value: float | None
    scale: Scale
    interval: Interval | None = None
    baseline: float | None = None
    canary: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How strongly the data speak for one claim ("harm beyond tolerance", "harm excluded").

    Attributes:
        p: One-sided p-value of this look; valid if it is the only one.
        log_e: Natural logarithm of the e-value, valid however often one looks; `None` where the
            judge has no sequential form.
    """

    p: float
    log_e: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What would settle an inconclusive judgment, if the present rates and noise hold.

    Attributes:
        minutes: Further minutes of data.
        events: Further events (errors, slow requests), both sides together.
        requests: Further requests to the canary.
        summary: The same in a sentence.
    """

    summary: str
    minutes: float | None = None
    events: float | None = None
    requests: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """One judge's answer about one metric.

    Attributes:
        kind: The judge that gave it.
        verdict: Pass, fail or inconclusive.
        reason: Why, for programs.
        summary: Why, for people: one sentence with the numbers that decided.
        estimate: The effect and its interval; `None` where there was none to compute.
        harm: Evidence that the harm exceeds the tolerance.
        safety: Evidence that the harm lies below the margin.
        n: Steps in which both sides were observed.
        n_effective: The independent steps these are worth, after autocorrelation.
        autocorrelation: Lag-1 autocorrelation of the compared series, bias-corrected.
        settlement: What would settle it; only for an inconclusive verdict.
        warnings: What a reader should know before trusting the verdict.
        details: Further numbers of this judge, by name.
    """

    kind: str
    verdict: Verdict
    reason: Reason
    summary: str
    estimate: Estimate | None = None
    harm: Evidence | None = None
    safety: Evidence | None = None
    n: int = 0
    n_effective: float | None = None
    autocorrelation: float | None = None
    settlement: Settlement | None = None
    warnings: tuple[str, ...] = ()
    details: Mapping[str, float | int | str | None] = field(
        default_factory=lambda: MappingProxyType({})
    )
