"""What notebooks show of replays and of tuning: the same charts as reports, in a card."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analysis import charts
from analysis.charts.curves import Axis, Curve, curves
from analysis.charts.svg import escaped
from analysis.past.evaluation import Evaluation, Rate
from analysis.past.tuning.points import Point
from analysis.past.tuning.text import said
from analysis.past.tuning.tuning import Tuning


def card_of_replay(found: Evaluation) -> str:
    """Show what a replay comes to as a table."""
    rows = (
        ("good ones that failed", _rate(found.false_fails)),
        ("good ones that passed", _rate(found.good_passed)),
        ("bad ones that were found", _rate(found.detections)),
        ("bad ones that passed", _rate(found.false_passes)),
        ("median time to a decision", _minutes(found.to_decision.median)),
        ("median delay after the fault", _minutes(found.delay.median)),
    )
    body = "".join(f"<tr><th>{escaped(name)}</th><td>{value}</td></tr>" for name, value in rows)
    unread = f", {found.unread} of them could not be judged" if found.unread else ""
    return _card(f"{found.deployments} deployments{unread}", f"<table>{body}</table>")


def card_of_tuning(tuning: Tuning) -> str:
    """Show the trade-off, the suggestion and the doubts."""
    doubts = [text for one in tuning.doubts if (text := said(one, tuning)) is not None]
    listed = "".join(f"<li>{escaped(text)}</li>" for text in doubts)
    title = "Keep what you have" if tuning.chosen == 0 else tuning.suggestion.variant.name
    return _card(title, _tradeoff(tuning) + (f"<ul>{listed}</ul>" if listed else ""))


def _tradeoff(tuning: Tuning) -> str:
    found = "harm found" if tuning.is_harmed else "bad deployments found"
    return curves(
        "Trade-off",
        list(_clouds(tuning)),
        Axis(name="good deployments that fail", told=_percent, limit=tuning.budget),
        Axis(name=found, told=_percent, span=(0.0, 1.0)),
    )


def _clouds(tuning: Tuning) -> Iterator[Curve]:
    special = {"as it is": tuning.now, "suggested": tuning.suggestion}
    others = [point for point in tuning.points if point not in special.values()]
    groups = {"tried": others, **{name: [point] for name, point in special.items()}}
    for name, points in groups.items():
        if points:
            yield Curve(
                name=name,
                x=np.array([point.false_fails.value or 0.0 for point in points]),
                y=np.array([_found(point) for point in points]),
                labels=[point.variant.name for point in points],
                is_joined=False,
            )


def _found(point: Point) -> float:
    value = point.detections.value
    return np.nan if value is None else value


def _card(title: str, inner: str) -> str:
    style = charts.stylesheet()
    return f'<div class="serinus"><style>{style}</style><h4>{escaped(title)}</h4>{inner}</div>'


def _rate(rate: Rate) -> str:
    if rate.interval is None:
        return "–"
    low, high = rate.interval
    return f"{rate.hits} of {rate.of} ({100 * low:.0f} to {100 * high:.0f} %)"


def _minutes(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds / 60:.1f} min"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
