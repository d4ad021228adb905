"""How a refusal is worded: in the form that each kind of caller reads.

/kayenta, /judge   {"message": …}, and 400 for what is no request
/prom              {"status": "error", "errorType": …, "error": …}, as Prometheus has it
/flagger           the sentence itself, as a JSON text: Flagger shows a body as it is
elsewhere          {"error": {"code": …, "message": …}}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi.responses import JSONResponse

from analysis.service.problems import Problem

# Prometheus' words; for what it has none, the caller's data are said to be bad.
_TYPES = {401: "unauthorized", 404: "not_found", 429: "too_many_requests", 503: "unavailable"}


def _plain(problem: Problem) -> dict[str, Any]:
    return {"error": {"code": problem.code, "message": problem.message}}


def _kayentas(problem: Problem) -> dict[str, Any]:
    return {"message": problem.message}


def _prometheus(problem: Problem) -> dict[str, Any]:
    kind = _TYPES.get(problem.status, "bad_data" if problem.status < 500 else "internal")
    return {"status": "error", "errorType": kind, "error": problem.message}


def _sentence(problem: Problem) -> str:
    return problem.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What a kind of caller reads.

    Attributes:
        body: Words a refusal.
        statuses: Its own status for one of ours.
    """

    body: Callable[[Problem], Any]
    statuses: Mapping[int, int] = field(default_factory=dict)


_OURS = Dialect(body=_plain)
_KAYENTA = Dialect(body=_kayentas, statuses={422: 400})
_DIALECTS = {
    "kayenta": _KAYENTA,
    "judge": _KAYENTA,
    "prom": Dialect(body=_prometheus, statuses={422: 400}),
    "flagger": Dialect(body=_sentence),
}


def refuse(path: str, problem: Problem) -> JSONResponse:
    """Word a refusal for whoever calls `path`; without half a character that a caller sent."""
    dialect = _DIALECTS.get(path.strip("/").partition("/")[0], _OURS)
    message = problem.message.encode(errors="replace").decode()
    told = Problem(problem.status, problem.code, message, headers=problem.headers)
    status = dialect.statuses.get(problem.status, problem.status)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse(dialect.body(told), status, headers={**headers, **problem.headers})
