"""What clients fill their menus with: accounts, sources, names of metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from analysis.service.context import Caller
from analysis.service.kayenta import configs

ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"])


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
    """Name no metric: only who edits a configuration asks, and a query is written as text."""
    del token
    return []
