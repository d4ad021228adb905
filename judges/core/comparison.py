"""One comparison of two series: weigh harm and safety, decide, and say what was found.

An estimator need only say, for a stretch of the window, how the canary compares with the baseline
moved to a limit; looks, restarts, gates and words are the same for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from judges.core import evidence, settlement
from judges.core.dependence import LongRun
from judges.core.judgment import Estimate, Evidence, Judgment, Reason, Settlement, Verdict
from judges.core.limits import Limit
from judges.core.parameters import Looks
from judges.core.studentized import Studentized

# Fewer independent steps than this carry no verdict: the variance is then mostly a guess.
LEAST_EFFECTIVE = 6
# Steps behind a restart before it has evidence: with 15 instead of 20, false alarms of a rollout at
# autocorrelation .8 rise by half.
LEAST_RESTARTED = 20
# An e-value of 0, as a logarithm that a report can still write as a number.
NOTHING = Evidence(p=1.0, log_e=-700.0)


class Stretch(Protocol):
    """A stretch of the window, from some step to its end, as an estimator sees it."""

    @property
    def n(self) -> int:
        """Steps known on both sides."""

    @property
    def run(self) -> LongRun:
        """What is known of the dependence of its steps."""

    def beyond(self, limit: Limit, side: int) -> Studentized:
        """Compare the canary with the baseline moved to the limit; positive where it lies above."""

    def since(self, start: int) -> Self:
        """Give the steps from `start` to the end."""


class Rule(settlement.Rule, Protocol):
    """What a judge of series decides by."""

    @property
    def kind(self) -> str:
        """The judge's kind."""

    @property
    def horizon(self) -> int:
        """Planned steps of the whole analysis."""

    @property
    def min_samples(self) -> int:
        """Steps below which nothing is decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A comparison under way.

    Attributes:
        rule: The judge.
        whole: The whole window.
        estimate: The effect, as a person would quote it.
        step_s: Length of a step in seconds.
        details: Further numbers for the judgment.
    """

    rule: Rule
    whole: Stretch
    estimate: Estimate
    step_s: float
    details: Mapping[str, float | int | str | None] = field(default_factory=dict)

    def judgment(self) -> Judgment:
        """Weigh harm and safety, and decide."""
        rule, run = self.rule, self.whole.run
        harm = evidence.strongest([self._harm(sign) for sign in rule.direction.signs])
        safety = evidence.weakest([self._safety(sign) for sign in rule.direction.signs])
        verdict = evidence.decide(harm, safety, alpha=rule.alpha, beta=rule.beta, looks=rule.looks)
        reason = settlement.reason_of(verdict)
        if verdict is Verdict.INCONCLUSIVE and is_dependent(self.whole):
            reason = Reason.TOO_FEW_EFFECTIVE_SAMPLES
        return Judgment(
            kind=rule.kind,
            verdict=verdict,
            reason=reason,
            summary=self._summary(reason),
            estimate=self.estimate,
            harm=harm,
            safety=safety,
            n=self.whole.n,
            n_effective=run.n_effective,
            autocorrelation=run.autocorrelation,
            settlement=self._settlement() if verdict is Verdict.INCONCLUSIVE else None,
            details=self.details,
        )

    def _harm(self, side: int) -> Evidence:
        """Weigh harm over the whole window, and since each restart for harm that began late."""
        rule = self.rule
        whole = self._since(self.whole, side)
        if rule.looks is Looks.FIXED or whole.log_e is None:
            return whole
        starts = evidence.restarts(self.whole.n, rule.horizon, least=LEAST_RESTARTED)
        later = [self._since(self.whole.since(start), side).log_e for start in starts]
        mixed = evidence.with_restarts(whole.log_e, [e for e in later if e is not None])
        return Evidence(p=whole.p, log_e=mixed)

    def _since(self, stretch: Stretch, side: int) -> Evidence:
        """Weigh harm over a stretch; one with too few independent steps has no evidence at all."""
        if is_dependent(stretch):
            return NOTHING
        rule = self.rule
        found = stretch.beyond(rule.tolerance, side)
        return found.evidence(side, alpha=rule.alpha, horizon=rule.horizon)

    def _safety(self, side: int) -> Evidence:
        if is_dependent(self.whole):
            return NOTHING
        rule = self.rule
        found = self.whole.beyond(rule.pass_margin, side)
        return found.evidence(-side, alpha=rule.beta, horizon=rule.horizon)

    def _summary(self, reason: Reason) -> str:
        text = settlement.summary(self.estimate, self.rule)
        if reason is Reason.TOO_FEW_EFFECTIVE_SAMPLES:
            text += (
                f"; {self.whole.n} autocorrelated steps are worth only "
                f"{self.whole.run.n_effective:.1f} independent ones, {LEAST_EFFECTIVE} are needed"
            )
        return text

    def _settlement(self) -> Settlement:
        return settlement.for_series(
            self.estimate,
            n=self.whole.n,
            n_effective=self.whole.run.n_effective,
            least_effective=LEAST_EFFECTIVE,
            step_s=self.step_s,
            rule=self.rule,
        )


def is_dependent(stretch: Stretch) -> bool:
    """Tell whether a stretch has too few independent steps to carry a verdict."""
    return stretch.run.n_effective < LEAST_EFFECTIVE


def too_few(kind: str, n: int, least: int) -> Judgment:
    """Give the judgment of a sample that is too short."""
    return Judgment(
        kind=kind,
        verdict=Verdict.INCONCLUSIVE,
        reason=Reason.TOO_FEW_SAMPLES if n else Reason.NO_DATA,
        summary=f"{n} steps were seen on both sides; {least} are needed",
        n=n,
    )
