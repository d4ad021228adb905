"""An analysis as Kayenta's clients poll it.

Argo reads `complete` and the score alone, truncates that, and holds it against its own
thresholds. So the score is moved to the side of those thresholds where the verdict is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from analysis.service.catalog import INLINE
from analysis.service.kayenta import results
from analysis.service.kayenta.configs import iso
from analysis.store import Record, Status

# What Kayenta calls an execution of a canary config that came along with it.
AD_HOC = "ad-hoc"
# Where a record keeps what Kayenta's client sent.
KEPT = "kayenta"
_STATUS = {
    Status.RUNNING: "running",
    Status.COMPLETED: "succeeded",
    Status.CANCELED: "canceled",
}


def status(record: Record, config: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the answer to a poll; `result` is there once the analysis has a verdict."""
    sent, now = sent_with(record), state(record)
    brought = sent.get("config")
    told: dict[str, Any] = {
        "application": application(record),
        "parentPipelineExecutionId": sent.get("parentPipelineExecutionId", ""),
        "pipelineId": record.id,
        "complete": record.status is not Status.RUNNING,
        "status": now,
        "stageStatus": {"fetch": now, "judge": now},
        "canaryConfigId": AD_HOC if record.config == INLINE else record.config,
        "canaryExecutionRequest": sent.get("request", {}),
        "metricSetPairListId": record.id,
        "metricsAccountName": sent.get("metricsAccountName", "prometheus"),
        "storageAccountName": sent.get("storageAccountName", "serinus"),
        "configurationAccountName": sent.get("configurationAccountName", "serinus"),
        **times("build", record.created),
        **times("start", record.created),
    }
    if (shown := brought or config) is not None:
        told["config"] = dict(shown)
    if record.status is not Status.RUNNING:
        told |= times("end", record.updated)
    if record.status is Status.COMPLETED:
        told |= _ended(record, config)
    return told


def _ended(record: Record, config: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the result; or fail as Kayenta does if the canary config is none for this release."""
    try:
        return {"result": result(record, config)}
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, ("canaryConfig", *fault["loc"])))
        message = f"this Serinus refuses the canary config: {where}: {fault['msg']}"
        return {"status": "terminal", "exception": {"details": {"errors": [message]}}}


def result(record: Record, config: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give what an execution that has ended was judged as."""
    sent = sent_with(record)
    brought = sent.get("config")
    limits = results.thresholds(sent.get("request", {})) or results.own_thresholds(
        brought or config
    )
    return results.result(record, limits, brought)


def sent_with(record: Record) -> Mapping[str, Any]:
    """Give what a client of Kayenta sent to start this; empty if another kind of caller did."""
    kept: Mapping[str, Any] = record.request.get(KEPT, {})
    return kept


def application(record: Record) -> str:
    """Give the application that an execution was started for; else its configuration."""
    own = AD_HOC if record.config == INLINE else record.config
    return str(sent_with(record).get("application") or own)


def state(record: Record) -> str:
    """Give Kayenta's word for how far an execution is."""
    return _STATUS[record.status]


def stamps(name: str, epoch_s: float) -> dict[str, Any]:
    """Give when something was written, in both of Kayenta's forms."""
    milliseconds = round(1000 * epoch_s)
    return {f"{name}Timestamp": milliseconds, f"{name}TimestampIso": iso(milliseconds)}


def times(name: str, epoch_s: float) -> dict[str, Any]:
    """Give an instant in both of Kayenta's forms."""
    milliseconds = round(1000 * epoch_s)
    return {f"{name}TimeMillis": milliseconds, f"{name}TimeIso": iso(milliseconds)}
