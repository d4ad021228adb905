"""`/analyses/{id}`: one analysis, its progress and its report."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, RedirectResponse

from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.pages.forms import FormOf
from analysis.service.pages.judged import judged
from analysis.service.pages.rendering import page, result
from analysis.service.tokens import Token
from analysis.store import Record, Status

ROUTER = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Id = Annotated[str, Path(max_length=32, pattern="^[0-9a-f]+$")]


@ROUTER.get("/analyses/{analysis}")
def show(analysis: Id, service: ServiceOf, token: Caller) -> HTMLResponse:
    """Show an analysis."""
    return page("analysis.html.j2", here="", **_shown(service, visible(service, analysis, token)))


@ROUTER.get("/analyses/{analysis}/live")
def live(analysis: Id, service: ServiceOf, token: Caller) -> HTMLResponse:
    """Show the part of the page that changes while the analysis is running."""
    return page("live.html.j2", **_shown(service, visible(service, analysis, token)))


@ROUTER.post("/analyses/{analysis}/cancel")
def cancel(analysis: Id, service: ServiceOf, token: Caller, _: FormOf) -> RedirectResponse:
    """Cancel an analysis that is running."""
    record = visible(service, analysis, token)
    service.analyses.store.cancel(record.id, service.analyses.clock())
    return RedirectResponse(f"/analyses/{record.id}", 303)


def visible(service: Service, analysis: str, token: Token) -> Record:
    """Find an analysis that the caller may see; its page is made of its recording.

    Raises:
        Problem: There is none.
    """
    return service.visible(service.analyses.get(analysis, report=False), token)


def _shown(service: Service, record: Record) -> dict[str, Any]:
    found = judged(service.analyses.store, record, service.settings.links)
    word = result(record)
    is_running = record.status is Status.RUNNING
    report = found.report
    # The engine may have been mended since: what was told then is what counts.
    differs = not is_running and report is not None and word not in ("canceled", report.verdict)
    start, end = float(record.request["start"]), float(record.request["end"])
    passed_s = min(max(service.analyses.clock() - start, 0.0), end - start)
    return {
        "record": record,
        "judged": found,
        "word": word,
        "is_running": is_running,
        "differs": differs,
        "share": round(100 * passed_s / (end - start)) if end > start else 100,
    }
