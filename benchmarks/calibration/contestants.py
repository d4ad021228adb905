"""Those who judge the same data: our judges at a nominal level, and what others would do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

import judges
from analysis.calibration import between
from judges import Evidence, Judge, Judgment, Ratio, Reason, Sample, Values, Verdict
from judges.core.sample import Array, Histogram

NOMINAL = 0.05
TWO_SIDED: Mapping[str, object] = {
    "tolerance": 0,
    "direction": "either",
    "alpha": NOMINAL,
    "looks": "fixed",
}
ONE_SIDED: Mapping[str, object] = {"tolerance": 0, "alpha": NOMINAL, "looks": "fixed"}


def as_it_is(sample: Sample) -> Sample:
    """Look at the whole sample."""
    return sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A judge under the name that tables give it.

    Attributes:
        name: Heading of its column.
        judge: Who judges.
        view: What it is shown of a sample.
    """

    name: str
    judge: Judge
    view: Callable[[Sample], Sample] = as_it_is

    def judgments(self, samples: Sequence[Sample]) -> list[Judgment]:
        """Judge a block; every figure of the tables comes through here."""
        return judges.judge_many([self.judge] * len(samples), [self.view(s) for s in samples])

    def verdicts(self, samples: Sequence[Sample]) -> list[Verdict]:
        """Give the verdicts on a block."""
        return [judgment.verdict for judgment in self.judgments(samples)]

    def fails(self, samples: Sequence[Sample]) -> NDArray[np.bool_]:
        """Tell which samples of a block fail."""
        return np.array([v is Verdict.FAIL for v in self.verdicts(samples)], dtype=np.bool_)

    def first_fail(self, samples: Sequence[Sample], looks: Sequence[int]) -> Array:
        """Give the first look, in steps, at which each sample fails; NaN for never."""
        failed_at = np.full(len(samples), np.nan)
        for look in looks:
            left = np.flatnonzero(np.isnan(failed_at))
            failing = self.fails([between(samples[int(i)], 0, look) for i in left])
            failed_at[left[failing]] = look
        return failed_at


def ours(
    kind: str,
    parameters: Mapping[str, object],
    *,
    name: str = "",
    view: Callable[[Sample], Sample] = as_it_is,
) -> tuple[Contestant, ...]:
    """Enter one of our judges; nobody, where it is not registered."""
    if kind not in judges.kinds():
        return ()
    return (Contestant(name=name or kind, judge=judges.create(kind, **parameters), view=view),)


def textbook(
    parameters: Mapping[str, object], *, view: Callable[[Sample], Sample] = as_it_is
) -> Contestant:
    """Enter the Mann-Whitney test as textbooks have it: steps are independent, however few."""
    asked = {"variance": "classic", "min_samples": 4, **parameters}
    judge = judges.create("mann_whitney", **asked)
    return Contestant(name="textbook Mann-Whitney", judge=judge, view=view)


def kayenta(*, view: Callable[[Sample], Sample] = as_it_is, **parameters: object) -> Contestant:
    """Enter Kayenta's judge."""
    return Contestant(name="kayenta", judge=judges.create("kayenta", **parameters), view=view)


def _judgment(kind: str, *, fails: bool, p: float | None = None) -> Judgment:
    """Answer as comparators do: what is not rejected passes."""
    return Judgment(
        kind=kind,
        verdict=Verdict.FAIL if fails else Verdict.PASS,
        reason=Reason.OUT_OF_BOUNDS if fails else Reason.WITHIN_BOUNDS,
        summary=kind,
        harm=Evidence(p=p) if p is not None else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Welch:
    """Welch's t-test of two means.

    Attributes:
        logarithms: Whether it compares logarithms; error ratios may be 0, and then it cannot.
        two_sided: Whether a decrease is harm too.
        level: Level at which it rejects.
    """

    kind: ClassVar[str] = "Welch"
    accepts: ClassVar[tuple[type[Any], ...]] = (Values, Ratio)

    logarithms: bool = True
    two_sided: bool = True
    level: float = NOMINAL

    def judge(self, sample: Sample, /) -> Judgment:
        """Reject at its level."""
        p = self._p(*(self._side(side.series()) for side in (sample.baseline, sample.canary)))
        return _judgment(self.kind, fails=p <= self.level, p=p)

    def _side(self, series: Array) -> Array:
        known = series[np.isfinite(series)]
        return np.log(known) if self.logarithms else known

    def _p(self, baseline: Array, canary: Array) -> float:
        if min(len(baseline), len(canary)) < 2:
            return 1.0
        shares = [float(side.var(ddof=1)) / len(side) for side in (baseline, canary)]
        if (total := sum(shares)) <= 0:
            return 1.0
        sizes = (len(baseline), len(canary))
        df = total**2 / sum(v**2 / (n - 1) for v, n in zip(shares, sizes, strict=True))
        t = float(canary.mean() - baseline.mean()) / math.sqrt(total)
        if self.two_sided:
            return 2 * float(special.stdtr(df, -abs(t)))
        return float(special.stdtr(df, -t))


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedThreshold:
    """A static bound on the canary's mean, as Flagger and Argo are configured to check.

    Attributes:
        bound: What the mean of the window must not exceed, in the metric's unit.
    """

    kind: ClassVar[str] = "fixed threshold"
    accepts: ClassVar[tuple[type[Any], ...]] = (Values, Ratio)

    bound: float

    def judge(self, sample: Sample, /) -> Judgment:
        """Hold the mean against the bound."""
        canary = sample.canary
        if isinstance(canary, Ratio):
            events, total = canary.sums()
            mean = float(np.nansum(events) / max(float(np.nansum(total)), 1.0))
        else:
            series = canary.series()
            mean = float(series[np.isfinite(series)].mean()) if np.isfinite(series).any() else 0.0
        return _judgment(self.kind, fails=mean > self.bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binomial:
    """The exact conditional test of two Poisson rates, to which every event is independent."""

    kind: ClassVar[str] = "exact binomial"
    accepts: ClassVar[tuple[type[Any], ...]] = (Ratio,)

    def judge(self, sample: Sample, /) -> Judgment:
        """Reject at the nominal level, one-sided."""
        sums = [side.sums() for side in (sample.baseline, sample.canary) if isinstance(side, Ratio)]
        (k_b, n_b), (k_c, n_c) = ((float(np.nansum(part)) for part in side) for side in sums)
        p = float(special.betainc(k_c, k_b + 1, n_c / (n_b + n_c))) if k_c > 0 else 1.0
        return _judgment(self.kind, fails=p <= NOMINAL, p=p)


def welch(*, view: Callable[[Sample], Sample] = as_it_is, **parameters: bool) -> Contestant:
    """Enter Welch's test."""
    return Contestant(name="Welch", judge=Welch(**parameters), view=view)


def fixed(bound: float, *, view: Callable[[Sample], Sample] = as_it_is) -> Contestant:
    """Enter a fixed threshold."""
    return Contestant(name="fixed threshold", judge=FixedThreshold(bound=bound), view=view)


def binomial() -> Contestant:
    """Enter the exact binomial test."""
    return Contestant(name="exact binomial", judge=Binomial())


def quantile_of_each_step(quantile: float) -> Callable[[Sample], Sample]:
    """Show of a histogram one quantile in each step, as `histogram_quantile` gives it."""

    def view(sample: Sample) -> Sample:
        sides = [_quantiles(side, quantile) for side in (sample.baseline, sample.canary)]
        return Sample.of_values(*sides, step_s=sample.step_s)

    return view


def _quantiles(side: object, quantile: float) -> Array:
    """Interpolate within the bucket; in the last one answer with its lower edge."""
    if not isinstance(side, Histogram):
        raise TypeError("a quantile of each step needs a histogram")
    counts, finite = side.by_step(), side.edges[:-1]
    cumulative = np.cumsum(counts, axis=1)
    rank = quantile * cumulative[:, -1]
    bucket = (cumulative < rank[:, np.newaxis]).sum(axis=1)
    inside = np.minimum(bucket, len(finite) - 1)
    steps = np.arange(len(counts))
    lower = np.concatenate(([0.0], finite))[inside]
    before = cumulative[steps, inside] - counts[steps, inside]
    share = (rank - before) / np.maximum(counts[steps, inside], 1.0)
    value = np.where(bucket < len(finite), lower + (finite[inside] - lower) * share, finite[-1])
    known: Array = np.where(cumulative[:, -1] > 0, value, np.nan)
    return known
