"""The simulated deployments through a real Prometheus: `serinus replay` against what is in memory.

usage: python -m benchmarks.deployments.replayed [COUNT]

Each deployment is written as OpenMetrics, backfilled with promtool and replayed from the server:
selectors as raw samples, expressions through PromQL. Its outcome must be that of the arrays.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from analysis.config import CanaryConfig
from analysis.past.deployment import Deployment as Past
from analysis.past.deployment import Truth
from analysis.past.engines.making import EngineKind, make_engine
from analysis.past.listed import Server
from analysis.past.looks import Promotion, Schedule
from analysis.past.replaying import replay
from analysis.past.rows import Row
from analysis.past.work import Work
from analysis.sources.port import MetricSource
from analysis.window import as_datetime
from benchmarks.deployments import openmetrics, rule
from benchmarks.deployments.draw import Deployment, draw
from benchmarks.deployments.openmetrics import Recorded
from benchmarks.deployments.outcome import Look, outcome_of
from benchmarks.deployments.scraped import LAG_S
from judges import Verdict
from tests.support.prometheus import RealPrometheus

SEED = 11
BEGAN = 1_700_000_400.0  # a multiple of the step
# An hour, and longer than anything that is read from before a window.
APART_S = 3600.0 + 900.0
MINUTES = [10.0 * n for n in range(1, 7)]
EVERY = Schedule(every=timedelta(minutes=10), promotion=Promotion.END)
AT_ONCE = 20  # deployments that share a server: 400 MB of text


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


def from_server(seed: int, indices: Sequence[int], workers: int) -> list[Row]:
    """Replay deployments from a real Prometheus that holds their samples."""
    text = "\n".join(openmetrics.lines(recorded(seed, indices))) + "\n"
    with RealPrometheus(openmetrics=text) as prometheus:
        past = Simulated(
            seed=seed,
            indices=tuple(indices),
            server=Server(config=rule.configuration(), url=prometheus.url),
        )
        work = Work(deployments=past, schedule=EVERY)
        kind = EngineKind.PROCESS if workers > 1 else EngineKind.SERIAL
        with make_engine(kind, workers=workers) as engine:
            return replay(work, past.listed(), engine)


def in_memory(seed: int, indices: Sequence[int]) -> list[Look]:
    """Judge the same deployments as arrays."""
    deployments = [draw(seed, index) for index in indices]
    return [
        outcome_of(looks) for looks in rule.looks_of(rule.configuration(), deployments, MINUTES)
    ]


def differences(rows: Sequence[Row], looks: Sequence[Look]) -> Iterator[str]:
    """Name the deployments whose outcome from the server is not that in memory."""
    for row, look in zip(rows, looks, strict=True):
        # In no order: metrics as strong as each other are told apart by the last digits.
        theirs = (look.verdict, 60 * look.minute, sorted(look.decided_by))
        ours = (row.verdict, row.seconds_to_decision, sorted(row.decided_by))
        if row.error or ours != theirs:
            yield f"{row.id}: {ours} from the server, {theirs} in memory; {row.error or ''}"


def table(seed: int, indices: Sequence[int], rows: Sequence[Row]) -> Iterator[str]:
    """Count verdicts by fault and grade."""
    counted: Counter[tuple[str, str, Any]] = Counter()
    for index, row in zip(indices, rows, strict=True):
        fault = draw(seed, index).fault
        kind, grade = (fault.kind.value, fault.grade.value) if fault else ("none", "good")
        counted[kind, grade, row.verdict] += 1
    yield "| fault | grade | pass | fail | inconclusive |\n| --- | --- | --- | --- | --- |"
    for kind, grade in sorted({(kind, grade) for kind, grade, _ in counted}):
        cells = " | ".join(str(counted[kind, grade, verdict]) for verdict in Verdict)
        yield f"| {kind} | {grade} | {cells} |"


def main(count: int) -> int:
    """Compare, and show the table; 1 if any outcome differs."""
    rows: list[Row] = []
    different: list[str] = []
    for start in range(0, count, AT_ONCE):
        indices = range(start, min(start + AT_ONCE, count))
        found = from_server(SEED, indices, workers=2)
        different += differences(found, in_memory(SEED, indices))
        rows += found
        print(f"\r{len(rows)}/{count}, {len(different)} differ", end="", file=sys.stderr)
    print("\n".join(["", *table(SEED, range(count), rows), *different]))
    print(f"{len(rows)} deployments, {len(different)} of them otherwise than in memory")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
