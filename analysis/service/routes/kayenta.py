"""`/kayenta`: the calls that Kayenta's clients make, and `POST /judge` for a Kayenta itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.kayenta import configs, execution, remote
from analysis.service.problems import Problem
from analysis.service.requests import StartRequest
from analysis.service.tokens import Token
from analysis.store import Filter, Record


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
                return JSONResponse({"message": problem.message}, status, headers=headers)
            except RequestValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"][1:]))
                return JSONResponse({"message": f"{where}: {first['msg']}"}, 400)

        return worded


ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"], route_class=_KayentaRoute)
JUDGE_ROUTER = APIRouter(tags=["kayenta"], route_class=_KayentaRoute)


class _Loose(BaseModel):
    """A document of Kayenta's: fields that we do not know are for others."""

    model_config = ConfigDict(extra="ignore")


class Scope(_Loose):
    """One side of a comparison; `region` is what some clients call `location`."""

    scope: str = Field(max_length=1024)
    location: str = Field(default="", max_length=1024)
    region: str = Field(default="", max_length=1024)
    start: datetime
    end: datetime
    step: float = 60
    extendedScopeParams: dict[str, str] = Field(default_factory=dict, max_length=64)  # noqa: N815

    @property
    def variables(self) -> dict[str, str]:
        """Give what a configuration may refer to."""
        place = self.location or self.region
        named = {"scope": self.scope, "hash": self.scope, "location": place, "namespace": place}
        own = {k: v for k, v in self.extendedScopeParams.items() if k.isidentifier()}
        return {name: value for name, value in (named | own).items() if value}


class ScopePair(_Loose):
    """Both sides of a scope."""

    controlScope: Scope  # noqa: N815 - Kayenta's name
    experimentScope: Scope  # noqa: N815


class Thresholds(_Loose):
    """Scores from which a canary passes, or is marginal."""

    passing: float = Field(alias="pass", ge=0, le=100)
    marginal: float = Field(ge=0, le=100)


class ExecutionRequest(_Loose):
    """What starts a canary execution."""

    scopes: dict[str, ScopePair] = Field(min_length=1, max_length=16)
    thresholds: Thresholds


class RemoteRequest(_Loose):
    """What a Kayenta sends to its remote judge."""

    canaryConfig: dict[str, Any]  # noqa: N815
    scoreThresholds: Thresholds  # noqa: N815
    metricSetPairList: list[dict[str, Any]] = Field(max_length=2000)  # noqa: N815


@ROUTER.get("/canaryConfig")
def list_configs(service: ServiceOf, token: Caller) -> list[dict[str, Any]]:
    """List the configurations; their id is their name."""
    catalog = service.analyses.catalog
    return [
        configs.listed(name, catalog.get(name).changed_ms)
        for name in catalog.names()
        if token.may_use(name)
    ]


@ROUTER.get("/canaryConfig/{config}")
def get_config(config: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Show a configuration."""
    return _config(service, config, token)


@ROUTER.post("/canary/{config}")
def start(
    config: str, body: ExecutionRequest, request: Request, service: ServiceOf, token: Caller
) -> dict[str, Any]:
    """Start an execution; each call starts one of its own, as in Kayenta."""
    pair = body.scopes.get(configs.SCOPE) or next(iter(body.scopes.values()))
    canary = pair.experimentScope
    if (pair.controlScope.start, pair.controlScope.end) != (canary.start, canary.end):
        message = "both scopes must cover the same time here: start and end must be equal"
        raise Problem(400, "faulty_request", message)
    try:
        asked = StartRequest.model_validate(
            {
                "config": config,
                "baseline": pair.controlScope.variables,
                "canary": canary.variables,
                "start": canary.start,
                "end": canary.end,
                "mode": "async",
            }
        )
    except ValidationError as error:
        raise Problem(400, "faulty_request", error.errors()[0]["msg"]) from error
    record = service.analyses.start(f"kayenta.{config}.{secrets.token_hex(8)}", asked, token)
    sent = {**request.query_params, "request": body.model_dump(mode="json", by_alias=True)}
    service.analyses.store.amend(record, {**record.request, execution.KEPT: sent})
    return {"canaryExecutionId": record.id}


@ROUTER.get("/canary/executions")
def executions(
    service: ServiceOf,
    token: Caller,
    application: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> list[dict[str, Any]]:
    """List executions, newest first."""
    found = service.analyses.store.find(token.seen(Filter(config=application)), limit)
    return [_status(service, record, token) for record in found]


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


@ROUTER.get("/credentials")
def credentials(token: Caller) -> list[dict[str, Any]]:
    """Name the accounts that clients must choose from; nothing hangs on the choice."""
    del token  # asked for, so that nobody unknown gets here
    places: dict[str, Any] = {"locations": [], "recommendedLocations": []}
    stores = ["OBJECT_STORE", "CONFIGURATION_STORE"]
    return [
        {"name": "prometheus", "type": "prometheus", "supportedTypes": ["METRICS_STORE"], **places},
        {"name": "serinus", "type": "serinus", "supportedTypes": stores, **places},
    ]


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
    limits = {"pass": body.scoreThresholds.passing, "marginal": body.scoreThresholds.marginal}
    try:
        return remote.judge(body.canaryConfig, limits, body.metricSetPairList)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        message = f"the canary configuration or a metric set pair cannot be used: {error!r}"
        raise Problem(400, "faulty_request", message) from error


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
