"""Measure how soon and how small a report is rendered: `python -m benchmarks.reports`.

Times are processor time of one thread, medians; the analysis before the rendering is not counted.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.config import CanaryConfig, parse_config
from analysis.consumers.html import card, to_html
from analysis.consumers.json import to_json
from analysis.consumers.junit import to_junit
from analysis.consumers.links import Links
from analysis.consumers.markdown import to_markdown
from analysis.engine import analyze
from analysis.report import AnalysisReport
from analysis.retrospect import USUAL_LOOKS
from analysis.sources.port import (
    Answer,
    Answers,
    Progress,
    Request,
    RequestKind,
    Series,
    no_progress,
)
from analysis.window import Window

SEED = 7
START = 1_800_000_000.0
STEP_S = 15.0
SCRAPES_BEFORE = 4
REPETITIONS = 5
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf"))
# Of a tenth of the metrics the canary is worse.
HARMED, HARM = 10, 1.6
LINKS = Links(
    prometheus={"": "https://prometheus.example.com"},
    grafana="https://grafana.example.com/?datasource=prometheus",
)
# Metrics and the goals of issue 7: seconds, and bytes in decimal thousands.
GOALS = ((20, 0.150, 300_000), (200, 1.5, 3_000_000))


def configuration(metrics: int) -> CanaryConfig:
    """Describe metrics of every kind of input, in turn."""
    kinds: Sequence[Callable[[str], dict[str, object]]] = (
        lambda name: {"counts": {"events": _asked(f"{name}_failed"), "total": _asked(name)}},
        lambda name: {"histogram": _asked(f"{name}_duration_seconds_bucket")},
        lambda name: {"query": _asked(f"{name}_bytes")},
        lambda name: {
            "sums": {"numerator": _asked(f"{name}_seconds_sum"), "denominator": _asked(name)}
        },
    )
    described = [
        {
            "name": f"metric {place}",
            "group": f"group {place % 5}",
            "critical": place % 4 == 0,
            "pods": "pod",
            **kinds[place % len(kinds)](f"m{place}"),
        }
        for place in range(metrics)
    ]
    document = {
        "name": "checkout",
        "source": {"prometheus": {"step": f"{STEP_S:g}s"}},
        "variables": {"baseline": {"hash": "5d4c"}, "canary": {"hash": "7f9b"}},
        "metrics": described,
    }
    return parse_config(json.dumps(document))


def _asked(name: str) -> str:
    return f'{name}{{namespace="shop", hash="${{hash}}"}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A source that draws what it answers.

    Attributes:
        pods: Pods of each side.
    """

    pods: int

    @property
    def description(self) -> str:
        """Say what this is."""
        return "random numbers"

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Draw series for every request."""
        progress(len(requests), len(requests))
        return {request: Answer(series=tuple(self._series(request))) for request in requests}

    def _series(self, request: Request) -> Iterator[Series]:
        name = request.query.partition("{")[0]
        side = "canary" if "7f9b" in request.query else "baseline"
        digits = "".join(char for char in name.partition("_")[0] if char.isdigit())
        is_harmed = side == "canary" and int(digits or 0) % HARMED == 0
        harm = HARM if is_harmed else 1.0
        rng = np.random.default_rng([SEED, *name.encode(), side == "canary"])
        step = request.step_s or STEP_S
        times = np.arange(request.start, request.end + 1e-6, step)
        for pod in range(self.pods):
            labels = {"__name__": name, "namespace": "shop", "pod": f"checkout-{side}-{pod}"}
            if request.kind is RequestKind.BUCKETS:
                yield from _buckets(labels, times, rng, harm)
            elif request.kind is RequestKind.SAMPLES:
                mean = {"failed": 0.4 * harm, "sum": 3.0 * harm}.get(name.rpartition("_")[2], 60.0)
                yield _climbing(labels, times, rng.poisson(mean, len(times)))
            else:
                values = 2e8 * harm * np.exp(0.08 * rng.standard_normal(len(times)))
                yield Series(labels=labels, times=times, values=values)


def _climbing(labels: dict[str, str], times: np.ndarray, gains: np.ndarray) -> Series:
    return Series(labels=labels, times=times, values=np.cumsum(gains).astype(np.float64))


def _buckets(
    labels: dict[str, str], times: np.ndarray, rng: np.random.Generator, harm: float
) -> Iterator[Series]:
    drawn = rng.lognormal(np.log(0.08 * harm), 0.9, (len(times), 60))
    for edge in BUCKETS:
        named = {**labels, "le": "+Inf" if np.isinf(edge) else f"{edge:g}"}
        yield _climbing(named, times, (drawn <= edge).sum(axis=1))


def a_report(metrics: int, *, pods: int = 10, steps: int = 240) -> AnalysisReport:
    """Analyze a rollout with so many metrics, pods of each side and steps."""
    warmup_s = 12 * STEP_S
    window = Window(
        start=START, end=START + warmup_s + steps * STEP_S, warmup_s=warmup_s, step_s=STEP_S
    )
    config = configuration(metrics)
    return analyze(config, Drawn(pods=pods), window, {}, looks_back=USUAL_LOOKS)


def seconds(work: Callable[[], object]) -> float:
    """Give the median processor time of a call, after one that fills caches."""
    work()
    times = []
    for _ in range(REPETITIONS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def rows() -> Iterator[str]:
    """Measure every rendering, of few metrics and of many."""
    for metrics, goal_s, goal_bytes in GOALS:
        report = a_report(metrics)
        renderings: dict[str, Callable[[], str]] = {
            "html": lambda report=report: to_html(report, LINKS),  # type: ignore[misc]
            "card": lambda report=report: card(report),  # type: ignore[misc]
            "markdown": lambda report=report: to_markdown(report, LINKS),  # type: ignore[misc]
            "junit": lambda report=report: to_junit(report),  # type: ignore[misc]
            "json": lambda report=report: to_json(report),  # type: ignore[misc]
        }
        for name, render in renderings.items():
            size = len(render().encode())
            goal = f"{1e3 * goal_s:.0f} ms, {goal_bytes / 1e3:.0f} kB" if name == "html" else ""
            took = 1e3 * seconds(render)
            yield f"| {metrics} | {name} | {took:.0f} | {size / 1e3:.0f} | {goal} |"


if __name__ == "__main__":
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}; 10 pods a side, 240 steps")
    print("| metrics | rendering | ms | kB | goal |\n| --- | --- | --- | --- | --- |")
    for row in rows():
        print(row, flush=True)
