"""A difference between two configurations, for programs; strict JSON, `"schema": "diff-v1"`."""

from __future__ import annotations

import json
from typing import Any

from analysis.past.differing import Difference, Flip
from analysis.past.rows import Row

SCHEMA = "diff-v1"


def to_json(found: Difference) -> str:
    """Write it as one document."""
    document = {
        "schema": SCHEMA,
        "deployments": sum(found.counts.values()),
        "sooner": found.sooner,
        "later": found.later,
        "counts": [
            {"before": before, "after": after, "deployments": number}
            for (before, after), number in found.counts.items()
        ],
        "flips": [_flip(flip) for flip in found.flips],
    }
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _flip(flip: Flip) -> dict[str, Any]:
    return {
        "id": flip.after.id,
        "truth": flip.after.truth,
        "better": flip.is_better,
        "before": _side(flip.before),
        "after": _side(flip.after),
        "metrics": [
            {
                "name": change.name,
                "before": change.before.verdict if change.before else None,
                "after": change.after.verdict if change.after else None,
                "reason": change.after.summary if change.after else None,
            }
            for change in flip.metrics
        ],
    }


def _side(row: Row) -> dict[str, Any]:
    return {
        "verdict": row.verdict,
        "score": row.score,
        "seconds_to_decision": row.seconds_to_decision,
        "reason": row.reason,
    }
