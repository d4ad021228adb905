"""How an analysis is told: one document for every caller, strict JSON, no field ever missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.service.outcomes import configuration, why_unreadable
from analysis.store import Record, Status
from analysis.window import as_datetime

SCHEMA = "v1"
# Argo keeps ten of these in etcd and shows them in a chart's label.
_LONGEST_REASON = 300
# Go writes these as \\u003c and the like, and people would have to read that.
_UNWANTED = str.maketrans({"<": "below ", ">": "above ", "&": "and", "\n": " "})
_SERIES = "series"


def answer(record: Record, base_url: str) -> dict[str, Any]:
    """Tell all there is to know of an analysis but its series.

    A configuration that this release cannot read has no limits to tell, and is warned of.
    """
    report, unreadable = record.report or {}, why_unreadable(record)
    scoring = None if unreadable else configuration(record).scoring
    return {
        "schema": SCHEMA,
        "id": record.id,
        "key": record.key,
        "generation": record.generation,
        "config": record.config,
        "version": record.version or None,
        "namespace": record.namespace,
        "status": record.status.value,
        "verdict": record.verdict,
        "score": record.score,
        "argo": argo(record, base_url),
        "summary": record.summary,
        "pass": scoring and scoring.pass_,
        "marginal": scoring and scoring.marginal,
        "looks": record.looks,
        "window": report.get("window"),
        "decided_by": report.get("decided_by", []),
        "groups": report.get("groups", []),
        "metrics": [_without_series(metric) for metric in report.get("metrics", [])],
        "warnings": [*report.get("warnings", record.warnings), *filter(None, [unreadable])],
        "provenance": report.get("provenance"),
        "request": dict(record.request),
        "created": _time(record.created),
        "updated": _time(record.updated),
    }


def brief(record: Record, base_url: str) -> dict[str, Any]:
    """Tell of an analysis what a list shows."""
    told = answer(record, base_url)
    left_out = ("metrics", "groups", "window", "provenance", "request", "decided_by")
    return {name: value for name, value in told.items() if name not in left_out}


def argo(record: Record, base_url: str) -> list[Any]:
    """Give the four items that a measurement of Argo's holds: score, verdict, reason, address."""
    return [record.score, said(record), reason(record), address(record, base_url)]


def said(record: Record) -> str:
    """Give the verdict in one word, `running` while there is none."""
    if record.status is Status.CANCELED:
        return "inconclusive"
    return record.verdict or "running"


def reason(record: Record) -> str:
    """Give the summary as one short line without characters that callers would escape."""
    line = " ".join(record.summary.translate(_UNWANTED).split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 2] + " …"


def address(record: Record, base_url: str) -> str:
    """Give the address of the page that shows the analysis to people."""
    return f"{base_url.rstrip('/')}/analyses/{record.id}"


def series(record: Record) -> dict[str, Any]:
    """Give the levels of both sides over time, of each metric."""
    metrics = (record.report or {}).get("metrics", [])
    return {"id": record.id, "metrics": {one["name"]: one[_SERIES] for one in metrics}}


def _without_series(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in metric.items() if name != _SERIES}


def _time(epoch_s: float) -> str:
    return as_datetime(epoch_s).isoformat().replace("+00:00", "Z")
