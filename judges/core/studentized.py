"""A mean influence over its long-run standard error, and how far such a quotient can be trusted.

A t reference with the degrees of freedom of the variance is right near the usual levels, but too
light far out: a rollout with many metrics decides at 1e-4, and there the plain quotient of ranks
errs five to fifty times too often under autocorrelation, because its variance shrinks with the very
effect it is to judge. Bounding it by t / sqrt(1 + t^2 / (k n_effective)) mends the tail and costs
little near zero; means, whose variance does not follow the effect, need less of it.

The constants were chosen with seeds 1 to 7 of a prototype; the measured error rates of the judges
are in docs/reference/error-rates.md, on other seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from judges.core.dependence import LongRun, long_run
from judges.core.evidence import log_e_normal, normal_deviate
from judges.core.judgment import Evidence
from judges.core.pods import MANY_LOOKS, ONE_LOOK, Clusters, Prior

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


# False alarms of a rollout of 12 metrics with tolerance 0, looks at 15 to 60 steps every 5, nominal
# 1 %, autocorrelation .5 and .8; and how often +50 % on a critical metric (noise 15 %, tolerance
# 10 %) was found, at autocorrelation 0 and .5 (600 and 300 rollouts):
#   ranks, unbounded 17 and 57 %; 100 and 95 %      bounded  3 and 9 %; 100 and 80 %
#   means, unbounded  2 and 19 %; 100 and 85 %      bounded  2 and 9 %; 100 and 81 %
RANKS = Trust(one_look=(1.5, 3.0), many_looks=(1.5, 2.0))
MEANS = Trust(one_look=(math.inf, 1.0), many_looks=(3.0, 3.0))


# Where pods differ so much more than the steps do, the steps' own variance no longer matters.
MOST_INFLATION = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Studentized:
    """An effect in units of its long-run standard error.

    Attributes:
        t: The quotient; positive where the canary lies above.
        run: What is known of the dependence.
        n: Steps it was computed from.
        trust: How far it can be trusted.
        within: Variance of the effect that the steps show, on the scale of the effect.
        clusters: The pods, whose differences add to that variance; `None` where they have no say.
    """

    t: float
    run: LongRun
    n: int
    trust: Trust
    within: float = 0.0
    clusters: Clusters | None = None

    @property
    def z(self) -> float:
        """The standard normal deviate of a single look."""
        return self._deviate(self.trust.one_look, ONE_LOOK)

    @property
    def z_over_looks(self) -> float:
        """The deviate whose tail also holds far out, for evidence over many looks."""
        return self._deviate(self.trust.many_looks, MANY_LOOKS)

    def _deviate(self, bounds: tuple[float, float], prior: Prior) -> float:
        k, df_factor = bounds
        inflation, df = _inflation(self.within, df_factor * self.run.df, self.clusters, prior)
        t = self.t / math.sqrt(inflation)
        return normal_deviate(t / math.sqrt(1 + t * t / (k * self.run.n_effective)), df)

    def evidence(self, sign: int, *, alpha: float, horizon: int) -> Evidence:
        """Give the evidence that the canary lies above (`sign` +1) or below (-1).

        Args:
            sign: Which way the claim points.
            alpha: Level that the evidence over looks is tuned for.
            horizon: Planned steps of the whole analysis.
        """
        return Evidence(
            p=float(special.ndtr(-sign * self.z)),
            log_e=log_e_normal(sign * self.z_over_looks, self.n, alpha=alpha, best_at=horizon / 2),
        )


def _inflation(
    within: float, df: float, clusters: Clusters | None, prior: Prior
) -> tuple[float, float]:
    """Give by how much pods inflate the variance within, and the degrees of freedom of the sum.

    References:
        Welch (1947), Biometrika 34; Satterthwaite (1946), Biometrics Bulletin 2.
    """
    if clusters is None:
        return 1.0, df
    between = clusters.between(prior)
    if within <= 0 or between.variance > MOST_INFLATION * within:
        return MOST_INFLATION, between.df
    ratio = between.variance / within
    return 1 + ratio, (1 + ratio) ** 2 / (1 / df + ratio * ratio / between.df)


def studentize(
    influence: Array,
    effect: float,
    *,
    trust: Trust,
    within: float | None = None,
    clusters: Clusters | None = None,
) -> Studentized:
    """Divide an effect by its long-run standard error.

    Args:
        influence: Shape (n,): each step's part in the effect; need not be centred.
        effect: What is judged, in the same unit.
        trust: What kind of statistic it is.
        within: Variance that the steps give the effect on the pods' scale, where that is another
            than the scale of `influence`.
        clusters: The pods.
    """
    n = len(influence)
    run = long_run(influence)
    # No sample of n steps can promise a smaller variance than one step of opposite sign would give.
    variance = max(run.variance, 4 * effect * effect / n)
    t = effect / math.sqrt(variance / n) if variance > 0 else 0.0
    return Studentized(
        t=t,
        run=run,
        n=n,
        trust=trust,
        within=variance / n if within is None else within,
        clusters=clusters,
    )


def critical(run: LongRun, trust: Trust, *, level: float) -> float | None:
    """Give the quotient that a single look rejects at a two-sided level; `None` if none does.

    It is the quotient whose bounded form is the t quantile: the interval of an effect is the effect
    plus and minus so many standard errors.
    """
    k, df_factor = trust.one_look
    return _quotient(df_factor * run.df, k * run.n_effective, level)


def half_width(
    run: LongRun, n: int, trust: Trust, *, level: float, clusters: Clusters | None = None
) -> float:
    """Give how far the interval of an effect reaches to each side; infinite where nothing bounds.

    Args:
        run: What is known of the influence series, on the scale of the effect.
        n: Its length.
        trust: What kind of statistic it is.
        level: Two-sided confidence level.
        clusters: The pods.
    """
    k, df_factor = trust.one_look
    within = run.variance / n
    _, df = _inflation(within, df_factor * run.df, clusters, ONE_LOOK)
    between = clusters.between(ONE_LOOK).variance if clusters else 0.0
    t = _quotient(df, k * run.n_effective, level)
    return math.inf if t is None else t * math.sqrt(within + between)


def _quotient(df: float, bound: float, level: float) -> float | None:
    quantile = -float(special.stdtrit(df, (1 - level) / 2))
    left = 1 - quantile * quantile / bound
    return quantile / math.sqrt(left) if left > 0 else None
