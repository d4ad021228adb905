"""For whoever runs the service: is it alive, is it ready, what does it do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from analysis.service.context import ServiceOf
from analysis.service.problems import Problem

ROUTER = APIRouter(tags=["operations"])


@ROUTER.get("/healthz")
async def alive() -> dict[str, Any]:
    """Answer while the process can answer at all; async, so that no busy worker delays it."""
    return {"status": "alive"}


@ROUTER.get("/readyz")
def ready(service: ServiceOf) -> dict[str, Any]:
    """Answer 200 if analyses can be kept."""
    try:
        service.analyses.store.ping()
    except SQLAlchemyError as error:
        raise Problem(503, "store_down", "the database does not answer; see the log") from error
    return {"status": "ready"}


@ROUTER.get("/metrics", response_class=Response)
def metrics(service: ServiceOf) -> Response:
    """Give Prometheus' text format."""
    return Response(generate_latest(service.operations.registry), media_type=CONTENT_TYPE_LATEST)
