"""How fast a difference grows, and how much of that chance alone would do.

Three estimates, by what is known:

- With two pods of the baseline or more, the sides' mean slopes; what pods differ by is learnt from
  the baseline's, moderated by what is usual and by what each one's own noise gives it. Curved
  growth that all pods share, a start-up, is in every slope and cancels.
- Otherwise the slope of the paired difference, with a variance robust against autocorrelation.
- A difference so dependent that its steps are worth fewer than six, as memory's is, may wander; a
  line through it then promises too much. The mean of its increments does not: too careful where
  the difference keeps to a line, right where it wanders.

References:
    Shaman & Stine (1988), JASA 83: the lag-1 autocorrelation around a line is biased by
    -(2 + 4 phi) / n.
    Canjels & Watson (1997), Review of Economics and Statistics 79: trends with persistent errors.
    Smyth (2004), Statistical Applications in Genetics 3: variances moderated by a prior.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import special

from judges.core.dependence import long_run
from judges.core.evidence import normal_deviate

Array = NDArray[np.float64]

# Fewer independent steps than this carry no verdict, and no line.
LEAST_EFFECTIVE = 6
# By how many of its standard errors autocorrelation is raised: taken as estimated, an
# autocorrelation of .95 and a random walk err at 1e-3 in 2 and 6 % of 60 steps, because they pass
# for less than they are. Several pods show it better, so more caution costs them less.
CAUTION_OF_STEPS, CAUTION_OF_PODS = 0.5, 1.0
# Beyond this a line and a walk cannot be told apart: in the steps of one difference, and in those
# of several pods together.
MOST_OF_STEPS, MOST_OF_PODS = 0.97, 0.99
# Bounds the quotient far out, t / sqrt(1 + t^2 / (k n_effective)), where the variance of so few
# independent steps is not to be trusted.
BOUND = 3.0
# What pods of one version grow apart in a window, as a share of the limit.
USUAL_SHARE = 0.01
# The degrees of freedom of that knowledge. Random walks of 1 % a step (3 + 3 pods, 60 steps) err in
# one look at 1 % in 2.5 % of windows with 4 of them and in 1.8 % with 3. Over 10 looks they err at
# 1 %, by e-values, in 2.4 % with 8 and in 1.5 % with 6; but of leaks of 20 % in the one pod of a
# canary, under independent noise of 5 %, these find 50 and 36 %.
ONE_LOOK_DF, MANY_LOOKS_DF = 3.0, 8.0
# A variance of nothing would be certainty; a quotient beyond the most says nothing more.
_LEAST_VARIANCE, _MOST_QUOTIENT = 1e-280, 1e100


class Method(StrEnum):
    """Where the variance of a trend comes from."""

    PODS = "pods"
    STEPS = "steps"
    INCREMENTS = "increments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Growth of the canary beyond the baseline's, in a step.

    Attributes:
        rate: Units a step.
        variance: Variance of the rate.
        df: Degrees of freedom of that variance.
        method: Where the variance comes from.
        n: Steps seen.
        n_effective: Independent steps these are worth; `None` where pods are the replicates.
        autocorrelation: Lag-1 autocorrelation around the line, bias-corrected, raised with caution.
    """

    rate: float
    variance: float
    df: float
    method: Method
    n: int
    n_effective: float | None
    autocorrelation: float

    @property
    def is_dependent(self) -> bool:
        """Whether too few independent steps are left to carry a verdict."""
        return self.n_effective is not None and self.n_effective < LEAST_EFFECTIVE

    def deviate(self, rate: float) -> float:
        """Give the standard normal deviate of growing faster than `rate`, in units a step."""
        t = (self.rate - rate) / math.sqrt(self.variance)
        t = min(max(t, -_MOST_QUOTIENT), _MOST_QUOTIENT)
        return normal_deviate(t / math.sqrt(1 + t * t / self._bound), self.df)

    def half_width(self, level: float) -> float:
        """Give how far the two-sided interval of the rate reaches; infinite where nothing bounds.

        Args:
            level: Confidence level, a fraction.
        """
        quantile = -float(special.stdtrit(self.df, (1 - level) / 2))
        left = 1 - quantile * quantile / self._bound
        return quantile * math.sqrt(self.variance / left) if left > 0 else math.inf

    @property
    def _bound(self) -> float:
        if self.method is Method.STEPS and self.n_effective is not None:
            return BOUND * self.n_effective
        return math.inf


def of_difference(times: Array, difference: Array) -> Trend:
    """Give the trend of a paired difference.

    Args:
        times: Shape (n,), n >= 4: numbers of the steps, ascending.
        difference: Shape (n,), canary less baseline, of size about 1.
    """
    by_line = _by_line(times, difference)
    return _by_increments(times, difference) if by_line.is_dependent else by_line


def _by_line(times: Array, difference: Array) -> Trend:
    n = len(times)
    slope, residuals = line(times, difference)
    power = float(residuals @ residuals)
    phi = _cautious(_lag_one(residuals[np.newaxis]), n, CAUTION_OF_STEPS / math.sqrt(n))
    phi = min(phi, MOST_OF_STEPS)
    noise = _Noise.of(phi, n)
    spacing = times - times.mean()
    return Trend(
        rate=slope,
        variance=max(noise.variance_of_slope(power, spacing), _LEAST_VARIANCE),
        df=max(noise.n_effective - 2, 0.5),
        method=Method.STEPS,
        n=n,
        n_effective=noise.n_effective,
        autocorrelation=phi,
    )


def _by_increments(times: Array, difference: Array) -> Trend:
    """Take the difference for a random walk, whose increments are what varies independently."""
    passed = float(times[-1] - times[0])
    increments = np.diff(difference)
    rate = float(difference[-1] - difference[0]) / passed
    run = long_run(increments - rate * np.diff(times))
    return Trend(
        rate=rate,
        variance=max(run.variance * len(increments) / (passed * passed), _LEAST_VARIANCE),
        df=run.df,
        method=Method.INCREMENTS,
        n=len(times),
        n_effective=run.n_effective,
        autocorrelation=run.autocorrelation,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSlopes:
    """Slopes of the pods of both sides, each pod a replicate.

    The variance of their difference is never learnt from the canary's own pods: one bad pod would
    widen the error bar that is to show it.

    Attributes:
        n: Steps seen.
        pods: Pods of the baseline and of the canary.
        rate: Difference of the sides' mean slopes, in units a step.
        spread: Variance between the slopes of the baseline's pods.
        usual: Variance that pods of one version usually show.
        noise: Variance that a pod's own noise gives its slope, and the degrees of freedom of that.
        autocorrelation: That of the baseline's pods around their lines.
    """

    n: int
    pods: tuple[int, int]
    rate: float
    spread: float
    usual: float
    noise: tuple[float, float]
    autocorrelation: float

    @classmethod
    def of(cls, times: Array, baseline: Array, canary: Array, *, limit: float) -> PodSlopes:
        """Fit a line to each pod.

        Args:
            times: Shape (n,): numbers of the steps, ascending.
            baseline: Shape (pods, n), two pods at least, of size about 1, NaN where unknown.
            canary: Shape (pods, n), one pod at least.
            limit: What shares of growth are shares of, in the same unit; positive.
        """
        fits = [line(times, row) for row in baseline]
        slopes = np.array([slope for slope, _ in fits])
        of_canary = np.array([line(times, row)[0] for row in canary])
        noise, df, phi = _noise_of_pods(times, np.stack([rest for _, rest in fits]))
        usual = USUAL_SHARE * limit / (float(times[-1] - times[0]) + 1)
        return cls(
            n=len(times),
            pods=(len(slopes), len(of_canary)),
            rate=float(of_canary.mean() - slopes.mean()),
            spread=float(np.var(slopes, ddof=1)),
            usual=usual * usual,
            noise=(noise, df),
            autocorrelation=phi,
        )

    def trend(self, usual_df: float) -> Trend:
        """Give the trend of the difference.

        Args:
            usual_df: Degrees of freedom that the knowledge of what is usual counts for.
        """
        noise, noise_df = self.noise
        # The prior is what pods usually differ by plus what their noise gives them (Satterthwaite),
        # but never so sure that pods which do differ could not contradict it.
        share = noise / (self.usual + noise) if noise > 0 else 0.0
        prior_df = min(usual_df, 1 / ((1 - share) ** 2 / usual_df + share * share / noise_df))
        own = self.pods[0] - 1
        variance = (prior_df * (self.usual + noise) + own * self.spread) / (prior_df + own)
        return Trend(
            rate=self.rate,
            variance=max(variance * (1 / self.pods[0] + 1 / self.pods[1]), _LEAST_VARIANCE),
            df=prior_df + own,
            method=Method.PODS,
            n=self.n,
            n_effective=None,
            autocorrelation=self.autocorrelation,
        )


def _noise_of_pods(times: Array, rests: Array) -> tuple[float, float, float]:
    """Give what its own noise adds to the variance of a pod's slope, with df and autocorrelation.

    Only how a pod departs from the mean of all counts: growth they share is no noise.
    """
    pods, n = rests.shape
    with_others = np.nan_to_num(rests - _column_means(rests))
    seen = np.count_nonzero(np.isfinite(rests)) / rests.size
    power = float((with_others * with_others).sum()) / seen / (pods - 1)
    errors = CAUTION_OF_PODS / math.sqrt((pods - 1) * n)
    phi = min(_cautious(_lag_one(with_others), n, errors), MOST_OF_PODS)
    noise = _Noise.of(phi, n)
    variance = noise.variance_of_slope(power, times - times.mean())
    return variance, max((pods - 1) * noise.n_effective, 0.5), phi


def line(times: Array, values: Array) -> tuple[float, Array]:
    """Fit a straight line by least squares to the steps that are known.

    Args:
        times: Shape (n,): numbers of the steps.
        values: Shape (n,), NaN where unknown; two known ones at least.

    Returns:
        The slope, in units a step, and what the line leaves over, shape (n,).
    """
    known = np.isfinite(values)
    spacing = times - times[known].mean()
    mean = float(values[known].mean())
    slope = float(spacing[known] @ (values[known] - mean)) / float(spacing[known] @ spacing[known])
    return slope, values - mean - slope * spacing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noise:
    """AR(1) noise around a line of n steps.

    Attributes:
        inflation: Variance of the slope, over that with independent noise of the same variance.
        freedom: What the sum of squares left over is, in variances of the noise.
        n_effective: Independent steps that carry the same information on a mean.
    """

    inflation: float
    freedom: float
    n_effective: float

    @classmethod
    def of(cls, phi: float, n: int) -> _Noise:
        lags = np.arange(n)
        left, center = n - lags, (n - 1) / 2
        # Sums of u_t u_(t + lag) over steps u = -center .. center, lag by lag.
        firsts = left * (left - 1) / 2
        squares = (left - 1) * left * (2 * left - 1) / 6
        products = squares + (lags - 2 * center) * firsts + left * center * (center - lags)
        weights = 2 * phi**lags
        weights[0] = 1.0
        of_mean = float(weights @ left) / n
        of_slope = float(weights @ products) / float(products[0])
        return cls(
            inflation=of_slope,
            # Two parameters take two of n; of dependent noise, which they follow, they take more.
            freedom=max(n - of_mean - of_slope, 1e-6 * n),
            n_effective=n / of_mean,
        )

    def variance_of_slope(self, power: float, spacing: Array) -> float:
        """Give the variance of a slope around which squares of sum `power` are left over.

        Args:
            power: Sum of squares.
            spacing: Shape (n,): distance of each step from the mean step.
        """
        return power / self.freedom * self.inflation / float(spacing @ spacing)


def _lag_one(rows: Array) -> float:
    power = float((rows * rows).sum())
    return float((rows[:, 1:] * rows[:, :-1]).sum()) / power if power > _LEAST_VARIANCE else 0.0


def _cautious(raw: float, n: int, errors: float) -> float:
    """Correct the autocorrelation around lines of n steps, and raise it by its uncertainty.

    Args:
        raw: As estimated.
        n: Steps of a line.
        errors: How much to raise it, where there is none.
    """
    phi = min(max(raw + (2 + 4 * raw) / n, 0.0), 1.0)
    return phi + errors * math.sqrt(1 - phi * phi)


def _column_means(rows: Array) -> Array:
    known = np.isfinite(rows)
    means: Array = np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return means
