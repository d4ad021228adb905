"""Comparisons of series, many at once: weigh harm and safety, decide, and say what was found.

An estimator need only say, for a part of the window, how each canary compares with its baseline
moved to a limit; looks, restarts, gates and words are the same for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from judges.core import evidence, many, pods, settlement, stages, wording
from judges.core.dependence import LongRuns
from judges.core.evidence import Array, Mask, Weights
from judges.core.history import Memories, Memory
from judges.core.judgment import Estimate, Evidence, Judgment, Reason, Settlement, Verdict
from judges.core.limits import Limit
from judges.core.parameters import Looks
from judges.core.pods import Clusters

# Fewer independent steps than this carry no verdict: the variance is then mostly a guess. Where a
# history tells the dependence, fewer do: 30 steps of AR(.9) under white noise are worth 4, and with
# them good canaries fail in 1 to 3 % of a nominal 5 %.
LEAST_EFFECTIVE, LEAST_INFORMED = 6, 3
HIDDEN = (
    "the noise seems to have a slow part under a fast one, which so short a window cannot measure: "
    "error rates may be several times those stated; history (window.history) measures it"
)
# Steps behind a restart before it has evidence: with 15 instead of 20, false alarms of a rollout at
# autocorrelation .8 rise by half.
LEAST_RESTARTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the evidence is asked for.

    Attributes:
        side: Which way harm lies: the baseline is moved to the limit on this side.
        sign: +1 for "the canary lies above", -1 for "it lies below".
        horizon: Planned steps of the stretch.
    """

    side: int
    sign: int
    horizon: int

    @property
    def is_harm(self) -> bool:
        """Whether it says that the canary lies beyond the limit, not within."""
        return self.side == self.sign


class Stretch(Protocol):
    """A part of the window, as an estimator sees it, of several metrics with as many steps."""

    @property
    def n(self) -> int:
        """Steps known on both sides."""

    @property
    def runs(self) -> LongRuns:
        """What is known of the dependence of the steps, of each metric."""

    @property
    def slow(self) -> Mask:
        """Whether a slow part seems to hide under fast noise, of each metric; shape (m,)."""

    @property
    def clusters(self) -> tuple[Clusters | None, ...]:
        """The pods of each metric."""

    @property
    def within(self) -> Array:
        """Variance of each effect that the steps show, on the scale of the pods' spread; (m,)."""

    def weigh(self, limits: Sequence[Limit], claim: Claim, level: Array) -> Weights:
        """Weigh for each metric a claim about the canary and the baseline moved to the limit."""

    def part(self, start: int, stop: int) -> Self:
        """Give the steps from `start` to before `stop`."""


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


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Comparisons under way, of metrics with as many steps, judged alike but for their limits.

    Attributes:
        rules: The judge of each; they differ in tolerance, margin, alpha and beta only.
        whole: The whole window.
        estimates: The effect of each, as a person would quote it.
        step_s: Length of a step of each, in seconds.
        details: Further numbers for the judgment of each.
        memories: The past of each; none at all where nothing is remembered.
    """

    rules: Sequence[Rule]
    whole: Stretch
    estimates: Sequence[Estimate]
    step_s: Sequence[float]
    details: Sequence[Mapping[str, float | int | str | None]]
    memories: Memories = ()

    def judgments(self) -> list[Judgment]:
        """Weigh harm and safety of each metric, and decide."""
        weights = zip(self._harm().rows(), self._safety().rows(), strict=True)
        return [self._judgment(row, harm, safety) for row, (harm, safety) in enumerate(weights)]

    def _judgment(self, row: int, harm: Evidence, safety: Evidence) -> Judgment:
        rule, (n_effective, autocorrelation, is_silent, _) = self.rules[row], self._known[row]
        verdict = evidence.decide(harm, safety, alpha=rule.alpha, beta=rule.beta, looks=rule.looks)
        is_open = verdict is Verdict.INCONCLUSIVE
        return Judgment(
            kind=rule.kind,
            verdict=verdict,
            reason=Reason.TOO_FEW_EFFECTIVE_SAMPLES
            if is_open and is_silent
            else settlement.reason_of(verdict),
            summary=self._summary(row, is_short=is_open and is_silent),
            estimate=self.estimates[row],
            harm=harm,
            safety=safety,
            n=self.whole.n,
            n_effective=n_effective,
            autocorrelation=autocorrelation,
            settlement=settlement.for_series(self.estimates[row], self._seen(row), rule)
            if is_open
            else None,
            warnings=self._warnings(row),
            details=self._all_details(row),
        )

    def _summary(self, row: int, *, is_short: bool) -> str:
        text = wording.change(self.estimates[row]) + self._held_against[row]
        if is_short:
            text += (
                f"; {self.whole.n} autocorrelated steps are worth only "
                f"{self._known[row][0]:.1f} independent ones, {self._least[row]} are needed"
            )
        return text

    def _warnings(self, row: int) -> tuple[str, ...]:
        memory, hidden = self._memory(row), (HIDDEN,) if self._known[row][3] else ()
        remark = memory.remark(self.whole.n) if memory is not None else None
        return hidden if remark is None else (remark, *hidden)

    def _all_details(self, row: int) -> Mapping[str, float | int | str | None]:
        memory = self._memory(row)
        return (
            {**self.details[row], **memory.details(self.whole.n)} if memory else self.details[row]
        )

    @cached_property
    def _held_against(self) -> list[str]:
        return many.of_each(self.rules, settlement.held_against)

    @cached_property
    def _known(self) -> list[tuple[float, float, bool, bool]]:
        """Independent steps, autocorrelation, whether these are too few, and hidden noise."""
        runs = self.whole.runs
        columns = runs.n_effective, runs.autocorrelation, is_dependent(self.whole), self._hidden
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def _memory(self, row: int) -> Memory | None:
        return self.memories[row] if self.memories else None

    @cached_property
    def _hidden(self) -> Mask:
        """Tell of each metric whether slow noise hides that no history has measured."""
        told = self.whole.runs.by_history
        return self.whole.slow if told is None else self.whole.slow & ~told

    @cached_property
    def _least(self) -> NDArray[np.int_]:
        return least_effective(self.whole.runs)

    def _seen(self, row: int) -> settlement.Seen:
        return settlement.Seen(
            n=self.whole.n,
            n_effective=self._known[row][0],
            step_s=self.step_s[row],
            least_effective=float(self._least[row]),
            lasting=self._lasting[row],
        )

    @cached_property
    def _lasting(self) -> list[float]:
        """The part of each effect's variance that lies between pods, which no time reduces."""
        if not any(self.whole.clusters):
            return [0.0] * len(self.rules)
        between = pods.between(self.whole.clusters, pods.ONE_LOOK).variance
        total = between + self.whole.within
        shares = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
        return [float(share) for share in shares]

    @property
    def _any(self) -> Rule:
        """Any of the rules: direction, looks and horizon are the same for all."""
        return self.rules[0]

    @property
    def _signs(self) -> tuple[int, ...]:
        return self._any.direction.signs

    def _harm(self) -> Weights:
        """Weigh harm over the window, and since each restart for harm that began late."""
        limits = [rule.tolerance for rule in self.rules]
        alpha = np.array([rule.alpha for rule in self.rules])

        def since(stretch: Stretch, planned: int) -> Weights:
            claims = [Claim(side=s, sign=s, horizon=planned) for s in self._signs]
            return evidence.strongest_of([_weigh(stretch, limits, c, alpha) for c in claims])

        return self._over_looks(since, restarting=True)

    def _safety(self) -> Weights:
        limits = many.of_each(self.rules, lambda rule: rule.pass_margin)
        beta = np.array([rule.beta for rule in self.rules])

        def since(stretch: Stretch, planned: int) -> Weights:
            claims = [Claim(side=s, sign=-s, horizon=planned) for s in self._signs]
            return evidence.weakest_of([_weigh(stretch, limits, c, beta) for c in claims])

        whole = self._over_looks(since, restarting=False)
        if self._any.looks is not Looks.ANYTIME or whole.log_e is None:
            return whole
        n, end = self.whole.n, evidence.planned_end(self._any.horizon)
        at_end = since(self.whole.part(0, end), self._any.horizon).p if n >= end else None
        return Weights(p=whole.p, log_e=evidence.with_end(whole.log_e, at_end, beta))

    def _over_looks(self, weigh: Callable[[Stretch, int], Weights], *, restarting: bool) -> Weights:
        """Weigh a claim in the way that the number of looks asks for."""
        n, horizon = self.whole.n, self._any.horizon
        if self._any.looks is Looks.GROUP_SEQUENTIAL:
            ends = stages.ends(n, horizon)
            weights = [weigh(self.whole.part(0, end), horizon).p for end in ends]
            return Weights(
                p=stages.sequential_p(weights, ends, horizon, len(self.rules)), log_e=None
            )
        whole = weigh(self.whole, horizon)
        if self._any.looks is Looks.FIXED or whole.log_e is None or not restarting:
            return whole
        starts = evidence.restarts(n, horizon, least=LEAST_RESTARTED)
        # Evidence that starts anew is tuned to what is left of the plan.
        later = [weigh(self.whole.part(start, n), horizon - start).log_e for start in starts]
        mixed = evidence.mixed(whole.log_e, [log_e for log_e in later if log_e is not None])
        return Weights(p=whole.p, log_e=mixed)


def _weigh(stretch: Stretch, limits: Sequence[Limit], claim: Claim, level: Array) -> Weights:
    """Weigh a claim over a stretch; with too few independent steps there is no evidence at all."""
    return stretch.weigh(limits, claim, level).unless(is_dependent(stretch))


def is_dependent(stretch: Stretch) -> Mask:
    """Tell of each metric whether it has too few independent steps to carry a verdict."""
    dependent: Mask = stretch.runs.n_effective < least_effective(stretch.runs)
    return dependent


def least_effective(runs: LongRuns) -> NDArray[np.int_]:
    """Give the independent steps that each metric needs for a verdict, shape (m,)."""
    if runs.by_history is None:
        return np.full(len(runs.n_effective), LEAST_EFFECTIVE)
    return np.where(runs.by_history, LEAST_INFORMED, LEAST_EFFECTIVE)


def too_few(kind: str, n: int, least: int, step_s: float) -> Judgment:
    """Give the judgment of a sample that is too short."""
    more = (least - n) * step_s / 60
    return Judgment(
        kind=kind,
        verdict=Verdict.INCONCLUSIVE,
        reason=Reason.TOO_FEW_SAMPLES if n else Reason.NO_DATA,
        summary=f"{n} steps were seen on both sides; {least} are needed",
        n=n,
        settlement=Settlement(minutes=more, summary=f"about {wording.duration(more)} more"),
    )
