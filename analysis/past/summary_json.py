"""The evaluation of a replay for programs: strict JSON, with a versioned schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from analysis.past.evaluation import LEVEL, Evaluation, Rate
from analysis.past.rows import Row

SCHEMA = "replay-v1"
_RATES = ("false_fails", "good_passed", "detections", "false_passes")
_TIMES = ("to_decision", "delay", "open_wait", "exposure")


def to_json(evaluation: Evaluation, rows: Sequence[Row]) -> str:
    """Render an evaluation as one JSON document, ending in a newline; `null` is unknown."""
    document = to_document(evaluation, rows)
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_document(evaluation: Evaluation, rows: Sequence[Row]) -> dict[str, Any]:
    """Give an evaluation as plain values, with the deployments that could not be judged."""
    return {
        "schema": SCHEMA,
        "deployments": evaluation.deployments,
        "unread": evaluation.unread,
        "level": LEVEL,
        "confusion": {
            truth: {str(verdict): count for verdict, count in counts.items()}
            for truth, counts in evaluation.confusion.items()
        },
        "rates": {name: _rate(getattr(evaluation, name)) for name in _RATES},
        "failed_before_fault": evaluation.failed_before_fault,
        "seconds": {name: asdict(getattr(evaluation, name)) for name in _TIMES},
        "deciding": [asdict(one) for one in evaluation.deciding],
        "errors": [
            {"id": row.id, "code": row.error_code, "error": row.error} for row in rows if row.error
        ],
    }


def _rate(rate: Rate) -> dict[str, Any]:
    lower, upper = rate.interval or (None, None)
    return {"hits": rate.hits, "of": rate.of, "value": rate.value, "lower": lower, "upper": upper}
