"""Write deployments as OpenMetrics text, to be backfilled into a real Prometheus.

The names are those of the configuration's queries. Each deployment has its own time, so that they
may share a server; what was not scraped is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.deployments.draw import Deployment, Scrapes
from benchmarks.deployments.world import SCRAPE_S, SCRAPES

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# By family: its type, and the attribute of `Scrapes` that holds it.
FAMILIES = {
    "http_requests": ("counter", "requests"),
    "http_requests_failed": ("counter", "errors"),
    "process_cpu_seconds": ("counter", "cpu"),
    "process_resident_memory_bytes": ("gauge", "memory"),
    "kube_pod_container_status_restarts": ("counter", "restarts"),
}
HISTOGRAM = "http_request_duration_seconds"
WEIGHT = "traffic_weight_seconds"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recorded:
    """A deployment and the epoch second at which its hour begins."""

    deployment: Deployment
    start: float

    @property
    def times(self) -> Array:
        """When it was scraped, epoch seconds, shape (scrapes,)."""
        return self.start + SCRAPE_S * np.arange(1, SCRAPES + 1, dtype=np.float64)

    @property
    def sides(self) -> tuple[tuple[str, Scrapes], ...]:
        """Both sides by name."""
        return ("baseline", self.deployment.baseline), ("canary", self.deployment.canary)


def lines(recorded: Sequence[Recorded]) -> Iterator[str]:
    """Give the lines of one exposition, family by family."""
    for family, (kind, attribute) in FAMILIES.items():
        yield f"# TYPE {family} {kind}"
        suffix = "_total" if kind == "counter" else ""
        for one in recorded:
            yield from _of_pods(one, family + suffix, attribute, kept=family.startswith("kube"))
    yield f"# TYPE {HISTOGRAM} histogram"
    for one in recorded:
        yield from _histograms(one)
    yield f"# TYPE {WEIGHT} counter"
    for one in recorded:
        yield from _weights(one)
    yield "# EOF"


def _of_pods(one: Recorded, name: str, attribute: str, *, kept: bool) -> Iterator[str]:
    """Write a value of every pod; what the cluster keeps is there when the pod is not."""
    for side, scrapes in one.sides:
        for pod, values in enumerate(getattr(scrapes, attribute)):
            seen = np.ones(SCRAPES, dtype=bool) if kept else scrapes.seen[pod]
            yield from _samples(name, _labels(side, pod), one.times[seen], values[seen])


def _histograms(one: Recorded) -> Iterator[str]:
    edges = one.deployment.world.latency.edges
    for side, scrapes in one.sides:
        for pod, seen in enumerate(scrapes.seen):
            labels, times = _labels(side, pod), one.times[seen]
            below = np.cumsum(scrapes.buckets[pod][seen], axis=1)
            for edge, counts in zip(edges, below.T, strict=True):
                le = f'{labels},le="{"+Inf" if np.isinf(edge) else float(edge)}"'
                yield from _samples(f"{HISTOGRAM}_bucket", le, times, counts)
            yield from _samples(f"{HISTOGRAM}_count", labels, times, scrapes.requests[pod][seen])
            yield from _samples(f"{HISTOGRAM}_sum", labels, times, scrapes.seconds[pod][seen])


def _weights(one: Recorded) -> Iterator[str]:
    share = one.deployment.world.traffic.share
    for side, weights in (("baseline", 1 - share), ("canary", share)):
        total = np.cumsum(SCRAPE_S * weights)
        yield from _samples(f"{WEIGHT}_total", f'side="{side}"', one.times, total)


def _labels(side: str, pod: int) -> str:
    return f'side="{side}",pod="{side}-{pod}",job="service",instance="{side}-{pod}:8080"'


def _samples(name: str, labels: str, times: Array, values: Array) -> Iterator[str]:
    for time, value in zip(times.tolist(), values.tolist(), strict=True):
        yield f"{name}{{{labels}}} {value!r} {time!r}"
