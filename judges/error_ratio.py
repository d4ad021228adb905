"""Error ratio: do more of the canary's requests fail than the tolerance allows?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from judges.core import many, parameters, rates, settlement, tallies
from judges.core.judgment import Judgment
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks, Pods
from judges.core.sample import Ratio, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRatio:
    """Compare events among requests by the conditional binomial, deflated for bunching.

    The canary's events are harm when its rate exceeds both `ratio` times the baseline's and the
    baseline's plus `absolute` (a share of requests). Counts of events are compared, never the
    ratios of single steps, so unequal and changing traffic does no damage.

    Attributes:
        tolerance: Harm beyond which, once shown, the canary fails.
        margin: Harm that must be excluded for a pass.
        direction: Which change is harm.
        alpha: Error rate of a fail.
        beta: Error rate of a pass.
        looks: Whether the judge may be asked again as data arrive.
        horizon: Planned steps of the whole analysis.
        confidence: Two-sided level of the interval shown.
        pods: Whether pods are replicates of their side.

    References:
        Przyborowski & Wilenski (1940), Biometrika 31; Rao & Scott (1992), Biometrics 48.
    """

    kind: ClassVar[str] = "error_ratio"
    accepts: ClassVar[tuple[type[Any], ...]] = (Ratio,)

    tolerance: Limit = parameters.limit(
        Limit(ratio=1.25, absolute=0.0002),
        "harm beyond this, once shown, fails; absolute is a share of requests",
    )
    margin: Limit | None = parameters.limit(
        None, "harm that must be excluded for a pass; default twice the ratio, ten times absolute"
    )
    direction: Direction = parameters.direction()
    alpha: float = parameters.alpha()
    beta: float = parameters.beta()
    looks: Looks = parameters.looks()
    horizon: int = parameters.horizon()
    confidence: float = parameters.confidence()
    pods: Pods = parameters.pods()

    def __post_init__(self) -> None:
        """Refuse a margin smaller than the tolerance."""
        settlement.check_margin(self.kind, self.tolerance, self.margin)

    @property
    def pass_margin(self) -> Limit:
        """The harm that must be excluded for a pass.

        Where errors are rare no realistic traffic excludes a rise of two hundredths of a percent,
        so the absolute part is ten times the tolerance's (measured: good rollouts passed 59 % with
        +.02 points, 73 % with +.2 points, at the same rate of missed faults).
        """
        if self.margin is not None:
            return self.margin
        return replace(self.tolerance.doubled(), absolute=10 * self.tolerance.absolute)

    def judge(self, sample: Sample, /) -> Judgment:
        """Compare the two sides; `INCONCLUSIVE` when the counts cannot tell.

        Args:
            sample: Numerator (events) and denominator (requests) of both sides.

        Raises:
            TypeError: The sample holds plain values instead of counts.
        """
        return self.judge_all([self], [sample])[0]

    @classmethod
    def judge_all(cls, rules: Sequence[ErrorRatio], samples: Sequence[Sample]) -> list[Judgment]:
        """Judge many metrics at once, each by its own rule; the same answers, much sooner."""
        prepared = [tallies.prepare(rule, one) for rule, one in zip(rules, samples, strict=True)]
        return many.judge_all(prepared, rates.compare)
