"""Spike: is something extreme happening right now?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from judges.core import parameters, wording
from judges.core.errors import InvalidParameterError
from judges.core.judgment import Estimate, Judgment, Reason, Scale, Verdict
from judges.core.parameters import Direction
from judges.core.sample import Array, Ratio, Sample, Values
from judges.core.waiting import more_steps, too_short

Mask = NDArray[np.bool_]
# False alarms in 240 steps at 46 looks, of 10,000 rollouts, nothing being wrong: gauges that vary
# by 15 % (autocorrelation .8) .18 % at a ratio of 2 and .01 % at 2.5; events at a mean of 2 a step
# .16 % with 10 of them and .01 % with 20.
RATIO, LEAST_EVENTS = 2.5, 20.0
# With fewer steps the worst that the baseline has reached is no measure of what it can reach:
# looked at in every step from the 4th on, equal rates alarm three times as often as from the 8th.
LEAST_STEPS = 8
# A canary exactly at the ratio counts in every unit.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """Fail when the last steps are so extreme that no statistics are needed.

    A step counts when the canary stands at `ratio` times the baseline of the same step, and beyond
    the worst level that the baseline itself reached in the window. What was seen is what is asked:
    there is no estimate, and no budget of false fails is spent.

    Attributes:
        ratio: Times the baseline at which a step counts.
        hits: Steps that must count among the last ones.
        steps: How many steps are the last ones.
        min_events: Of quotients of counters, the canary's events in the steps that count.
        direction: Which change is harm; a decrease counts at 1 / `ratio`.
        min_samples: Steps below which nothing is decided.
    """

    kind: ClassVar[str] = "spike"
    accepts: ClassVar[tuple[type[Any], ...]] = (Values, Ratio)

    ratio: float = parameters.number(RATIO, "times the baseline at which a step counts", low=1.1)
    hits: int = parameters.whole(3, "steps that must count among the last ones", low=1)
    steps: int = parameters.whole(4, "how many steps are the last ones", low=1)
    min_events: float = parameters.number(
        LEAST_EVENTS, "of counters, the canary's events in the steps that count", low=0
    )
    direction: Direction = parameters.direction()
    min_samples: int = parameters.whole(LEAST_STEPS, "steps below which nothing is decided", low=1)

    def __post_init__(self) -> None:
        """Refuse more hits than there are steps."""
        if self.hits > self.steps:
            message = f"spike: hits ({self.hits}) must not exceed steps ({self.steps})"
            raise InvalidParameterError((("hits", message),))

    def judge(self, sample: Sample, /) -> Judgment:
        """Look at the last steps; `INCONCLUSIVE` when they were not seen.

        Args:
            sample: Values or quotients of both sides.
        """
        recent = _Recent.of(sample, self.steps)
        if recent.n < self.min_samples:
            return too_short(self.kind, recent.n, self.min_samples, sample.step_s)
        if reason := self._not_comparable(sample, recent):
            return self._judgment(Verdict.INCONCLUSIVE, Reason.NOT_COMPARABLE, reason, recent)
        counts = {sign: recent.extreme(self.ratio, sign) for sign in self.direction.signs}
        sign = max(counts, key=lambda side: int(counts[side].sum()))
        hits = int(counts[sign].sum())
        events = recent.events(counts[sign], sign)
        if hits >= self.hits and (events is None or events >= self.min_events):
            text = self._sentence(recent, hits, sign)
            return self._judgment(Verdict.FAIL, Reason.OUT_OF_BOUNDS, text, recent)
        unseen = self.steps - int(recent.known.sum())
        if unseen > 0 and hits < self.hits <= hits + unseen:
            return self._unseen(recent, unseen, sample.step_s)
        return self._passed(recent, hits, sign, events)

    def _not_comparable(self, sample: Sample, recent: _Recent) -> str:
        """Say why no value is a multiple of the baseline's; nothing where some are."""
        if recent.lowest < 0:
            return "the baseline has negative values, so nothing is a multiple of them"
        is_gauge = not isinstance(sample.canary, Ratio)
        if is_gauge and recent.highest == 0 and 1 in self.direction.signs:
            return "the baseline is 0 in every step, so nothing is a multiple of it"
        return ""

    def _passed(self, recent: _Recent, hits: int, sign: int, events: float | None) -> Judgment:
        text = self._sentence(recent, hits, sign)
        if hits >= self.hits:
            text += f", but on {wording.amount(events or 0.0)} events ({self.min_events:g} needed)"
        else:
            text += f"; {self.hits} make a spike"
        return self._judgment(Verdict.PASS, Reason.WITHIN_BOUNDS, text, recent)

    def _unseen(self, recent: _Recent, unseen: int, step_s: float) -> Judgment:
        reason = Reason.TOO_FEW_SAMPLES if recent.known.any() else Reason.NO_DATA
        text = f"{unseen} of the last {self.steps} steps were not seen on both sides"
        found = self._judgment(Verdict.INCONCLUSIVE, reason, text, recent)
        return replace(found, settlement=more_steps(unseen, step_s))

    def _judgment(
        self, verdict: Verdict, reason: Reason, summary: str, recent: _Recent
    ) -> Judgment:
        return Judgment(
            kind=self.kind,
            verdict=verdict,
            reason=reason,
            summary=summary,
            estimate=recent.estimate(),
            n=recent.n,
        )

    def _sentence(self, recent: _Recent, hits: int, sign: int) -> str:
        times, worst = (
            (f"{self.ratio:g} times the baseline or more", recent.highest)
            if sign > 0
            else (f"1/{self.ratio:g} of the baseline or less", recent.lowest)
        )
        baseline, canary = (
            "nothing" if level is None else wording.amount(level) for level in recent.levels()
        )
        return (
            f"{hits} of the last {self.steps} steps stood at {times} and beyond "
            f"{wording.amount(worst)}, the worst it reached itself (median {canary} against "
            f"{baseline})"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Recent:
    """The last steps of both sides, and what the baseline reached in all of the window.

    Attributes:
        baseline: Shape (steps,): levels of the last steps, NaN where unknown.
        canary: The same of the canary.
        counted: Events and total of the canary in these steps; `None` for a gauge.
        lowest: Least level of the baseline in the window; 0 where it is unknown.
        highest: Largest level of the baseline in the window.
        n: Steps of the window that both sides know.
    """

    baseline: Array
    canary: Array
    counted: tuple[Array, Array] | None
    lowest: float
    highest: float
    n: int

    @classmethod
    def of(cls, sample: Sample, steps: int) -> _Recent:
        baseline, canary = sample.baseline.series(), sample.canary.series()
        reached = baseline[np.isfinite(baseline)]
        counted = None
        if isinstance(sample.canary, Ratio):
            events, total = sample.canary.sums()
            counted = events[-steps:], total[-steps:]
        return cls(
            baseline=baseline[-steps:],
            canary=canary[-steps:],
            counted=counted,
            lowest=float(reached.min()) if len(reached) else 0.0,
            highest=float(reached.max()) if len(reached) else 0.0,
            n=int(np.count_nonzero(np.isfinite(baseline) & np.isfinite(canary))),
        )

    @property
    def known(self) -> Mask:
        """Which of the last steps both sides know, shape (steps,)."""
        known: Mask = np.isfinite(self.baseline) & np.isfinite(self.canary)
        return known

    def extreme(self, ratio: float, sign: int) -> Mask:
        """Mark the steps, shape (steps,), with the canary extreme above (+1) or below (-1)."""
        # Divided rather than multiplied: a level near the largest double must not overflow.
        least = ratio * (1 - _ROUNDING)
        if sign > 0:
            extreme = (self.canary / least >= self.baseline) & (self.canary > self.highest)
        else:
            extreme = (self.baseline / least >= self.canary) & (self.canary < self.lowest)
        marked: Mask = extreme & self.known
        return marked

    def events(self, counting: Mask, sign: int) -> float | None:
        """Give the canary's events in the steps marked, or those it should have had; of counters.

        Where fewer of them are the harm, none at all must be able to show it.
        """
        if self.counted is None:
            return None
        events, total = self.counted
        with np.errstate(over="ignore"):
            own = events if sign > 0 else self.baseline * total
            return float(own[counting].sum())

    def levels(self) -> tuple[float | None, float | None]:
        """Give the medians of baseline and canary in the last steps; `None` where unknown."""
        if not self.known.any():
            return None, None
        # The median of halves: two values near the largest double must not overflow.
        halves = (side[self.known] / 2 for side in (self.baseline, self.canary))
        baseline, canary = (2 * float(np.median(half)) for half in halves)
        return baseline, canary

    def estimate(self) -> Estimate:
        """Give the levels of the last steps and their ratio, as seen: no interval belongs to it."""
        baseline, canary = self.levels()
        ratio = canary / baseline if canary is not None and baseline else math.nan
        is_ratio = math.isfinite(ratio) and ratio > 0
        value = ratio if is_ratio else None
        return Estimate(value=value, scale=Scale.RATIO, baseline=baseline, canary=canary)
