"""A source that answers at once, and a configuration of twenty metrics for it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis.sources.port import Answer, Answers, Progress, Request, Series, no_progress

START, STEP_S, STEPS = 1_700_000_000.0, 15.0, 240  # an hour
PODS = 3
GAUGES, RATIOS = 14, 6  # a usual mixture


def configuration(metrics: int = GAUGES + RATIOS) -> str:
    """Write a configuration: two of three metrics are gauges, the rest are error ratios."""
    gauges = round(metrics * GAUGES / (GAUGES + RATIOS))
    document: dict[str, Any] = {
        "version": 1,
        "name": "benchmark",
        "source": {"prometheus": {"url": "http://nowhere", "step": f"{STEP_S:g}s", "lag": "0s"}},
        "window": {"planned": "60m", "warmup": "0s"},
        "metrics": [_gauge(n) if n < gauges else _ratio(n) for n in range(metrics)],
    }
    return json.dumps(document)


def _gauge(number: int) -> dict[str, Any]:
    return {"name": f"gauge {number}", "query": f'gauge_{number}{{hash="${{hash}}"}}'}


def _ratio(number: int) -> dict[str, Any]:
    counter = f'total_{number}{{hash="${{hash}}"'
    counts = {"events": counter + ',code="500"}', "total": counter + "}"}
    return {"name": f"ratio {number}", "critical": True, "pods": "pod", "counts": counts}


@dataclass(slots=True)
class Instant:
    """A source whose answers are there before they are asked for."""

    description: str = "an instant source"
    _known: dict[Request, Answer] = field(default_factory=dict)

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer from memory; what is asked for the first time is made."""
        del progress
        for request in requests:
            if request not in self._known:
                self._known[request] = _made(request)
        return {request: self._known[request] for request in requests}


def _made(request: Request) -> Answer:
    return Answer(series=tuple(_series(request, pod) for pod in range(PODS)))


def _series(request: Request, pod: int) -> Series:
    draw = np.random.default_rng(zlib.crc32(f"{request.query}/{pod}".encode()))
    times = np.arange(request.start, request.end + 1.0, STEP_S)
    noise = draw.normal(size=times.size)
    values = 100.0 + 5.0 * noise
    if request.query.startswith("total"):
        rate = 0.2 if "500" in request.query else 40.0
        values = np.cumsum(draw.poisson(rate * STEP_S, size=times.size)).astype(float)
    return Series(labels={"pod": f"p{pod}"}, times=times, values=values)
