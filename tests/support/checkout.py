"""The past of a made-up service that the starter configuration fits: what the pages speak of.

Three pods of the version 5d4c for twelve hours, three of 7f9b for the last forty minutes; both the
same, so that nothing in a page hangs on luck.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BASELINE, CANARY = "5d4c", "7f9b"
SCRAPE_S = 15
PAST_S, CANARY_S = 12 * 3600, 40 * 60
PODS = 3
REQUESTS_A_SCRAPE = 150
# Mean 80 ms, one request of a thousand fails; a quarter of a second is seldom passed.
EDGES = (0.05, 0.1, 0.25, 0.5, 1.0)
SHARES = (0.40, 0.35, 0.20, 0.04, 0.009, 0.001)
MEAN_S, FAILED = 0.08, 0.001


def past(end: float, *, namespace: str = "default") -> str:
    """Give its samples up to `end`, epoch seconds, as OpenMetrics text."""
    rng = np.random.default_rng(20261126)
    families: dict[str, list[str]] = {}
    for version, length_s in ((BASELINE, PAST_S), (CANARY, CANARY_S)):
        times = np.arange(end - length_s, end + 1, SCRAPE_S)
        for number in range(PODS):
            labels = f'namespace="{namespace}",hash="{version}",pod="{version}-{number}"'
            for family, line in _lines(labels, times, rng):
                families.setdefault(family, []).append(line)
    # A family's samples must stand together.
    return "".join(
        f"# TYPE {family} {_type(family)}\n" + "".join(lines) for family, lines in families.items()
    )


def _type(family: str) -> str:
    kinds = {"http_requests": "counter", "http_request_duration_seconds": "histogram"}
    return kinds.get(family, "gauge")


def _lines(
    labels: str, times: NDArray[np.float64], rng: np.random.Generator
) -> Iterator[tuple[str, str]]:
    requests = rng.poisson(REQUESTS_A_SCRAPE, len(times))
    failed = rng.binomial(requests, FAILED)
    for code, counts in (("200", requests - failed), ("500", failed)):
        name = f'http_requests_total{{{labels},code="{code}"}}'
        yield "http_requests", _samples(name, times, np.cumsum(counts))
    yield from _histogram(labels, times, requests, rng)
    memory = 2e8 * np.exp(0.03 * rng.standard_normal(len(times)))
    gauge = f"process_resident_memory_bytes{{{labels}}}"
    yield "process_resident_memory_bytes", _samples(gauge, times, memory)
    started = np.full(len(times), times[0])
    gauge = f"process_start_time_seconds{{{labels}}}"
    yield "process_start_time_seconds", _samples(gauge, times, started)


def _histogram(
    labels: str,
    times: NDArray[np.float64],
    requests: NDArray[np.int64],
    rng: np.random.Generator,
) -> Iterator[tuple[str, str]]:
    family = "http_request_duration_seconds"
    buckets = np.cumsum(np.array([rng.multinomial(n, SHARES) for n in requests]), axis=0)
    for edge, counts in zip((*EDGES, np.inf), np.cumsum(buckets, axis=1).T, strict=True):
        bound = "+Inf" if np.isinf(edge) else repr(edge)
        yield family, _samples(f'{family}_bucket{{{labels},le="{bound}"}}', times, counts)
    spent = np.cumsum(requests * MEAN_S * np.exp(0.05 * rng.standard_normal(len(times))))
    yield family, _samples(f"{family}_sum{{{labels}}}", times, spent)
    yield family, _samples(f"{family}_count{{{labels}}}", times, np.cumsum(requests))


def _samples(name: str, times: NDArray[np.float64], values: NDArray[np.generic]) -> str:
    pairs = zip(values.tolist(), times.tolist(), strict=True)
    return "".join(f"{name} {value} {time:.3f}\n" for value, time in pairs)
