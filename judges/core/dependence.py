"""Long-run variance: how much a mean of autocorrelated steps really varies.

The estimate is the larger of two: an AR(1) fit with bias-corrected autocorrelation, exact for the
persistence most gauges show, and the equal-weighted cosine estimator, which sees slower and odder
dependence. Neither alone keeps its error rate on both.

References:
    Lazarus, Lewis, Stock & Watson (2018), "HAR inference: recommendations for practice",
    Journal of Business & Economic Statistics 36(4), eq. 8 (cosine weights).
    Kendall (1954), Biometrika 41: bias of the lag-1 autocorrelation, -(1 + 3 phi) / n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Beyond this the AR(1) variance factor exceeds 65 and no window a rollout waits for is long enough.
MAX_AUTOCORRELATION = 0.97
# Cosines used: growing as n^(2/3) balances bias against variance; .4 n^(2/3) was the best
# compromise of size and power over the calibration scenarios at n = 30 to 240. Four is the fewest
# that a t reference with so few degrees of freedom can bear.
COSINES_FACTOR, COSINES_LEAST = 0.4, 4
# Up to this size (0.5 MB) the product with kept cosines beats the fast transform.
_PRODUCT_MOST = 65_536
# A series that varies by less than 1e-14 of its size is constant: its variance is rounding.
_ROUNDING = 1e-28
# A slow part under fast noise: the lags at which it shows, when the noise has faded and it has not,
# and by how much more than AR(1) would leave there, a fixed part and one over sqrt(steps). On the
# tuning seeds that warns of .0 to 1.5 % of windows with autocorrelation 0 to .95, and of AR(.9)
# under as much white noise of 1, 32, 82 and 99 % at 30, 60, 120 and 240 steps.
_SLOW_LAGS = range(3, 7)
_SLOW_LEAST, _SLOW_CHANCE, _SLOW_STEPS = 0.03, 1.5, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class LongRun:
    """What is known of a mean over dependent steps.

    Attributes:
        variance: Long-run variance; the variance of the mean is `variance / n`.
        df: Degrees of freedom of the t reference.
        n_effective: Independent steps that carry the same information.
        autocorrelation: Lag-1 autocorrelation, bias-corrected, clipped to [0, .97].
    """

    variance: float
    df: float
    n_effective: float
    autocorrelation: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LongRuns:
    """The same of many series at once, each attribute of shape (m,).

    Attributes:
        variance: As of one.
        df: As of one.
        n_effective: As of one.
        autocorrelation: As of one.
        by_history: Which rows' dependence is that of a history; `None` where there was none.
    """

    variance: Array
    df: Array
    n_effective: Array
    autocorrelation: Array
    by_history: Mask | None = None

    def __getitem__(self, row: int) -> LongRun:
        """Give what is known of one series."""
        return LongRun(
            variance=float(self.variance[row]),
            df=float(self.df[row]),
            n_effective=float(self.n_effective[row]),
            autocorrelation=float(self.autocorrelation[row]),
        )

    def rows(self, rows: Mask) -> LongRuns:
        """Give what is known of the series that a mask of shape (m,) marks."""
        return LongRuns(
            variance=self.variance[rows],
            df=self.df[rows],
            n_effective=self.n_effective[rows],
            autocorrelation=self.autocorrelation[rows],
        )

    def among(self, rows: Mask, others: LongRuns) -> LongRuns:
        """Put these in the rows that a mask of shape (m,) marks, and others in the rest."""

        def mixed(own: Array, other: Array) -> Array:
            both = np.empty(len(rows))
            both[rows], both[~rows] = own, other
            return both

        return LongRuns(
            variance=mixed(self.variance, others.variance),
            df=mixed(self.df, others.df),
            n_effective=mixed(self.n_effective, others.n_effective),
            autocorrelation=mixed(self.autocorrelation, others.autocorrelation),
        )

    def informed(self, n: int, inflation: Array) -> LongRuns:
        """Take the dependence from a history, and from the window its marginal variance alone.

        Args:
            n: Steps of the window.
            inflation: Shape (m,): by how much the history's dependence inflates the variance of a
                mean of n steps; NaN where none tells, and the row stays as it is.
        """
        known = np.isfinite(inflation) & (self.variance > 0)
        factor = np.where(known, inflation, 1.0)
        marginal, worth = self.variance * self.n_effective / n, n / factor
        return LongRuns(
            variance=np.where(known, marginal * factor, self.variance),
            df=np.where(known, np.maximum(worth - 1, 1.0), self.df),
            n_effective=np.where(known, worth, self.n_effective),
            autocorrelation=self.autocorrelation,
            by_history=known,
        )


def long_run(series: Array) -> LongRun:
    """Estimate the long-run variance of an influence series.

    Args:
        series: Shape (n,), n >= 4, in time order; need not be centred. Its squares must fit a
            double: divide values of unknown size by their `magnitude`.

    Returns:
        The estimate; a constant series has variance 0 and counts as n independent steps.
    """
    return long_runs(series[np.newaxis])[0]


def long_runs(series: Array, other: Array | None = None) -> LongRuns:
    """Estimate the long-run variance of many influence series of one length.

    A row's estimate does not depend on the rows beside it, to the last bit.

    Args:
        series: Shape (m, n), a row a series, as for `long_run`.
        other: A second series of each row that is independent of the first and as dependent from
            step to step: their variances add, and both tell of the dependence, so that there are
            twice the degrees of freedom.
    """
    n = series.shape[1]
    parts = [_centred(series)] if other is None else [_centred(series), _centred(other)]
    size = _rounding(series) + (0.0 if other is None else _rounding(other))
    powers = [row_dot(u, u) for u in parts]
    power = np.add.reduce(powers)
    varies = power > size
    power = np.where(varies, power, 1.0)
    # A side that hardly varies tells nothing: Satterthwaite's degrees, as shares of one side's.
    shares = [np.where(varies, of_side, power) / power for of_side in powers]
    sides = 1 / np.add.reduce([share * share for share in shares])
    phi = np.where(varies, autocorrelation(parts, power), 0.0)
    inflation = ar1_inflation(phi, n)
    marginal = power / (n - 1)
    # An autocorrelated window understates its own marginal variance; undo that, within reason.
    by_ar1 = marginal / np.maximum(1 - (inflation - 1) / (n - 1), 0.05) * inflation
    found = [_cosine_variance(u) for u in parts]
    by_cosines, cosines = np.add.reduce([variance for variance, _ in found]), found[0][1]
    df = sides * _degrees(n / inflation - 1, 2.0 * cosines, by_ar1, by_cosines)
    variance = np.maximum(by_ar1, by_cosines)
    return LongRuns(
        variance=np.where(varies, variance, 0.0),
        df=np.where(varies, np.maximum(df, 1.0), len(parts) * (n - 1.0)),
        n_effective=np.where(varies, n * marginal / variance, float(n)),
        autocorrelation=phi,
    )


def _degrees(of_ar1: Array, of_cosines: float, by_ar1: Array, by_cosines: Array) -> Array:
    """Give the degrees of freedom of the larger of two variances, by one series of each row.

    Where the cosines say little more than AR(1), chance made them larger and errs on the safe
    side, so they cost few degrees; where they say much more, AR(1) is wrong and they stand alone.
    """
    ratio = np.minimum(by_ar1 / np.maximum(by_cosines, np.finfo(float).tiny), 1.0)
    degrees: Array = np.maximum(of_ar1 * ratio * ratio, np.minimum(of_ar1, of_cosines))
    return degrees


def _centred(series: Array) -> Array:
    centred: Array = series - (series.sum(axis=1) / series.shape[1])[:, np.newaxis]
    return centred


def _rounding(series: Array) -> Array:
    return _ROUNDING * row_dot(series, series)


def row_dot(first: Array, second: Array) -> Array:
    """Give the scalar product of each row, shape (m, n) each: the same whatever m is."""
    product: Array = np.add.reduce(first * second, axis=1)
    return product


def magnitude(values: Array) -> float:
    """Give a power of two near the largest size: a division by it rounds nothing."""
    largest = float(np.max(np.abs(values), initial=0.0))
    exponent = math.frexp(largest)[1]
    return math.ldexp(1.0, min(max(exponent, -1000), 1023)) if largest > 0 else 1.0


def autocorrelation(parts: Sequence[Array], power: Array) -> Array:
    """Give the lag-1 autocorrelation of centred series, bias-corrected, in [0, .97].

    Args:
        parts: One or two series of each row, shape (m, n) each, that share it.
        power: Shape (m,): sum of squares of each row.
    """
    n = parts[0].shape[1]
    raw = np.add.reduce([row_dot(u[:, 1:], u[:, :-1]) for u in parts]) / power
    corrected: Array = np.clip(raw + (1 + 3 * raw) / n, 0.0, MAX_AUTOCORRELATION)
    return corrected


def hides_slow_part(parts: Sequence[Array]) -> Mask:
    """Tell of each row whether a slow part seems to hide under fast noise, shape (m,).

    White noise over a slow process lowers the lag-1 autocorrelation, so that AR(1) takes the slow
    part for a fast one; some lags later it is still there. Fewer than 30 steps never show it.

    Args:
        parts: One or two series of each row, shape (m, n) each, as dependent as each other.
    """
    n, centred = parts[0].shape[1], [_centred(series) for series in parts]
    power = np.add.reduce([row_dot(u, u) for u in centred])
    varies = power > np.add.reduce([_rounding(series) for series in parts])
    if n < _SLOW_STEPS:
        return np.zeros_like(varies)
    power = np.where(varies, power, 1.0)
    phi = autocorrelation(centred, power)
    later = [row_dot(u[:, lag:], u[:, :-lag]) for lag in _SLOW_LAGS for u in centred]
    seen = np.add.reduce(later) / power / len(_SLOW_LAGS)
    left = np.add.reduce([phi**lag for lag in _SLOW_LAGS]) / len(_SLOW_LAGS)
    slow: Mask = seen - left > _SLOW_LEAST + _SLOW_CHANCE / math.sqrt(n * len(parts))
    slow &= varies
    return slow


def ar1_inflation(phi: Array, n: int) -> Array:
    """Give the factor by which AR(1) dependence inflates the variance of a mean of n steps."""
    inflation: Array = (1 + phi) / (1 - phi) - 2 * phi * (1 - phi**n) / (n * (1 - phi) ** 2)
    return inflation


def _cosine_variance(centred: Array) -> tuple[Array, int]:
    n = centred.shape[1]
    cosines = min(max(COSINES_LEAST, round(COSINES_FACTOR * n ** (2 / 3))), n - 1)
    if n * cosines <= _PRODUCT_MOST:
        # Not a matrix product: BLAS rounds a row otherwise when other rows stand beside it.
        weights = np.einsum("kn,mn->mk", _cosines(n, cosines), centred)
    else:
        rows = (fft.dct(row, type=2, norm="ortho")[1 : cosines + 1] for row in centred)
        weights = np.stack(tuple(rows))
    return row_dot(weights, weights) / cosines, cosines


@lru_cache(maxsize=8)
def _cosines(n: int, count: int) -> Array:
    """Give the first rows of the discrete cosine transform; shape (count, n)."""
    waves = np.outer(np.arange(1, count + 1), np.pi * (np.arange(n) + 0.5) / n)
    rows: Array = math.sqrt(2 / n) * np.cos(waves)
    rows.flags.writeable = False
    return rows
