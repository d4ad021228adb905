"""What a preset's metric asks of each side: raw counters, or rates where a join tells the sides.

A join is arithmetic, and arithmetic needs rates: through one, counters cannot be read raw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.presets.model import JOIN, PresetMetric, Separation

INTERVAL = "${interval:-1m}"
# What a judge of rates can be told of a judge of counters.
_SHARED_PARAMETERS = ("tolerance", "margin", "direction")
_BUCKETS = "_bucket{"
# Where a judge looks at an edge, the edge is about this quantile.
USUAL_QUANTILE = 0.95


def configured(metric: PresetMetric, separation: Separation, pods: str | None) -> dict[str, Any]:
    """Write a preset's metric as a configuration writes one, without a name.

    Args:
        metric: The metric.
        separation: How the sides are told apart.
        pods: Label that tells the layer's pods apart.
    """
    key, judge = metric.input_key, dict(metric.judge)
    written: str | Mapping[str, str] = metric.input
    if separation.join is not None and key != "query":
        written, judge = as_expression(metric), _of_rates(judge)
        key = "query"
    filled = (
        _sided(written, separation)
        if isinstance(written, str)
        else {role: _sided(template, separation) for role, template in written.items()}
    )
    label = separation.pods or pods
    described = {"group": metric.group, "critical": metric.criticality == "critical"}
    muted = {"muted": True} if metric.criticality == "guard" else {}
    told = {"pods": label} if label and key != "query" else {}
    return {**described, **muted, key: filled, **told, "judge": judge}


def as_expression(metric: PresetMetric) -> str:
    """Write the raw inputs of a metric as one expression of rates."""
    match metric.input_key, metric.input:
        case "counts", Mapping() as counts:
            events, total = _rate(counts["events"]), _rate(counts["total"])
            # No error series is no error, as long as there are requests.
            return f"({events} or 0 * {total}) / ({total} > 0)"
        case "sums", Mapping() as sums:
            return f"{_rate(sums['numerator'])} / ({_rate(sums['denominator'])} > 0)"
        case "histogram", str(buckets):
            by = " by (le) " if _BUCKETS in buckets else ""
            quantile = metric.judge.get("quantile", USUAL_QUANTILE)
            return f"histogram_quantile({quantile}, {_rate(buckets, by)})"
        case _:
            return str(metric.input)


def _rate(selector: str, by: str = "") -> str:
    return f"sum{by}(rate({selector}[{INTERVAL}])${{{JOIN}}})"


def _of_rates(judge: Mapping[str, Any]) -> dict[str, Any]:
    if judge["kind"] == "exceedance":  # its limits are shares of requests, no ratios of a quantile
        return {"kind": "mann_whitney"}
    kept = {name: judge[name] for name in _SHARED_PARAMETERS if name in judge}
    return {"kind": "mann_whitney", **kept}


def _sided(template: str, separation: Separation) -> str | dict[str, str]:
    """Fill a template for both sides; one text where they differ in variables alone."""
    baseline, canary = (separation.filled(template, side) for side in ("baseline", "canary"))
    return baseline if baseline == canary else {"baseline": baseline, "canary": canary}
