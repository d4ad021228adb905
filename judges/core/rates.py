"""Rates of events among requests compared, many metrics at once: harm, safety, and the words.

A canary is harmful when its rate exceeds both parts of a limit (`ratio` times the baseline's, and
the baseline's plus `absolute`), and safe when it lies within either.

References:
    Przyborowski & Wilenski (1940), Biometrika 31; Rao & Scott (1992), Biometrics 48.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from judges.core import counts, evidence, pods, settlement, stages
from judges.core.comparison import LEAST_EFFECTIVE
from judges.core.counts import Array, Coins, Mask, Tally
from judges.core.evidence import Weights
from judges.core.judgment import Estimate, Evidence, Interval, Judgment, Scale, Settlement, Verdict
from judges.core.limits import Limit
from judges.core.parameters import Looks
from judges.core.pods import MANY_LOOKS, ONE_LOOK, Clusters, Prior
from judges.core.tallies import Ready, Rule, rates, settle, summarize

# What would settle it is searched up to this many times the data at hand; beyond, "not soon".
MOST_TIMES = 1000.0
# Two per cent: the sentence rounds more than that.
TIMES_PRECISION = 1.02
# Steps before events count over looks, from the beginning and from a restart: with fewer, one burst
# is the whole evidence and nothing tells that it was one (measured: false fails of 48 looks at 5 %
# with bursts on each side, 20 events a step: 24 % of independent ones, half of them at 5 steps).
LEAST_STEPS = 10
# Where evidence accumulates, or stages share a level, the tail that decides lies so much farther.
FARTHER = 10.0


def compare(ready: Sequence[Ready]) -> list[Judgment]:
    """Judge metrics with as many steps, whose rules differ in limits and levels only."""
    return _Comparison(
        rules=[one.rule for one in ready],
        tally=_stacked([one.tally for one in ready]),
        ready=ready,
        clusters=tuple(one.clusters for one in ready),
    ).judgments()


def _stacked(tallies: Sequence[Tally]) -> Tally:
    return Tally(
        events_baseline=np.vstack([one.events_baseline for one in tallies]),
        total_baseline=np.vstack([one.total_baseline for one in tallies]),
        events_canary=np.vstack([one.events_canary for one in tallies]),
        total_canary=np.vstack([one.total_canary for one in tallies]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Limits:
    """Limits and levels of many metrics for one claim, shape (m,) each."""

    ratio: Array
    absolute: Array
    level: Array

    @classmethod
    def of(cls, limits: Sequence[Limit], levels: Sequence[float]) -> _Limits:
        return cls(
            ratio=np.array([limit.ratio for limit in limits]),
            absolute=np.array([limit.absolute for limit in limits]),
            level=np.array(levels),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Comparison:
    """Comparisons under way; with `DECREASE` the sides are exchanged inside."""

    rules: Sequence[Rule]
    ready: Sequence[Ready]
    tally: Tally
    clusters: tuple[Clusters | None, ...]

    @property
    def _any(self) -> Rule:
        """Any of the rules: direction, looks and horizon are the same for all."""
        return self.rules[0]

    @cached_property
    def _dispersion(self) -> counts.Dispersion:
        return counts.dispersion(self.tally)

    @cached_property
    def _tolerances(self) -> _Limits:
        return _Limits.of([r.tolerance for r in self.rules], [r.alpha for r in self.rules])

    @cached_property
    def _margins(self) -> _Limits:
        return _Limits.of([r.pass_margin for r in self.rules], [r.beta for r in self.rules])

    def judgments(self) -> list[Judgment]:
        """Weigh harm and safety of each metric, and decide."""
        harm, safety = self._harm(), self._safety()
        verdicts = [
            evidence.decide(
                harm[row], safety[row], alpha=rule.alpha, beta=rule.beta, looks=rule.looks
            )
            for row, rule in enumerate(self.rules)
        ]
        open_ = np.array([verdict is Verdict.INCONCLUSIVE for verdict in verdicts])
        settlements = self._settlements(open_)
        estimates = self._estimates()
        return [
            self._judgment(row, verdict, estimates[row], (harm[row], safety[row]), settlements)
            for row, verdict in enumerate(verdicts)
        ]

    def _judgment(
        self,
        row: int,
        verdict: Verdict,
        estimate: Estimate,
        weights: tuple[Evidence, Evidence],
        settlements: Mapping[int, Settlement],
    ) -> Judgment:
        one, tally = self.ready[row], self.ready[row].tally
        return Judgment(
            kind=one.rule.kind,
            verdict=verdict,
            reason=settlement.reason_of(verdict),
            summary=summarize(one, estimate),
            estimate=estimate,
            harm=weights[0],
            safety=weights[1],
            n=tally.n,
            settlement=settlements.get(row),
            details={
                "events_baseline": float(tally.events_baseline.sum()),
                "events_canary": float(tally.events_canary.sum()),
                "requests_baseline": float(tally.total_baseline.sum()),
                "requests_canary": float(tally.total_canary.sum()),
                "dispersion": float(self._dispersion.factor[row]),
                **one.details,
                **(one.clusters.details if one.clusters else {}),
            },
        )

    # ---- evidence

    def _harm(self) -> Weights:
        """Weigh harm over the window, and since each restart for harm that began late."""
        n, horizon = self.tally.n, self._any.horizon
        if self._any.looks is Looks.GROUP_SEQUENTIAL:
            return self._staged(self._tolerances, is_harm=True)
        whole = _withheld(self.tally, self._dispersion, self._beyond(self.tally, self._dispersion))
        if self._any.looks is Looks.FIXED or whole.log_e is None:
            return whole
        later = []
        for start in evidence.restarts(n, horizon, least=LEAST_STEPS):
            bunched = counts.dispersion(self.tally, start=start)
            part = self.tally.part(start, n)
            since = _withheld(part, bunched, self._beyond(part, bunched))
            later += [since.log_e] if since.log_e is not None else []
        return Weights(p=whole.p, log_e=evidence.mixed(whole.log_e, later))

    def _safety(self) -> Weights:
        if self._any.looks is Looks.GROUP_SEQUENTIAL:
            return self._staged(self._margins, is_harm=False)
        whole = _withheld(self.tally, self._dispersion, self._within(self.tally, self._dispersion))
        if self._any.looks is Looks.FIXED or whole.log_e is None:
            return whole
        end, at_end = evidence.planned_end(self._any.horizon), None
        if self.tally.n >= end:
            part = self.tally.part(0, end)
            at_end = self._within(part, counts.dispersion(part)).p
        log_e = evidence.with_end(whole.log_e, at_end, self._margins.level)
        return Weights(p=whole.p, log_e=log_e)

    def _staged(self, limits: _Limits, *, is_harm: bool) -> Weights:
        """Judge the stages completed so far, each on the data up to its end."""
        ends = stages.ends(self.tally.n, self._any.horizon)
        parts = [self.tally.part(0, end) for end in ends]
        weigh = self._beyond if is_harm else self._within
        p = [weigh(part, counts.dispersion(part)).p for part in parts]
        return Weights(
            p=stages.sequential_p(p, ends, self._any.horizon, len(limits.level)), log_e=None
        )

    def _beyond(self, tally: Tally, bunched: counts.Dispersion) -> Weights:
        """Both parts of the tolerance must be exceeded, so the weaker evidence counts."""
        limits, found = self._tolerances, []
        for side in self._sides(tally):
            tossed = _coins(side, limits)
            single = self._at_once(tossed, bunched, limits)
            many = self._over_looks(tossed, bunched, limits)
            parts = [
                Weights(p=one.p_more(), log_e=other.log_e_more())
                for one, other in zip(single, many, strict=True)
            ]
            found.append(evidence.weakest_of(parts))
        return evidence.strongest_of(found)

    def _within(self, tally: Tally, bunched: counts.Dispersion) -> Weights:
        """To lie within either part of the margin is enough, so the stronger evidence counts.

        Only the part that binds can err, for the other is farther away.
        """
        limits, found = self._margins, []
        for side in self._sides(tally):
            tossed = _coins(side, limits)
            single = self._at_once(tossed, bunched, limits)
            p = np.min([coin.p_fewer() for coin in single], axis=0)
            deflator = bunched.deflator(self._tail(limits))
            p = np.minimum(p, _p_below(side, limits.absolute, deflator))
            many = self._over_looks(tossed, bunched, limits)
            found.append(Weights(p=p, log_e=np.max([coin.log_e_fewer() for coin in many], axis=0)))
        return evidence.weakest_of(found)

    def _at_once(
        self, tossed: Sequence[Coins], bunched: counts.Dispersion, limits: _Limits
    ) -> list[Coins]:
        return self._deflated(tossed, bunched, self._tail(limits), ONE_LOOK)

    def _tail(self, limits: _Limits) -> Array:
        """Give the tail that a p-value must reach: each stage has a part of the level only."""
        staged = self._any.looks is Looks.GROUP_SEQUENTIAL
        return limits.level / FARTHER if staged else limits.level

    def _over_looks(
        self, tossed: Sequence[Coins], bunched: counts.Dispersion, limits: _Limits
    ) -> list[Coins]:
        return self._deflated(tossed, bunched, limits.level / FARTHER, MANY_LOOKS)

    def _sides(self, tally: Tally) -> list[Tally]:
        signs = self._any.direction.signs
        return [tally if sign > 0 else tally.swapped() for sign in signs]

    def _deflated(
        self, tossed: Sequence[Coins], bunched: counts.Dispersion, level: Array, prior: Prior
    ) -> list[Coins]:
        """Count only what is independent: of steps that bunch, and of pods that differ."""
        deflator = bunched.deflator(level)
        if not any(self.clusters):
            return [coin.deflated(deflator) for coin in tossed]
        between = pods.between(self.clusters, prior)
        variance = between.variance * counts.widening(between.df, level)
        return [coin.deflated(deflator + variance * coin.information) for coin in tossed]

    # ---- estimate and settlement

    def _estimates(self) -> list[Estimate]:
        level = self._any.confidence
        tails = np.full(len(self.rules), (1 - level) / 2)
        deflator = self._dispersion.deflator(tails)
        if any(self.clusters):
            seen = counts.coins(self.tally, np.ones(len(self.rules)))
            between = pods.between(self.clusters, ONE_LOOK)
            variance = between.variance * counts.widening(between.df, tails)
            deflator = deflator + variance * seen.information
        ratios = counts.rate_ratios(self.tally, deflator, level=level)
        return [
            Estimate(
                value=_known(ratios.value[row]),
                scale=Scale.RATIO,
                interval=Interval(
                    lower=_known(ratios.lower[row]), upper=_known(ratios.upper[row]), level=level
                ),
                baseline=rates(one.tally)[0],
                canary=rates(one.tally)[1],
            )
            for row, one in enumerate(self.ready)
        ]

    def _settlements(self, open_: Mask) -> dict[int, Settlement]:
        """Find how many times the data at hand would decide, if the present rates hold."""
        if not open_.any():
            return {}
        rows = [int(row) for row in np.flatnonzero(open_)]
        times = self._only(open_).times_needed()
        return {
            row: settle(self.ready[row], float(factor))
            for row, factor in zip(rows, times, strict=True)
        }

    def _only(self, rows: Mask) -> _Comparison:
        places = [int(row) for row in np.flatnonzero(rows)]
        return _Comparison(
            rules=[self.rules[place] for place in places],
            ready=[self.ready[place] for place in places],
            tally=self.tally.only(rows),
            clusters=tuple(self.clusters[place] for place in places),
        )

    def times_needed(self) -> Array:
        """Give the factor on the data that decides each metric; infinite where none does."""
        low = np.full(len(self.rules), max(1.0, LEAST_STEPS / max(self.tally.n, 1)))
        high = 2 * low
        while (short := ~self._decides(high) & (high <= MOST_TIMES)).any():
            low, high = np.where(short, high, low), np.where(short, 2 * high, high)
        while (wide := high / low > TIMES_PRECISION).any():
            middle = np.where(wide, np.sqrt(low * high), high)
            decided = self._decides(middle)
            low, high = np.where(decided, low, middle), np.where(decided, middle, high)
            low = np.where(wide, low, high)
        return np.where(high > MOST_TIMES, np.inf, high)

    def _decides(self, times: Array) -> Mask:
        """Tell of each metric whether so many times the data, harm and all, would decide."""
        grown = self.tally.times(times)
        harm, safety = self._beyond(grown, self._dispersion), self._within(grown, self._dispersion)
        if self._any.looks is Looks.ANYTIME and harm.log_e is not None:
            harm = Weights(p=harm.p, log_e=evidence.mixed(harm.log_e, []))
        if self._any.looks is Looks.ANYTIME and safety.log_e is not None:
            ended = self.tally.n * times >= evidence.planned_end(self._any.horizon)
            at_end = np.where(ended, safety.p, 1.0)
            log_e = evidence.with_end(safety.log_e, at_end, self._margins.level)
            safety = Weights(p=safety.p, log_e=log_e)
        return np.array(
            [
                evidence.decide(
                    harm[row], safety[row], alpha=rule.alpha, beta=rule.beta, looks=rule.looks
                )
                is not Verdict.INCONCLUSIVE
                for row, rule in enumerate(self.rules)
            ]
        )


def _withheld(tally: Tally, bunched: counts.Dispersion, weights: Weights) -> Weights:
    """Withhold the evidence over looks of few steps, or of few independent bunches."""
    few = bunched.n_effective < LEAST_EFFECTIVE
    return weights.mute(few | (tally.n < LEAST_STEPS))


def _coins(tally: Tally, limits: _Limits) -> list[Coins]:
    """Give the events as tosses under each part of the limits; one part where the other is 0."""
    by_ratio = counts.coins(tally, limits.ratio)
    if not limits.absolute.any():
        return [by_ratio]
    floored = counts.coins(
        tally.with_floor(limits.absolute), np.where(limits.absolute > 0, 1.0, limits.ratio)
    )
    return [by_ratio, floored]


def _p_below(tally: Tally, absolute: Array, deflator: Array) -> Array:
    """Give P(so few events) if the canary alone had `absolute` events per request (Poisson).

    A canary below the allowance is within the margin whatever the baseline does; without any
    errors on either side this is the rule of three.
    """
    seen, allowed = tally.events_canary.sum(axis=1), absolute * tally.total_canary.sum(axis=1)
    p = special.gammaincc(seen / deflator + 1, allowed / deflator)
    return np.where(absolute > 0, p, 1.0)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
