"""Calls of Kayenta's API that are not there, each refused by name and with what stands instead.

None of Kayenta's clients makes them; a script of somebody's own may.
"""

from __future__ import annotations

from typing import NoReturn

from fastapi import APIRouter, Request

from analysis.service.context import Caller
from analysis.service.problems import Problem

# Not in /openapi.json: it lists what there is.
ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"], include_in_schema=False)

_COMPARISON = "POST /kayenta/judges/judge once for each of the two canary configs"
_UNPAIRED = "series are kept in pairs: use /kayenta/metricSetPairList"
_ARCHIVE = "an execution is its own archive: GET /kayenta/canaryResultArchive/ID shows it"
_PIPELINES = (
    "an execution is polled by GET /kayenta/canary/ID, and /kayenta/canary/executions lists"
)
_SOURCES = "Prometheus alone is asked: POST /kayenta/fetch/prometheus/query?dryRun=true"
_ACCOUNTS = "the operator configures the source, and no account can be removed"
ABSENT = {
    ("POST", "/judges/comparison"): _COMPARISON,
    ("GET", "/judges/comparison/{comparison}"): _COMPARISON,
    ("GET", "/metricSetList"): _UNPAIRED,
    ("POST", "/metricSetList"): _UNPAIRED,
    ("GET", "/metricSetList/{series}"): _UNPAIRED,
    ("DELETE", "/metricSetList/{series}"): _UNPAIRED,
    ("GET", "/canaryResultArchive"): _ARCHIVE,
    ("POST", "/canaryResultArchive"): _ARCHIVE,
    ("PUT", "/canaryResultArchive/{analysis}"): _ARCHIVE,
    ("DELETE", "/canaryResultArchive/{analysis}"): _ARCHIVE,
    ("GET", "/pipelines"): _PIPELINES,
    ("POST", "/pipelines/start"): _PIPELINES,
    ("GET", "/pipelines/{analysis}"): _PIPELINES,
    ("DELETE", "/pipelines/{analysis}"): _PIPELINES,
    ("POST", "/fetch/{source}/query"): _SOURCES,
    ("DELETE", "/credentials/{account}"): _ACCOUNTS,
}


def refuse(request: Request, token: Caller) -> NoReturn:
    """Refuse a call by its name.

    Raises:
        Problem: Always.
    """
    del token  # asked for, so that nobody unknown learns what is here
    path: str = request.scope["route"].path
    instead = ABSENT[request.method, path.removeprefix(ROUTER.prefix)]
    told = f"{request.method} {path} is not offered here; {instead}"
    raise Problem(501, "not_offered", told)


for _method, _path in ABSENT:
    ROUTER.add_api_route(_path, refuse, methods=[_method], response_model=None)
