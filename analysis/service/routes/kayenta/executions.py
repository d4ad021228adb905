"""Executions: started by a client, polled until they are complete."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError

from analysis.service.catalog import INLINE, Entry
from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.kayenta import execution, translation
from analysis.service.kayenta.documents import AdHocRequest, ExecutionRequest
from analysis.service.problems import Problem
from analysis.service.requests import StartRequest
from analysis.service.routes.kayenta.configs import config_of, document_of, kept_config
from analysis.service.tokens import Token
from analysis.store import Filter, Record

ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"])

# Of the executions, those that a list is chosen from.
_NEWEST = 200


@ROUTER.post("/canary")
def start_ad_hoc(
    body: AdHocRequest, request: Request, service: ServiceOf, token: Caller
) -> dict[str, Any]:
    """Start an execution of a canary config that comes along, where the operator allows it."""
    sent = {**request.query_params, "config": body.canary_config}
    record = begin(service, token, INLINE, body.execution_request, sent)
    return {"canaryExecutionId": record.id}


@ROUTER.post("/canary/{config}")
def start(
    config: str, body: ExecutionRequest, request: Request, service: ServiceOf, token: Caller
) -> dict[str, Any]:
    """Start an execution; each call starts one of its own, as in Kayenta."""
    record = begin(service, token, config, body, dict(request.query_params))
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
    whole = (service.analyses.store.get(record.id) or record for record in chosen)
    return [_status(service, record, token) for record in whole]


@ROUTER.get("/canary/{analysis}")
def poll(analysis: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Tell how far an execution is, and its result."""
    return _status(service, record_of(service, analysis, token), token)


@ROUTER.get("/canaryResultArchive/{analysis}")
def archived(analysis: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Give an execution as it is kept: here it is the same as the execution itself."""
    return _status(service, record_of(service, analysis, token), token)


@ROUTER.put("/pipelines/{analysis}/cancel", status_code=202)
def cancel(analysis: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Cancel an execution."""
    record = record_of(service, analysis, token)
    service.analyses.store.cancel(record.id, service.analyses.clock())
    return {"pipelineId": record.id}


def begin(
    service: Service, token: Token, config: str, body: ExecutionRequest, sent: dict[str, Any]
) -> Record:
    """Begin an analysis as a client of Kayenta asks for it.

    Args:
        service: Who judges.
        token: Who asks.
        config: Id of a canary config; `INLINE` if it comes along.
        body: Sides, time and thresholds.
        sent: What else is kept of the call; the canary config under `config`.

    Raises:
        Problem: It cannot be meant, or the token does not allow it.
    """
    if config != INLINE and (kept := kept_config(service, config)) is not None:
        sent = {**sent, "config": kept.body}
    step_s = body.sides.experiment_scope.step
    entry = _brought(service, sent.get("config"), step_s)
    key = f"kayenta.{config}.{secrets.token_hex(8)}"
    record = service.analyses.start(key, _asked(config, body), token, entry)
    told = {**sent, "request": body.model_dump(mode="json", by_alias=True)}
    service.analyses.store.amend(record, {**record.request, execution.KEPT: told})
    return record


def _asked(config: str, body: ExecutionRequest) -> StartRequest:
    control, canary = body.sides.control_scope, body.sides.experiment_scope
    if (control.start, control.end) != (canary.start, canary.end):
        message = "both scopes must cover the same time here: start and end must be equal"
        raise Problem(400, "faulty_request", message)
    try:
        return StartRequest.model_validate(
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
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise Problem(400, "faulty_request", message) from error


def _brought(service: Service, config: dict[str, Any] | None, step_s: float) -> Entry | None:
    """Make a configuration of a canary config that a client brought, now or before."""
    if config is None:
        return None
    service.asking.check_inline()
    return translation.entry(document_of(config), step_s=step_s)


def record_of(service: Service, analysis: str, token: Token) -> Record:
    """Find an execution that the token may see.

    Raises:
        Problem: There is none.
    """
    return service.visible(service.analyses.get(analysis), token)


def shown_config(service: Service, record: Record, token: Token) -> dict[str, Any] | None:
    """Give the canary config of an execution, if there still is one."""
    try:
        return config_of(service, record.config, token)
    except Problem:  # removed or faulty since; the execution is none the worse for it
        return None


def _status(service: Service, record: Record, token: Token) -> dict[str, Any]:
    return execution.status(record, shown_config(service, record, token))
