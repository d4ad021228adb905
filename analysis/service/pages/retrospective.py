"""`/judge`: choose a stretch of the past, and judge it now."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from analysis.service import worded
from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.pages.forms import Form, FormOf, in_the_form, variables
from analysis.service.pages.rendering import page, utc
from analysis.service.problems import Problem
from analysis.service.requests import Mode, StartRequest
from analysis.service.tokens import Token

ROUTER = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Words = Annotated[str, Query(max_length=128)]
FIELDS = ("config", "baseline", "canary", "both", "start", "end", "lookback")


@ROUTER.get("/judge")
def ask(service: ServiceOf, token: Caller, config: Words = "") -> HTMLResponse:
    """Show the form."""
    given = dict.fromkeys(FIELDS, "") | {"config": config, "lookback": "1h"}
    if config and not (token.may_use(config) and config in service.analyses.catalog.names()):
        error = f"there is no configuration {config!r} that you may use; choose one below"
        return _asked(service, token, given, status=404, error=error)
    return _asked(service, token, given)


@ROUTER.post("/judge/start")
def judge(service: ServiceOf, token: Caller, sent: FormOf) -> Response:
    """Begin the analysis that the form asks for, under a key of its own, and lead to it."""
    given = {name: sent.get(name, "").strip() for name in FIELDS}
    try:
        key = f"by-hand.{secrets.token_hex(8)}"
        request = _request(given)
        _check(request, service.analyses.clock())
        record = service.analyses.start(key, request, token)
    except ValidationError as error:
        told = "; ".join(_told(one) for one in error.errors())
        return _asked(service, token, given, status=422, error=told)
    except Problem as problem:
        told = in_the_form(problem.message)
        return _asked(service, token, given, status=problem.status, error=told)
    return RedirectResponse(f"/analyses/{record.id}", 303)


def _check(request: StartRequest, now: float) -> None:
    """Hold the form to the past: what a program begins may lie ahead, what a person judges not."""
    if request.start is None and request.lookback is None:
        message = "no start is given; give one, or how long before the end to begin, such as 1h"
        raise Problem(422, "faulty_request", message)
    if request.start is not None and request.start.timestamp() >= now:
        message = (
            f"start {request.start:%Y-%m-%d %H:%M:%S} lies in the future, it is {utc(now)} UTC; "
            "choose an earlier one, or let a rollout ask for what is to come"
        )
        raise Problem(422, "faulty_request", message)


def _request(given: Form) -> StartRequest:
    """Make the same request of it that a program would send.

    Raises:
        Problem: No configuration is chosen, or a line holds no variable.
        ValidationError: What is written cannot be meant.
    """
    if not given["config"]:
        raise Problem(422, "faulty_request", "no configuration is chosen; choose one")
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


def _told(found: Mapping[str, Any]) -> str:
    place = ".".join(map(str, found["loc"]))
    return f"{place}: {worded.rule(found)}".lstrip(": ")


def _asked(
    service: Service, token: Token, given: Form, *, status: int = 200, error: str = ""
) -> HTMLResponse:
    names = [name for name in service.analyses.catalog.names() if token.may_use(name)]
    shown: dict[str, Any] = {"configs": names, "given": given, "error": error}
    return page("retrospective.html.j2", status=status, here="/judge", **shown)
