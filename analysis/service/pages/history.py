"""`/services/{config}`: what was judged by one configuration, over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from numpy.typing import NDArray

from analysis import charts
from analysis.service.answers import said
from analysis.service.context import Caller, ServiceOf
from analysis.service.pages.forms import Name
from analysis.service.pages.rendering import page, result, utc
from analysis.service.problems import not_found
from analysis.store import Filter, Record, Status

ROUTER = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
# As many points as a chart can show apart.
MOST_SHOWN = 100
# Unit of the time axis, by the least span in seconds that it suits.
_UNITS = ((2 * 86_400.0, 86_400.0, "days"), (7200.0, 3600.0, "hours"), (0.0, 60.0, "minutes"))
Array = NDArray[np.float64]


@ROUTER.get("/services/{name}")
def history(name: Name, service: ServiceOf, token: Caller) -> HTMLResponse:
    """Show verdicts, scores and delays of the newest analyses of a configuration."""
    token.check_use(name)
    found = service.analyses.store.find(token.seen(Filter(config=name)), MOST_SHOWN)
    if not found and name not in service.analyses.catalog.names():
        raise not_found(f"configuration {name!r}", "nothing was ever judged by it")
    oldest_first = found[::-1]
    return page(
        "history.html.j2",
        here="",
        name=name,
        records=found,
        counts=Counter(map(result, found)),
        is_configured=name in service.analyses.catalog.names(),
        drawn=_drawn(oldest_first) if found else [],
    )


def _drawn(records: Sequence[Record]) -> list[tuple[str, Markup]]:
    scores = np.array([np.nan if one.score is None else one.score for one in records])
    delays = np.array([_delay_minutes(one) for one in records])
    percent = charts.Axis(name="score", span=(0.0, 100.0))
    drawn = [("Scores", _chart("score", records, scores, percent))]
    if np.isfinite(delays).any():
        minutes = charts.Axis(name="minutes", span=(0.0, float(np.nanmax(delays)) * 1.1 or 1.0))
        drawn.append(("Minutes from start to verdict", _chart("delay", records, delays, minutes)))
    # The charts escape every word that is not theirs.
    return [(caption, Markup(svg)) for caption, svg in drawn]  # noqa: S704


def _chart(name: str, records: Sequence[Record], values: Array, up: charts.Axis) -> str:
    """Draw a cloud of points for each result, so that each has its own style."""
    at = np.array([one.created for one in records]) - records[-1].created
    _, unit_s, unit = next(one for one in _UNITS if -at[0] >= one[0])
    across = charts.Axis(
        name=f"{unit} before the newest",
        told=lambda value: f"{abs(value):g}",
        span=(1.03 * min(float(at[0]) / unit_s, -1.0), 0.03),
    )
    shown = []
    for word in ("pass", "fail", "inconclusive"):
        chosen = [place for place, one in enumerate(records) if said(one) == word]
        labels = [f"{records[k].key}: {word}, {utc(records[k].created)} UTC" for k in chosen]
        curve = charts.Curve(
            name=word, x=at[chosen] / unit_s, y=values[chosen], labels=labels, is_joined=False
        )
        shown.append(curve)
    return charts.curves(f"{name} over time", shown, across, up)


def _delay_minutes(record: Record) -> float:
    """Give how long a rollout waited for its verdict; NaN of what was over before it was judged."""
    is_past = record.created > float(record.request["end"])
    if record.status is not Status.COMPLETED or is_past:
        return float("nan")
    return (record.updated - float(record.request["start"])) / 60
