"""How requests are shared between the sides: the canary's odds, and a change of them.

Requests seldom come one by one: clients send them in bursts, connections stay with a pod, and what
wanders does so for many steps. Chance explains the variance of a random split; what is beyond it
counts as persistent as the data allow it to be, so that a wandering share is no alarm.

References:
    Fabijan et al. (2019), KDD: sample ratio mismatch, the test of a split that should be known.
    Rao & Scott (1992), Biometrics 48: dispersion. Satterthwaite (1946): degrees of freedom.
    Page (1954), Biometrika 41, and Kolmogorov's law of a bridge's largest deviation: one change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from judges.core.dependence import MAX_AUTOCORRELATION, ar1_inflation

Array = NDArray[np.float64]

# Fewer steps do not tell how persistent a burst is (measured: at 16 steps a share that wanders
# with autocorrelation .8 was an alarm in one comparison of fifty).
LEAST_STEPS = 30
# The autocorrelation is taken to be so many standard errors above its estimate.
CAUTION = 1.5
# What is left of the variance beyond chance is at least this part of it, when the autocorrelation
# of that part is told from that of the whole: a smaller one would be divided by noise.
LEAST_EXCESS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """The canary's requests over the baseline's.

    Attributes:
        value: The odds, over those that should be.
        error: Standard error of their logarithm.
        df: Degrees of freedom of that.
    """

    value: float
    error: float
    df: float

    def p_beyond(self, tolerance: float) -> float:
        """Give the probability of odds so far off if they were within the tolerance.

        Args:
            tolerance: By how much they may be off, a fraction.
        """
        beyond = abs(math.log(self.value)) - math.log1p(tolerance)
        return float(special.stdtr(self.df, -beyond / self.error)) if beyond > 0 else 1.0


def odds(baseline: Array, canary: Array, expected: Array) -> Odds:
    """Hold the odds against those that should be, step by step.

    Args:
        baseline: Requests in each step, shape (n,), n > 1; some of them above 0.
        canary: The same of the canary.
        expected: The odds that should be in each step, shape (n,), above 0.
    """
    n = len(canary)
    due = expected * baseline  # what the canary should have had
    moved = canary / canary.mean() - due / due.mean()
    chance = 1 / canary.sum() + float(expected * expected @ baseline) / due.sum() ** 2
    spread = _spread(moved, n * chance)
    return Odds(
        value=float(canary.sum() / due.sum()),
        error=math.sqrt(spread.variance / n),
        df=spread.df,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of the canary's share.

    Attributes:
        step: First step with the new share.
        before: The share until then, a fraction.
        after: The share from then on.
        p: Probability of so large a change by chance.
    """

    step: int
    before: float
    after: float
    p: float


def change(baseline: Array, canary: Array) -> Change | None:
    """Find the largest change of the canary's share; `None` where both parts need requests.

    Args:
        baseline: Requests in each step, shape (n,), n > 1.
        canary: The same of the canary.
    """
    total = baseline + canary
    if not (total.sum() > 0 and 0 < canary.sum() < total.sum()):
        return None
    drift = np.cumsum(canary - canary.sum() / total.sum() * total)[:-1]
    step = int(np.argmax(np.abs(drift))) + 1
    parts = [np.s_[:step], np.s_[step:]]
    if any(total[part].sum() == 0 for part in parts):
        return None
    before, after = (float(canary[part].sum() / total[part].sum()) for part in parts)
    level = np.where(np.arange(len(total)) < step, before, after)
    chance = float((level * (1 - level) * total).mean())
    spread = _spread(canary - level * total, chance)
    largest = abs(float(drift[step - 1])) / math.sqrt(max(spread.variance, 1e-300) * len(total))
    return Change(step=step, before=before, after=after, p=float(special.kolmogorov(largest)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spread:
    """Long-run variance of a step's deviation, and the degrees of freedom it is known with."""

    variance: float
    df: float


def _spread(deviations: Array, chance: float) -> _Spread:
    """Give the variance that chance explains, and what is beyond it at its most persistent."""
    n = len(deviations)
    centred = deviations - deviations.mean()
    power = float(centred @ centred)
    excess = power / (n - 1) - chance
    if excess <= 0:
        return _Spread(variance=chance, df=math.inf)
    phi = _most_persistent(centred, part=excess * (n - 1) / power)
    inflation = float(ar1_inflation(np.array(phi), n))
    # An autocorrelated window understates its own marginal variance; undo that, within reason.
    lasting = excess / max(1 - (inflation - 1) / (n - 1), 0.05) * inflation
    variance = chance + lasting
    df = max(n / inflation - 1, 1.0) * (variance / lasting) ** 2
    return _Spread(variance=variance, df=df)


def _most_persistent(centred: Array, part: float) -> float:
    """Bound the autocorrelation of the part of a series that chance does not explain."""
    n = len(centred)
    raw = float(centred[1:] @ centred[:-1] / (centred @ centred))
    of_all = raw + (1 + 3 * raw) / n
    error = math.sqrt(max(1 - of_all * of_all, 0.05) / n)
    bound = (max(of_all, 0.0) + CAUTION * error) / max(part, LEAST_EXCESS)
    return min(bound, MAX_AUTOCORRELATION)
