"""Replays and trade-offs as pandas frames. For notebooks; it loads pandas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from analysis.past.evaluation import Rate
from analysis.past.rows import Row
from analysis.past.tuning.points import Point

# What a row of one deployment holds; its metrics have a frame of their own.
_COLUMNS = (
    *("id", "service", "truth", "verdict", "score", "seconds_to_decision", "decided_by", "looks"),
    *("reason", "start", "end", "fault_start", "decided_at", "error"),
)


def frame_of_rows(rows: Sequence[Row]) -> pd.DataFrame:
    """Give a row for each deployment, indexed by its id."""
    records = [{name: _plain(getattr(row, name)) for name in _COLUMNS} for row in rows]
    return pd.DataFrame(records, columns=list(_COLUMNS)).set_index("id")


def metrics_of_rows(rows: Sequence[Row]) -> pd.DataFrame:
    """Give a row for each metric of each deployment, with its estimate and interval."""
    return pd.DataFrame(
        [
            {
                "id": row.id,
                "service": row.service,
                "truth": _plain(row.truth),
                **{name: _plain(value) for name, value in asdict(metric).items()},
            }
            for row in rows
            for metric in row.metrics
        ]
    )


def frame_of_points(points: Sequence[Point]) -> pd.DataFrame:
    """Give a row for each variant of a trade-off, indexed by its name, with 95 % intervals."""
    records = [
        {
            "variant": point.variant.name,
            **_rate("false_fails", point.false_fails),
            **_rate("detections", point.detections),
            **_rate("good_passed", point.good_passed),
            "delay_s": point.delay.median,
            "to_pass_s": point.to_pass.median,
            "keeping": str(point.keeping),
            "on_front": point.on_front,
        }
        for point in points
    ]
    return pd.DataFrame(records).set_index("variant")


def _rate(name: str, rate: Rate) -> dict[str, object]:
    low, high = rate.interval or (None, None)
    return {name: rate.value, f"{name}_low": low, f"{name}_high": high}


def _plain(value: object) -> object:
    """Give words and lists as pandas shows them best."""
    if isinstance(value, str):
        return str(value)
    return ", ".join(value) if isinstance(value, tuple) else value
