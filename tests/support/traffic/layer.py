"""What every layer gives, and the three versions of the service that stand behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHARES = {"stable": 2, "good": 1, "bad": 1}  # of four requests
FAILING = {"stable": 0.004, "good": 0.004, "bad": 0.3}
# Kubernetes never puts a vowel into the last part of a pod's name.
PODS = {version: f"checkout-{version}-x7k2p" for version in SHARES}

# What all configurations have in common: a third of a pair's requests goes to the canary. Their
# margin of five points is wide, for a minute holds too few requests to clear a canary of less.
COMMON = """\
version: 1
name: checkout
source: {prometheus: {step: 1s, lag: 2s}}
window: {planned: 40s, warmup: 4s}
traffic: {canary_weight: 0.3333}
"""

Addresses = Mapping[str, str]
"""Where each version listens: host and port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer that runs.

    Attributes:
        address: Host and port that take its requests.
        scrapes: How it is scraped, in Prometheus' own form.
        config: The configuration that judges it.
        variable: What differs between the sides in that configuration.
        values: The variable of each version.
    """

    address: str
    scrapes: tuple[Mapping[str, Any], ...]
    config: str
    variable: str
    values: Mapping[str, str]


def scrape(job: str, address: str, **labels: str) -> dict[str, Any]:
    """Say how to scrape one target."""
    return {"job_name": job, "static_configs": [{"targets": [address], "labels": labels}]}
