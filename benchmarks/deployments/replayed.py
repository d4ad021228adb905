"""The simulated deployments through a real Prometheus: `serinus replay` against what is in memory.

usage: python -m benchmarks.deployments.replayed [COUNT]

Each deployment is written as OpenMetrics, backfilled with promtool and replayed from the server:
selectors as raw samples, expressions through PromQL. Its outcome must be that of the arrays.
Writes docs/reference/deployments-served.md.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from analysis.config import CanaryConfig
from analysis.past.deployment import Deployment as Past
from analysis.past.deployment import Truth
from analysis.past.engines.chunks import chunked
from analysis.past.engines.making import EngineKind, make_engine
from analysis.past.engines.port import Lost
from analysis.past.engines.serial import SerialEngine
from analysis.past.listed import Server
from analysis.past.looks import Promotion, Schedule
from analysis.past.replaying import replay
from analysis.past.rows import Row
from analysis.past.work import Work
from analysis.sources.port import MetricSource
from analysis.window import as_datetime
from benchmarks.deployments import openmetrics, rule, served_page
from benchmarks.deployments.draw import Deployment, draw
from benchmarks.deployments.exposed import Recorded
from benchmarks.deployments.outcome import Look, outcome_of
from benchmarks.deployments.scraped import LAG_S
from benchmarks.deployments.served_page import Pair
from tests.support.prometheus import RealPrometheus

SEED = 11
BEGAN = 1_700_000_400.0  # a multiple of the step
# An hour, and longer than anything that is read from before a window.
APART_S = 3600.0 + 900.0
MINUTES = [10.0 * n for n in range(1, 7)]
EVERY = Schedule(every=timedelta(minutes=10), promotion=Promotion.END)
AT_ONCE = 20  # deployments that share a server: 260 MB of text
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "deployments-served.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """Deployments of a seed on a server, each judged by what a user knows of its service.

    Attributes:
        seed: The seed.
        indices: Which of its deployments.
        server: Who has their series.
    """

    seed: int
    indices: tuple[int, ...]
    server: Server

    @property
    def description(self) -> str:
        """Say what they are."""
        return f"simulated deployments of seed {self.seed}"

    def listed(self) -> Sequence[Past]:
        """List them in the order of their hours."""
        return [past_of(one) for one in recorded(self.seed, self.indices)]

    def source(self, deployment: Past) -> MetricSource:  # noqa: ARG002 - one server has all
        """Connect to the server."""
        return self.server.source()

    def own_config(self, deployment: Past) -> CanaryConfig:
        """Give the careful user's configuration for the service."""
        return config_of(draw(self.seed, int(deployment.id.split("-")[1])))

    def config_text(self, deployment: Past) -> None:  # noqa: ARG002 - as above
        """Give nothing, likewise."""
        return


def recorded(seed: int, indices: Sequence[int]) -> list[Recorded]:
    """Draw deployments, each with an hour of its own."""
    return [
        Recorded(deployment=draw(seed, index), start=BEGAN + APART_S * place)
        for place, index in enumerate(indices)
    ]


def past_of(one: Recorded) -> Past:
    """Describe a deployment as `serinus replay` knows it."""
    fault = one.deployment.fault
    return Past(
        id=one.deployment.name,
        start=as_datetime(one.start),
        end=as_datetime(one.start + 3600.0 - LAG_S),
        truth=Truth.BAD if fault else Truth.GOOD,
    )


def config_of(deployment: Deployment) -> CanaryConfig:
    """Write into the configuration what a user knows of the service."""
    config, known = rule.configuration(), rule.known_of(deployment)
    metrics = tuple(
        metric.model_copy(
            update={"judge": metric.judge.model_copy(update=known.get(metric.name, {}))}
        )
        for metric in config.metrics
    )
    return config.model_copy(update={"metrics": metrics})


def from_server(seed: int, indices: Sequence[int]) -> list[Row]:
    """Replay deployments from a real Prometheus that holds their samples."""
    text = "\n".join(openmetrics.lines(recorded(seed, indices))) + "\n"
    with RealPrometheus(openmetrics=text) as prometheus:
        past = Simulated(
            seed=seed,
            indices=tuple(indices),
            server=Server(config=rule.configuration(), url=prometheus.url),
        )
        return replay(Work(deployments=past, schedule=EVERY), past.listed(), SerialEngine())


def in_memory(seed: int, indices: Sequence[int]) -> list[Look]:
    """Judge the same deployments as arrays."""
    deployments = [draw(seed, index) for index in indices]
    return [
        outcome_of(looks) for looks in rule.looks_of(rule.configuration(), deployments, MINUTES)
    ]


def compared(indices: Sequence[int], seed: int = SEED) -> list[Pair]:
    """Judge deployments in both ways."""
    rows, looks = from_server(seed, indices), in_memory(seed, indices)
    return [
        Pair(fault=draw(seed, index).fault, row=row, look=look)
        for index, row, look in zip(indices, rows, looks, strict=True)
    ]


def main(count: int) -> int:
    """Compare, and write the page of as many as were compared; 1 if any outcome differs."""
    pairs: list[Pair] = []
    found: list[Pair] | Lost
    # A process for each server: the drawing, the text and promtool take as long as the replay.
    with make_engine(EngineKind.PROCESS) as engine:
        try:
            for found in engine.map_chunks(compared, chunked(range(count), AT_ONCE)):
                if isinstance(found, Lost):
                    sys.exit(found.why)
                pairs += found
                differ = sum(not pair.is_same for pair in pairs)
                print(f"\r{len(pairs)}/{count}, {differ} differ", end="", file=sys.stderr)
        except KeyboardInterrupt:
            print("\nstopped; the page tells of what was compared", file=sys.stderr)
    PAGE.write_text(served_page.document(SEED, pairs), encoding="utf-8")
    return any(not pair.is_same for pair in pairs)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
