"""A diagnosis for programs: strict JSON, with a versioned schema."""

from __future__ import annotations

import json
from typing import Any

from analysis.consumers.plan_json import forecast_document
from analysis.consumers.values import asked, guards, judged, number, provenance
from analysis.diagnosis import SCHEMA, Checked, Diagnosis, Query


def to_json(diagnosis: Diagnosis) -> str:
    """Render a diagnosis as one JSON document, ending in a newline.

    Every number is finite; what is unknown is `null`.
    """
    return json.dumps(_document(diagnosis), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _document(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "name": diagnosis.name,
        "ready": not diagnosis.unsound,
        "unsound": [metric.name for metric in diagnosis.unsound],
        "source": diagnosis.source,
        "window": {**judged(diagnosis.window), "planned_s": diagnosis.planned_s},
        "canary_weight": number(diagnosis.weight),
        "weight_query": None if diagnosis.traffic is None else _query(diagnosis.traffic),
        "metrics": [_metric(metric) for metric in diagnosis.metrics],
        "guards": guards(diagnosis.findings),
        "warnings": [{"path": one.path, "message": one.message} for one in diagnosis.warnings],
        "provenance": provenance(diagnosis.provenance),
    }


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
    seconds = number(query.seconds)
    return {**asked(query), "points": query.points, "seconds": seconds, "hints": list(query.hints)}
