"""Slope: does the canary grow faster than the baseline, so that a limit would be reached?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from judges.core import parameters, settlement
from judges.core.errors import InvalidParameterError
from judges.core.growing import Growing
from judges.core.growth import Growth, Span
from judges.core.judgment import Judgment, Reason, Verdict
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks, Pods
from judges.core.sample import Ratio, Sample, Values
from judges.core.waiting import too_short

HOUR_S = 3600.0


class Per(StrEnum):
    """The time over which growth is told."""

    WINDOW = "window"  # the planned length of the analysis
    HOUR = "hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """Compare how fast two sides grow over the planned window, as a share of a limit.

    Growth is told for the whole planned window, so looks at different times ask the same question.
    Two pods of the baseline or more say how much pods differ by themselves; otherwise the steps do,
    robust against autocorrelation and against a difference that wanders.

    Attributes:
        tolerance: Growth beyond the baseline's which, once shown, fails.
        margin: Growth beyond the baseline's that must be excluded for a pass.
        limit: Level that growth is a share of, in the metric's unit; the baseline's own if `None`.
        per: Whether growth is told for the planned window or for an hour.
        direction: Which growth is harm.
        alpha: Error rate of a fail.
        beta: Error rate of a pass.
        looks: Whether the judge may be asked again as data arrive.
        horizon: Planned steps of the whole analysis.
        confidence: Two-sided level of the interval shown.
        min_samples: Steps below which nothing is decided.
        pods: Whether pods are replicates of their side.
    """

    kind: ClassVar[str] = "slope"
    accepts: ClassVar[tuple[type[Any], ...]] = (Values, Ratio)

    tolerance: Limit = parameters.tolerance("5%")
    margin: Limit | None = parameters.margin()
    limit: float | None = parameters.number(
        None, "level that growth is a share of, in the metric's unit; default the baseline's", low=0
    )
    per: Per = parameters.choice(Per.WINDOW, "growth in the planned window, or in an hour")
    direction: Direction = parameters.direction()
    alpha: float = parameters.alpha()
    beta: float = parameters.beta()
    looks: Looks = parameters.looks()
    horizon: int = parameters.horizon()
    confidence: float = parameters.confidence()
    min_samples: int = parameters.min_samples()
    pods: Pods = parameters.pods()

    def __post_init__(self) -> None:
        """Refuse limits that contradict each other, and a limit that has no shares."""
        settlement.check_margin(self.kind, self.tolerance, self.margin)
        if self.limit == 0:
            message = "slope: limit must be above 0, because growth is told as a share of it"
            raise InvalidParameterError((("limit", message),))

    @property
    def pass_margin(self) -> Limit:
        """The growth that must be excluded for a pass."""
        return self.margin if self.margin is not None else self.tolerance.doubled()

    def judge(self, sample: Sample, /) -> Judgment:
        """Compare the growth of both sides; `INCONCLUSIVE` when the data cannot tell.

        Args:
            sample: Values or quotients of both sides.
        """
        growing = Growing.of(sample, self.pods)
        n = growing.n
        if growing.is_deserted or (self.pods is Pods.REQUIRE and not growing.has_pods):
            return self._too_few_pods(growing)
        if n < self.min_samples:
            return too_short(self.kind, n, self.min_samples, sample.step_s)
        if growing.is_flat:
            text = f"neither side moved in {n} steps"
            return self._settled(Verdict.PASS, Reason.STEADY_WITHIN_TOLERANCE, text, n)
        growth = Growth.of(self, growing, self._span(sample.step_s))
        if growth.reference <= 0 and self.tolerance.absolute <= 0:
            text = "the baseline's level is 0, so growth is no share of it; give a limit, or an "
            text += "absolute tolerance"
            return self._settled(Verdict.INCONCLUSIVE, Reason.NOT_COMPARABLE, text, n)
        return growth.judgment()

    def _span(self, step_s: float) -> Span:
        """Give the time over which growth is told."""
        steps = HOUR_S / step_s if self.per is Per.HOUR else float(self.horizon)
        return Span(steps=steps, step_s=step_s, is_planned=self.per is Per.WINDOW)

    def _too_few_pods(self, growing: Growing) -> Judgment:
        baseline, canary = len(growing.pods_baseline), len(growing.pods_canary)
        text = (
            f"{baseline} pods of the baseline and {canary} of the canary were there from the start "
            f"of the window to its end; pods that come and go do not tell growth"
        )
        return self._settled(Verdict.INCONCLUSIVE, Reason.TOO_FEW_PODS, text, growing.n)

    def _settled(self, verdict: Verdict, reason: Reason, summary: str, n: int) -> Judgment:
        return Judgment(kind=self.kind, verdict=verdict, reason=reason, summary=summary, n=n)
