"""Executions: started by a client, polled until they are complete."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError

from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.kayenta import configs, execution
from analysis.service.kayenta.documents import ExecutionRequest
from analysis.service.problems import Problem
from analysis.service.requests import StartRequest
from analysis.service.routes.kayenta.configs import config_of
from analysis.service.tokens import Token
from analysis.store import Filter, Record

ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"])

# Of the executions, those that a list is chosen from: their reports are read with them.
_NEWEST = 200


@ROUTER.post("/canary", include_in_schema=False)
@ROUTER.post("/standalone_canary_analysis", include_in_schema=False)
@ROUTER.post("/standalone_canary_analysis/{config}", include_in_schema=False)
def start_otherwise(token: Caller) -> None:
    """Refuse what is not offered."""
    del token
    message = "only POST /canary/{canaryConfigId}, of a canary config of the operator, starts here"
    raise Problem(501, "not_offered", message)


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
        raise Problem(
            400, "faulty_request", error.errors()[0]["msg"].removeprefix("Value error, ")
        ) from error
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
    return _status(service, record_of(service, analysis, token), token)


@ROUTER.put("/pipelines/{analysis}/cancel", status_code=202)
def cancel(analysis: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Cancel an execution."""
    record = record_of(service, analysis, token)
    service.analyses.store.cancel(record.id, service.analyses.clock())
    return {"pipelineId": record.id}


def record_of(service: Service, analysis: str, token: Token) -> Record:
    """Find an execution that the token may see.

    Raises:
        Problem: There is none.
    """
    return service.visible(service.analyses.get(analysis), token)


def _status(service: Service, record: Record, token: Token) -> dict[str, Any]:
    try:
        config = config_of(service, record.config, token)
    except Problem:  # removed or faulty since; the execution is none the worse for it
        config = None
    return execution.status(record, config)
