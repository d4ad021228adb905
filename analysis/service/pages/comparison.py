"""`/compare`: two analyses side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from analysis.consumers import pictures, words
from analysis.consumers.units import unit_of
from analysis.report import MetricReport
from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.pages.analysis import visible
from analysis.service.pages.judged import Judged, judged
from analysis.service.pages.rendering import page
from analysis.service.tokens import Token
from analysis.store import Filter, Record

ROUTER = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
MOST_OFFERED = 50
Ids = Annotated[list[str], Query(max_length=50)]
IdOr = Annotated[str, Query(max_length=32, pattern="^[0-9a-f]*$")]


@ROUTER.get("/compare")
def compare(
    *,
    service: ServiceOf,
    token: Caller,
    left: IdOr = "",
    right: IdOr = "",
    of: Ids = [],  # noqa: B006 - FastAPI copies it
) -> HTMLResponse:
    """Show two analyses side by side, or let them be chosen."""
    chosen = [one for one in (left, right, *of) if one]
    sides = [visible(service, one, token) for one in chosen[:2]]
    return page(
        "comparison.html.j2",
        here="/compare",
        sides=sides,
        error=_mistaken(chosen, sides),
        offered=_offered(service, token, sides),
        rows=_rows([_judged(service, one) for one in sides]),
    )


def _mistaken(chosen: list[str], sides: list[Record]) -> str:
    """Say what is wrong with a choice; nothing where two were chosen, or fewer yet."""
    if len(chosen) > 2:
        return f"{len(chosen)} are chosen, of which the first two are compared; tick two"
    if len(chosen) == 2 and sides[0].id == sides[1].id:
        return f"both sides are the same analysis, {sides[0].key!r}; choose another for one of them"
    return ""


def _offered(service: Service, token: Token, sides: list[Record]) -> list[Record]:
    """Give what can be chosen: the newest, and what is chosen already."""
    newest = service.analyses.store.find(token.seen(Filter()), MOST_OFFERED)
    known = {one.id for one in newest}
    return [*(one for one in sides if one.id not in known), *newest]


def _judged(service: Service, record: Record) -> Judged:
    return judged(service.analyses.store, record, service.settings.links)


def _rows(reports: list[Judged]) -> list[tuple[str, list[Mapping[str, Any] | None]]]:
    """Give every metric of either report, with what each of them says of it."""
    if len(reports) < 2:
        return []
    told = [
        {metric.name: metric for metric in words.ordered(one.report)} if one.report else {}
        for one in reports
    ]
    names = dict.fromkeys(name for one in told for name in one)
    return [
        (name, [_cell(one[name]) if name in one else None for one in told])
        for name in sorted(names, key=lambda name: _rank(name, told))
    ]


def _rank(name: str, told: list[dict[str, MetricReport]]) -> int:
    """Put first what differs: that is what one compares for."""
    verdicts = {one[name].judgment.verdict if name in one else None for one in told}
    return 0 if len(verdicts) > 1 else 1


def _cell(metric: MetricReport) -> Mapping[str, Any]:
    unit, verdict = unit_of(metric), metric.judgment.verdict
    drawn = pictures.small_gauge(metric) or pictures.sparkline(metric)
    return {
        "verdict": str(verdict),
        "mark": words.MARKS[verdict],
        "change": words.change(metric, unit),
        "levels": words.levels(metric, unit),
        "outcome": words.outcome(metric),
        "drawn": Markup(drawn),  # noqa: S704 - the charts escape every word that is not theirs
    }
