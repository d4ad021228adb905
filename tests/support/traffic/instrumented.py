"""Services that count for themselves: behind no layer, or behind one that is told apart anyway."""

from __future__ import annotations

import sys

from tests.support.traffic.layer import COMMON, SHARES, Addresses, Layer, scrape
from tests.support.traffic.running import Ground, free_address, pod_scrapes

FLAG = """\
variables:
  namespace: shop
  baseline: {variant: stable}
  canary: {variant: null}
presets: {layer: flag-variant-http, separation: variant, only: [client_error_ratio]}
metrics:
  - {preset: flag-variant-http/error_ratio, judge: {margin: {ratio: 2, absolute: 0.05}}}
  - {preset: flag-variant-http/latency_buckets, judge: {edge: 0.5}}
"""
OPENTELEMETRY = """\
variables:
  namespace: shop
  workload: checkout
  baseline: {hash: stable}
  canary: {hash: null}
presets: {layer: otel-http, separation: pod-name, only: [client_error_ratio]}
metrics:
  - {preset: otel-http/error_ratio, judge: {margin: {ratio: 2, absolute: 0.05}}}
  - {preset: otel-http/latency_buckets, judge: {edge: 0.5}}
"""


def start_flag(ground: Ground) -> Layer:
    """Start one service in which a feature flag chooses between the versions."""
    address = free_address()
    command = [sys.executable, "-m", "tests.support.traffic.service", "flag"]
    ground.run("flag", [*command, f"--address={address}"], address, "/metrics")
    return Layer(
        address=address,
        scrapes=(scrape("flag", address, namespace="shop", pod="shop-7d9f-x7k2p"),),
        config=COMMON + FLAG,
        variable="variant",
        values={version: version for version in SHARES},
    )


def behind(layer: Layer, versions: Addresses) -> Layer:
    """Give OpenTelemetry's view of the versions that stand behind another layer."""
    return Layer(
        address=layer.address,
        scrapes=pod_scrapes("opentelemetry", versions),
        config=COMMON + OPENTELEMETRY,
        variable="hash",
        values={version: version for version in versions},
    )
