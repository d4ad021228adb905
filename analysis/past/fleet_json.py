"""What replayed deployments tell of the fleet, for programs; `"schema": "fleet-v1"`."""

from __future__ import annotations

import json
from typing import Any

from analysis.past.evaluation import Rate
from analysis.past.fleet import Fleet

SCHEMA = "fleet-v1"


def to_json(found: Fleet) -> str:
    """Write it as one strict document."""
    document = {
        "schema": SCHEMA,
        "deployments": found.deployments,
        "unread": found.unread,
        "months": [
            {
                "month": f"{month.first:%Y-%m}",
                "false_fails": _rate(month.false_fails),
                "inconclusive": _rate(month.inconclusive),
            }
            for month in found.months
        ],
        "services": [
            {
                "service": one.name,
                "cannot_decide": one.cannot_decide,
                "inconclusive": _rate(one.inconclusive),
                "false_fails": _rate(one.false_fails),
                "median_s": one.to_decision.median,
                "suggested_wait_s": one.suggested_wait_s,
                "held_open_by": list(one.held_open_by),
            }
            for one in found.services
        ],
        "metrics": [
            {
                "metric": one.name,
                "hardly_decides": one.hardly_decides,
                "decided": _rate(one.decided),
                "noise": one.noise,
            }
            for one in found.metrics
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _rate(rate: Rate) -> dict[str, Any]:
    return {"hits": rate.hits, "of": rate.of, "value": rate.value}
