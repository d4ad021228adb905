"""pandas at the edge: frames become samples, reports become frames."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis.frames import (
    frame_of_report,
    metrics_frame,
    sample_of_counts,
    sample_of_histograms,
    sample_of_values,
    series_frame,
)
from judges import Histogram, InvalidSampleError, Verdict
from tests.support.builders import (
    START,
    a_judgment,
    a_metric_report,
    a_report,
    an_estimate,
)

NAN = math.nan


def times(*minutes: float, zone: str | None = "UTC") -> pd.DatetimeIndex:
    first = pd.Timestamp("2027-01-15T08:00", tz=zone)
    return pd.DatetimeIndex([first + pd.Timedelta(minutes=minute) for minute in minutes])


def a_column(*minutes: float, zone: str | None = "UTC") -> pd.Series:
    """Make a column whose values are its minutes."""
    return pd.Series([float(minute) for minute in minutes], times(*minutes, zone=zone))


def test_two_columns_are_laid_on_the_times_of_both() -> None:
    sample = sample_of_values(a_column(0, 1, 2), a_column(1, 2, 3))

    np.testing.assert_array_equal(sample.baseline.series(), [0, 1, 2, NAN])
    np.testing.assert_array_equal(sample.canary.series(), [NAN, 1, 2, 3])
    assert sample.step_s == 60


def test_the_columns_of_a_frame_are_pods() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 6.0]}, index=times(0, 1))

    sample = sample_of_values(a_column(0, 1), frame)

    assert sample.canary.series().tolist() == [2, 4]


def test_the_order_of_rows_is_that_of_time() -> None:
    sample = sample_of_values(a_column(2, 0, 1), a_column(1, 2, 0))

    assert sample.baseline.series().tolist() == sample.canary.series().tolist() == [0, 1, 2]


def test_events_and_totals_are_laid_on_the_times_of_all_four() -> None:
    sample = sample_of_counts(
        (a_column(0, 1), a_column(0, 1, 2) + 10), (a_column(2), a_column(1, 2) + 10)
    )

    np.testing.assert_array_equal(sample.canary.sums(), [[NAN, 0, 2], [NAN, 11, 12]])  # type: ignore[union-attr]  # counts have sums
    np.testing.assert_array_equal(sample.baseline.sums(), [[0, 1, 0], [10, 11, 12]])  # type: ignore[union-attr]  # counts have sums


def test_a_gap_in_time_does_not_lengthen_the_step() -> None:
    assert sample_of_values(a_column(0, 1, 2, 60), a_column(0, 1, 2, 60)).step_s == 60


INF = math.inf


def some_buckets(*rows: tuple[float, ...], edges: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, index=times(*range(len(rows))), columns=list(edges))


def test_the_columns_of_a_frame_are_buckets_in_the_order_of_their_edges() -> None:
    frame = some_buckets((1, 2, 3), (4, 5, 6), edges=("+Inf", "10", "2.5"))

    side = sample_of_histograms(frame, frame).baseline

    assert isinstance(side, Histogram)
    assert side.edges.tolist() == [2.5, 10, INF]
    assert side.counts.tolist() == [[[3, 2, 1], [6, 5, 4]]]


def test_each_frame_of_a_mapping_is_a_pod() -> None:
    old = some_buckets((1, 2), (3, 4), edges=(0.1, INF))
    new = {"a": old, "b": 10 * old}

    sample = sample_of_histograms(old, new)

    assert sample.canary.rows.tolist() == [[3, 7], [30, 70]]
    assert sample.step_s == 60


def test_histograms_are_laid_on_the_times_of_all_frames() -> None:
    old = some_buckets((1, 2), (3, 4), (5, 6), edges=(0.1, INF))

    sample = sample_of_histograms(old, old.iloc[1:])

    np.testing.assert_array_equal(sample.canary.rows, [[NAN, 7, 11]])


def test_totals_make_the_mean() -> None:
    frame = some_buckets((1, 2), (3, 4), edges=(0.1, INF))
    total = pd.Series([0.3, 1.4], times(0, 1))

    sample = sample_of_histograms(frame, frame, totals=(total, 2 * total))

    assert sample.canary.series().tolist() == pytest.approx([0.2, 0.4])


TWO = some_buckets((1, 2), (3, 4), edges=(0.1, INF))
NO_HISTOGRAMS: dict[str, tuple[pd.DataFrame | dict[str, pd.DataFrame], str]] = {
    "a column that is a word": (TWO.rename(columns={0.1: "fast"}), "upper bound, got 'fast'"),
    "other buckets": (TWO.rename(columns={0.1: 0.2}), r"same buckets, got \[0.1, inf\] and \[0.2"),
    "one bucket twice": (TWO.rename(columns={INF: "0.10"}), "same buckets"),
    "no pods": ({}, "a side without pods is none"),
}


@pytest.mark.parametrize(("canary", "message"), NO_HISTOGRAMS.values(), ids=NO_HISTOGRAMS)
def test_what_is_no_histogram_is_refused(
    canary: pd.DataFrame | dict[str, pd.DataFrame], message: str
) -> None:
    with pytest.raises(InvalidSampleError, match=message):
        sample_of_histograms(TWO, canary)


def test_buckets_without_a_last_one_are_refused() -> None:
    frame = TWO.rename(columns={INF: 1})

    with pytest.raises(InvalidSampleError, match="the last edge must be infinite"):
        sample_of_histograms(frame, frame)


def test_totals_of_other_pods_are_refused() -> None:
    total = pd.Series([0.3, 1.4], times(0, 1))

    with pytest.raises(InvalidSampleError, match="a column for each pod of their side"):
        sample_of_histograms(TWO, {"a": TWO, "b": TWO}, totals=(total, total))


REFUSED = {
    "an index that is no time": (pd.Series([1.0, 2.0]), "needs a DatetimeIndex, got RangeIndex"),
    "a time that stands twice": (a_column(0, 1, 1), "two rows of one time; aggregate them first"),
    "a time without a zone beside one with": (a_column(0, 1, zone=None), "time zone"),
}


@pytest.mark.parametrize(("column", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_side_is_refused(column: pd.Series, message: str) -> None:
    with pytest.raises(InvalidSampleError, match=message):
        sample_of_values(a_column(0, 1), column)


def test_one_time_tells_no_step() -> None:
    with pytest.raises(InvalidSampleError, match="1 steps do not tell how long a step is"):
        sample_of_values(a_column(0), a_column(0))


def test_times_in_two_zones_are_the_same_times() -> None:
    there = a_column(0, 1, 2)
    there.index = pd.DatetimeIndex(there.index).tz_convert("Asia/Tokyo")

    sample = sample_of_values(a_column(0, 1, 2), there)

    assert sample.baseline.series().tolist() == sample.canary.series().tolist()


def test_a_reports_metrics_are_rows() -> None:
    judged = a_judgment(Verdict.FAIL, p=0.001, estimate=an_estimate(), n=30)
    report = a_report(
        a_metric_report(judged, name="latency", critical=True),
        a_metric_report(a_judgment(Verdict.INCONCLUSIVE, p=None), name="queue"),
    )

    frame = metrics_frame(report)

    assert list(frame.index) == ["latency", "queue"]
    row = frame.loc["latency"]
    assert [row[key] for key in ("verdict", "estimate", "lower", "upper", "p_harm", "n")] == [
        *("fail", 1.14, 1.09, 1.19, 0.001, 30),
    ]
    assert frame.loc["queue", ["estimate", "lower", "upper", "p_harm"]].isna().all()


def test_a_metrics_series_are_columns_over_time() -> None:
    frame = series_frame(a_metric_report())

    assert list(frame.columns) == ["baseline", "canary"]
    assert len(frame) == 10
    assert frame.index[0] == pd.Timestamp(START + 60, unit="s", tz="UTC")
    assert frame["canary"].iloc[-1] == 119


def test_a_report_is_one_tidy_frame_of_metrics_sides_and_steps() -> None:
    silent = a_metric_report(name="silent", canary=np.empty(0))

    frame = frame_of_report(a_report(a_metric_report(name="memory"), silent))

    assert list(frame.columns) == ["metric", "verdict", "side", "time", "level"]
    assert frame.groupby(["metric", "side"]).size().to_dict() == dict.fromkeys(
        [(metric, side) for metric in ("memory", "silent") for side in ("baseline", "canary")], 10
    )
    assert str(frame["time"].dtype).endswith("UTC]")
    assert frame.loc[(frame.metric == "silent") & (frame.side == "canary"), "level"].isna().all()
