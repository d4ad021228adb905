"""Figures that can be turned and zoomed, for who has plotly (extra `notebook`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.errors import ConfigError
from analysis.past.evaluation import Rate
from analysis.past.tuning.points import Point
from analysis.past.tuning.tuning import Tuning

if TYPE_CHECKING:
    import plotly.graph_objects as go


def tradeoff(tuning: Tuning) -> go.Figure:
    """Draw every variant: false fails across, faults found up, each with its interval.

    Raises:
        ConfigError: plotly is not installed.
    """
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        message = "figures need plotly; pip install 'serinus[notebook]'"
        raise ConfigError(message) from error
    figure = go.Figure()
    for name, points in _groups(tuning).items():
        across, up = ([rate(point) for point in points] for rate in (_fails, _found))
        figure.add_scatter(
            name=name,
            mode="markers",
            x=[rate.value for rate in across],
            y=[rate.value for rate in up],
            error_x=_bars(across),
            error_y=_bars(up),
            text=[point.variant.name for point in points],
            hovertemplate="%{text}<br>fails %{x:.2%}<br>finds %{y:.2%}<extra></extra>",
        )
    found = "harm found" if tuning.is_harmed else "bad deployments found"
    figure.add_vline(x=tuning.budget, line_dash="dot", annotation_text="budget")
    figure.update_xaxes(title="good deployments that fail", tickformat=".1%")
    figure.update_yaxes(title=found, tickformat=".0%")
    return figure


def _groups(tuning: Tuning) -> dict[str, list[Point]]:
    special = [tuning.now, tuning.suggestion]
    return {
        "tried": [point for point in tuning.points if point not in special],
        "as it is": [tuning.now],
        "suggested": [tuning.suggestion],
    }


def _fails(point: Point) -> Rate:
    return point.false_fails


def _found(point: Point) -> Rate:
    return point.detections


def _bars(rates: list[Rate]) -> dict[str, object]:
    """Give the intervals as plotly wants them: how far up and how far down."""
    ends = [(rate.value or 0.0, rate.interval or (0.0, 0.0)) for rate in rates]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, high - value) for value, (_, high) in ends],
        "arrayminus": [max(0.0, value - low) for value, (low, _) in ends],
        "thickness": 1,
    }
