"""The series that a deployment exposes, under the names that the configuration asks for.

What was not scraped is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.sources.scraped import ScrapedSeries, ScrapedSource
from benchmarks.deployments.draw import Deployment, Scrapes
from benchmarks.deployments.world import SCRAPE_S, SCRAPES

Array = NDArray[np.float64]

# By family: the attribute of `Scrapes` that holds it.
_COUNTERS = {
    "http_requests": "requests",
    "http_requests_failed": "errors",
    "process_cpu_seconds": "cpu",
    "kube_pod_container_status_restarts": "restarts",
}
_GAUGE = "process_resident_memory_bytes"
_HISTOGRAM = "http_request_duration_seconds"
_WEIGHT = "traffic_weight_seconds"
# By family: its type.
FAMILIES = {
    **dict.fromkeys(_COUNTERS, "counter"),
    _GAUGE: "gauge",
    _HISTOGRAM: "histogram",
    _WEIGHT: "counter",
}


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

    def source(self) -> ScrapedSource:
        """Give all series as a source that answers selectors."""
        series = tuple(one for family in FAMILIES for one in self.of_family(family))
        return ScrapedSource(series=series, origin=f"simulated deployment {self.deployment.name}")

    def of_family(self, family: str) -> Iterator[ScrapedSeries]:
        """Give the series of one family."""
        if family == _HISTOGRAM:
            yield from self._histograms()
        elif family == _WEIGHT:
            yield from self._weights()
        elif family == _GAUGE:
            yield from self._of_pods(_GAUGE, "memory")
        else:
            yield from self._of_pods(f"{family}_total", _COUNTERS[family])

    def _of_pods(self, name: str, attribute: str) -> Iterator[ScrapedSeries]:
        """Give a value of every pod; what the cluster keeps is there when the pod is not."""
        for side, scrapes in self.sides:
            for pod, values in enumerate(getattr(scrapes, attribute)):
                seen = scrapes.seen[pod] | (attribute == "restarts")
                yield _series(name, _labels(side, pod), self.times[seen], values[seen])

    def _histograms(self) -> Iterator[ScrapedSeries]:
        edges = self.deployment.world.latency.edges
        for side, scrapes in self.sides:
            for pod, seen in enumerate(scrapes.seen):
                labels, times = _labels(side, pod), self.times[seen]
                below = np.cumsum(scrapes.buckets[pod][seen], axis=1)
                for edge, counts in zip(edges, below.T, strict=True):
                    le = {"le": "+Inf" if np.isinf(edge) else str(float(edge))}
                    yield _series(f"{_HISTOGRAM}_bucket", labels | le, times, counts)
                yield _series(f"{_HISTOGRAM}_count", labels, times, scrapes.requests[pod][seen])
                yield _series(f"{_HISTOGRAM}_sum", labels, times, scrapes.seconds[pod][seen])

    def _weights(self) -> Iterator[ScrapedSeries]:
        share = self.deployment.world.traffic.share
        for side, weights in (("baseline", 1 - share), ("canary", share)):
            total = np.cumsum(SCRAPE_S * weights)
            yield _series(f"{_WEIGHT}_total", {"side": side}, self.times, total)


def _labels(side: str, pod: int) -> dict[str, str]:
    name = f"{side}-{pod}"
    return {"side": side, "pod": name, "job": "service", "instance": f"{name}:8080"}


def _series(name: str, labels: Mapping[str, str], times: Array, values: Array) -> ScrapedSeries:
    return ScrapedSeries(
        labels={"__name__": name, **labels},
        times=times,
        values=values,
        ends=np.zeros(len(times), dtype=np.bool_),
    )
