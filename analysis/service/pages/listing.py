"""`/`: what was judged, and is being judged."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from analysis.service.context import Caller, ServiceOf
from analysis.service.pages.rendering import page
from analysis.store import Filter, Status

ROUTER = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
PAGE = 25
# A form sends its empty fields too.
Words = Annotated[str, Query(max_length=512)]
Cursor = Annotated[str, Query(max_length=32, pattern="^[0-9a-f]*$")]


@ROUTER.get("/")
def analyses(  # noqa: PLR0913 - what a form sends
    *,
    service: ServiceOf,
    token: Caller,
    key: Words = "",
    config: Words = "",
    namespace: Words = "",
    verdict: Literal["", "pass", "fail", "inconclusive"] = "",
    status: Literal["", "running", "completed", "canceled"] = "",
    cursor: Cursor = "",
) -> HTMLResponse:
    """List analyses, newest first, some at a time."""
    asked = {
        "key": key.strip(),
        "config": config,
        "namespace": namespace.strip(),
        "verdict": verdict,
        "status": status,
    }
    chosen = {name: value for name, value in asked.items() if value}
    wanted = Filter(
        key_part=chosen.get("key"),
        config=chosen.get("config"),
        namespace=chosen.get("namespace"),
        verdict=chosen.get("verdict"),
        status=chosen.get("status"),
        before=cursor or None,
    )
    found = service.analyses.store.find(token.seen(wanted), PAGE + 1)
    shown, has_more = found[:PAGE], len(found) > PAGE
    names = {name for name in service.analyses.catalog.names() if token.may_use(name)}
    return page(
        "listing.html.j2",
        here="/",
        records=shown,
        asked=asked,
        chosen=chosen,
        configs=sorted(names | ({config} if config else set())),
        statuses=[one.value for one in Status],
        newest=_address(chosen) if cursor else "",
        older=_address({**chosen, "cursor": shown[-1].id}) if has_more else "",
    )


def _address(query: dict[str, str]) -> str:
    return f"/?{urlencode(query)}" if query else "/"
