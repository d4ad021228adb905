"""Parts of a sample: the steps seen at an earlier look, or the windows of a long recording."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from judges import InvalidSampleError, Ratio, Sample, Values
from judges.core.sample import Histogram, Side


def between(sample: Sample, start: int, stop: int | None = None) -> Sample:
    """Give the steps from `start` to before `stop`, of both sides.

    Examples:
        >>> sample = Sample.of_values([1, 2, 3, 4], [5, 6, 7, 8])
        >>> between(sample, 1, 3).canary.series()
        array([6., 7.])
    """
    return replace(
        sample,
        baseline=_between(sample.baseline, slice(start, stop)),
        canary=_between(sample.canary, slice(start, stop)),
    )


def _between(side: Side, steps: slice) -> Side:
    match side:
        case Values():
            return replace(side, values=side.values[:, steps])
        case Ratio():
            return replace(
                side, numerator=side.numerator[:, steps], denominator=side.denominator[:, steps]
            )
        case Histogram():
            totals = None if side.totals is None else side.totals[:, steps]
            return replace(side, counts=side.counts[:, steps], totals=totals)
        case _:
            assert_never(side)


def windows(sample: Sample, steps: int) -> list[Sample]:
    """Cut a long recording of a good time into windows, as long as an analysis takes.

    They do not overlap, so each counts once; what is left at the end is dropped. Windows of one
    day still have that day in common: the fewer the days, the more cautiously read the intervals.

    Args:
        sample: Both sides, at least one window long.
        steps: Length of a window.

    Raises:
        InvalidSampleError: A window has no step, or the sample is shorter than one.

    Examples:
        >>> len(windows(Sample.of_values(range(100), range(100)), 30))
        3
    """
    length = sample.baseline.steps
    if not 1 <= steps <= length:
        raise InvalidSampleError(
            f"a window must have 1 to {length} steps, as many as the sample, got {steps}"
        )
    starts = range(0, length - steps + 1, steps)
    return [between(sample, start, start + steps) for start in starts]
