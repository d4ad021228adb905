"""The judges: their names, and judging series that a caller brings or that are kept."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from analysis.service.context import Caller
from analysis.service.kayenta import configs, remote
from analysis.service.kayenta.documents import RemoteRequest
from analysis.service.problems import Problem

ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"])
REMOTE_ROUTER = APIRouter(tags=["kayenta"])


@ROUTER.get("/judges")
def list_judges(token: Caller) -> list[dict[str, Any]]:
    """Name the judge."""
    del token
    return [{"name": configs.JUDGE, "visible": True}]


@ROUTER.post("/judge")
@REMOTE_ROUTER.post("/judge")
def judge(body: RemoteRequest, token: Caller) -> dict[str, Any]:
    """Judge the series that a Kayenta sends."""
    del token
    try:
        return remote.judge(body)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise Problem(400, "faulty_request", f"the series cannot be judged: {error}") from error
