"""The report for programs: strict JSON, with a versioned schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from analysis.consumers.values import asked, guards, instant, number, numbers, provenance
from analysis.limits import Limits, Range
from analysis.report import SCHEMA, AnalysisReport, AskedQuery, MetricReport
from analysis.retrospect import Trace
from analysis.sides import Distribution, PodSeries
from judges import Estimate, Evidence, Judgment, Settlement


def to_json(report: AnalysisReport) -> str:
    """Render a report as one JSON document, ending in a newline.

    Every number is finite; what is unknown is `null`.
    """
    return json.dumps(to_document(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_document(report: AnalysisReport) -> dict[str, Any]:
    """Give a report as plain values."""
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
            "log_e": number(report.log_e),
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
        "provenance": provenance(report.provenance),
    }


def _window(report: AnalysisReport) -> dict[str, Any]:
    window = report.window
    return {
        "start": instant(window.start),
        "end": instant(window.end),
        "judged_from": instant(float(window.edges[0])),
        "judged_to": instant(float(window.edges[-1])),
        "step_s": window.step_s,
        "steps": window.steps,
        "planned_s": report.planned_s,
        "baseline_offset_s": report.baseline_offset_s,
    }


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
            "times": numbers(metric.times),
            "baseline": numbers(metric.baseline),
            "canary": numbers(metric.canary),
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
    return {"lower": number(allowed.lower), "upper": number(allowed.upper)}


def _pod_levels(pods: PodSeries) -> list[dict[str, Any]]:
    levels = zip(pods.names, numbers(pods.levels), strict=True)
    return [{"pod": name, "level": level} for name, level in levels]


def _distribution(found: Distribution | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        # The last edge is infinite, which JSON has no number for.
        "edges": numbers(found.edges),
        "baseline": found.baseline.tolist(),
        "canary": found.canary.tolist(),
    }


def _trace(trace: Trace | None) -> dict[str, Any] | None:
    if trace is None:
        return None
    return {
        "times": numbers(trace.times),
        "harm": numbers(trace.harm),
        "safety": numbers(trace.safety),
    }


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
        "n_effective": number(judgment.n_effective),
        "autocorrelation": number(judgment.autocorrelation),
        "settlement": _settlement(judgment.settlement),
        "warnings": list(judgment.warnings),
        "details": _plain(judgment.details),
    }


def _estimate(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    interval = estimate.interval
    return {
        "value": number(estimate.value),
        "scale": str(estimate.scale),
        "baseline": number(estimate.baseline),
        "canary": number(estimate.canary),
        "interval": interval
        and {
            "lower": number(interval.lower),
            "upper": number(interval.upper),
            "level": interval.level,
        },
    }


def _evidence(evidence: Evidence | None) -> dict[str, Any] | None:
    return None if evidence is None else {"p": number(evidence.p), "log_e": number(evidence.log_e)}


def _settlement(settlement: Settlement | None) -> dict[str, Any] | None:
    return (
        None
        if settlement is None
        else {
            "summary": settlement.summary,
            "minutes": number(settlement.minutes),
            "events": number(settlement.events),
            "requests": number(settlement.requests),
        }
    )


def _query(query: AskedQuery) -> dict[str, Any]:
    return {**asked(query), **({"source": query.source} if query.source else {})}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: number(value) if isinstance(value, float) else value for name, value in values.items()
    }
