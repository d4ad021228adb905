"""What was judged, in Kayenta's words, with a score that says the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.service import answers
from analysis.service.kayenta import forms, remote
from analysis.service.kayenta.configs import JUDGE
from analysis.service.kayenta.documents import CanaryConfigDocument, RemoteRequest
from analysis.service.kayenta.pairs import pair_id, pairs
from analysis.service.kayenta.translation import is_kayentas
from analysis.store import Record
from judges import Reason
from judges.core import kayenta_effects as effects

_NO_COMPARISON = {Reason.SOURCE.value, Reason.GUARD.value}
_GRADES = {"pass": "Pass", "inconclusive": "Marginal", "fail": "Fail"}


def thresholds(request: Mapping[str, Any]) -> tuple[float, float] | None:
    """Give pass and marginal as the client set them; `None` if it set none."""
    given = request.get("thresholds") or {}
    return (given["pass"], given["marginal"]) if {"pass", "marginal"} <= set(given) else None


def own_thresholds(config: Mapping[str, Any] | None) -> tuple[float, float] | None:
    """Give the configuration's, for analyses that others started and Kayenta's clients show."""
    classifier = (config or {}).get("classifier") or {}
    return thresholds({"thresholds": classifier.get("scoreThresholds")})


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


def result(
    record: Record, limits: tuple[float, float] | None, config: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Give what was judged.

    Args:
        record: An analysis that has ended.
        limits: Pass and marginal, as the client holds the score against them.
        config: The canary config, if a client brought it: it may ask for Kayenta's own judge.
    """
    report = record.report or {}
    if config is not None and limits is not None and _is_for_kayentas(config, report):
        told = remote.judge(_request(record, config, limits))
        return {"judgeResult": told, "canaryDuration": _duration(report)}
    return {"judgeResult": _ours(record, limits, report), "canaryDuration": _duration(report)}


def _is_for_kayentas(config: Mapping[str, Any], report: Mapping[str, Any]) -> bool:
    """Tell whether Kayenta's judge is asked for, and every metric is there to be compared.

    It would pass over a metric without data; that a source was down must not pass a canary.
    """
    metrics = report.get("metrics", [])
    is_whole = metrics and all(metric["reason"] not in _NO_COMPARISON for metric in metrics)
    return bool(is_whole) and is_kayentas(CanaryConfigDocument.model_validate(config))


def _request(
    record: Record, config: Mapping[str, Any], limits: tuple[float, float]
) -> RemoteRequest:
    passing, marginal = limits
    return RemoteRequest.model_validate(
        {
            "canaryConfig": config,
            "scoreThresholds": {"pass": passing, "marginal": marginal},
            "metricSetPairList": pairs(record),
        }
    )


def _ours(
    record: Record, limits: tuple[float, float] | None, report: Mapping[str, Any]
) -> dict[str, Any]:
    grade = _GRADES.get(record.verdict or "", "Marginal")
    metrics: Sequence[Mapping[str, Any]] = report.get("metrics", [])
    return {
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


def _duration(report: Mapping[str, Any]) -> str:
    window = report.get("window") or {}
    return f"PT{round(window.get('step_s', 0) * window.get('steps', 0))}S"
