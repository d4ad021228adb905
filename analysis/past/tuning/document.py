"""What tuning came to, for programs; strict JSON, `"schema": "tune-v1"`."""

from __future__ import annotations

import json
from typing import Any

from analysis.past.evaluation import Rate, Times
from analysis.past.tuning.points import Point
from analysis.past.tuning.tuning import Tuning

SCHEMA = "tune-v1"


def to_json(tuning: Tuning) -> str:
    """Write it as one document."""
    document = {
        "schema": SCHEMA,
        "budget": tuning.budget,
        "injected": tuning.is_harmed,
        "deployments": tuning.deployments,
        "unread": tuning.unread,
        "chosen": tuning.chosen,
        "keeping": str(tuning.keeping),
        "good_needed": tuning.good_needed,
        "doubts": [str(doubt) for doubt in tuning.doubts],
        "held_out": [
            {
                "split": str(one.split),
                "false_fails": _rate(one.false_fails),
                "detections": _rate(one.detections),
                "good_passed": _rate(one.good_passed),
            }
            for one in tuning.held_out
        ],
        "points": [_point(point) for point in tuning.points],
    }
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _point(point: Point) -> dict[str, Any]:
    return {
        "variant": point.variant.name,
        "edits": [{"path": list(edit.path), "value": edit.value} for edit in point.variant.edits],
        "false_fails": _rate(point.false_fails),
        "false_fails_upper": point.false_fails_upper,
        "good_passed": _rate(point.good_passed),
        "detections": _rate(point.detections),
        "delay_s": _times(point.delay),
        "to_pass_s": _times(point.to_pass),
        "by_harm": {name: _rate(rate) for name, rate in point.by_harm.items()},
        "keeping": str(point.keeping),
        "on_front": point.on_front,
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "hits": rate.hits,
        "of": rate.of,
        "value": rate.value,
        "interval": list(rate.interval) if rate.interval else None,
    }


def _times(times: Times) -> dict[str, Any]:
    return {"n": times.n, "median": times.median, "p90": times.p90}
