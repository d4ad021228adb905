"""HAProxy with its built-in exporter: a backend for each version, named as its controller does."""

from __future__ import annotations

from tests.support.traffic.layer import COMMON, SHARES, Addresses, Layer, scrape
from tests.support.traffic.running import Ground, free_address, program

CONFIG = """\
variables:
  namespace: shop
  baseline: {service: checkout-stable}
  canary: {service: null}
presets: {layer: haproxy, separation: haproxytech-service, only: [client_error_ratio]}
metrics:
  - {preset: haproxy/error_ratio, judge: {margin: {ratio: 2, absolute: 0.05}}}
"""


def missing() -> str:
    """Say what keeps the layer from running, if anything does."""
    return "" if program("haproxy") else "there is no haproxy; tools/servers installs it"


def start(ground: Ground, versions: Addresses) -> Layer:
    """Start it before the versions; a random number decides where a request goes."""
    front, metrics = free_address(), free_address()
    file = ground.write("haproxy.cfg", _written(front, metrics, versions))
    ground.run("haproxy", [str(program("haproxy")), "-db", "-f", str(file)], metrics, "/metrics")
    return Layer(
        address=front,
        scrapes=(scrape("haproxy", metrics),),
        config=COMMON + CONFIG,
        variable="service",
        values={version: f"checkout-{version}" for version in versions},
    )


def _written(front: str, metrics: str, versions: Addresses) -> str:
    lines = [
        "defaults",
        *("  mode http", "  timeout connect 5s", "  timeout client 60s", "  timeout server 60s"),
        "frontend metrics",
        *(f"  bind {metrics}", "  http-request use-service prometheus-exporter"),
        *("frontend shop", f"  bind {front}"),
        f"  http-request set-var(txn.luck) rand({sum(SHARES.values())})",
    ]
    below = 0
    for version, share in SHARES.items():
        below += share
        lines.append(f"  use_backend {_backend(version)} if {{ var(txn.luck) -m int lt {below} }}")
    for version, address in versions.items():
        lines += [f"backend {_backend(version)}", f"  server pod {address}"]
    return "\n".join([*lines, ""])


def _backend(version: str) -> str:
    return f"shop_svc_checkout-{version}_http"
