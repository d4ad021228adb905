"""How far from a limit an effect must seem to lie, in standard errors, for evidence to suffice.

References:
    Howard, Ramdas, McAuliffe & Sekhon (2021), Annals of Statistics 49(2): the boundary of the
    one-sided normal mixture, here solved for the deviate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analysis.forecast.model import POWER
from judges import Looks
from judges.core import stages
from judges.core.evidence import END_PART, log_e_normal, planned_end, with_end, with_restarts
from judges.core.studentized import Trust

Array = NDArray[np.float64]

# The variance is estimated anew at every look. In four looks of five it shows at least this part
# of the independent steps that a long past leads to expect (measured at 30 and 60 steps: .68 to .82
# at autocorrelation 0 and .5; at .8, where it is .4 to .7, hardly a forecast is so short).
LUCK = 0.75
# Beyond this no look gets, and nothing is searched.
MOST_Z, Z_PRECISION = 38.0, 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim that evidence is to support: harm beyond the tolerance, or safety within the margin.

    Attributes:
        level: Its error rate.
        looks: How often it may be looked for.
        horizon: Planned steps, to which the evidence over looks is tuned.
        sides: 2 where harm in either direction counts, so that each pays half; else 1.
        restarts: Whether part of the evidence is kept for harm that begins late.
        ends: Whether, over looks, most of the evidence is kept for the planned end, as that of a
            pass is. What looks after it could still show is not reckoned with.
    """

    level: float
    looks: Looks
    horizon: int
    sides: int = 1
    restarts: bool = False
    ends: bool = False

    @property
    def waits(self) -> bool:
        """Whether evidence is kept for the planned end."""
        return self.ends and self.looks is Looks.ANYTIME

    def counted(self, n: int) -> int:
        """Give the steps that a look after n of them judges: no more than the planned end does."""
        if self.looks is Looks.GROUP_SEQUENTIAL:
            return max(stages.ends(n, self.horizon), default=0)
        return planned_end(self.horizon) if self._is_over(n) else n

    def deviate(self, n: int) -> float:
        """Give the normal deviate that suffices at a look after n steps, of which all count."""
        match self.looks:
            case Looks.ANYTIME if self._is_over(n):
                return deviate_of(END_PART * self.level)
            case Looks.ANYTIME:
                return _first(lambda z: self._log_e(z, n) >= -math.log(self.level))
            case Looks.GROUP_SEQUENTIAL:
                stage = round(n * stages.STAGES / self.horizon)
                return deviate_of(float(_nominal(self.level / self.sides)[stage - 1]))
            case Looks.FIXED:
                return deviate_of(self.level / self.sides)

    def _is_over(self, n: int) -> bool:
        """Tell whether the planned end has come, for which evidence was kept."""
        return self.waits and n >= planned_end(self.horizon)

    def _log_e(self, z: float, n: int) -> float:
        log_e = float(log_e_normal(z, n, alpha=self.level, best_at=self.horizon / 2))
        if self.restarts:
            log_e = with_restarts(log_e, [])
        if self.ends:
            log_e = float(with_end(np.array([log_e]), None, np.array([self.level]))[0])
        return log_e - math.log(self.sides)

    def quotient(self, n: int, n_effective: float, trust: Trust) -> float:
        """Give the standard errors that suffice after n steps; infinite where no effect does.

        Args:
            n: Steps.
            n_effective: Independent steps that these are expected to be worth.
            trust: What kind of statistic it is.
        """
        many = self.looks is Looks.ANYTIME and not self._is_over(n)
        bounds = trust.many_looks if many else trust.one_look
        return quotient(self.deviate(n), LUCK * n_effective, bounds)


@lru_cache(maxsize=64)
def _nominal(level: float) -> Array:
    return stages.nominal_levels(level)


def _first(suffices: Callable[[float], bool]) -> float:
    low, high = 0.0, MOST_Z
    while high - low > Z_PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


def quotient(z: float, n_effective: float, bounds: tuple[float, float]) -> float:
    """Give the quotient that stands for a normal deviate when its variance is estimated.

    Args:
        z: The deviate.
        n_effective: Independent steps behind the variance.
        bounds: How it is bounded: (k, factor on the degrees of freedom).

    Returns:
        The quotient t of which t / sqrt(1 + t^2 / (k n_effective)) is the quantile of Student's t
        that is as rare as the deviate; infinite where there is none.
    """
    k, df_factor = bounds
    df = max(df_factor * (n_effective - 1), 1.0)
    t = -float(special.stdtrit(df, float(special.ndtr(-z))))
    left = 1 - t * t / (k * n_effective)
    return t / math.sqrt(left) if left > 0 else math.inf


def reserve(sides: int = 1) -> float:
    """Give the standard errors between the true effect and the one to be reckoned with.

    Args:
        sides: 2 where an estimate must not stray too far either way.
    """
    return deviate_of((1 - POWER) / sides)


def deviate_of(tail: float) -> float:
    """Give the normal deviate beyond which lies so much of the distribution."""
    return -float(special.ndtri(tail))
