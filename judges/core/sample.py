"""What a judge is given: both sides of one metric, on one grid of steps.

Every array has shape (pods, steps): a row a pod, a column a step, NaN where nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judges.core.errors import InvalidSampleError

Array = NDArray[np.float64]


def _rows(values: ArrayLike) -> Array:
    array = np.atleast_2d(np.array(values, dtype=np.float64))
    if array.ndim != 2:
        raise InvalidSampleError(
            f"a side is an array of shape (steps,) or (pods, steps), got {array.ndim} dimensions"
        )
    array[~np.isfinite(array)] = np.nan
    array.flags.writeable = False
    return array


def _sum_of_pods(rows: Array) -> Array:
    with np.errstate(over="ignore"):
        total: Array = np.nansum(rows, axis=0)
    total[np.isnan(rows).all(axis=0) | np.isinf(total)] = np.nan
    return total


def _mean_of_pods(rows: Array) -> Array:
    known = np.count_nonzero(~np.isnan(rows), axis=0)
    # Divide before adding: pods near the largest double must not overflow to infinity.
    shares = np.where(np.isnan(rows), 0.0, rows) / np.maximum(known, 1)
    mean: Array = np.where(known > 0, shares.sum(axis=0), np.nan)
    return mean


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """A gauge or any other expression.

    Attributes:
        values: Shape (pods, steps), in the metric's unit.
    """

    values: Array

    def __post_init__(self) -> None:
        """Make the array two-dimensional, finite or NaN, and read-only."""
        object.__setattr__(self, "values", _rows(self.values))

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.values.shape[1])

    def series(self) -> Array:
        """Give the level in each step, shape (steps,): the mean of the pods known then."""
        return _mean_of_pods(self.values)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ratio:
    """Increases of two counters in each step: what is judged is their quotient.

    Attributes:
        numerator: Shape (pods, steps), increase in the step: errors, seconds spent.
        denominator: Shape (pods, steps), increase in the step: requests.
    """

    numerator: Array
    denominator: Array

    def __post_init__(self) -> None:
        """Make the arrays two-dimensional, finite or NaN, and read-only."""
        object.__setattr__(self, "numerator", _rows(self.numerator))
        object.__setattr__(self, "denominator", _rows(self.denominator))
        if self.numerator.shape[1] != self.denominator.shape[1]:
            raise InvalidSampleError(
                f"numerator and denominator must have the same steps, "
                f"got {self.numerator.shape[1]} and {self.denominator.shape[1]}"
            )

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.numerator.shape[1])

    def sums(self) -> tuple[Array, Array]:
        """Give numerator and denominator summed over pods, each of shape (steps,).

        A step with exposure and no numerator counts 0 events: an error series need not exist
        before the first error. A step without exposure is NaN in both.
        """
        numerator, denominator = _sum_of_pods(self.numerator), _sum_of_pods(self.denominator)
        unknown = np.isnan(denominator)
        numerator = np.where(unknown, np.nan, np.nan_to_num(numerator, nan=0.0))
        return numerator, denominator

    def series(self) -> Array:
        """Give the quotient in each step, shape (steps,); NaN in a step without exposure."""
        numerator, denominator = self.sums()
        exposed = np.nan_to_num(denominator, nan=0.0) > 0
        quotient = np.full(self.steps, np.nan)
        with np.errstate(over="ignore"):
            np.divide(numerator, denominator, out=quotient, where=exposed)
        quotient[~np.isfinite(quotient)] = np.nan
        return quotient


Side = Values | Ratio


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Baseline and canary of one metric, on the same steps.

    Attributes:
        baseline: The baseline's side.
        canary: The canary's side; of the same type.
        step_s: Length of a step in seconds.
    """

    baseline: Side
    canary: Side
    step_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse sides that cannot be compared step by step."""
        if type(self.baseline) is not type(self.canary):
            raise InvalidSampleError("both sides must hold the same kind of data")
        if self.baseline.steps != self.canary.steps:
            raise InvalidSampleError(
                f"both sides must have the same steps, "
                f"got {self.baseline.steps} and {self.canary.steps}; pair them first"
            )
        if not self.step_s > 0:
            raise InvalidSampleError(f"step_s must be positive, got {self.step_s!r}")

    @classmethod
    def of_values(cls, baseline: ArrayLike, canary: ArrayLike, *, step_s: float = 60.0) -> Self:
        """Build a sample of a gauge from arrays of shape (steps,) or (pods, steps).

        Examples:
            >>> Sample.of_values([1.0, 2.0, 3.0], [1.5, 2.5, 3.5]).canary.series()
            array([1.5, 2.5, 3.5])
        """
        sides = (Values(values=_rows(side)) for side in (baseline, canary))
        return cls(baseline=next(sides), canary=next(sides), step_s=step_s)

    @classmethod
    def of_counts(
        cls,
        baseline: tuple[ArrayLike, ArrayLike],
        canary: tuple[ArrayLike, ArrayLike],
        *,
        step_s: float = 60.0,
    ) -> Self:
        """Build a sample of events among requests; each side is (events, total) per step.

        Examples:
            >>> sample = Sample.of_counts(([1, 0], [90, 80]), ([2, 1], [85, 95]))
            >>> [float(part.sum()) for part in sample.canary.sums()]
            [3.0, 180.0]
        """
        sides = (
            Ratio(numerator=_rows(events), denominator=_rows(total))
            for events, total in (baseline, canary)
        )
        return cls(baseline=next(sides), canary=next(sides), step_s=step_s)

    def paired(self) -> tuple[Array, Array]:
        """Give baseline and canary of the steps in which both are known, each of shape (n,)."""
        baseline, canary = self.baseline.series(), self.canary.series()
        both = ~(np.isnan(baseline) | np.isnan(canary))
        return baseline[both], canary[both]
