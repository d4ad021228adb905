"""The forecast of events among requests: the counts to come, shown to the judge itself.

Counts decide by their number, not by a standard error, so the counts that a rollout of some length
will have are made up and judged: at the baseline's rate, with each side's traffic, less what their
bunching takes away, and as unlucky as one rollout in five.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.forecast import crossing, exposure, words
from analysis.forecast.bunching import Bunching, information_of
from analysis.forecast.exposure import Exposure
from analysis.forecast.model import Basis, Forecast, Harm, Planned, Remedy
from analysis.forecast.search import smallest, soonest
from analysis.forecast.series import unknown
from analysis.window import MOST_STEPS
from judges import Histogram, Judgment, Limit, Looks, Sample, Scale, Verdict
from judges.core import rates, stages, tallies
from judges.core.counts import Array, Tally
from judges.core.evidence import END_PART, planned_end
from judges.core.pods import ONE_LOOK
from judges.core.tallies import Ready
from judges.error_ratio import ErrorRatio
from judges.exceedance import Exceedance

Judge = ErrorRatio | Exceedance

# A rate seen in fewer events is known to less than a third of its size.
SURE_EVENTS = 10
# A margin is sought from a thousandth to a thousand times the configured one.
MOST_TIMES = 1000.0
# Without any event in the past the canary's own rate is sought from one in ten million.
LEAST_RATE = 1e-7
# Steps of which no judge says that they are too few.
PLENTY = 100


def of_counts(judge: Judge, sample: Sample, planned: Planned) -> Forecast:
    """Forecast a comparison of events among requests, or of observations above an edge.

    Args:
        judge: The judge, with its part of the budget and the planned horizon.
        sample: The past; of its canary only the traffic and how events bunch are used.
        planned: The rollout that is planned.
    """
    judgment = judge.judge(sample)
    if "dispersion" not in judgment.details:  # nothing could be counted
        return unknown(judgment)
    counted = _counted(sample, judgment)
    past, ready = exposure.of_past(counted), tallies.prepare(judge, counted)
    if past is None or isinstance(ready, Judgment):
        return unknown(judgment)
    outlook = _Outlook(
        judge=judge,
        past=ready,
        rate=tallies.rates(ready.tally)[0],
        coming=exposure.of_rollout(past, planned),
        bunching=Bunching.of(ready, past),
        steps=planned.steps,
    )
    needed, harm, margin = outlook.needed(), outlook.harm(), outlook.margin()
    minutes = None if needed is None else planned.minutes(needed, sample.step_s)
    suffices = outlook.suffices
    events = float(ready.tally.events_baseline.sum())
    return Forecast(
        kind=judge.kind,
        suffices=suffices,
        summary=words.summary(minutes, harm),
        basis=Basis(
            steps=judgment.n, events=events, requests=float(ready.tally.total_baseline.sum())
        ),
        minutes=minutes,
        requests=None if needed is None else needed * outlook.coming.canary,
        harm=harm,
        margin=margin,
        remedies=() if suffices else _remedies(outlook.longer(), margin, sample, planned),
        warnings=tuple(_warnings(events, outlook.bunching.factor)),
    )


def _counted(sample: Sample, judgment: Judgment) -> Sample:
    """Give observations of a histogram as those above the edge that was judged, among all."""
    baseline, canary = sample.baseline, sample.canary
    edge = judgment.details.get("edge")
    if not (isinstance(baseline, Histogram) and isinstance(canary, Histogram)) or edge is None:
        return sample
    above = (side.above(float(edge)) for side in (baseline, canary))
    return Sample(baseline=next(above), canary=next(above), step_s=sample.step_s)


def _remedies(
    longer: int | None, margin: Limit | None, sample: Sample, planned: Planned
) -> tuple[Remedy, ...]:
    """Name the changes with each of which the planned window would suffice."""
    found: list[Remedy] = []
    if longer is not None:
        found.append(words.longer(longer, sample.step_s, planned))
    if margin is not None:
        found.append(words.wider(margin))
    if longer is not None:
        found.append(words.busier(longer / planned.steps))
    return tuple(found)


def _warnings(events: float, dispersion: float) -> Iterator[str]:
    if events < SURE_EVENTS:
        yield (
            f"the baseline shows {events:.0f} events in the past, so its rate is hardly known; "
            f"a longer past tells more"
        )
    if dispersion > 1:
        yield f"events come in bunches: {dispersion:.1f} of them tell as much as one by itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outlook:
    """Counts to come.

    Attributes:
        judge: The judge.
        past: The counts of the past, with the pods.
        rate: The baseline's events per request.
        coming: Requests of each side in a step.
        bunching: How the events come.
        steps: Steps that are planned.
    """

    judge: Judge
    past: Ready
    rate: float
    coming: Exposure
    bunching: Bunching
    steps: int

    @property
    def suffices(self) -> bool:
        """Whether an equal canary passes in the planned window."""
        return self._passes(_at_end(self.judge), self._end(self.steps))

    def needed(self) -> int | None:
        """Give the steps after which an equal canary has passed; `None` where it never does.

        Where the planned end comes too soon, those are given that would have to be planned.
        """
        match self.judge.looks:
            case Looks.GROUP_SEQUENTIAL:
                ends = stages.ends(self.steps, self.judge.horizon)
                return next((end for end in ends if self._passes(self.judge, end)), None)
            case Looks.ANYTIME if self.suffices:
                end = self._end(self.steps)
                early = soonest(lambda n: self._passes(self.judge, n), least=1, most=end)
                return end if early is None else early
            case Looks.ANYTIME | Looks.FIXED:
                return self.longer()

    def longer(self) -> int | None:
        """Give the fewest steps that could be planned for an equal canary to pass."""
        if self.judge.looks is Looks.GROUP_SEQUENTIAL:
            return soonest(
                lambda n: self._passes(replace(self.judge, horizon=n), n),
                least=max(self.steps, 2),
                most=MOST_STEPS,
            )
        most = self.steps if self.suffices else MOST_STEPS
        steps = self._soonest(_at_end(self.judge), most=most)
        if steps is None:
            return None
        return next(n for n in itertools.count(steps) if self._end(n) >= steps)

    def _end(self, horizon: int) -> int:
        """Give the steps that the last look at a planned length judges."""
        return planned_end(horizon) if self.judge.looks is Looks.ANYTIME else horizon

    def _soonest(self, judge: Judge, *, most: int) -> int | None:
        """Find the fewest steps after which an equal canary passes by a judge of a single look."""
        # How counts are spread plays no part in safety, unless they come in too few steps.
        steps = smallest(
            lambda tried: self._pass(PLENTY, tried, [judge] * len(tried)), least=1.0, most=most
        )
        if steps is None:
            return None
        least = min(math.ceil(steps), most)
        return soonest(lambda n: self._passes(judge, n), least=least, most=most)

    def margin(self) -> Limit | None:
        """Give the narrowest margin with which the planned window would suffice.

        Both its parts are widened or narrowed alike, down to the tolerance.
        """
        given, least = self.judge.pass_margin, self.judge.tolerance

        def stretched(times: float) -> Limit:
            ratio, absolute = 1 + times * (given.ratio - 1), times * given.absolute
            return Limit(ratio=max(ratio, least.ratio), absolute=max(absolute, least.absolute))

        def suffice(factors: Array) -> list[bool]:
            judge, end = _at_end(self.judge), self._end(self.steps)
            judges = [replace(judge, margin=stretched(float(times))) for times in factors]
            return self._pass(end, np.full(len(factors), float(end)), judges)

        times = smallest(suffice, least=1 / MOST_TIMES, most=MOST_TIMES)
        return None if times is None else stretched(times)

    def harm(self) -> Harm | None:
        """Give the smallest harm that the planned window would fail."""
        sign = self.judge.direction.signs[0]
        start = max(self.rate, LEAST_RATE)
        times = smallest(
            lambda factors: self._fail(start * factors**sign),
            least=1.0,
            most=max(1 / start, 1.0) if sign > 0 else MOST_TIMES,
        )
        if times is None:
            return None
        level = start * times**sign
        if self.rate > 0:
            return Harm(value=level / self.rate, scale=Scale.RATIO, level=level)
        return Harm(value=level, scale=Scale.DIFFERENCE, level=level)

    def _passes(self, judge: Judge, n: int) -> bool:
        return self._pass(n, np.array([float(n)]), [judge])[0]

    def _pass(self, n: int, steps: Array, judges: Sequence[Judge]) -> list[bool]:
        """Tell of each number of steps, spread over n, whether an equal canary passes by its judge.

        It must do so whichever way it is unlucky.
        """
        signs = self.judge.direction.signs
        luck = crossing.reserve(sides=len(signs))
        verdicts = []
        for sign in signs:
            made = [_Made(n=n, steps=float(one), rate=self.rate, luck=sign * luck) for one in steps]
            verdicts.append(self._verdicts(judges, made, [judge.beta for judge in judges]))
        return [all(one is Verdict.PASS for one in each) for each in zip(*verdicts, strict=True)]

    def _fail(self, levels: Array) -> list[bool]:
        """Tell of each rate of the canary whether the planned window fails it, lucky as it is."""
        luck = -self.judge.direction.signs[0] * crossing.reserve()
        made = [
            _Made(n=self.steps, steps=self.steps, rate=float(rate), luck=luck) for rate in levels
        ]
        count = len(levels)
        verdicts = self._verdicts([self.judge] * count, made, [self.judge.alpha] * count)
        return [verdict is Verdict.FAIL for verdict in verdicts]

    def _verdicts(
        self, judges: Sequence[Judge], made: Sequence[_Made], levels: Sequence[float]
    ) -> list[Verdict]:
        ready = [
            replace(self.past, rule=judge, tally=self._tally(one, _tail(judge, level)))
            for judge, one, level in zip(judges, made, levels, strict=True)
        ]
        return [judgment.verdict for judgment in rates.compare(ready)]

    def _tally(self, made: _Made, tail: float) -> Tally:
        """Make up counts, and deflate them as the judge will that decides by such a tail."""
        requests = made.steps * self.coming.baseline, made.steps * self.coming.canary
        expected = requests[0] * self.rate, requests[1] * made.rate
        in_step = information_of(expected[0] / made.steps, expected[1] / made.steps)
        strayed = expected[1] + made.luck * self._spread(expected, in_step)
        canary = min(max(strayed, 0.0), sum(expected))
        deflator = self.bunching.deflator(in_step, made.steps, tail)

        def evenly(count: float) -> Array:
            return np.full((1, made.n), count / made.n / deflator)

        return Tally(
            events_baseline=evenly(sum(expected) - canary),
            total_baseline=evenly(requests[0]),
            events_canary=evenly(canary),
            total_canary=evenly(requests[1]),
        )

    def _spread(self, expected: tuple[float, float], in_step: float) -> float:
        """Give the standard deviation of the canary's events, given those of both sides."""
        information = information_of(*expected)
        pods = self.past.clusters.between(ONE_LOOK)[0] if self.past.clusters else 0.0
        return math.sqrt(information * (self.bunching.at(in_step) + pods * information))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What counts are to be made up.

    Attributes:
        n: Steps over which they are spread.
        steps: Steps of traffic that they hold.
        rate: The canary's events per request.
        luck: Standard errors by which it has more events than is likely.
    """

    n: int
    steps: float
    rate: float
    luck: float


def _tail(judge: Judge, level: float) -> float:
    """Give the tail that a judge asks of its deflator at a level."""
    return level / rates.FARTHER if judge.looks is Looks.ANYTIME else level


def _at_end(judge: Judge) -> Judge:
    """Give the judge as the planned end makes it pass: over looks, by one with its own level."""
    if judge.looks is not Looks.ANYTIME:
        return judge
    return replace(judge, looks=Looks.FIXED, beta=END_PART * judge.beta)
