"""What clients fill their menus with: accounts, sources, names of metrics."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from analysis.service.context import Caller, ServiceOf
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
def metric_names(
    service: ServiceOf,
    token: Caller,
    part: Annotated[str, Query(alias="filter", max_length=1024)] = "",
) -> list[dict[str, Any]]:
    """Name the metrics that hold a text; none where callers may not bring queries of them."""
    del token
    if not service.settings.inline:
        return []
    return [{"name": name} for name in service.metric_names.holding(part)]
