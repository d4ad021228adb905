"""`/judge`: choose a stretch of the past, and judge it now."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.pages.forms import Form, FormOf, variables
from analysis.service.pages.rendering import page
from analysis.service.problems import Problem
from analysis.service.requests import Mode, StartRequest
from analysis.service.tokens import Token

ROUTER = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
FIELDS = ("config", "baseline", "canary", "both", "start", "end", "lookback")


@ROUTER.get("/judge")
def ask(service: ServiceOf, token: Caller, config: str = "") -> HTMLResponse:
    """Show the form."""
    given = dict.fromkeys(FIELDS, "") | {"config": config, "lookback": "1h"}
    return _asked(service, token, given)


@ROUTER.post("/judge/start")
def judge(service: ServiceOf, token: Caller, sent: FormOf) -> Response:
    """Begin the analysis that the form asks for, under a key of its own, and lead to it."""
    given = {name: sent.get(name, "").strip() for name in FIELDS}
    try:
        key = f"by-hand.{secrets.token_hex(8)}"
        record = service.analyses.start(key, _request(given), token)
    except ValidationError as error:
        told = "; ".join(_told(one["loc"], one["msg"]) for one in error.errors())
        return _asked(service, token, given, status=422, error=told)
    except Problem as problem:
        return _asked(service, token, given, status=problem.status, error=problem.message)
    return RedirectResponse(f"/analyses/{record.id}", 303)


def _request(given: Form) -> StartRequest:
    """Make the same request of it that a program would send."""
    return StartRequest.model_validate(
        {
            "config": given["config"],
            "baseline": variables(given["baseline"]),
            "canary": variables(given["canary"]),
            "variables": variables(given["both"]),
            "start": _utc(given["start"]),
            "end": _utc(given["end"]),
            "lookback": "" if given["start"] else given["lookback"],
            "mode": Mode.ASYNC,
        }
    )


def _utc(text: str) -> str:
    """Take what a field of date and time gives, which knows no zone, for UTC; the page says so."""
    return f"{text}Z" if "T" in text and text[-1].isdigit() and "+" not in text else text


def _told(location: tuple[int | str, ...], message: str) -> str:
    place = ".".join(map(str, location))
    return f"{place}: {message.removeprefix('Value error, ')}".lstrip(": ")


def _asked(
    service: Service, token: Token, given: Form, *, status: int = 200, error: str = ""
) -> HTMLResponse:
    names = [name for name in service.analyses.catalog.names() if token.may_use(name)]
    shown: dict[str, Any] = {"configs": names, "given": given, "error": error}
    return page("retrospective.html.j2", status=status, here="/judge", **shown)
