"""A small world for the doctor: a shop whose two versions stand side by side, and its ailments."""

from __future__ import annotations

import json
from typing import Any

from tests.support.builders import Document

MINUTES = 40
START_S = 1_800_000_000  # 2027-01-15T08:00:00Z
EVERY_S = 15
# Requests a minute of each version; the last one serves hardly anybody.
RATES = {"v1": 900, "v2": 100, "v3": 0.5}
PODS = {"v1": ("a", "b", "c"), "v2": ("d",), "v3": ("e",)}


def openmetrics() -> str:
    """Give forty minutes of requests and memory; the layer in front has one name for both."""
    lines: dict[str, list[str]] = {"requests": [], "memory": [], "layer": []}
    for step in range(-20, MINUTES * 60 // EVERY_S + 1):
        time, blended = START_S + EVERY_S * step, 0.0
        for version, pods in PODS.items():
            for number, pod in enumerate(pods):
                labels = f'version="{version}",pod="{pod}"'
                served = _served(RATES[version] / len(pods), step + 20)
                failed = served // 100
                blended += served
                lines["requests"] += [
                    f'shop_requests_total{{{labels},code="200"}} {served - failed} {time}',
                    f'shop_requests_total{{{labels},code="500"}} {failed} {time}',
                ]
                memory = 100 + (7 * step + 3 * number + len(version + pod)) % 11
                lines["memory"].append(f"shop_memory_bytes{{{labels}}} {memory} {time}")
        lines["layer"] += [
            f'layer_requests_total{{backend="{name}"}} {blended} {time}'
            for name in ("stable", "next")
        ]
    return "\n".join(line for group in lines.values() for line in group) + "\n"


def _served(per_minute: float, scrapes: int) -> int:
    """Count requests that come evenly, and on a busy pod two more at every third scrape."""
    evenly = int(per_minute * scrapes * EVERY_S / 60)
    return evenly + 2 * (scrapes // 3) if per_minute > 1 else evenly


def counts(total: str, side: str) -> Document:
    """Describe failures among the requests of a counter."""
    return {
        "events": f'{total}{{{side}, code="500"}}',
        "total": f"{total}{{{side}}}",
    }


VERSION = 'version="${v}"'
ERRORS: Document = {
    "name": "error ratio",
    "critical": True,
    "counts": counts("shop_requests_total", VERSION),
    "pods": "pod",
    "judge": {"kind": "error_ratio", "tolerance": "50%"},
}
MEMORY: Document = {"name": "memory", "query": f"shop_memory_bytes{{{VERSION}}}"}


def document(*metrics: Document, **changes: Any) -> str:
    """Write a configuration of some metrics."""
    return json.dumps(
        {
            "version": 1,
            "name": "shop",
            "source": {"prometheus": {"step": "30s", "lag": "0s"}},
            "variables": {"baseline": {"v": "v1"}, "canary": {"v": "v2"}},
            "window": {"planned": "40m", "warmup": "2m"},
            "metrics": list(metrics),
            **changes,
        }
    )


# What the doctor is shown: a name, and the configuration.
SETUPS: dict[str, str] = {
    "good": document(ERRORS, MEMORY, traffic={"canary_weight": "10%"}),
    "missing-side": document(
        ERRORS, MEMORY, variables={"baseline": {"v": "v1"}, "canary": {"v": "v9"}}
    ),
    "same-side-twice": document(
        {
            "name": "requests of the layer",
            "query": 'sum(rate(layer_requests_total{backend="${b}"}[30s]))',
        },
        variables={"baseline": {"b": "stable"}, "canary": {"b": "next"}},
    ),
    "blended": document(
        {**ERRORS, "counts": counts("shop_requests_total", 'version=~"${v}|v2"')},
        traffic={"canary_weight": "10%"},
    ),
    "wrong-weight": document(ERRORS, traffic={"canary_weight": "50%"}),
    "tiny-traffic": document(
        ERRORS, MEMORY, variables={"baseline": {"v": "v1"}, "canary": {"v": "v3"}}
    ),
    "misspelt-metric": document(
        {**MEMORY, "query": f"shop_memroy_bytes{{{VERSION}}}"},
        {**ERRORS, "counts": counts("shop_request_total", VERSION)},
    ),
    "wrong-label": document(
        {**MEMORY, "query": 'avg(shop_memory_bytes{versoin="${v}"})'},
        {**ERRORS, "counts": counts("shop_requests_total", 'version="${v}", pod="z"')},
    ),
    "refused": document(
        MEMORY, {"name": "latency", "query": f"histogram_quantil(0.9, x{{{VERSION}}})"}
    ),
}
