"""pandas at the edge: samples from frames, reports as frames. For notebooks.

Import it where frames are used; it loads pandas.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.report import AnalysisReport, MetricReport
from judges import InvalidSampleError, Ratio, Sample, Values
from judges.core.sample import Array

Frame = pd.DataFrame | pd.Series


def sample_of_values(baseline: Frame, canary: Frame) -> Sample:
    """Make a sample of a gauge from series indexed by time; the columns of a frame are pods.

    Args:
        baseline: Values with a `DatetimeIndex`, one row a step.
        canary: The same of the canary; timestamps known on one side only stay unpaired.

    Raises:
        InvalidSampleError: An index is no `DatetimeIndex`, repeats a time, has a time zone where
            another has none, or both are too short to tell the step.

    Examples:
        >>> times = pd.date_range("2026-11-22", periods=3, freq="30s", tz="UTC")
        >>> sample = sample_of_values(pd.Series([1, 2, 3], times), pd.Series([2, 3, 4], times))
        >>> sample.step_s, sample.canary.series()
        (30.0, array([2., 3., 4.]))
    """
    sides = [_frame(side) for side in (baseline, canary)]
    grid = _grid(sides)
    rows = [Values(values=_rows(side, grid)) for side in sides]
    return Sample(baseline=rows[0], canary=rows[1], step_s=_step_s(grid))


def sample_of_counts(baseline: tuple[Frame, Frame], canary: tuple[Frame, Frame]) -> Sample:
    """Make a sample of events among requests; each side is (events, total) per step.

    Raises:
        InvalidSampleError: As for `sample_of_values`.
    """
    sides = [[_frame(part) for part in side] for side in (baseline, canary)]
    grid = _grid([part for side in sides for part in side])
    rows = [
        Ratio(numerator=_rows(events, grid), denominator=_rows(total, grid))
        for events, total in sides
    ]
    return Sample(baseline=rows[0], canary=rows[1], step_s=_step_s(grid))


def _frame(side: Frame) -> pd.DataFrame:
    frame = side.to_frame() if isinstance(side, pd.Series) else side
    if not isinstance(frame.index, pd.DatetimeIndex):
        found = type(frame.index).__name__
        raise InvalidSampleError(f"a side needs a DatetimeIndex, got {found}; see pd.to_datetime")
    if frame.index.has_duplicates:
        raise InvalidSampleError("a side holds two rows of one time; aggregate them first")
    return frame


def _grid(frames: list[pd.DataFrame]) -> pd.DatetimeIndex:
    if len({getattr(frame.index, "tz", None) is None for frame in frames}) > 1:
        raise InvalidSampleError("some times have a time zone and some have none; see tz_localize")
    grid = frames[0].index
    for frame in frames[1:]:
        grid = grid.union(frame.index)
    return pd.DatetimeIndex(grid.sort_values())


def _rows(frame: pd.DataFrame, grid: pd.DatetimeIndex) -> Array:
    return np.asarray(frame.reindex(grid).to_numpy(dtype=np.float64).T)


def _step_s(grid: pd.DatetimeIndex) -> float:
    if len(grid) < 2:
        raise InvalidSampleError(f"{len(grid)} steps do not tell how long a step is")
    return float(np.median(np.diff(grid.as_unit("ns").asi8)) / 1e9)


def metrics_frame(report: AnalysisReport) -> pd.DataFrame:
    """Give a report's metrics as a frame, a row a metric, indexed by name."""
    rows = [_row(metric) for metric in report.metrics]
    return pd.DataFrame(rows).set_index("metric")


def _row(metric: MetricReport) -> dict[str, object]:
    judgment = metric.judgment
    estimate = judgment.estimate
    interval = estimate.interval if estimate is not None else None
    return {
        "metric": metric.name,
        "group": metric.group,
        "critical": metric.critical,
        "verdict": str(judgment.verdict),
        "reason": str(judgment.reason),
        "estimate": estimate.value if estimate is not None else None,
        "lower": interval.lower if interval is not None else None,
        "upper": interval.upper if interval is not None else None,
        "p_harm": judgment.harm.p if judgment.harm is not None else None,
        "n": judgment.n,
        "summary": judgment.summary,
    }


def series_frame(metric: MetricReport) -> pd.DataFrame:
    """Give a metric's level on both sides, a row a step, indexed by the step's end in UTC."""
    index = pd.to_datetime(metric.times, unit="s", utc=True)
    return pd.DataFrame({"baseline": metric.baseline, "canary": metric.canary}, index=index)
