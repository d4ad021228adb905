"""A diagnosis for programs: strict JSON, with a versioned schema."""

from __future__ import annotations

import json
from typing import Any

from analysis.consumers.json import guards
from analysis.consumers.plan_json import forecast_document, number
from analysis.diagnosis import SCHEMA, Checked, Diagnosis, Query
from analysis.window import Window, as_datetime


def to_json(diagnosis: Diagnosis) -> str:
    """Render a diagnosis as one JSON document, ending in a newline.

    Every number is finite; what is unknown is `null`.
    """
    return json.dumps(_document(diagnosis), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _document(diagnosis: Diagnosis) -> dict[str, Any]:
    provenance = diagnosis.provenance
    return {
        "schema": SCHEMA,
        "name": diagnosis.name,
        "ready": not diagnosis.unsound,
        "unsound": [metric.name for metric in diagnosis.unsound],
        "source": diagnosis.source,
        "window": _window(diagnosis.window, diagnosis.planned_s),
        "canary_weight": number(diagnosis.weight),
        "weight_query": None if diagnosis.traffic is None else _query(diagnosis.traffic),
        "metrics": [_metric(metric) for metric in diagnosis.metrics],
        "guards": guards(diagnosis.findings),
        "warnings": [{"path": one.path, "message": one.message} for one in diagnosis.warnings],
        "provenance": {
            "serinus": provenance.version,
            "libraries": dict(provenance.libraries),
            "config_digest": provenance.config_digest,
            "variables": {side: dict(values) for side, values in provenance.variables.items()},
        },
    }


def _window(window: Window, planned_s: float) -> dict[str, Any]:
    edges = window.edges
    return {
        "from": _time(float(edges[0])),
        "to": _time(float(edges[-1])),
        "step_s": window.step_s,
        "steps": window.steps,
        "planned_s": planned_s,
    }


def _time(epoch_s: float) -> str:
    return as_datetime(epoch_s).isoformat().replace("+00:00", "Z")


def _metric(metric: Checked) -> dict[str, Any]:
    return {
        "name": metric.name,
        "group": metric.group,
        "critical": metric.critical,
        "muted": metric.muted,
        "sound": metric.is_sound,
        "judge": metric.judge,
        "why": metric.why,
        "counted": metric.counted,
        "rows": metric.rows,
        "sides": {
            name: {"rows": seen.rows, "steps": seen.steps, "exposure": number(seen.exposure)}
            for name, seen in metric.sides.items()
        },
        "canary_share": number(metric.share),
        "guards": guards(metric.findings),
        "forecast": None if metric.forecast is None else forecast_document(metric.forecast),
        "notes": list(metric.notes),
        "queries": [_query(query) for query in metric.queries],
    }


def _query(query: Query) -> dict[str, Any]:
    return {
        "side": query.side,
        "role": query.role,
        "kind": query.kind,
        "query": query.query,
        "series": query.series,
        "points": query.points,
        "seconds": number(query.seconds),
        "error": query.error,
        "hints": list(query.hints),
    }
