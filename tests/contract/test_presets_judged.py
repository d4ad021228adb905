"""What the engine makes of the layers' series in a real Prometheus: whole events, and a verdict.

The counters grow evenly, so every event of the window is known; a server's `increase` would have
to guess at the edges of each step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from analysis.config import CanaryConfig, parse_config
from analysis.engine import analyze
from analysis.planning import plan, unique_requests
from analysis.presets import load
from analysis.samples import Gathered, gather
from analysis.sources.prometheus import PrometheusSource
from analysis.window import Window
from judges import Histogram, Ratio, Values, Verdict
from judges.core.sample import Side
from tests.support.layers import (
    SCRAPE_S,
    SIDES,
    UNTIL_S,
    WINDOW_S,
    Slot,
    both_sides,
    cases,
    laid_out,
    openmetrics,
)
from tests.support.prometheus import RealPrometheus

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("requires_prometheus")]

NAMED = [
    *("aws-alb-cloudwatch-exporter", "aws-alb-yace", "aws-nlb"),
    *("gke-lb-gmp", "gke-lb-stackdriver-exporter", "ingress-nginx", "emissary", "istio"),
    *("traefik", "haproxy", "haproxy-server", "k8s-resources", "grpc-go", "otel-http", "otel-rpc"),
]
SLOTS = laid_out(both_sides(NAMED))
# CloudWatch's gauges never vary here, and of what never varies no chance can be told.
JUDGED = [
    slot
    for slot in SLOTS
    if "error_ratio" in slot.metrics and load(slot.layer).metrics["error_ratio"].counts
]


def name_of(slot: Slot) -> str:
    return f"{slot.layer} {slot.separation} {slot.metrics[0]}"


@pytest.fixture(scope="module")
def source() -> Iterator[PrometheusSource]:
    """Give a Prometheus that holds the named layers, both sides together."""
    with RealPrometheus(openmetrics=openmetrics(SLOTS)) as prometheus:
        yield PrometheusSource(url=prometheus.url)


def config_of(slot: Slot) -> CanaryConfig:
    """Take a slot's metrics from the preset, as a user would."""
    document = {
        "name": slot.layer,
        "source": {"prometheus": {"step": f"{SCRAPE_S}s"}},
        "window": {"planned": f"{WINDOW_S}s", "warmup": "0s"},
        "variables": {
            **slot.case["values"],
            "interval": f"{WINDOW_S}s",
            **{side: slot.case[side]["values"] for side in SIDES},
        },
        "metrics": [
            {"preset": f"{slot.layer}/{name}", "separation": slot.separation, "muted": False}
            for name in slot.metrics
        ],
    }
    return parse_config(json.dumps(document))


def window_of(slot: Slot) -> Window:
    end = slot.start + UNTIL_S
    return Window(start=end - WINDOW_S, end=end, warmup_s=0.0, step_s=float(SCRAPE_S))


def gathered(slot: Slot, source: PrometheusSource) -> Mapping[str, Gathered]:
    """Read a slot's metrics as the engine does."""
    config, window = config_of(slot), window_of(slot)
    asks = plan(config, window, {})
    answers = source.answer(unique_requests(asks))
    found = gather(config, window, asks, answers)
    return {one.metric.name.partition("/")[2]: one for one in found}


@pytest.mark.parametrize("slot", SLOTS, ids=name_of)
def test_the_engine_counts_every_event_of_both_sides(slot: Slot, source: PrometheusSource) -> None:
    for name, one in gathered(slot, source).items():
        assert one.error is None
        assert one.sample is not None
        expected = cases()["metrics"][slot.layer][name]
        for side in SIDES:
            assert_counted(getattr(one.sample, side), expected, side)


def assert_counted(found: Side, expected: Mapping[str, Any], side: str) -> None:
    """Compare what the engine holds of a side with what its series gained in the window."""
    match found:
        case Ratio() if "events" in expected:
            events, total = found.sums()
            assert events.sum() == expected["events"][side]
            assert total.sum() == expected["total"][side]
        case Ratio():
            numerator, denominator = (part.sum() for part in found.sums())
            assert numerator / denominator == pytest.approx(expected["value"][side])
        case Histogram():
            cumulative = np.nansum(found.counts, axis=(0, 1)).cumsum()
            assert cumulative.tolist() == list(expected["buckets"][side].values())
        case Values():
            # Only the range of the last step is covered whole.
            assert found.rows[:, -1].mean() == pytest.approx(expected["value"][side])


@pytest.mark.parametrize("slot", JUDGED, ids=name_of)
def test_a_canary_with_twenty_times_the_errors_fails(slot: Slot, source: PrometheusSource) -> None:
    report = analyze(config_of(slot), source, window_of(slot), {})

    by_name = {metric.name: metric.judgment for metric in report.metrics}
    judgment = by_name[f"{slot.layer}/error_ratio"]
    assert judgment.verdict is Verdict.FAIL, judgment.summary
    assert report.verdict is Verdict.FAIL


def test_every_named_layer_is_judged() -> None:
    without_counts = {layer for layer in NAMED if layer.startswith("aws-")} | {"k8s-resources"}

    assert {slot.layer for slot in JUDGED} == set(NAMED) - without_counts
    assert {slot.layer for slot in SLOTS} == set(NAMED)
