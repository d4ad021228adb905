"""Standalone analyses: what Kayenta judges several times over a lifetime."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from analysis.service.catalog import INLINE
from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.kayenta import standalone
from analysis.service.kayenta.documents import AdHocStandalone, StandaloneRequest
from analysis.service.routes.kayenta.executions import begin, record_of, shown_config
from analysis.service.tokens import Token

ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"])


@ROUTER.post("/standalone_canary_analysis")
def start_ad_hoc(
    body: AdHocStandalone, request: Request, service: ServiceOf, token: Caller
) -> dict[str, Any]:
    """Start an analysis of a canary config that comes along, where the operator allows it."""
    sent = {**request.query_params, "config": body.canary_config}
    return _begin(service, token, INLINE, body.execution_request, sent)


@ROUTER.post("/standalone_canary_analysis/{config}")
def start(
    config: str, body: StandaloneRequest, request: Request, service: ServiceOf, token: Caller
) -> dict[str, Any]:
    """Start an analysis over a lifetime."""
    return _begin(service, token, config, body, dict(request.query_params))


@ROUTER.get("/standalone_canary_analysis/{analysis}")
def poll(analysis: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Tell how far an analysis is, and its result."""
    record = record_of(service, analysis, token)
    return standalone.status(record, shown_config(service, record, token))


def _begin(
    service: Service, token: Token, config: str, body: StandaloneRequest, sent: dict[str, Any]
) -> dict[str, Any]:
    asked = standalone.as_execution(body, service.analyses.clock())
    kept = {**sent, "standalone": body.model_dump(mode="json", by_alias=True, exclude_none=True)}
    return {"canaryAnalysisExecutionId": begin(service, token, config, asked, kept).id}
