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


@dataclass(frozen=True, slots=True, kw_only=True)
class Studentized:
    """An effect in units of its long-run standard error.

    Attributes:
        t: The quotient; positive where the canary lies above.
        run: What is known of the dependence.
        n: Steps it was computed from.
        trust: How far it can be trusted.
    """

    t: float
    run: LongRun
    n: int
    trust: Trust

    @property
    def z(self) -> float:
        """The standard normal deviate of a single look."""
        return self._deviate(*self.trust.one_look)

    @property
    def z_over_looks(self) -> float:
        """The deviate whose tail also holds far out, for evidence over many looks."""
        return self._deviate(*self.trust.many_looks)

    def _deviate(self, k: float, df_factor: float) -> float:
        bounded = self.t / math.sqrt(1 + self.t * self.t / (k * self.run.n_effective))
        return normal_deviate(bounded, df_factor * self.run.df)

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


def studentize(influence: Array, effect: float, *, trust: Trust) -> Studentized:
    """Divide an effect by its long-run standard error.

    Args:
        influence: Shape (n,): each step's part in the effect; need not be centred.
        effect: What is judged, in the same unit.
        trust: What kind of statistic it is.
    """
    n = len(influence)
    run = long_run(influence)
    # No sample of n steps can promise a smaller variance than one step of opposite sign would give.
    variance = max(run.variance, 4 * effect * effect / n)
    t = effect / math.sqrt(variance / n) if variance > 0 else 0.0
    return Studentized(t=t, run=run, n=n, trust=trust)


def critical(run: LongRun, trust: Trust, *, level: float) -> float | None:
    """Give the quotient that a single look rejects at a two-sided level; `None` if none does.

    It is the quotient whose bounded form is the t quantile: the interval of an effect is the effect
    plus and minus so many standard errors.
    """
    k, df_factor = trust.one_look
    quantile = -float(special.stdtrit(df_factor * run.df, (1 - level) / 2))
    left = 1 - quantile * quantile / (k * run.n_effective)
    return quantile / math.sqrt(left) if left > 0 else None
