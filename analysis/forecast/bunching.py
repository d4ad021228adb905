"""How events bunch, with the traffic and the rate to come: bunched ones tell less."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import special

from analysis.forecast import crossing
from analysis.forecast.exposure import Exposure
from judges.core import counts, tallies
from judges.core.tallies import Ready

# Student's t is then the normal distribution.
MOST_DF = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bunching:
    """How events came in bunches.

    Attributes:
        factor: How many of them tell as much as one that comes by itself.
        df: Degrees of freedom with which that is known.
        steps: Steps of the past.
        information: Variance of the canary's events in a step, had they come by themselves.
    """

    factor: float
    df: float
    steps: int
    information: float

    @classmethod
    def of(cls, past: Ready, seen: Exposure) -> Bunching:
        """Learn it from the counts of the past."""
        found, rate = counts.dispersion(past.tally), tallies.rates(past.tally)[0]
        return cls(
            factor=float(found.factor[0]),
            df=float(found.df[0]),
            steps=past.n,
            information=information_of(rate * seen.baseline, rate * seen.canary),
        )

    def at(self, information: float) -> float:
        """Give the factor with other traffic or another rate: what exceeds 1 grows with both."""
        if self.factor <= 1 or self.information <= 0:
            return max(self.factor, 1.0)
        return 1 + (self.factor - 1) * information / self.information

    def deflator(self, information: float, steps: float, tail: float) -> float:
        """Give what the judge will divide by, as it learns the factor from so many steps alone."""
        if (factor := self.at(information)) <= 1:
            return 1.0
        df = min(max(self.df * steps / self.steps, 1.0), MOST_DF)
        t, z = -float(special.stdtrit(df, tail)), crossing.deviate_of(tail)
        return factor * max(t / z, 1.0) ** 2 if z > 0 else factor


def information_of(baseline: float, canary: float) -> float:
    """Give the variance of the canary's events, given those of both sides together."""
    return baseline * canary / (baseline + canary) if baseline + canary > 0 else 0.0
