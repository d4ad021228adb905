"""The forecast of a rollout for programs: strict JSON, with a versioned schema."""

from __future__ import annotations

import json
from typing import Any

from analysis.consumers.values import asked, judged, number, provenance
from analysis.forecast import POWER, Basis, Forecast, Harm
from analysis.outlook import SCHEMA, Ahead, MetricOutlook, Outlook
from judges import Limit


def to_json(outlook: Outlook) -> str:
    """Render an outlook as one JSON document, ending in a newline.

    Every number is finite; what is unknown is `null`.
    """
    return json.dumps(_document(outlook), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _document(outlook: Outlook) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "name": outlook.name,
        "suffices": outlook.suffices,
        "short": [metric.name for metric in outlook.short],
        "planned_s": outlook.planned_s,
        "warmup_s": outlook.warmup_s,
        "sufficient": outlook.sufficient,
        "power": POWER,
        "looks": outlook.looks,
        "share": outlook.ahead.share,
        "past": {"sides": _sides(outlook.ahead), **judged(outlook.window)},
        "metrics": [_metric(metric) for metric in outlook.metrics],
        "provenance": provenance(outlook.provenance),
    }


def _sides(ahead: Ahead) -> str:
    return "baseline" if ahead.one_side else "both"


def _metric(metric: MetricOutlook) -> dict[str, Any]:
    return {
        "name": metric.name,
        "group": metric.group,
        "critical": metric.critical,
        "muted": metric.muted,
        **forecast_document(metric.forecast),
        "queries": [asked(query) for query in metric.queries],
    }


def forecast_document(found: Forecast) -> dict[str, Any]:
    """Give one metric's forecast as plain values."""
    return {
        "judge": found.kind,
        "suffices": found.suffices,
        "summary": found.summary,
        "minutes": number(found.minutes),
        "requests": number(found.requests),
        "harm": _harm(found.harm),
        "margin": _limit(found.margin),
        "remedies": [
            {"change": one.change, "value": one.value, "summary": one.summary}
            for one in found.remedies
        ],
        "basis": _basis(found.basis),
        "warnings": list(found.warnings),
    }


def _harm(harm: Harm | None) -> dict[str, Any] | None:
    if harm is None:
        return None
    level = number(harm.level)
    return {"value": number(harm.value), "scale": str(harm.scale), "level": level}


def _limit(limit: Limit | None) -> dict[str, Any] | None:
    return None if limit is None else {"ratio": limit.ratio, "absolute": limit.absolute}


def _basis(basis: Basis) -> dict[str, Any]:
    return {
        "steps": basis.steps,
        "n_effective": number(basis.n_effective),
        "autocorrelation": number(basis.autocorrelation),
        "events": number(basis.events),
        "requests": number(basis.requests),
    }
