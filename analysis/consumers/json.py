"""The report for programs: strict JSON, with a versioned schema."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.guards import Finding
from analysis.limits import Limits, Range
from analysis.report import SCHEMA, AnalysisReport, AskedQuery, MetricReport
from analysis.retrospect import Trace
from analysis.sides import Distribution, PodSeries
from analysis.window import as_datetime
from judges import Estimate, Evidence, Judgment, Settlement


def to_json(report: AnalysisReport) -> str:
    """Render a report as one JSON document, ending in a newline.

    Every number is finite; what is unknown is `null`.
    """
    return json.dumps(to_document(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_document(report: AnalysisReport) -> dict[str, Any]:
    """Give a report as plain values."""
    provenance = report.provenance
    return {
        "schema": SCHEMA,
        "name": report.name,
        "verdict": str(report.verdict),
        "score": report.score,
        "summary": report.summary,
        "decided_by": list(report.decided_by),
        "window": _window(report),
        "risk": {
            "false_fail": report.false_fail,
            "looks": report.looks,
            "log_e": _number(report.log_e),
            "trace": _trace(report.trace),
        },
        "scoring": {"pass": report.pass_score, "marginal": report.marginal_score},
        "groups": [
            {"name": group.name, "weight": group.weight, "score": group.score}
            for group in report.groups
        ],
        "metrics": [_metric(metric) for metric in report.metrics],
        "guards": guards(report.findings),
        "warnings": list(report.warnings),
        "provenance": {
            "serinus": provenance.version,
            "libraries": dict(provenance.libraries),
            "config_digest": provenance.config_digest,
            "variables": {side: dict(values) for side, values in provenance.variables.items()},
        },
    }


def _window(report: AnalysisReport) -> dict[str, Any]:
    window = report.window
    return {
        "start": _time(window.start),
        "end": _time(window.end),
        "judged_from": _time(float(window.edges[0])),
        "judged_to": _time(float(window.edges[-1])),
        "step_s": window.step_s,
        "steps": window.steps,
        "planned_s": report.planned_s,
        "baseline_offset_s": report.baseline_offset_s,
    }


def _time(epoch_s: float) -> str:
    return as_datetime(epoch_s).isoformat().replace("+00:00", "Z")


def _metric(metric: MetricReport) -> dict[str, Any]:
    return {
        "name": metric.name,
        "group": metric.group,
        "critical": metric.critical,
        "muted": metric.muted,
        "weight": metric.weight,
        "points_lost": metric.lost,
        **_judgment(metric.judgment),
        "guards": guards(metric.findings),
        "queries": [_query(query) for query in metric.queries],
        "pods": dict(metric.pods),
        "series": {
            "times": _numbers(metric.times),
            "baseline": _numbers(metric.baseline),
            "canary": _numbers(metric.canary),
        },
        "limits": _limits(metric.limits),
        "pod_levels": {side: _pod_levels(pods) for side, pods in metric.by_pod.items()},
        "distribution": _distribution(metric.distribution),
        "trace": _trace(metric.trace),
    }


def _limits(limits: Limits | None) -> dict[str, Any] | None:
    if limits is None:
        return None
    return {
        "tolerance": _range(limits.tolerance),
        "margin": limits.margin and _range(limits.margin),
        "fail_level": limits.fail_level,
        "pass_level": limits.pass_level,
    }


def _range(allowed: Range) -> dict[str, Any]:
    return {"lower": _number(allowed.lower), "upper": _number(allowed.upper)}


def _pod_levels(pods: PodSeries) -> list[dict[str, Any]]:
    levels = zip(pods.names, _numbers(pods.levels), strict=True)
    return [{"pod": name, "level": level} for name, level in levels]


def _distribution(found: Distribution | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        # The last edge is infinite, which JSON has no number for.
        "edges": _numbers(found.edges),
        "baseline": found.baseline.tolist(),
        "canary": found.canary.tolist(),
    }


def _trace(trace: Trace | None) -> dict[str, Any] | None:
    if trace is None:
        return None
    return {
        "times": _numbers(trace.times),
        "harm": _numbers(trace.harm),
        "safety": _numbers(trace.safety),
    }


def guards(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Give what guards found as plain values."""
    return [
        {
            "code": finding.code,
            "severity": str(finding.severity),
            "summary": finding.summary,
            "remedy": finding.remedy,
            "page": finding.page,
        }
        for finding in findings
    ]


def _judgment(judgment: Judgment) -> dict[str, Any]:
    return {
        "judge": judgment.kind,
        "verdict": str(judgment.verdict),
        "reason": str(judgment.reason),
        "summary": judgment.summary,
        "estimate": _estimate(judgment.estimate),
        "harm": _evidence(judgment.harm),
        "safety": _evidence(judgment.safety),
        "n": judgment.n,
        "n_effective": _number(judgment.n_effective),
        "autocorrelation": _number(judgment.autocorrelation),
        "settlement": _settlement(judgment.settlement),
        "warnings": list(judgment.warnings),
        "details": _plain(judgment.details),
    }


def _estimate(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    interval = estimate.interval
    return {
        "value": _number(estimate.value),
        "scale": str(estimate.scale),
        "baseline": _number(estimate.baseline),
        "canary": _number(estimate.canary),
        "interval": interval
        and {
            "lower": _number(interval.lower),
            "upper": _number(interval.upper),
            "level": interval.level,
        },
    }


def _evidence(evidence: Evidence | None) -> dict[str, Any] | None:
    return (
        None if evidence is None else {"p": _number(evidence.p), "log_e": _number(evidence.log_e)}
    )


def _settlement(settlement: Settlement | None) -> dict[str, Any] | None:
    return (
        None
        if settlement is None
        else {
            "summary": settlement.summary,
            "minutes": _number(settlement.minutes),
            "events": _number(settlement.events),
            "requests": _number(settlement.requests),
        }
    )


def _query(query: AskedQuery) -> dict[str, Any]:
    return {
        "side": query.side,
        "role": query.role,
        "kind": query.kind,
        "query": query.query,
        "series": query.series,
        "error": query.error,
        **({"source": query.source} if query.source else {}),
    }


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _number(value) if isinstance(value, float) else value
        for name, value in values.items()
    }


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Give an array as numbers, at once where all are finite: a report holds thousands."""
    plain: list[float | None] = values.tolist()
    return plain if np.isfinite(values).all() else [_number(value) for value in plain]
