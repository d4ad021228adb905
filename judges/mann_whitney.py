"""Mann-Whitney, studentized for autocorrelation: does the canary tend to lie beyond tolerance?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np

from judges.core import (
    classic,
    compiled,
    evidence,
    history,
    many,
    parameters,
    pods,
    settlement,
    shifts,
    wording,
)
from judges.core.comparison import Claim, Comparison, too_few
from judges.core.compiled import Loops
from judges.core.dependence import LongRuns
from judges.core.errors import InvalidParameterError
from judges.core.evidence import Weights
from judges.core.history import Memories, Memory
from judges.core.judgment import (
    Estimate,
    Evidence,
    Judgment,
    Reason,
    Scale,
    Verdict,
)
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks, Pods
from judges.core.placing import TIE
from judges.core.pods import Clusters
from judges.core.ranks import Mask, Pairs, RankMethod, reach, row_medians, signed_ranks
from judges.core.sample import Array, Ratio, Sample, Values, paired_all
from judges.core.scaled import Scaled, scaled, scaled_all
from judges.core.shifts import Shifts
from judges.core.studentized import RANKS, Studentized, half_widths, widths


class Variance(StrEnum):
    """How the variance of the rank statistic is estimated."""

    ROBUST = "robust"  # long-run variance: valid under autocorrelation
    CLASSIC = "classic"  # the textbook null variance: valid for independent steps only


# A series that changes less often than this shows no noise to judge by.
LEAST_CHANGES = 5
# A standard error on the scale of the statistic that leaves order statistics on both sides.
MOST_HALF = 0.4
# A quotient so small tells nothing, a distance so large nothing more; their quotient's square must
# fit a double.
NOTHING, FAR = 1e-9, 1e100


@dataclass(frozen=True, slots=True, kw_only=True)
class MannWhitney:
    """Compare two gauges by ranks, paired by timestamp, robust against autocorrelation.

    Placements after Brunner and Munzel, or signed ranks where the sides share a pattern, divided by
    a long-run standard error; Hodges-Lehmann ratio (difference, where values are not all positive)
    with a confidence interval by inversion of the same test.

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
        variance: `robust`, or `classic` for the textbook test.

    References:
        Brunner & Munzel (2000), Biometrical Journal 42; Hodges & Lehmann (1963), Annals of
        Mathematical Statistics 34; Lazarus et al. (2018), JBES 36.
    """

    kind: ClassVar[str] = "mann_whitney"
    accepts: ClassVar[tuple[type[Any], ...]] = (Values, Ratio)
    uses_history: ClassVar[bool] = True

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
    variance: Variance = parameters.choice(
        Variance.ROBUST, "robust: valid under autocorrelation; classic: the textbook test"
    )

    def __post_init__(self) -> None:
        """Refuse parameters that contradict each other."""
        settlement.check_margin(self.kind, self.tolerance, self.margin)
        if self.variance is Variance.CLASSIC and self.looks is not Looks.FIXED:
            message = "variance: classic has no form for repeated looks; use looks: fixed or robust"
            raise InvalidParameterError((("variance", message),))

    def judge(self, sample: Sample, /) -> Judgment:
        """Compare the two sides; `INCONCLUSIVE` when the data cannot tell.

        Args:
            sample: Values or quotients of both sides; only steps known on both are used.
        """
        return self.judge_all([self], [sample])[0]

    @classmethod
    def judge_all(cls, rules: Sequence[MannWhitney], samples: Sequence[Sample]) -> list[Judgment]:
        """Judge many metrics at once, each by its own rule; the same answers, much sooner."""
        loops = compiled.kernels(sum(sample.steps for sample in samples))
        return many.judge_all(_prepare(rules, samples), partial(_compare, loops=loops))

    @property
    def pass_margin(self) -> Limit:
        """The harm that must be excluded for a pass."""
        return self.margin if self.margin is not None else self.tolerance.doubled()

    def uses_absolute(self) -> bool:
        """Tell whether a limit is absolute, so that only differences can express it."""
        return self.tolerance.absolute > 0 or self.pass_margin.absolute > 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ready:
    """A metric whose sides can be compared by ranks."""

    rule: MannWhitney
    data: Scaled
    clusters: Clusters | None
    step_s: float
    memory: Memory | None

    @property
    def n(self) -> int:
        return len(self.data.baseline)

    @property
    def alike(self) -> tuple[object, ...]:
        rule = self.rule
        return rule.direction, rule.looks, rule.horizon, rule.confidence, self.data.scale


def _prepare(rules: Sequence[MannWhitney], samples: Sequence[Sample]) -> list[Judgment | _Ready]:
    asked, sides = list(zip(rules, samples, strict=True)), paired_all(samples)
    found = [_refused(*one, len(canary)) for one, (_, canary) in zip(asked, sides, strict=True)]
    places = [place for place, refused in enumerate(found) if refused is None]
    absolute = many.of_each([rules[place] for place in places], MannWhitney.uses_absolute)
    data = scaled_all([sides[place] for place in places], absolute)
    ready = {at: _ready(*asked[at], one) for at, one in zip(places, data, strict=True)}
    return [ready[at] if refused is None else refused for at, refused in enumerate(found)]


def _refused(rule: MannWhitney, sample: Sample, n: int) -> Judgment | None:
    if (refused := pods.too_few(rule.kind, rule.pods, sample)) is not None:
        return refused
    return too_few(rule.kind, n, rule.min_samples, sample.step_s) if n < rule.min_samples else None


def _ready(rule: MannWhitney, sample: Sample, data: Scaled) -> Judgment | _Ready:
    if data.changes < LEAST_CHANGES:
        return _steady(rule, data)
    if rule.variance is Variance.CLASSIC:
        return _textbook(rule, data, sample.step_s)
    clusters = data.clusters(rule.pods, sample)
    memory = _remembered(sample.history, data.scale)
    return _Ready(rule=rule, data=data, clusters=clusters, step_s=sample.step_s, memory=memory)


def _remembered(past: Sample | None, scale: Scale) -> Memory | None:
    """Give the past of the differences, as signed ranks on the working scale."""
    if past is None:
        return None
    baseline, canary = past.paired()
    if len(baseline) == 0:
        return Memory.nothing()
    data = scaled(baseline, canary, absolute=scale is Scale.DIFFERENCE)
    if data.scale is not scale:
        return Memory.nothing()
    differences = (data.canary - data.baseline)[np.newaxis]
    return Memory.of(signed_ranks(differences - row_medians(differences)[:, np.newaxis])[0])


def _steady(rule: MannWhitney, data: Scaled) -> Judgment:
    """Judge two series that hardly ever change: chance cannot be told from a difference."""
    within = all(
        bool(np.all(sign * (data.canary - data.moved(rule.tolerance, sign)) <= TIE))
        for sign in rule.direction.signs
    )
    baseline, canary = (wording.amount(x) for x in (data.level_baseline, data.level_canary))
    levels = f"baseline {baseline}, canary {canary}"
    return Judgment(
        kind=rule.kind,
        verdict=Verdict.PASS if within else Verdict.INCONCLUSIVE,
        reason=Reason.STEADY_WITHIN_TOLERANCE if within else Reason.STEADY_DIFFERENCE,
        summary=f"steady and within tolerance at every step ({levels})"
        if within
        else f"both sides hardly vary ({levels}), so chance cannot be told from harm; "
        f"a threshold judge can decide this metric",
        n=len(data.baseline),
        estimate=data.levels(),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Stretch:
    """A part of the window of several metrics, with the statistic chosen for each.

    Attributes:
        data: The metrics on their working scales.
        pairs: The same, side by side.
        is_signed: Shape (m,): which statistic compares them; chosen over the whole window.
        clusters: The pods of each.
        memories: The past of each.
    """

    data: Sequence[Scaled]
    pairs: Pairs
    is_signed: Mask
    clusters: tuple[Clusters | None, ...]
    memories: Memories

    @property
    def n(self) -> int:
        return self.pairs.n

    @cached_property
    def runs(self) -> LongRuns:
        return history.informed(self.pairs.runs(self.is_signed), self.n, self.memories)

    @property
    def slow(self) -> Mask:
        return self.pairs.slow(self.is_signed)

    def part(self, start: int, stop: int) -> _Stretch:
        stretch = np.s_[:, start:stop]
        of_both = self.pairs.baseline[stretch], self.pairs.canary[stretch]
        pairs = Pairs.of(*of_both, self.pairs.loops)
        return _Stretch(
            data=[one.part(start, stop) for one in self.data],
            pairs=pairs,
            # A stage is judged by what was known at its end.
            is_signed=self.is_signed if start else pairs.choose(),
            clusters=self.clusters,
            memories=self.memories,
        )

    def weigh(self, limits: Sequence[Limit], claim: Claim, level: Array) -> Weights:
        pairs, shift = self._moved(limits, claim.side)
        found = pairs.studentized(self.is_signed, shift, self.runs)
        if any(self.clusters):
            is_own = pairs is self.pairs
            middle = self._middle if is_own else Shifts.of(pairs, self.is_signed).middle()
            found = self._clustered(found, middle - shift)
        return found.evidence(claim.sign, alpha=level, horizon=claim.horizon)

    def _clustered(self, found: Studentized, distance: Array) -> Studentized:
        """Hold the distance itself against pods: ranks that are all apart know no distance.

        Args:
            found: The rank statistics.
            distance: Shape (m,): typical shift beyond the limit, in working units.
        """
        # Quotient and distance together tell a standard error too. Where the ranks are all apart it
        # is the larger, and what is left of the quotient is the distance in units of the pods'.
        told = np.zeros_like(distance)
        np.divide(np.clip(distance, -FAR, FAR), found.t, out=told, where=np.abs(found.t) > NOTHING)
        within = np.maximum(self.within, told * told)
        return replace(found, within=within, seen=self.within, clusters=self.clusters)

    def _moved(self, limits: Sequence[Limit], side: int) -> tuple[Pairs, Array]:
        """Move the baselines to the limits: by a shift, which needs no sorting, where it is one."""
        if all(one.scale is Scale.RATIO for one in self.data):
            return self.pairs, side * np.log([limit.ratio for limit in limits])
        moved = [one.moved(limit, side) for one, limit in zip(self.data, limits, strict=True)]
        return self.pairs.moved(np.stack(moved)), np.zeros(len(moved))

    @cached_property
    def _shifts(self) -> Shifts:
        return Shifts.of(self.pairs, self.is_signed)

    @cached_property
    def _middle(self) -> Array:
        return self._shifts.middle()

    @cached_property
    def within(self) -> Array:
        """The variance of each shift, which the pods' differences are held against."""
        error = np.sqrt(self.runs.variance / self.n)
        bounds = self._shifts.bounds(np.minimum(reach(error), MOST_HALF))
        spread = np.nan_to_num(bounds.upper - bounds.lower, nan=0.0) / 2
        return np.asarray(spread * spread)

    def estimates(self, level: float) -> list[Estimate]:
        """Give each Hodges-Lehmann estimate, with the shifts that the test does not reject."""
        centres = self._middle
        bounds = self._shifts.bounds(reach(half_widths(self.runs, self.n, RANKS, level=level)))
        lower, upper = bounds.lower, bounds.upper
        if any(self.clusters):
            clustered = np.array([one is not None for one in self.clusters])
            wide = widths(self.within, self.runs, RANKS, level=level, clusters=self.clusters)
            lower = np.where(clustered, np.minimum(lower, centres - wide), lower)
            upper = np.where(clustered, np.maximum(upper, centres + wide), upper)
        columns = zip(self.data, centres.tolist(), lower.tolist(), upper.tolist(), strict=True)
        return [one.estimate(*found, level=level) for one, *found in columns]


def _compare(ready: Sequence[_Ready], *, loops: Loops) -> list[Judgment]:
    baseline, canary = [one.data.baseline for one in ready], [one.data.canary for one in ready]
    pairs = Pairs.of(np.array(baseline), np.array(canary), loops)
    whole = _Stretch(
        data=[one.data for one in ready],
        pairs=pairs,
        is_signed=pairs.choose(),
        clusters=tuple(one.clusters for one in ready),
        memories=tuple(one.memory for one in ready),
    )
    return Comparison(
        rules=[one.rule for one in ready],
        whole=whole,
        estimates=whole.estimates(ready[0].rule.confidence),
        step_s=[one.step_s for one in ready],
        details=[
            _details(one, is_signed=bool(signed))
            for one, signed in zip(ready, whole.is_signed, strict=True)
        ],
        memories=whole.memories,
    ).judgments()


def _details(ready: _Ready, *, is_signed: bool) -> Mapping[str, float | int | str | None]:
    method = RankMethod.SIGNED_RANKS if is_signed else RankMethod.PLACEMENTS
    pods_seen = ready.clusters.details if ready.clusters else {}
    return {"method": str(method), "variance": str(ready.rule.variance), **pods_seen}


def _textbook(rule: MannWhitney, data: Scaled, step_s: float) -> Judgment:
    """Judge by the textbook test, which knows one look and independent steps only."""

    def p(limit: Limit, side: int, toward: int) -> Evidence:
        moved, canary = data.moved(limit, side), data.canary
        return Evidence(p=classic.p_greater(*((moved, canary) if toward > 0 else (canary, moved))))

    signs, n = rule.direction.signs, len(data.baseline)
    harm = evidence.strongest([p(rule.tolerance, sign, sign) for sign in signs])
    safety = evidence.weakest([p(rule.pass_margin, sign, -sign) for sign in signs])
    verdict = evidence.decide(harm, safety, alpha=rule.alpha, beta=rule.beta, looks=rule.looks)
    centre = shifts.median_difference(data.baseline, data.canary)
    lower, upper = classic.interval(data.baseline, data.canary, level=rule.confidence)
    estimate = data.estimate(centre, lower, upper, level=rule.confidence)
    return Judgment(
        kind=rule.kind,
        verdict=verdict,
        reason=settlement.reason_of(verdict),
        summary=settlement.summary(estimate, rule),
        estimate=estimate,
        harm=harm,
        safety=safety,
        n=n,
        n_effective=float(n),
        settlement=settlement.for_series(
            estimate, settlement.Seen(n=n, n_effective=n, step_s=step_s), rule
        )
        if verdict is Verdict.INCONCLUSIVE
        else None,
        details={"method": str(RankMethod.PLACEMENTS), "variance": str(rule.variance)},
    )
