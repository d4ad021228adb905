"""What a judge is given: both sides of one metric, on one grid of steps.

Every array has shape (pods, steps): a row a pod, a column a step, NaN where nothing is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judges.core.errors import InvalidSampleError
from judges.core.many import together

Array = NDArray[np.float64]

# Beyond this a double no longer counts by ones; below this it is rounding, not an observation.
MOST_COUNTED, LEAST_COUNTED = 2.0**53, 1e-9


def _rows(values: ArrayLike, dimensions: int = 2) -> Array:
    array = np.array(values, dtype=np.float64)
    if array.ndim == dimensions - 1:
        array = array[np.newaxis]
    if array.ndim != dimensions:
        shape = "(steps,) or (pods, steps)" if dimensions == 2 else "(pods, steps, buckets)"
        raise InvalidSampleError(
            f"a side is an array of shape {shape}, got {array.ndim} dimensions"
        )
    array[~np.isfinite(array)] = np.nan
    array.flags.writeable = False
    return array


def _sum_of_pods(rows: Array) -> Array:
    if len(rows) == 1:
        alone: Array = rows[0]
        return alone
    unknown = np.isnan(rows)
    with np.errstate(over="ignore"):
        total: Array = np.where(unknown, 0.0, rows).sum(axis=0)
    total[unknown.all(axis=0) | np.isinf(total)] = np.nan
    return total


def _mean_of_pods(rows: Array) -> Array:
    if len(rows) == 1:
        alone: Array = rows[0]
        return alone
    unknown = np.isnan(rows)
    known = len(rows) - np.count_nonzero(unknown, axis=0)
    # Divide before adding: pods near the largest double must not overflow to infinity.
    shares = np.where(unknown, 0.0, rows) / np.maximum(known, 1)
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

    @property
    def rows(self) -> Array:
        """The values, shape (pods, steps): finite where the pod was seen."""
        return self.values

    def part(self, start: int, stop: int) -> Values:
        """Give the steps from `start` to before `stop`."""
        return Values(values=self.values[:, start:stop])

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

    @property
    def rows(self) -> Array:
        """The exposure, shape (pods, steps): finite where the pod was seen."""
        return self.denominator

    def part(self, start: int, stop: int) -> Ratio:
        """Give the steps from `start` to before `stop`."""
        stretch = np.s_[:, start:stop]
        return Ratio(numerator=self.numerator[stretch], denominator=self.denominator[stretch])

    def by_pod(self) -> tuple[Array, Array]:
        """Give numerator and denominator of the window, of each pod: shape (pods,) each."""
        with np.errstate(over="ignore"):
            return np.nansum(self.numerator, axis=1), np.nansum(self.denominator, axis=1)

    def sums(self) -> tuple[Array, Array]:
        """Give numerator and denominator summed over pods, each of shape (steps,).

        A step with exposure and no numerator counts 0 events: an error series need not exist
        before the first error. A step without exposure is NaN in both.
        """
        numerator, denominator = _sum_of_pods(self.numerator), _sum_of_pods(self.denominator)
        unknown = np.isnan(denominator)
        numerator = np.where(unknown, np.nan, np.where(np.isnan(numerator), 0.0, numerator))
        return numerator, denominator

    def series(self) -> Array:
        """Give the quotient in each step, shape (steps,); NaN in a step without exposure."""
        numerator, denominator = self.sums()
        exposed = denominator > 0
        quotient = np.full(self.steps, np.nan)
        with np.errstate(over="ignore"):
            np.divide(numerator, denominator, out=quotient, where=exposed)
        quotient[~np.isfinite(quotient)] = np.nan
        return quotient


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histogram:
    """Observations counted in buckets, in each step.

    Attributes:
        edges: Shape (buckets,): upper bound of each bucket, ascending; the last is infinite.
        counts: Shape (pods, steps, buckets): observations that fell into each bucket in the step.
        totals: Shape (pods, steps): sum of the observed values; `None` where the source has none.
        exponential: Whether the buckets grow by a constant factor, as native histograms' do.
    """

    edges: Array
    counts: Array
    totals: Array | None = None
    exponential: bool = False
    _observed: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the edges; a step of which a bucket is unknown, or no count, is unknown."""
        edges = np.array(self.edges, dtype=np.float64)
        edges.flags.writeable = False
        counts = np.array(_rows(self.counts, dimensions=3))
        if edges.shape != counts.shape[2:] or not (np.diff(edges) > 0).all():
            raise InvalidSampleError(
                f"edges must ascend, one for each of the {counts.shape[2]} buckets, got {edges}"
            )
        if not len(edges) or edges[-1] != np.inf:
            raise InvalidSampleError(f"the last edge must be infinite, got {edges[-1:]}")
        absurd = (counts < 0) | (counts > MOST_COUNTED)
        counts[(np.isnan(counts) | absurd).any(axis=2)] = np.nan
        counts[counts < LEAST_COUNTED] = 0.0
        counts.flags.writeable = False
        observed = counts.sum(axis=2)
        observed.flags.writeable = False
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "_observed", observed)
        if self.totals is not None:
            object.__setattr__(self, "totals", _rows(self.totals))

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.counts.shape[1])

    @property
    def rows(self) -> Array:
        """Observations, shape (pods, steps): finite where the pod was seen."""
        return self._observed

    def part(self, start: int, stop: int) -> Histogram:
        """Give the steps from `start` to before `stop`."""
        totals = None if self.totals is None else self.totals[:, start:stop]
        return replace(self, counts=self.counts[:, start:stop], totals=totals)

    def by_step(self) -> Array:
        """Give the observations of all pods by step and bucket, shape (steps, buckets).

        A step in which no pod is known is NaN.
        """
        total: Array = np.nansum(self.counts, axis=0)
        total[np.isnan(self.rows).all(axis=0)] = np.nan
        return total

    def above(self, edge: float) -> Ratio:
        """Give the observations above one of the edges, among all."""
        first = int(np.searchsorted(self.edges, edge, side="right"))
        return Ratio(numerator=self.counts[:, :, first:].sum(axis=2), denominator=self.rows)

    def means(self) -> Ratio:
        """Give the sum of the observed values over their number.

        Without the source's own sum an observation counts as the middle of its bucket.
        """
        if self.totals is not None:
            return Ratio(numerator=self.totals, denominator=self.rows)
        return Ratio(numerator=self.counts @ self._middles(), denominator=self.rows)

    def _middles(self) -> Array:
        finite = self.edges[:-1]
        if not len(finite):
            return np.ones(1)
        lower = np.concatenate(([min(0.0, float(finite[0]))], finite[:-1]))
        return np.append((lower + finite) / 2, finite[-1])

    def series(self) -> Array:
        """Give the mean of the observations in each step, shape (steps,)."""
        return self.means().series()


Side = Values | Ratio | Histogram


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Baseline and canary of one metric, on the same steps.

    Attributes:
        baseline: The baseline's side.
        canary: The canary's side; of the same type.
        step_s: Length of a step in seconds.
        history: Two groups of the stable version's pods before the window, on steps as long, for
            judges that learn the noise from it; of the same type as the sides.
    """

    baseline: Side
    canary: Side
    step_s: float = 60.0
    history: Sample | None = None

    def __post_init__(self) -> None:
        """Refuse sides that cannot be compared step by step."""
        if type(self.baseline) is not type(self.canary):
            raise InvalidSampleError("both sides must hold the same kind of data")
        if self.baseline.steps != self.canary.steps:
            raise InvalidSampleError(
                f"both sides must have the same steps, "
                f"got {self.baseline.steps} and {self.canary.steps}; pair them first"
            )
        if self.history is not None and type(self.history.canary) is not type(self.canary):
            raise InvalidSampleError("the history must hold the same kind of data as both sides")
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

    @classmethod
    def of_histograms(
        cls,
        edges: ArrayLike,
        baseline: ArrayLike,
        canary: ArrayLike,
        *,
        totals: tuple[ArrayLike, ArrayLike] | None = None,
        step_s: float = 60.0,
    ) -> Self:
        """Build a sample of histograms.

        Args:
            edges: Shape (buckets,): upper bounds, the last infinite.
            baseline: Shape (steps, buckets) or (pods, steps, buckets): observations in each
                bucket, not cumulative.
            canary: The same of the canary.
            totals: Sums of the observed values of both sides, shape (steps,) or (pods, steps).
            step_s: Length of a step in seconds.

        Examples:
            >>> inf = float("inf")
            >>> sample = Sample.of_histograms([0.1, inf], [[9, 1], [8, 2]], [[7, 3], [6, 4]])
            >>> sample.canary.above(0.1).series()
            array([0.3, 0.4])
        """
        sums = (None, None) if totals is None else tuple(_rows(total) for total in totals)
        sides = (
            Histogram(edges=np.asarray(edges), counts=_rows(side, dimensions=3), totals=total)
            for side, total in zip((baseline, canary), sums, strict=True)
        )
        return cls(baseline=next(sides), canary=next(sides), step_s=step_s)

    @property
    def steps(self) -> int:
        """Number of steps."""
        return self.canary.steps

    def part(self, start: int, stop: int) -> Sample:
        """Give the steps from `start` to before `stop`; the history stays."""
        return replace(
            self, baseline=self.baseline.part(start, stop), canary=self.canary.part(start, stop)
        )

    def paired(self) -> tuple[Array, Array]:
        """Give baseline and canary of the steps in which both are known, each of shape (n,)."""
        return _known(self.baseline.series(), self.canary.series())


def paired_all(samples: Sequence[Sample]) -> list[tuple[Array, Array]]:
    """Give of many samples the steps in which both sides are known, as `Sample.paired` does."""
    found: dict[int, tuple[Array, Array]] = {}
    for places in together([sample.steps for sample in samples]):
        both = [(samples[i].baseline.series(), samples[i].canary.series()) for i in places]
        gaps = np.isnan(np.array(both)).any(axis=(1, 2)).tolist()
        known = (
            _known(*one) if has_gaps else one for one, has_gaps in zip(both, gaps, strict=True)
        )
        found |= zip(places, known, strict=True)
    return [found[place] for place in range(len(samples))]


def _known(baseline: Array, canary: Array) -> tuple[Array, Array]:
    both = ~(np.isnan(baseline) | np.isnan(canary))
    return baseline[both], canary[both]
