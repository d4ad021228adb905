"""What is answered when something cannot be done; a person sees a page."""

from __future__ import annotations

from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import Headers
from starlette.types import Scope

from analysis.service.pages.rendering import page
from analysis.service.problems import Problem
from analysis.service.refusals import refuse

# Java's own client asks for HTML unless it is told otherwise, and reads none.
OF_PROGRAMS = frozenset({"kayenta", "flagger", "prom"})
_TITLES = {
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    409: "Not now",
    413: "Too much",
    422: "That cannot be meant",
    429: "Too often",
    503: "The store does not answer",
}


def tell(scope: Scope, problem: Problem) -> Response:
    """Tell a person on a page, and a program in the words it reads."""
    return refusal(problem) if wants_page(scope) else refuse(scope["path"], problem)


def wants_page(scope: Scope) -> bool:
    """Tell whether a person is to read the answer."""
    protocol = scope["path"].strip("/").partition("/")[0]
    return protocol not in OF_PROGRAMS and "text/html" in Headers(scope=scope).get("accept", "")


def refusal(problem: Problem) -> HTMLResponse:
    """Tell a problem on a page; a browser asks for a name and a token if that is what lacks."""
    ask = {"WWW-Authenticate": 'Basic realm="Serinus", charset="UTF-8"'}
    asked = ask if problem.status == 401 else {}
    return page(
        "refusal.html.j2",
        status=problem.status,
        headers={**asked, **problem.headers},
        title=_TITLES.get(problem.status, "That went wrong"),
        problem=problem,
    )
