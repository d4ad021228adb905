"""An analysis as Kayenta's clients poll it.

Argo reads `complete` and the score alone, truncates that, and holds it against its own
thresholds. So the score is moved to the side of those thresholds where the verdict is.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.service import answers
from analysis.service.kayenta import forms
from analysis.service.kayenta.configs import JUDGE, iso
from analysis.store import Record, Status
from judges.core import kayenta_effects as effects

# Where a record keeps what Kayenta's client sent.
KEPT = "kayenta"
_STATUS = {
    Status.RUNNING: "running",
    Status.COMPLETED: "succeeded",
    Status.CANCELED: "canceled",
}
_GRADES = {"pass": "Pass", "inconclusive": "Marginal", "fail": "Fail"}
_IDS = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def status(record: Record, config: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the answer to a poll; `result` is there once the analysis has a verdict."""
    sent, now = record.request.get(KEPT, {}), state(record)
    told: dict[str, Any] = {
        "application": application(record),
        "parentPipelineExecutionId": sent.get("parentPipelineExecutionId", ""),
        "pipelineId": record.id,
        "complete": record.status is not Status.RUNNING,
        "status": now,
        "stageStatus": {"fetch": now, "judge": now},
        "canaryConfigId": record.config,
        "canaryExecutionRequest": sent.get("request", {}),
        "metricSetPairListId": record.id,
        "metricsAccountName": sent.get("metricsAccountName", "prometheus"),
        "storageAccountName": sent.get("storageAccountName", "serinus"),
        "configurationAccountName": sent.get("configurationAccountName", "serinus"),
        **_times("build", record.created),
        **_times("start", record.created),
    }
    if config is not None:
        told["config"] = dict(config)
    if record.status is not Status.RUNNING:
        told |= _times("end", record.updated)
    if record.status is Status.COMPLETED:
        limits = thresholds(sent.get("request", {})) or _own_thresholds(config)
        told["result"] = _result(record, limits)
    return told


def application(record: Record) -> str:
    """Give the application that an execution was started for; else its configuration."""
    return str(record.request.get(KEPT, {}).get("application") or record.config)


def state(record: Record) -> str:
    """Give Kayenta's word for how far an execution is."""
    return _STATUS[record.status]


def thresholds(request: Mapping[str, Any]) -> tuple[float, float] | None:
    """Give pass and marginal as the client set them; `None` if it set none."""
    given = request.get("thresholds") or {}
    return (given["pass"], given["marginal"]) if {"pass", "marginal"} <= set(given) else None


def _own_thresholds(config: Mapping[str, Any] | None) -> tuple[float, float] | None:
    """Give the configuration's, for analyses that others started and Kayenta's clients show."""
    return thresholds({"thresholds": config["classifier"]["scoreThresholds"]}) if config else None


def score(record: Record, limits: tuple[float, float] | None) -> float:
    """Give a score that says the verdict, also to who truncates it and takes <= for <."""
    own = record.score
    if limits is None:
        return 0.0 if own is None else own
    passing, marginal = limits
    match record.verdict:
        case "pass":
            return max(math.ceil(passing), own or 0.0)
        case "fail":
            return max(0.0, min(math.ceil(marginal) - 1.0, own or 0.0))
        case _:
            lowest, highest = math.floor(marginal) + 1.0, math.ceil(passing) - 1.0
            return max(min(highest, own or 0.0), min(lowest, highest))


def _result(record: Record, limits: tuple[float, float] | None) -> dict[str, Any]:
    report = record.report or {}
    grade = _GRADES.get(record.verdict or "", "Marginal")
    metrics: Sequence[Mapping[str, Any]] = report.get("metrics", [])
    return {
        "judgeResult": {
            "judgeName": JUDGE,
            "results": [_metric(record, metric) for metric in metrics],
            "groupScores": forms.group_scores(
                (group["name"], group["score"]) for group in report.get("groups", [])
            ),
            "score": {
                "score": score(record, limits),
                "classification": grade,
                "classificationReason": answers.reason(record),
            },
        },
        "canaryDuration": _duration(report),
    }


def _metric(record: Record, metric: Mapping[str, Any]) -> dict[str, Any]:
    estimate, label = metric.get("estimate") or {}, _label(metric)
    return {
        "name": metric["name"],
        "id": pair_id(record, metric["name"]),
        "tags": {},
        "groups": [metric["group"]],
        "classification": label,
        "classificationReason": metric["summary"],
        "critical": metric["critical"] and label != "Pass",
        "muted": metric["muted"],
        "controlMetadata": {"stats": _described(metric["series"]["baseline"])},
        "experimentMetadata": {"stats": _described(metric["series"]["canary"])},
        "resultMetadata": {"ratio": _ratio(estimate.get("baseline"), estimate.get("canary"))},
    }


def _label(metric: Mapping[str, Any]) -> str:
    """Give Kayenta's word; what is undecided has too little data for its judge."""
    if metric["verdict"] != "fail":
        return {"pass": "Pass"}.get(metric["verdict"], "Nodata")
    estimate = metric.get("estimate") or {}
    before, after = estimate.get("baseline"), estimate.get("canary")
    return "Low" if before is not None and after is not None and after < before else "High"


def _ratio(before: float | None, after: float | None) -> float | str:
    """Give how far the canary is from the baseline, written as Kayenta does where it is unknown."""
    if not before or after is None or not math.isfinite(after / before):
        return forms.UNKNOWN
    return after / before


def _described(values: Sequence[float | None]) -> dict[str, Any]:
    """Describe the levels of a side, in the steps in which it has one."""
    return forms.stats(effects.describe(np.array([x for x in values if x is not None])))


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


def _duration(report: Mapping[str, Any]) -> str:
    window = report.get("window") or {}
    return f"PT{round(window.get('step_s', 0) * window.get('steps', 0))}S"


def _times(name: str, epoch_s: float) -> dict[str, Any]:
    milliseconds = round(1000 * epoch_s)
    return {f"{name}TimeMillis": milliseconds, f"{name}TimeIso": iso(milliseconds)}
