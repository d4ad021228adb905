"""A mean influence over its long-run standard error, and how far such a quotient can be trusted.

A t reference with the degrees of freedom of the variance is right near the usual levels, but too
light far out: a rollout with many metrics decides at 1e-4, where a variance that came out too small
is the whole tail. Bounding the quotient by t / sqrt(1 + t^2 / (k n_effective)) and counting fewer
degrees mends the tail and costs little near zero.

The constants were chosen with seeds 1 to 7 of a prototype; the measured error rates of the judges
are in docs/reference/error-rates.md, on other seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from judges.core.dependence import LongRuns
from judges.core.evidence import Weights, log_e_normals, normal_deviates
from judges.core.pods import MANY_LOOKS, ONE_LOOK, Between, Clusters, Prior, between

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How a kind of statistic is bounded: (k, factor on the degrees of freedom).

    Attributes:
        one_look: Where p-values near 5 % matter.
        many_looks: Where evidence accumulates and only its far tail decides.
    """

    one_look: tuple[float, float]
    many_looks: tuple[float, float]


# Of a rollout of 12 metrics with tolerance 0, looks at 15 to 60 steps every 5, nominal 1 %: false
# fails at autocorrelation 0, .5 and .8; and how often +50 % on a critical metric (noise 15 %,
# tolerance 10 %) was found at .5 (1500 and 3000 rollouts of the tuning seeds):
#   unbounded       ranks .1, 1.5, 10 %; 95 %     means 0, 1.5, 7.5 %; 96 %
#   k 15, df x .8   ranks .1,  .8, 3.6 %; 90 %    means 0,  .9, 2.7 %; 91 %
FAR_OUT = (11.0, 0.8)
RANKS = Trust(one_look=(20.0, 1.5), many_looks=FAR_OUT)
MEANS = Trust(one_look=(math.inf, 1.2), many_looks=FAR_OUT)
# Of one side alone there is one series, not two: Student's t as it stands.
ONE_SIDE = Trust(one_look=(math.inf, 1.0), many_looks=FAR_OUT)


# Where pods differ so much more than the steps do, the steps' own variance no longer matters.
MOST_INFLATION = 1e12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Studentized:
    """Effects in units of their long-run standard errors, a row a comparison.

    Attributes:
        t: Shape (m,): the quotients; positive where the canary lies above.
        runs: What is known of the dependence of each.
        n: Steps they were computed from.
        trust: How far they can be trusted.
        within: Shape (m,): variance of the effect that the steps leave, on the pods' scale; larger
            than `seen` where so large an effect allows no smaller one.
        seen: Shape (m,): the variance that the steps show, whatever the effect.
        clusters: The pods of each, whose differences add to that variance; none have no say.
    """

    t: Array
    runs: LongRuns
    n: int
    trust: Trust
    within: Array
    seen: Array
    clusters: tuple[Clusters | None, ...] = ()

    @property
    def z(self) -> Array:
        """The standard normal deviates of a single look, shape (m,)."""
        return self._deviates(self.trust.one_look, ONE_LOOK)

    @property
    def z_over_looks(self) -> Array:
        """The deviates whose tails also hold far out, for evidence over many looks."""
        return self._deviates(self.trust.many_looks, MANY_LOOKS)

    def _deviates(self, bounds: tuple[float, float], prior: Prior) -> Array:
        k, df_factor = bounds
        df = df_factor * self.runs.df
        if any(self.clusters):
            pods = between(self.clusters, prior)
            ratio = _ratio(pods, self.within)
            t = self.t / np.sqrt(1 + ratio)
            # The degrees of freedom of a sum are most at pods.df / df. They must not fall beyond it
            # as a larger effect makes the pods' part smaller: more harm would be weaker evidence.
            most = np.minimum(_ratio(pods, self.seen), pods.df / df)
            df = _degrees(np.maximum(ratio, most), df, pods)
        else:
            t = self.t
        return normal_deviates(t / np.sqrt(1 + t * t / (k * self.runs.n_effective)), df)

    def evidence(self, sign: int, *, alpha: Array | float, horizon: int) -> Weights:
        """Give the evidence that the canary lies above (`sign` +1) or below (-1).

        Args:
            sign: Which way the claim points.
            alpha: Level that the evidence over looks is tuned for.
            horizon: Planned steps of the whole analysis.
        """
        return Weights(
            p=special.ndtr(-sign * self.z),
            log_e=log_e_normals(sign * self.z_over_looks, self.n, alpha=alpha, best_at=horizon / 2),
        )


def _ratio(pods: Between, within: Array) -> Array:
    """Give the variance between pods over that within, shape (m,) each."""
    known = pods.variance < MOST_INFLATION * within
    ratio = np.divide(pods.variance, within, out=np.full_like(within, MOST_INFLATION), where=known)
    ratio[pods.variance == 0] = 0.0
    return ratio


def _degrees(ratio: Array, df: Array, pods: Between) -> Array:
    """Give the degrees of freedom of a variance within, with `df` of them, plus that between pods.

    References:
        Welch (1947), Biometrika 34; Satterthwaite (1946), Biometrics Bulletin 2.
    """
    of_sum = (1 + ratio) ** 2 / (1 / df + ratio * ratio / pods.df)
    # The reciprocal of a reciprocal differs in the last bit: a metric without pods gets the same
    # answer whatever is judged beside it.
    return np.where(ratio > 0, of_sum, df)


def studentize(
    effect: Array,
    runs: LongRuns,
    n: int,
    *,
    trust: Trust,
    clusters: tuple[Clusters | None, ...] = (),
) -> Studentized:
    """Divide effects by their long-run standard errors.

    Args:
        effect: Shape (m,): what is judged, in the unit of the influence series.
        runs: What is known of each influence series: each step's part in the effect.
        n: Steps.
        trust: What kind of statistic it is.
        clusters: The pods of each row.
    """
    # No sample of n steps can promise a smaller variance than one step of opposite sign would give.
    variance = np.maximum(runs.variance, 4 * effect * effect / n)
    t = np.zeros_like(effect)
    np.divide(effect, np.sqrt(variance / n), out=t, where=variance > 0)
    return Studentized(
        t=t,
        runs=runs,
        n=n,
        trust=trust,
        within=variance / n,
        seen=runs.variance / n,
        clusters=clusters,
    )


def half_widths(
    runs: LongRuns,
    n: int,
    trust: Trust,
    *,
    level: float,
    clusters: Sequence[Clusters | None] = (),
) -> Array:
    """Give how far the intervals of effects reach to each side; infinite where nothing bounds.

    Args:
        runs: What is known of the influence series, on the scale of the effect.
        n: Their length.
        trust: What kind of statistic it is.
        level: Two-sided confidence level.
        clusters: The pods of each row.
    """
    return widths(runs.variance / n, runs, trust, level=level, clusters=clusters)


def widths(
    within: Array,
    runs: LongRuns,
    trust: Trust,
    *,
    level: float,
    clusters: Sequence[Clusters | None] = (),
) -> Array:
    """Give the same where the steps' variance of the effect, shape (m,), is known otherwise."""
    k, df_factor = trust.one_look
    df, variance = df_factor * runs.df, within
    if any(clusters):
        pods = between(clusters, ONE_LOOK)
        df, variance = _degrees(_ratio(pods, within), df, pods), within + pods.variance
    t = _quotients(df, k * runs.n_effective, level)
    spread = np.sqrt(variance)
    return np.multiply(t, spread, out=np.zeros_like(t), where=spread > 0)


def _quotients(df: Array, bound: Array, level: float) -> Array:
    """Give the quotients whose bounded forms are the t quantiles; infinite where none is."""
    quantile = -special.stdtrit(df, (1 - level) / 2)
    left = 1 - quantile * quantile / bound
    return np.divide(
        quantile, np.sqrt(np.abs(left)), out=np.full_like(left, np.inf), where=left > 0
    )
