"""Files of tests for `serinus test`, and a configuration for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

CONFIG = """\
version: 1
name: shop
source: {prometheus: {step: 15s}}
variables: {baseline: {hash: null}, canary: {hash: null}}
window: {planned: 60m, warmup: 3m}
metrics:
  - name: error ratio
    critical: true
    counts:
      events: http_requests_total{hash="${hash}", code=~"5.."}
      total: http_requests_total{hash="${hash}"}
  - name: memory
    query: process_resident_memory_bytes{hash="${hash}"}
    judge: {kind: mann_whitney, tolerance: 15%}
"""
EXPRESSION = """\
  - name: cpu
    query: avg by (pod) (rate(process_cpu_seconds_total{hash="${hash}"}[1m]))
    judge: {kind: threshold, max: 0.5}
"""


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    """Give one entry of `input_series`."""
    inner = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    return {"series": f"{name}{{{inner}}}", "values": values}


def rollout(*, errors: str = "0+1x240", memory: str = "100x240") -> list[dict[str, str]]:
    """Give an hour of both sides; of the canary as told."""
    requests, resident = "http_requests_total", "process_resident_memory_bytes"
    return [
        series(requests, "0+100x240", hash="5d4c", code="200"),
        series(requests, "0+1x240", hash="5d4c", code="500"),
        series(resident, "100x240", hash="5d4c", pod="a"),
        series(requests, "0+100x240", hash="7f9b", code="200"),
        series(requests, errors, hash="7f9b", code="500"),
        series(resident, memory, hash="7f9b", pod="b"),
    ]


def a_case(**over: Any) -> dict[str, Any]:
    """Give a test of a rollout that passes."""
    return {
        "name": "a good canary passes",
        "baseline": {"hash": "5d4c"},
        "canary": {"hash": "7f9b"},
        "input_series": rollout(),
        "expect": {"verdict": "pass"},
    } | over


def write_suite(
    folder: Path, *cases: dict[str, Any], name: str = "canary_test.yaml", config: str = CONFIG
) -> Path:
    """Write a file of tests beside its configuration."""
    (folder / "canary.yaml").write_text(config)
    path = folder / name
    with path.open("w") as file:
        YAML(typ="safe").dump({"config": "canary.yaml", "tests": list(cases)}, file)
    return path
