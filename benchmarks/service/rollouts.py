"""Rollouts that go on while they are judged: their series, twelve metrics, no verdict.

The series reach beyond the present, so that a server that was filled at the start has news at
every look; queries end in the present all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SIDES = ("baseline", "canary")
PODS = 3
SCRAPE_S = 15.0
SEED = 1
EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, np.inf)
REQUESTS = 600.0  # of a pod between two scrapes
NOISE = 0.2

# Two counters a metric: what is counted, and out of how many.
COUNTS = {"checkout": 0.01, "payment": 0.005, "login": 0.002}
SUMS = {"handler": 0.08, "database": 0.02, "queue": 0.3}
GAUGES = {"memory": 3e8, "threads": 40.0, "connections": 120.0, "heap": 1e8}
# Harm beyond 1 % fails, and less than 1 % has to be shown for a pass: with this noise it takes
# days, so every analysis looks at every metric for as long as the load lasts.
_UNDECIDED = {"tolerance": "1%", "margin": "1%"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollouts:
    """So many applications, each with both sides of a rollout, over a stretch of time.

    Attributes:
        applications: How many; each is in a namespace of its own.
        start: Of the series, epoch seconds.
        end: Of the series, epoch seconds.
    """

    applications: int
    start: float
    end: float

    @property
    def namespaces(self) -> list[str]:
        """Name the namespaces."""
        return [f"shop-{number}" for number in range(self.applications)]

    def openmetrics(self) -> str:
        """Give the samples of all of them."""
        return "\n".join([*self._lines(), "# EOF", ""])

    def _lines(self) -> Iterator[str]:
        times = np.arange(self.start, self.end, SCRAPE_S)
        rng = np.random.default_rng(SEED)
        for families in (_counts(), _sums(), _gauges(), [_Family("latency", "histogram", 0.0)]):
            for family in families:
                yield f"# TYPE {family.name} {family.kind}"
                for namespace in self.namespaces:
                    for side in SIDES:
                        yield from family.lines(namespace, side, times, rng)


@dataclass(frozen=True, slots=True)
class _Family:
    """One metric family: its name, its type, and the mean of what it shows."""

    name: str
    kind: str
    mean: float

    def lines(
        self, namespace: str, side: str, times: Array, rng: np.random.Generator
    ) -> Iterator[str]:
        for pod in range(PODS):
            labels = f'namespace="{namespace}",hash="{side}",pod="{side}-{pod}"'
            yield from self._of_pod(labels, times, rng)

    def _of_pod(self, labels: str, times: Array, rng: np.random.Generator) -> Iterator[str]:
        if self.kind == "gauge":
            values = self.mean * np.exp(NOISE * rng.standard_normal(len(times)))
            yield from _samples(self.name, labels, times, values)
        elif self.kind == "counter":
            rises = rng.gamma(1 / NOISE**2, self.mean * NOISE**2, len(times))
            yield from _samples(f"{self.name}_total", labels, times, np.cumsum(rises))
        else:
            shares = np.diff(1 - np.exp(-np.array((0.0, *EDGES)) / 0.08))
            seen = rng.multinomial(int(REQUESTS), shares, len(times))
            below = np.cumsum(np.cumsum(seen, axis=0), axis=1).astype(np.float64)
            for edge, values in zip(EDGES, below.T, strict=True):
                le = "+Inf" if np.isinf(edge) else str(edge)
                yield from _samples("latency_bucket", f'{labels},le="{le}"', times, values)
            yield from _samples("latency_count", labels, times, below[:, -1])


def _counts() -> list[_Family]:
    parts = [(f"{name}_failed", share * REQUESTS) for name, share in COUNTS.items()]
    wholes = [(f"{name}_requests", REQUESTS) for name in COUNTS]
    return [_Family(name, "counter", mean) for name, mean in [*parts, *wholes]]


def _sums() -> list[_Family]:
    seconds = [(f"{name}_seconds", mean * REQUESTS) for name, mean in SUMS.items()]
    calls = [(f"{name}_calls", REQUESTS) for name in SUMS]
    return [_Family(name, "counter", mean) for name, mean in [*seconds, *calls]]


def _gauges() -> list[_Family]:
    return [_Family(name, "gauge", mean) for name, mean in GAUGES.items()]


def _samples(name: str, labels: str, times: Array, values: Array) -> Iterator[str]:
    for time, value in zip(times.tolist(), values.tolist(), strict=True):
        yield f"{name}{{{labels}}} {value!r} {time!r}"


def document() -> dict[str, Any]:
    """Give the configuration: twelve metrics of all kinds."""
    latency = _selector("latency_bucket")
    metrics = [
        *(_metric(name, counts=_pair(name, "failed", "requests", "events")) for name in COUNTS),
        *(_metric(name, sums=_pair(name, "seconds", "calls", "numerator")) for name in SUMS),
        *(_metric(name, query=_selector(name)) for name in GAUGES),
        _metric("latency p95", histogram=latency, quantile=0.95),
        {
            "name": "latency under the limit",
            "query": f"histogram_quantile(0.99, sum by (le) (rate({latency}[1m])))",
            "judge": {"kind": "threshold", "max": 5.0},
        },
    ]
    return {
        "version": 1,
        "name": "load",
        "source": {"prometheus": {"url": "${PROMETHEUS_URL}", "step": "15s", "lag": "0s"}},
        "variables": {"namespace": None, "baseline": {"hash": None}, "canary": {"hash": None}},
        "window": {"planned": "60m", "warmup": "1m"},
        "metrics": metrics,
    }


def _metric(name: str, quantile: float | None = None, **asked: Any) -> dict[str, Any]:  # noqa: ANN401
    kinds = {
        "counts": "error_ratio",
        "sums": "mean_ratio",
        "query": "mann_whitney",
        "histogram": "quantile_ratio",
    }
    (kind,) = (kinds[one] for one in asked)
    judge: dict[str, Any] = {"kind": kind, **_UNDECIDED}
    if quantile is not None:
        judge["quantile"] = quantile
    return {"name": name, "critical": True, **asked, "judge": judge}


def _pair(name: str, part: str, whole: str, first: str) -> dict[str, str]:
    second = "total" if first == "events" else "denominator"
    return {
        first: _selector(f"{name}_{part}_total"),
        second: _selector(f"{name}_{whole}_total"),
    }


def _selector(name: str) -> str:
    return f'{name}{{namespace="${{namespace}}", hash="${{hash}}"}}'
