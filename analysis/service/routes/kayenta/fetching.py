"""Queries as they would be sent, for who writes a canary config and wants to see them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from analysis.errors import ConfigError
from analysis.query import render
from analysis.service.context import Caller, ServiceOf
from analysis.service.kayenta.documents import CanaryMetric
from analysis.service.kayenta.translation import query
from analysis.service.problems import Problem

ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"])

Text = Annotated[str, Query(max_length=10_000)]


@ROUTER.post("/fetch/prometheus/query")
def fetch(  # noqa: PLR0913 - what a route is given
    *,
    service: ServiceOf,
    token: Caller,
    metric: Annotated[str, Query(alias="metricName", max_length=1024)] = "",
    scope: Text = "",
    location: Text = "",
    template: Annotated[str, Query(alias="customInlineTemplate", max_length=10_000)] = "",
    dry: Annotated[bool, Query(alias="dryRun")] = False,
) -> dict[str, Any]:
    """Show a query as it would be sent; series are fetched by executions alone."""
    del token
    service.asking.check_inline()
    if not dry:
        message = "series are fetched by an execution; POST /kayenta/canary with the query"
        raise Problem(400, "not_offered", f"{message}, or show the query with dryRun=true")
    asked = {"type": "prometheus", "metricName": metric, "customInlineTemplate": template}
    values = {name: one for name, one in (("scope", scope), ("location", location)) if one}
    try:
        return {"query": render(query(CanaryMetric(name="m", query=asked), {}), values)}
    except (ValueError, ConfigError) as error:
        raise Problem(400, "faulty_request", str(error)) from error
