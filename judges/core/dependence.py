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
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Array = NDArray[np.float64]

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


def long_run(series: Array) -> LongRun:
    """Estimate the long-run variance of an influence series.

    Args:
        series: Shape (n,), n >= 4, in time order; need not be centred. Its squares must fit a
            double: divide values of unknown size by their `magnitude`.

    Returns:
        The estimate; a constant series has variance 0 and counts as n independent steps.
    """
    n = len(series)
    u = series - float(series.sum()) / n
    power = float(u @ u)
    if power <= _ROUNDING * float(series @ series):
        return LongRun(variance=0.0, df=n - 1.0, n_effective=float(n), autocorrelation=0.0)
    phi = autocorrelation(u)
    inflation = ar1_inflation(phi, n)
    marginal = power / (n - 1)
    # An autocorrelated window understates its own marginal variance; undo that, within reason.
    by_ar1 = marginal / max(1 - (inflation - 1) / (n - 1), 0.05) * inflation
    by_cosines, cosines = _cosine_variance(u)
    df = n / inflation - 1
    if by_cosines > by_ar1:
        df = min(df, 2.0 * cosines)
    variance = max(by_ar1, by_cosines)
    return LongRun(
        variance=variance,
        df=max(df, 1.0),
        n_effective=n * marginal / variance,
        autocorrelation=phi,
    )


def magnitude(values: Array) -> float:
    """Give a power of two near the largest size: a division by it rounds nothing."""
    largest = float(np.max(np.abs(values), initial=0.0))
    exponent = math.frexp(largest)[1]
    return math.ldexp(1.0, min(max(exponent, -1000), 1023)) if largest > 0 else 1.0


def autocorrelation(centred: Array) -> float:
    """Give the lag-1 autocorrelation of a centred series, bias-corrected, in [0, .97]."""
    n = len(centred)
    raw = float(centred[1:] @ centred[:-1]) / float(centred @ centred)
    return min(max(raw + (1 + 3 * raw) / n, 0.0), MAX_AUTOCORRELATION)


def ar1_inflation(phi: float, n: int) -> float:
    """Give the factor by which AR(1) dependence inflates the variance of a mean of n steps."""
    return (1 + phi) / (1 - phi) - 2 * phi * (1 - phi**n) / (n * (1 - phi) ** 2)


def _cosine_variance(centred: Array) -> tuple[float, int]:
    n = len(centred)
    cosines = min(max(COSINES_LEAST, round(COSINES_FACTOR * n ** (2 / 3))), n - 1)
    if n * cosines <= _PRODUCT_MOST:
        weights = _cosines(n, cosines) @ centred
    else:
        weights = fft.dct(centred, type=2, norm="ortho")[1 : cosines + 1]
    return float(weights @ weights) / cosines, cosines


@lru_cache(maxsize=8)
def _cosines(n: int, count: int) -> Array:
    """Give the first rows of the discrete cosine transform; shape (count, n)."""
    waves = np.outer(np.arange(1, count + 1), np.pi * (np.arange(n) + 0.5) / n)
    rows: Array = math.sqrt(2 / n) * np.cos(waves)
    rows.flags.writeable = False
    return rows
