"""The levels that were judged, as Kayenta's metric set pairs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from analysis.service.kayenta import forms
from analysis.service.kayenta.configs import iso
from analysis.store import Record

_IDS = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def pairs(record: Record) -> list[dict[str, Any]]:
    """Give the levels that were judged as Kayenta's metric set pairs."""
    report = record.report or {}
    step_ms = round(1000 * report.get("window", {}).get("step_s", 0))
    return [_pair(record, metric, step_ms) for metric in report.get("metrics", [])]


def _pair(record: Record, metric: Mapping[str, Any], step_ms: int) -> dict[str, Any]:
    series = metric["series"]
    first_ms = round(1000 * series["times"][0]) if series["times"] else 0
    scope = {"startTimeIso": iso(first_ms), "startTimeMillis": first_ms, "stepMillis": step_ms}
    names = {"control": "baseline", "experiment": "canary"}
    return {
        "name": metric["name"],
        "id": pair_id(record, metric["name"]),
        "tags": {},
        "values": {
            name: [forms.UNKNOWN if value is None else value for value in series[side]]
            for name, side in names.items()
        },
        "scopes": dict.fromkeys(names, scope),
        "attributes": {
            name: {"query": "; ".join(q["query"] for q in metric["queries"] if q["side"] == side)}
            for name, side in names.items()
        },
    }


def pair_id(record: Record, metric: str) -> str:
    """Name a metric of an execution, the same whenever it is asked for."""
    return str(uuid.uuid5(_IDS, f"{record.id}/{metric}"))
