"""What a person sees when something cannot be done."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse

from analysis.service.pages.rendering import page
from analysis.service.problems import Problem

# Java's own client asks for HTML unless it is told otherwise, and reads none.
OF_PROGRAMS = frozenset({"kayenta", "flagger", "prom"})
_TITLES = {
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    409: "Not now",
    422: "That cannot be meant",
    503: "The store does not answer",
}


def wants_page(request: Request) -> bool:
    """Tell whether a browser asks, and not a program."""
    protocol = request.url.path.strip("/").partition("/")[0]
    return protocol not in OF_PROGRAMS and "text/html" in request.headers.get("accept", "")


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
