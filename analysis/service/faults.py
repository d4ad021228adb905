"""What is answered when a call goes wrong, whatever went wrong."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from analysis.service import worded
from analysis.service.pages.refusal import tell, wants_page
from analysis.service.problems import Problem

LOG = logging.getLogger("serinus.service")
_RETRY_S = 5


def handle(app: FastAPI) -> None:
    """Let an application answer every error in JSON, worded for its caller."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(SQLAlchemyError, _store_down)
    app.add_exception_handler(Exception, _bug)


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for it
    return tell(request.scope, error)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    found = error.errors()
    faults = [worded.fault(one) for one in found]
    if any(fault["loc"] == ("body",) for fault in found) and (sent := _foreign_type(request)):
        faults = [f"the body came as {sent}; send it with the header Content-Type: {_JSON}"]
    return tell(request.scope, Problem(422, "faulty_request", "; ".join(faults)))


_JSON = "application/json"


def _foreign_type(request: Request) -> str:
    """Give the type of a body that was not said to be JSON, and so was not read as JSON."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = sent == _JSON or (sent.startswith("application/") and sent.endswith("+json"))
    return "" if is_json else (repr(sent[:80]) if sent else "nothing that was named")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    told = _unrouted(request, error)
    return tell(request.scope, Problem(error.status_code, "http", told, headers=error.headers))


def _unrouted(request: Request, error: HTTPException) -> str:
    """Say what there is instead of a path, or a method of it, that there is not."""
    path, takes = request.url.path[:80], (error.headers or {}).get("Allow")
    match error.status_code:
        case 404 if wants_page(request.scope):
            return f"there is no page {path!r}; the links above lead to those that there are"
        case 404:
            return f"there is nothing at {path!r}; GET /openapi.json lists what there is"
        case 405 if takes and wants_page(request.scope):
            return (
                f"{path!r} takes {takes}, not {request.method}; go back to the page you came from"
            )
        case 405 if takes:
            return f"{request.method} cannot be sent to {path!r}; it takes {takes}"
        case _:
            return f"{error.detail}; GET /openapi.json lists what there is"


def _store_down(request: Request, error: Exception) -> Response:
    LOG.warning("the store does not answer: %s", error.__class__.__name__)
    message = "the database does not answer; nothing was changed, call again"
    again = {"Retry-After": str(_RETRY_S)}
    return tell(request.scope, Problem(503, "store_down", message, headers=again))


def _bug(request: Request, error: Exception) -> Response:
    LOG.error("a call failed: %s", request.url.path, exc_info=error)
    told = Problem(500, "bug", "a bug of Serinus; its log has the details")
    return tell(request.scope, told)
