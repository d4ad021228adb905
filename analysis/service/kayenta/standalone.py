"""Kayenta's standalone analysis, which judges several times over a lifetime, as one of ours.

Ours looks all along and says at once what it knows: its error rates hold over all looks together,
so there is one result instead of one for each interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from analysis.service import answers
from analysis.service.kayenta import execution
from analysis.service.kayenta.documents import SCOPE, ExecutionRequest, StandaloneRequest
from analysis.service.problems import Problem
from analysis.store import Record
from analysis.window import as_datetime

# Kayenta warns where the baseline has fewer points than this.
_FEW = 50
_STAGE = "monitorCanary"


def as_execution(request: StandaloneRequest, now: float) -> ExecutionRequest:
    """Say what is to be judged as an execution: from the start, or from now, to the end.

    Raises:
        Problem: There is no such end.
    """
    scope = request.scopes[0]
    try:
        start = scope.start or as_datetime(now) + timedelta(minutes=request.begin_after_mins)
        end = scope.end or start + timedelta(minutes=request.lifetime_mins)
    except OverflowError as error:
        message = "startTimeIso and lifetimeDurationMins lead beyond the year 9999"
        raise Problem(400, "faulty_request", message) from error
    common = {
        "start": start,
        "end": end,
        "step": scope.step,
        "extendedScopeParams": scope.extended_scope_params,
    }
    sides = {
        "controlScope": {"scope": scope.control_scope, "location": scope.control_location},
        "experimentScope": {"scope": scope.experiment_scope, "location": scope.experiment_location},
    }
    return ExecutionRequest.model_validate(
        {
            "scopes": {SCOPE: {name: side | common for name, side in sides.items()}},
            "thresholds": request.thresholds.model_dump(by_alias=True),
        }
    )


def status(record: Record, config: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the answer to a poll; the result is there once the analysis has ended."""
    polled, sent = execution.status(record, config), execution.sent_with(record)
    word = _word(polled)
    told: dict[str, Any] = {
        **{name: polled[name] for name in _SHARED if name in polled},
        "user": sent.get("user", ""),
        "status": word.lower(),
        "executionStatus": word,
        "stageStatus": [
            {"type": _STAGE, "name": _STAGE, "status": word.lower(), "executionId": record.id}
        ],
        "canaryAnalysisExecutionRequest": sent.get("standalone", {}),
    }
    if "config" in polled:
        told["canaryConfig"] = polled["config"]
    if "exception" in polled:
        told["exception"] = polled["exception"]
    if "result" in polled:
        told["canaryAnalysisExecutionResult"] = _result(record, polled, word)
    return told


_SHARED = (
    "application", "parentPipelineExecutionId", "pipelineId", "complete", "canaryConfigId",
    "metricsAccountName", "storageAccountName", "configurationAccountName",
    "buildTimeMillis", "buildTimeIso", "startTimeMillis", "startTimeIso",
    "endTimeMillis", "endTimeIso",
)  # fmt: skip


def _word(polled: Mapping[str, Any]) -> str:
    """Give Kayenta's word: a run whose score reached no more than marginal is TERMINAL."""
    if "result" not in polled:
        return str(polled["status"]).upper()
    grade = polled["result"]["judgeResult"]["score"]["classification"]
    return "TERMINAL" if grade == "Fail" else "SUCCEEDED"


def _result(record: Record, polled: Mapping[str, Any], word: str) -> dict[str, Any]:
    judged = polled["result"]["judgeResult"]
    score, warnings = judged["score"], _warnings(judged)
    one = {
        "executionId": record.id,
        "executionStatus": word,
        "result": polled["result"],
        "warnings": warnings,
        "metricSetPairListId": record.id,
        **execution.times("judgementStart", record.request["start"]),
        **execution.times("judgementEnd", record.request["end"]),
        **{name: polled[name] for name in _SHARED if name.startswith(("build", "start", "end"))},
    }
    return {
        "didPassThresholds": score["classification"] == "Pass",
        "hasWarnings": bool(warnings),
        "canaryScoreMessage": answers.reason(record),
        "canaryScores": [score["score"]],
        "canaryExecutionResults": [one],
        **execution.times("end", record.updated),
    }


def _warnings(judged: Mapping[str, Any]) -> list[str]:
    few = [
        one["name"] for one in judged["results"] if one["controlMetadata"]["stats"]["count"] < _FEW
    ]
    return [f"fewer than {_FEW} points of the baseline: {', '.join(few)}"] if few else []
