"""Quantile ratio: has a quantile of a histogram risen by more than the tolerance?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from judges.core import many, parameters, pods, settlement, wording
from judges.core.comparison import Comparison, too_few
from judges.core.judgment import Judgment, Reason, Settlement, Verdict
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks, Pods
from judges.core.quantiles import Buckets, Place, Quantiles
from judges.core.sample import Histogram, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileRatio:
    """Compare a quantile of two histograms, robust against autocorrelation.

    The buckets of the window are pooled with weights that follow neither side's traffic alone; the
    quantile is interpolated within its bucket, and each step's part in it gives the variance.

    Attributes:
        quantile: Which quantile, a fraction.
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

    References:
        Woodruff (1952), JASA 47: quantiles from the distribution around them.
        Lazarus et al. (2018), JBES 36: the long-run variance.
    """

    kind: ClassVar[str] = "quantile_ratio"
    accepts: ClassVar[tuple[type[Any], ...]] = (Histogram,)

    quantile: float = parameters.probability(0.95, "which quantile, a fraction: 0.95 is the p95")
    tolerance: Limit = parameters.tolerance("10%")
    margin: Limit | None = parameters.margin()
    direction: Direction = parameters.direction()
    alpha: float = parameters.alpha()
    beta: float = parameters.beta()
    looks: Looks = parameters.looks()
    horizon: int = parameters.horizon()
    confidence: float = parameters.confidence()
    min_samples: int = parameters.min_samples()
    pods: Pods = parameters.pods()

    def __post_init__(self) -> None:
        """Refuse limits that contradict each other or that a ratio cannot express."""
        settlement.check_margin(self.kind, self.tolerance, self.margin)
        settlement.check_ratio_only(self.kind, self.tolerance, self.margin)

    @property
    def pass_margin(self) -> Limit:
        """The harm that must be excluded for a pass."""
        return self.margin if self.margin is not None else self.tolerance.doubled()

    def judge(self, sample: Sample, /) -> Judgment:
        """Compare the two sides; `INCONCLUSIVE` when the buckets cannot tell.

        Args:
            sample: Histograms of both sides; only steps with observations on both are used.

        Raises:
            TypeError: The sample holds no histograms.
        """
        return self.judge_all([self], [sample])[0]

    @classmethod
    def judge_all(cls, rules: Sequence[QuantileRatio], samples: Sequence[Sample]) -> list[Judgment]:
        """Judge many metrics at once, each by its own rule; the same answers, much sooner."""
        prepared = [_prepare(rule, one) for rule, one in zip(rules, samples, strict=True)]
        return many.judge_all(prepared, _compare)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ready:
    """A metric whose quantiles can be compared."""

    rule: QuantileRatio
    buckets: Buckets
    step_s: float

    @property
    def n(self) -> int:
        return self.buckets.n

    @property
    def alike(self) -> tuple[object, ...]:
        rule = self.rule
        return rule.direction, rule.looks, rule.horizon, rule.confidence


def _prepare(rule: QuantileRatio, sample: Sample) -> Judgment | _Ready:
    if (refused := pods.too_few(rule.kind, rule.pods, sample)) is not None:
        return refused
    buckets = Buckets.of(sample, rule.quantile, rule.pods)
    if buckets.n < rule.min_samples:
        return too_few(rule.kind, buckets.n, rule.min_samples, sample.step_s)
    if (unusable := buckets.unusable()) is not None:
        reason, text, times = unusable
        minutes = buckets.n * sample.step_s / 60 * (times - 1)
        return Judgment(
            kind=rule.kind,
            verdict=Verdict.INCONCLUSIVE,
            reason=reason,
            summary=text,
            n=buckets.n,
            settlement=_settlement(minutes),
        )
    return _Ready(rule=rule, buckets=buckets, step_s=sample.step_s)


def _settlement(minutes: float) -> Settlement:
    if not math.isfinite(minutes):
        text = "no time settles it: finer buckets would, or exceedance at one of the edges"
        return Settlement(summary=text)
    text = f"about {wording.duration(minutes)} more at the present traffic"
    return Settlement(minutes=minutes, summary=text)


def _compare(ready: Sequence[_Ready]) -> list[Judgment]:
    quantiles = Quantiles(
        buckets=[one.buckets for one in ready],
        margins=[one.rule.pass_margin.ratio for one in ready],
    )
    judgments = Comparison(
        rules=[one.rule for one in ready],
        whole=quantiles,
        estimates=quantiles.estimates(ready[0].rule.confidence),
        step_s=[one.step_s for one in ready],
        details=[_details(one) for one in ready],
    ).judgments()
    return [_named(one, judgment) for one, judgment in zip(ready, judgments, strict=True)]


def _details(one: _Ready) -> dict[str, float | int | str | None]:
    place, _ = one.buckets.places()
    bounds = {} if place is None else {"bucket_lower": place.lower, "bucket_upper": place.upper}
    clusters = one.buckets.clusters
    return {"quantile": one.rule.quantile, **bounds, **(clusters.details if clusters else {})}


def _named(one: _Ready, judgment: Judgment) -> Judgment:
    """Say which quantile it is; undecided in a bucket too wide for its margin, say that instead."""
    named = replace(judgment, summary=f"p{100 * one.rule.quantile:g} {judgment.summary}")
    wide = [place for place in one.buckets.places() if place and _is_wide(place, one.rule)]
    if not wide:
        return named
    bounds = f"{wide[0].lower:g} to {wide[0].upper:g}"
    if judgment.verdict is not Verdict.INCONCLUSIVE:
        warning = f"interpolated within the bucket {bounds}, which is wider than the margin"
        return replace(named, warnings=(*named.warnings, warning))
    return replace(
        named,
        reason=Reason.COARSE_BUCKETS,
        summary=f"{named.summary}; interpolated within the bucket {bounds}, so harm up to the "
        f"margin cannot be excluded",
        settlement=_settlement(math.inf),
    )


def _is_wide(place: Place, rule: QuantileRatio) -> bool:
    return not place.upper <= rule.pass_margin.ratio * place.lower
