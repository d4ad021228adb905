"""What Kayenta does to a side's values before it compares them: unknown values, then outliers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Values between these quantiles are kept however narrow the quartiles are.
NEVER_OUTLIERS = (0.01, 0.99)


class NanStrategy(StrEnum):
    """What becomes of a value that is not known."""

    REMOVE = "remove"
    REPLACE = "replace"  # by 0


class Outliers(StrEnum):
    """What becomes of a value far from the others of its side."""

    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """How a side is cleaned.

    Attributes:
        nan_strategy: What becomes of unknown values.
        outliers: What becomes of values far from the others.
        outlier_factor: How many interquartile ranges beyond the quartiles "far" is.
    """

    nan_strategy: NanStrategy = NanStrategy.REMOVE
    outliers: Outliers = Outliers.KEEP
    outlier_factor: float = 3.0

    def apply(self, values: Array) -> Array:
        """Clean a side's values, shape (n,); infinities stay."""
        unknown = np.isnan(values)
        replaced = self.nan_strategy is NanStrategy.REPLACE
        known = np.where(unknown, 0.0, values) if replaced else values[~unknown]
        if self.outliers is Outliers.KEEP:
            return known
        return known[~far_out(known, self.outlier_factor)]


def percentile(in_order: Array, q: float) -> float:
    """Give the `q`-quantile of ascending values, shape (n,) with n > 0.

    References:
        Hyndman & Fan (1996), American Statistician 50: definition 7.
    """
    n = len(in_order)
    position = {0.0: 0.0, 1.0: float(n)}.get(q, 1 + (n - 1) * q)
    if position < 1:
        return float(in_order[0])
    if position >= n:
        return float(in_order[-1])
    whole = math.floor(position)
    below, above = float(in_order[whole - 1]), float(in_order[whole])
    return below + (position - whole) * (above - below)


def far_out(values: Array, factor: float, *, widened: bool = True) -> Mask:
    """Mark the outliers of values of shape (n,).

    Args:
        values: In any order.
        factor: How many interquartile ranges beyond the quartiles a value may lie.
        widened: Whether nothing between the 1 % and the 99 % quantile is an outlier.
    """
    if len(values) == 0:
        return np.zeros(0, dtype=np.bool_)
    in_order = np.sort(values)
    first, third = percentile(in_order, 0.25), percentile(in_order, 0.75)
    reach = factor * (third - first)
    low, high = first - reach, third + reach
    if widened:
        lowest, highest = (percentile(in_order, q) for q in NEVER_OUTLIERS)
        low, high = min(lowest, low), max(highest, high)
    return np.asarray((values < low) | (values > high))
