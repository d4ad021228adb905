"""Mean ratio: has the mean (per request, per step) changed by more than the tolerance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from judges.core import idle, many, parameters, pods, settlement, wording
from judges.core.comparison import Comparison, too_few
from judges.core.judgment import Judgment, Reason, Settlement, Verdict
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks, Pods
from judges.core.sample import Histogram, Ratio, Sample, Values
from judges.core.sums import Sums, Terms, remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanRatio:
    """Compare two means as a ratio of sums, robust against autocorrelation.

    Of `sums` (seconds over requests) it compares the mean per request; of a gauge the mean of the
    steps. Both sides of a step get the same weight, so traffic that shifts between them does not
    pass for an effect.

    Attributes:
        tolerance: Harm beyond which, once shown, the canary fails.
        margin: Harm that must be excluded for a pass.
        direction: Which change is harm.
        alpha: Error rate of a fail.
        beta: Error rate of a pass.
        looks: Whether the judge may be asked again as data arrive.
        horizon: Planned steps of the whole analysis.
        confidence: Two-sided level of the interval shown.
        min_samples: Steps below which nothing is decided.
        pods: Whether pods are replicates of their side.
        idle: What a pod may spend without any request, in the numerator's unit per second (CPU
            seconds: cores).

    References:
        Mantel & Haenszel (1959), JNCI 22: weights that follow neither side's traffic alone.
        Lazarus et al. (2018), JBES 36: the long-run variance.
    """

    kind: ClassVar[str] = "mean_ratio"
    accepts: ClassVar[tuple[type[Any], ...]] = (Values, Ratio, Histogram)
    uses_history: ClassVar[bool] = True

    tolerance: Limit = parameters.tolerance("5%")
    margin: Limit | None = parameters.margin()
    direction: Direction = parameters.direction()
    alpha: float = parameters.alpha()
    beta: float = parameters.beta()
    looks: Looks = parameters.looks()
    horizon: int = parameters.horizon()
    confidence: float = parameters.confidence()
    min_samples: int = parameters.min_samples()
    pods: Pods = parameters.pods()
    idle: float = parameters.number(
        0.0,
        "what a pod may spend without a request, in the numerator's unit per second (CPU: cores)",
        low=0.0,
    )

    def __post_init__(self) -> None:
        """Refuse limits that contradict each other or that a ratio cannot express."""
        settlement.check_margin(self.kind, self.tolerance, self.margin)
        settlement.check_ratio_only(self.kind, self.tolerance, self.margin)

    @property
    def pass_margin(self) -> Limit:
        """The harm that must be excluded for a pass."""
        return self.margin if self.margin is not None else self.tolerance.doubled()

    def judge(self, sample: Sample, /) -> Judgment:
        """Compare the two sides; `INCONCLUSIVE` when the data cannot tell.

        Args:
            sample: Sums, values or a histogram of both sides; only steps known on both are used.
        """
        return self.judge_all([self], [sample])[0]

    @classmethod
    def judge_all(cls, rules: Sequence[MeanRatio], samples: Sequence[Sample]) -> list[Judgment]:
        """Judge many metrics at once, each by its own rule; the same answers, much sooner."""
        prepared = [_prepare(rule, one) for rule, one in zip(rules, samples, strict=True)]
        return many.judge_all(prepared, _compare)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ready:
    """A metric whose sums can be compared."""

    rule: MeanRatio
    terms: Terms
    step_s: float

    @property
    def n(self) -> int:
        return self.terms.n

    @property
    def alike(self) -> tuple[object, ...]:
        rule = self.rule
        return rule.direction, rule.looks, rule.horizon, rule.confidence


def _prepare(rule: MeanRatio, sample: Sample) -> Judgment | _Ready:
    if (refused := pods.too_few(rule.kind, rule.pods, sample)) is not None:
        return refused
    terms = Terms.of(sample, rule.pods)
    if terms.n < rule.min_samples:
        return too_few(rule.kind, terms.n, rule.min_samples, sample.step_s)
    if -1 in rule.direction.signs:
        terms = terms.with_something_left()
    if not terms.is_positive:
        return _no_ratio(rule, terms)
    if rule.idle > 0:
        terms = replace(terms, idle=idle.shares(sample, rule.idle))
        if max(terms.idle) > idle.MOST:
            return _mostly_idle(rule, terms)
    terms = replace(terms, memory=remembered(sample.history))
    return _Ready(rule=rule, terms=terms, step_s=sample.step_s)


def _mostly_idle(rule: MeanRatio, terms: Terms) -> Judgment:
    side, share = ("baseline", "canary")[int(np.argmax(terms.idle))], max(terms.idle)
    return Judgment(
        kind=rule.kind,
        verdict=Verdict.INCONCLUSIVE,
        reason=Reason.NOT_COMPARABLE,
        summary=f"idle cost may be {wording.percent(share)} of what the {side} spent beyond the "
        f"other side's, so cost per request says nothing of the version",
        n=terms.n,
        settlement=Settlement(summary="no time settles it: as much traffic on each pod would"),
    )


def _no_ratio(rule: MeanRatio, terms: Terms) -> Judgment:
    """Judge sums without a positive level: a ratio of them means nothing."""
    same = bool(np.array_equal(terms.baseline, terms.canary))
    return Judgment(
        kind=rule.kind,
        verdict=Verdict.PASS if same else Verdict.INCONCLUSIVE,
        reason=Reason.STEADY_WITHIN_TOLERANCE if same else Reason.NOT_COMPARABLE,
        summary="both sides are the same at every step"
        if same
        else "a side's sum is not above 0, so there is no ratio to judge; "
        "mann_whitney with an absolute tolerance can judge differences",
        n=terms.n,
    )


def _compare(ready: Sequence[_Ready]) -> list[Judgment]:
    sums = Sums.of([one.terms for one in ready])
    levels = [one.terms.levels for one in ready]
    return Comparison(
        rules=[one.rule for one in ready],
        whole=sums,
        estimates=sums.estimates(ready[0].rule.confidence, levels),
        step_s=[one.step_s for one in ready],
        details=[one.terms.clusters.details if one.terms.clusters else {} for one in ready],
        memories=sums.memories,
    ).judgments()
