"""`/kayenta`: the calls that Kayenta's clients make, and `POST /judge` for a Kayenta itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import ValidationError

from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.kayenta import configs, execution, remote
from analysis.service.kayenta.documents import ExecutionRequest, RemoteRequest
from analysis.service.problems import Problem
from analysis.service.requests import StartRequest
from analysis.service.tokens import Token
from analysis.store import Filter, Record


def _refusal(text: str, status: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Say what is wrong, without half a character that a caller may have sent."""
    message = text.encode(errors="replace").decode()
    return JSONResponse({"message": message}, status, headers=headers)


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


class _KayentaRoute(APIRoute):
    """Words what goes wrong as Kayenta does: `{"message": …}`, and 400 for what is no request."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handle = super().get_route_handler()

        async def worded(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                status = 400 if problem.status == 422 else problem.status
                headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
                return _refusal(problem.message, status, headers)
            except RequestValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"][1:]))
                return _refusal(f"{where}: {_plain(first['msg'])}", 400)

        return worded


ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"], route_class=_KayentaRoute)
JUDGE_ROUTER = APIRouter(tags=["kayenta"], route_class=_KayentaRoute)


# Of the executions, those that a list is chosen from: their reports are read with them.
_NEWEST = 200


@ROUTER.get("/canaryConfig")
def list_configs(service: ServiceOf, token: Caller) -> list[dict[str, Any]]:
    """List the configurations; their id is their name. One with faults hides no other."""
    catalog, found = service.analyses.catalog, []
    for name in filter(token.may_use, catalog.names()):
        with suppress(Problem):  # starting an execution of it says what its faults are
            found.append(configs.listed(name, catalog.get(name).changed_ms))
    return found


@ROUTER.get("/canaryConfig/{config}")
def get_config(config: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Show a configuration."""
    return _config(service, config, token)


@ROUTER.post("/canaryConfig", include_in_schema=False)
@ROUTER.put("/canaryConfig/{config}", include_in_schema=False)
@ROUTER.delete("/canaryConfig/{config}", include_in_schema=False)
def write_config(token: Caller) -> JSONResponse:
    """Refuse to write a configuration."""
    del token
    message = "canary configs are the operator's files here, and are changed there"
    return _refusal(message, 405, {"Allow": "GET"})


@ROUTER.post("/canary", include_in_schema=False)
@ROUTER.post("/standalone_canary_analysis", include_in_schema=False)
@ROUTER.post("/standalone_canary_analysis/{config}", include_in_schema=False)
def start_otherwise(token: Caller) -> JSONResponse:
    """Refuse what is not offered."""
    del token
    message = "only POST /canary/{canaryConfigId}, of a canary config of the operator, starts here"
    return _refusal(message, 501)


@ROUTER.post("/canary/{config}")
def start(
    config: str, body: ExecutionRequest, request: Request, service: ServiceOf, token: Caller
) -> dict[str, Any]:
    """Start an execution; each call starts one of its own, as in Kayenta."""
    pair = body.scopes.get(configs.SCOPE) or next(iter(body.scopes.values()))
    control, canary = pair.control_scope, pair.experiment_scope
    if (control.start, control.end) != (canary.start, canary.end):
        message = "both scopes must cover the same time here: start and end must be equal"
        raise Problem(400, "faulty_request", message)
    try:
        asked = StartRequest.model_validate(
            {
                "config": config,
                "baseline": control.variables,
                "canary": canary.variables,
                "start": canary.start,
                "end": canary.end,
                "mode": "async",
            }
        )
    except ValidationError as error:
        raise Problem(400, "faulty_request", _plain(error.errors()[0]["msg"])) from error
    record = service.analyses.start(f"kayenta.{config}.{secrets.token_hex(8)}", asked, token)
    sent = {**request.query_params, "request": body.model_dump(mode="json", by_alias=True)}
    service.analyses.store.amend(record, {**record.request, execution.KEPT: sent})
    return {"canaryExecutionId": record.id}


@ROUTER.get("/canary/executions")
def executions(
    service: ServiceOf,
    token: Caller,
    application: str | None = None,
    statuses: str = "",
    limit: Annotated[int, Query(ge=1, le=_NEWEST)] = 20,
    page: Annotated[int, Query(ge=1, le=_NEWEST)] = 1,
) -> list[dict[str, Any]]:
    """List executions, newest first; `application` is what they were started with."""
    wanted = {status.strip().lower() for status in statuses.split(",") if status.strip()}
    found = [
        record
        for record in service.analyses.store.find(token.seen(Filter()), _NEWEST)
        if application in {None, record.config, execution.application(record)}
        and (not wanted or execution.state(record) in wanted)
    ]
    chosen = found[(page - 1) * limit : page * limit]
    return [_status(service, record, token) for record in chosen]


@ROUTER.get("/canary/{analysis}")
def poll(analysis: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Tell how far an execution is, and its result."""
    return _status(service, _record(service, analysis, token), token)


@ROUTER.put("/pipelines/{analysis}/cancel", status_code=202)
def cancel(analysis: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Cancel an execution."""
    record = _record(service, analysis, token)
    service.analyses.store.cancel(record.id, service.analyses.clock())
    return {"pipelineId": record.id}


@ROUTER.get("/metricSetPairList/{analysis}")
def pairs(analysis: str, service: ServiceOf, token: Caller) -> list[dict[str, Any]]:
    """Give the levels of both sides that were judged."""
    return execution.pairs(_record(service, analysis, token))


@ROUTER.get("/metricSetPairList/{analysis}/{pair}")
def one_pair(analysis: str, pair: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Give the levels of one metric."""
    for found in execution.pairs(_record(service, analysis, token)):
        if found["id"] == pair:
            return found
    raise Problem(404, "not_found", f"the execution has no metric set pair {pair[:64]!r}")


@ROUTER.get("/credentials")
def credentials(token: Caller) -> list[dict[str, Any]]:
    """Name the accounts that clients must choose from; nothing hangs on the choice."""
    del token  # asked for, so that nobody unknown gets here
    stores = ["OBJECT_STORE", "CONFIGURATION_STORE"]
    return [
        {**configs.SOURCE, "supportedTypes": ["METRICS_STORE"]},
        {**configs.SOURCE, "name": "serinus", "type": "serinus", "supportedTypes": stores},
    ]


@ROUTER.get("/metricsServices")
def metrics_services(token: Caller) -> list[dict[str, Any]]:
    """Name the source of metrics."""
    del token
    return [dict(configs.SOURCE)]


@ROUTER.get("/metadata/metricsService")
def metric_names(token: Caller) -> list[dict[str, Any]]:
    """Name no metric: only who edits a configuration asks, and that is done in its file."""
    del token
    return []


@ROUTER.get("/judges")
def list_judges(token: Caller) -> list[dict[str, Any]]:
    """Name the judge."""
    del token
    return [{"name": configs.JUDGE, "visible": True}]


@ROUTER.post("/judge")
@JUDGE_ROUTER.post("/judge")
def judge(body: RemoteRequest, token: Caller) -> dict[str, Any]:
    """Judge the series that a Kayenta sends."""
    del token
    try:
        return remote.judge(body)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise Problem(400, "faulty_request", f"the series cannot be judged: {error}") from error


def _config(service: Service, name: str, token: Token) -> dict[str, Any]:
    if not token.may_use(name):
        raise Problem(404, "not_found", f"there is no canary config {name[:128]!r} for this token")
    entry = service.analyses.catalog.get(name)
    return configs.shown(name, entry.config, entry.changed_ms)


def _record(service: Service, analysis: str, token: Token) -> Record:
    return service.visible(service.analyses.get(analysis), token)


def _status(service: Service, record: Record, token: Token) -> dict[str, Any]:
    try:
        config = _config(service, record.config, token)
    except Problem:  # removed or faulty since; the execution is none the worse for it
        config = None
    return execution.status(record, config)
