"""pandas at the edge: samples from frames, reports as frames. For notebooks.

Import it where frames are used; it loads pandas.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from analysis.report import AnalysisReport, MetricReport
from judges import Histogram, InvalidSampleError, Ratio, Sample, Values
from judges.core.sample import Array

Frame = pd.DataFrame | pd.Series
Pods = pd.DataFrame | Mapping[str, pd.DataFrame]


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


def sample_of_histograms(
    baseline: Pods, canary: Pods, *, totals: tuple[Frame, Frame] | None = None
) -> Sample:
    """Make a sample of histograms from frames whose columns are buckets.

    Args:
        baseline: Observations in each bucket in each step, not cumulative: a row a step with a
            `DatetimeIndex`, a column a bucket named by its upper bound (`0.1` or `"0.1"`; the last
            is infinite), in any order. A mapping holds a frame for each pod.
        canary: The same of the canary, with the same buckets.
        totals: Sums of the observed values of both sides; the columns of a frame are pods, in the
            order of theirs.

    Raises:
        InvalidSampleError: As for `sample_of_values`; or a column is no number, frames have
            different buckets, or totals other pods.

    Examples:
        >>> times = pd.date_range("2026-11-22", periods=2, freq="30s", tz="UTC")
        >>> old = pd.DataFrame({"0.1": [9, 8], "+Inf": [1, 2]}, times)
        >>> new = pd.DataFrame({"0.1": [7, 6], "+Inf": [3, 4]}, times)
        >>> sample_of_histograms({"old-1": old, "old-2": old}, new).baseline.rows
        array([[10., 10.],
               [10., 10.]])
    """
    sides = [_pods(side) for side in (baseline, canary)]
    sums = [_frame(total) for total in totals or ()]
    if any(total.shape[1] != len(side) for total, side in zip(sums, sides, strict=False)):
        raise InvalidSampleError("totals need a column for each pod of their side")
    frames = [frame for side in sides for frame in side]
    grid, edges = _grid([*frames, *sums]), _edges(frames)
    old, new = (
        Histogram(
            edges=edges,
            counts=np.stack([_rows(frame[edges], grid).T for frame in side]),
            totals=_rows(sums[place], grid) if sums else None,
        )
        for place, side in enumerate(sides)
    )
    return Sample(baseline=old, canary=new, step_s=_step_s(grid))


def _pods(side: Pods) -> list[pd.DataFrame]:
    frames = list(side.values()) if isinstance(side, Mapping) else [side]
    if not frames:
        raise InvalidSampleError("a side without pods is none; leave its metric out")
    return [_frame(frame).rename(columns=_edge) for frame in frames]


def _edge(column: Hashable) -> float:
    try:
        return float(str(column))
    except ValueError as error:
        raise InvalidSampleError(
            f"a column is a bucket, named by its upper bound, got {column!r}"
        ) from error


def _edges(frames: list[pd.DataFrame]) -> Array:
    found = {tuple(sorted(frame.columns)) for frame in frames}
    if len(found) > 1:
        texts = " and ".join(sorted(str(list(edges)) for edges in found))
        raise InvalidSampleError(f"all frames must have the same buckets, got {texts}")
    return np.array(found.pop(), dtype=np.float64)


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


def frame_of_report(report: AnalysisReport) -> pd.DataFrame:
    """Give a report's series as one tidy frame: a row for each metric, side and step.

    Returns:
        Columns `metric`, `verdict` (the metric's), `side`, `time` (the step's end, UTC) and `level`
        (in the metric's unit, NaN where unknown). `metrics_frame` holds the judgments.
    """
    parts = [
        pd.DataFrame(
            {
                "metric": metric.name,
                "verdict": str(metric.judgment.verdict),
                "side": side,
                "time": pd.to_datetime(metric.times, unit="s", utc=True),
                "level": levels if len(levels) else np.full(len(metric.times), np.nan),
            }
        )
        for metric in report.metrics
        for side, levels in (("baseline", metric.baseline), ("canary", metric.canary))
    ]
    return pd.concat(parts, ignore_index=True)
