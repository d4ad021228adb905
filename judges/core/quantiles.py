"""Quantiles of histograms compared as ratios: pooled buckets, and each step's part in them.

References:
    Ferguson (1996), A Course in Large Sample Theory, ch. 13: a quantile's influence is the excess
    of its probability over the density there. Mantel & Haenszel (1959), JNCI 22: the steps'
    weights. Prometheus' histogram_quantile: linear within a classic bucket, geometric in a native.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from judges.core import evidence, pods
from judges.core.comparison import Claim
from judges.core.dependence import LongRuns
from judges.core.evidence import Mask, Weights
from judges.core.influence import Influence
from judges.core.judgment import Estimate, Reason
from judges.core.limits import Limit
from judges.core.parameters import Pods
from judges.core.pods import Clusters
from judges.core.sample import Array, Histogram, Sample
from judges.core.studentized import MEANS, half_widths, studentize
from judges.core.sums import Sums, ratio_estimate

# Fewer around it, or above it, and a quantile is an anecdote (measured: 14 % false alarms at a
# nominal 5 % with 6 requests a minute).
LEAST_AROUND, LEAST_ABOVE = 30, 10
# Interpolated counts that should be whole are not, to the last digits.
ROUNDING = 1e-9
# The buckets that clients make by default grow by 2 to 2.5; within a wider one nobody knows.
COARSEST = 2.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a quantile lies.

    Attributes:
        value: The quantile, in the histogram's unit.
        density: Density there times the value: probability for each unit of the logarithm.
        bucket: Index of its bucket.
        inside: The part of the bucket that lies below.
        lower: The bucket's lower bound.
        upper: Its upper bound.
        around: Observations that the density rests on.
    """

    value: float
    density: float
    bucket: int
    inside: float
    lower: float
    upper: float
    around: float = 0.0

    @property
    def is_coarse(self) -> bool:
        """Whether the bucket is too wide to say anything of a ratio."""
        return not (self.lower > 0 and self.upper <= COARSEST * self.lower)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Buckets:
    """The observations of one metric by step and bucket, weighted so that both sides have as many.

    Attributes:
        quantile: Which quantile is compared.
        edges: Shape (buckets,).
        exponential: Whether the buckets grow by a constant factor.
        baseline: Shape (n, buckets).
        canary: Shape (n, buckets).
        seen: Observations of each side in each bucket, unweighted, shape (2, buckets).
        sums: Weighted sums of the observed values, shape (2, n).
        clusters: The pods; `None` where they have no say.
    """

    quantile: float
    edges: Array
    exponential: bool
    baseline: Array
    canary: Array
    seen: Array
    sums: Array
    clusters: Clusters | None = None

    @classmethod
    def of(cls, sample: Sample, quantile: float, mode: Pods) -> Buckets:
        """Take the buckets of both sides.

        Raises:
            TypeError: The sample holds no histograms.
        """
        baseline, canary = sample.baseline, sample.canary
        if not (isinstance(baseline, Histogram) and isinstance(canary, Histogram)):
            raise TypeError("quantiles need histograms; build it with Sample.of_histograms")
        sides = baseline.by_step(), canary.by_step()
        means = [side.means().sums()[0] for side in (baseline, canary)]
        totals = [np.nan_to_num(side.sum(axis=1)) for side in sides]
        known = (totals[0] > 0) & (totals[1] > 0) & np.isfinite(means).all(axis=0)
        shares = totals[1][known] / (totals[0] + totals[1])[known]
        weights = shares, 1 - shares
        weighted = [
            side[known] * weight[:, np.newaxis] for side, weight in zip(sides, weights, strict=True)
        ]
        return cls(
            quantile=quantile,
            edges=baseline.edges,
            exponential=baseline.exponential,
            baseline=weighted[0],
            canary=weighted[1],
            seen=np.array([side[known].sum(axis=0) for side in sides]),
            sums=np.array([m[known] * w for m, w in zip(means, weights, strict=True)]),
            clusters=_clusters(mode, baseline, canary, quantile),
        )

    @property
    def n(self) -> int:
        """Steps known on both sides."""
        return len(self.baseline)

    def part(self, start: int, stop: int) -> Buckets:
        """Give the steps from `start` to before `stop`."""
        return replace(
            self,
            baseline=self.baseline[start:stop],
            canary=self.canary[start:stop],
            sums=self.sums[:, start:stop],
        )

    def places(self) -> tuple[Place | None, Place | None]:
        """Locate the quantile on both sides; `None` where it has no bucket with both bounds."""
        return self._place(self.baseline, self.seen[0]), self._place(self.canary, self.seen[1])

    def _place(self, side: Array, seen: Array) -> Place | None:
        counts = side.sum(axis=0)
        place = locate(counts, self.edges, self.quantile, is_exponential=self.exponential)
        return None if place is None else _smoothed(place, counts, seen, self.edges)

    def unusable(self) -> tuple[Reason, str, float] | None:
        """Say why the quantile cannot be compared, if it cannot.

        Returns:
            The reason, a sentence, and how many times the data would do; infinite if none would.
        """
        name = f"p{100 * self.quantile:g}"
        for side, place, seen in zip(("baseline", "canary"), self.places(), self.seen, strict=True):
            if place is None or place.is_coarse:
                return Reason.COARSE_BUCKETS, _too_coarse(name, side, place), math.inf
            above = float(seen[place.bucket + 1 :].sum())
            above += (1 - place.inside) * float(seen[place.bucket])
            if place.around < LEAST_AROUND or above < LEAST_ABOVE * (1 - ROUNDING):
                text = (
                    f"{name} of the {side} rests on {place.around:.0f} observations around it and "
                    f"{above:.0f} above; {LEAST_AROUND} and {LEAST_ABOVE} are needed"
                )
                times = max(LEAST_AROUND / max(place.around, 1), LEAST_ABOVE / max(above, 1))
                return Reason.TOO_FEW_EVENTS, text, times
        return None

    def effect(self) -> tuple[float, Array, Array] | None:
        """Give the logarithm of the ratio, and the canary's and baseline's part of each step."""
        places = self.places()
        if any(place is None or not place.density > 0 for place in places):
            return None
        (baseline, of_baseline), (canary, of_canary) = (
            (place.value, _influence(side, place, self.quantile))
            for side, place in zip((self.baseline, self.canary), places, strict=True)
            if place is not None
        )
        if baseline <= 0 or canary <= 0:
            return None
        return math.log(canary / baseline), of_canary, of_baseline


def locate(
    counts: Array, edges: Array, quantile: float, *, is_exponential: bool = False
) -> Place | None:
    """Find a quantile of counted observations, interpolated as Prometheus does.

    Args:
        counts: Shape (buckets,), not cumulative.
        edges: Shape (buckets,), upper bounds, ascending.
        quantile: In (0, 1).
        is_exponential: Interpolate geometrically.

    Returns:
        `None` where there is nothing, or where its bucket has no finite bounds.
    """
    total = float(counts.sum())
    reached = np.cumsum(counts)
    bucket = int(np.searchsorted(reached, quantile * total, side="left"))
    if not total > 0 or bucket >= len(edges) or not math.isfinite(edges[bucket]):
        return None
    lower = float(edges[bucket - 1]) if bucket else min(0.0, float(edges[0]))
    upper, held = float(edges[bucket]), float(counts[bucket])
    inside = (quantile * total - (float(reached[bucket]) - held)) / held if held > 0 else 0.0
    geometric = is_exponential and lower > 0
    value = lower * (upper / lower) ** inside if geometric else lower + (upper - lower) * inside
    width = math.log(upper / lower) if geometric else (upper - lower) / value if value else math.inf
    return Place(
        value=value,
        density=held / total / width if width > 0 else 0.0,
        bucket=bucket,
        inside=inside,
        lower=lower,
        upper=upper,
    )


def _smoothed(place: Place, counts: Array, seen: Array, edges: Array) -> Place:
    """Take the density from as many buckets around the quantile as hold enough observations.

    Args:
        place: The quantile, with the density of its own bucket.
        counts: Weighted observations in each bucket, shape (buckets,).
        seen: The same unweighted.
        edges: Upper bounds, shape (buckets,).
    """
    first = last = place.bucket
    while float(seen[first : last + 1].sum()) < LEAST_AROUND:
        wider = max(first - 1, 1), min(last + 1, len(edges) - 2)
        lower = float(edges[wider[0] - 1])
        if wider == (first, last) or not 0 < float(edges[wider[1]]) <= COARSEST * lower:
            break
        first, last = wider
    around = float(seen[first : last + 1].sum())
    if (first, last) == (place.bucket, place.bucket):
        return replace(place, around=around)
    mass = float(counts[first : last + 1].sum() / counts.sum())
    width = math.log(float(edges[last]) / float(edges[first - 1]))
    return replace(place, around=around, density=mass / width)


def _influence(side: Array, place: Place, quantile: float) -> Array:
    """Give each step's part in the log of the quantile: its excess of slow observations."""
    observed = side.sum(axis=1)
    below = side[:, : place.bucket].sum(axis=1) + place.inside * side[:, place.bucket]
    influence: Array = (quantile * observed - below) / (float(observed.mean()) * place.density)
    return influence


def _too_coarse(name: str, side: str, place: Place | None) -> str:
    if place is None:
        return f"{name} of the {side} lies above the last finite edge; add buckets there"
    return (
        f"{name} of the {side} lies in the bucket {place.lower:g} to {place.upper:g}, too wide for "
        f"a ratio; add buckets there, or ask exceedance at {place.upper:g}"
    )


def _clusters(
    mode: Pods, baseline: Histogram, canary: Histogram, quantile: float
) -> Clusters | None:
    """Describe the pods by the logarithms of their own quantiles."""
    known = baseline.counts[pods.is_known(baseline.rows)]
    found = [
        locate(
            np.nansum(pod, axis=0), baseline.edges, quantile, is_exponential=baseline.exponential
        )
        for pod in known
    ]
    levels = [math.log(place.value) for place in found if place is not None and place.value > 0]
    return pods.clusters(mode, np.array(levels), pods.count(canary.rows))


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantiles:
    """The quantiles of many metrics with as many steps: a stretch to compare.

    Attributes:
        buckets: A metric each.
        margins: The widest bucket of each, as upper over lower bound, that needs no other witness.
    """

    buckets: Sequence[Buckets]
    margins: Sequence[float]

    @property
    def n(self) -> int:
        """Steps known on both sides."""
        return self.buckets[0].n

    @cached_property
    def _effects(self) -> tuple[Array, Influence, Mask]:
        """The effects, each step's part in them, and which of them are known."""
        nothing = 0.0, np.zeros(self.n), np.zeros(self.n)
        found = [one.effect() for one in self.buckets]
        effects, canary, baseline = zip(*(one or nothing for one in found), strict=True)
        influence = Influence(canary=np.stack(canary), baseline=np.stack(baseline))
        return np.array(effects), influence, np.array([one is not None for one in found])

    @property
    def runs(self) -> LongRuns:
        """What is known of the dependence of the steps."""
        return self._effects[1].runs

    @property
    def slow(self) -> Mask:
        """Whether a slow part seems to hide under fast noise, of each metric; shape (m,)."""
        return self._effects[1].slow

    @property
    def within(self) -> Array:
        """Variance of each effect that the steps show, shape (m,)."""
        return self.runs.variance / self.n

    @property
    def clusters(self) -> tuple[Clusters | None, ...]:
        """The pods of each metric."""
        return tuple(one.clusters for one in self.buckets)

    def part(self, start: int, stop: int) -> Quantiles:
        """Give the steps from `start` to before `stop`."""
        return replace(self, buckets=[one.part(start, stop) for one in self.buckets])

    def weigh(self, limits: Sequence[Limit], claim: Claim, level: Array) -> Weights:
        """Weigh a claim about each ratio and its limit.

        Harm seen in a wide bucket needs the mean as a witness: interpolation turns a true 5 % into
        18 %, so no quantile there may fail more strongly than "the mean rose" does. It also turns a
        true 25 % into 11 %, so that no bucket wider than the margin can show that harm stays below.
        """
        effects, _, known = self._effects
        distance = effects - claim.side * np.log([limit.ratio for limit in limits])
        found = studentize(distance, self.runs, self.n, trust=MEANS, clusters=self.clusters)
        own = found.evidence(claim.sign, alpha=level, horizon=claim.horizon).unless(~known)
        wide = np.array([self.is_wide(row) for row in range(len(limits))])
        if not claim.is_harm:
            return own.unless(wide)
        if not wide.any():
            return own
        witness = self._means.weigh([Limit()] * len(limits), claim, level)
        both = evidence.weakest_of([own, witness])
        if own.log_e is None or both.log_e is None:
            return Weights(p=np.where(wide, both.p, own.p), log_e=None)
        return Weights(p=np.where(wide, both.p, own.p), log_e=np.where(wide, both.log_e, own.log_e))

    def is_wide(self, row: int) -> bool:
        """Tell whether a metric's quantile lies in a bucket wider than its margin, on a side."""
        return any(
            place is not None and not place.upper <= self.margins[row] * place.lower
            for place in self.buckets[row].places()
        )

    @cached_property
    def _means(self) -> Sums:
        return Sums(
            baseline=np.stack([one.sums[0] for one in self.buckets]),
            canary=np.stack([one.sums[1] for one in self.buckets]),
            clusters=self.clusters,
            idle=np.zeros((len(self.buckets), 2)),
        )

    def estimates(self, level: float) -> list[Estimate]:
        """Give each ratio with its interval."""
        halves = half_widths(self.runs, self.n, MEANS, level=level, clusters=self.clusters)
        return [
            ratio_estimate(float(effect), float(half), level=level, levels=_values(one))
            for effect, half, one in zip(self._effects[0], halves, self.buckets, strict=True)
        ]


def _values(buckets: Buckets) -> tuple[float | None, float | None]:
    baseline, canary = (None if place is None else place.value for place in buckets.places())
    return baseline, canary
