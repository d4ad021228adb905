"""The series that were judged, as Kayenta's metric set pairs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from analysis.service.context import Caller, ServiceOf
from analysis.service.kayenta import execution
from analysis.service.problems import Problem
from analysis.service.routes.kayenta.executions import record_of

ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"])


@ROUTER.get("/metricSetPairList/{analysis}")
def pairs(analysis: str, service: ServiceOf, token: Caller) -> list[dict[str, Any]]:
    """Give the levels of both sides that were judged."""
    return execution.pairs(record_of(service, analysis, token))


@ROUTER.get("/metricSetPairList/{analysis}/{pair}")
def one_pair(analysis: str, pair: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Give the levels of one metric."""
    for found in execution.pairs(record_of(service, analysis, token)):
        if found["id"] == pair:
            return found
    raise Problem(404, "not_found", f"the execution has no metric set pair {pair[:64]!r}")
