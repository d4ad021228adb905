"""Put AnalysisRuns on a service with a real Prometheus, and measure: `make load`.

Everything is started here, on free loopback ports, and ends with it. The page says what was
measured; the machine is described by whoever ran it (`--note`).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.service.callers import Call, Callers, bodies
from benchmarks.service.rollouts import Rollouts, document
from benchmarks.service.usage import Watch
from tests.support.prometheus import RealPrometheus
from tests.support.service import RunningService, served

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "load.md"
STOPPED = 130  # what a shell reports of a command that Ctrl-C ended
PAST_S = 600.0  # judged at the first look; the window grows from there
MOST_RUNS, MOST_MINUTES = 1000, 60.0
SLOWEST_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much, and for how long.

    Attributes:
        runs: AnalysisRuns at once.
        every_s: Seconds between the calls of one run, and between the looks at its analysis.
        lasts: For how long.
        applications: That the runs are spread over.
        workers: Looks under way at once.
    """

    runs: int = 200
    every_s: float = 30.0
    lasts: timedelta = timedelta(minutes=10)
    applications: int = 10
    workers: int = 8


ASKED = Load()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a load was answered with.

    Attributes:
        load: How much it was.
        calls: What became of every call.
        looks: How many looks were made.
        service: What the service took.
        bugs: Looks that ended in an error of ours.
    """

    load: Load
    calls: tuple[Call, ...]
    looks: int
    service: Watch
    bugs: int

    @property
    def errors(self) -> list[Call]:
        """Give the calls that were not answered."""
        return [call for call in self.calls if not call.is_answered]

    def slowest(self, share: float) -> float:
        """Give the seconds within which a share of the calls was answered."""
        return float(np.quantile([call.seconds for call in self.calls], share))

    @property
    def seconds_between_looks(self) -> float:
        """Give the mean time between two looks at one analysis."""
        return self.load.lasts.total_seconds() * self.load.runs / max(self.looks, 1)

    @property
    def growth(self) -> float:
        """Give the share by which memory rose from the third quarter to the last."""
        return self.service.resident_mb(0.75, 1.0) / self.service.resident_mb(0.5, 0.75) - 1


def measure(load: Load) -> Measured:
    """Start everything, put the load on it, and measure."""
    now = time.time()
    rollouts = Rollouts(
        applications=load.applications,
        start=now - PAST_S - 60.0,
        end=now + load.lasts.total_seconds() + 300.0,
    )
    with _started(load, rollouts) as running:
        asked = bodies(rollouts.namespaces, load.runs, now - PAST_S, "3h")
        callers = Callers(url=running.client.url, every_s=load.every_s)
        with Watch(pid=running.process.pid) as watch:
            callers.run(asked, load.lasts)
        counted = running.client.get("/metrics").text
    return Measured(
        load=load,
        calls=tuple(call for calls in callers.calls.values() for call in calls),
        looks=int(_value(counted, "serinus_looks_total")),
        service=watch,
        bugs=int(_value(counted, "serinus_bugs_total")),
    )


@contextmanager
def _started(load: Load, rollouts: Rollouts) -> Iterator[RunningService]:
    with ExitStack() as exits:
        home = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="load-")))
        (home / "load.yaml").write_text(json.dumps(document()))  # JSON is YAML
        prometheus = exits.enter_context(RealPrometheus(openmetrics=rollouts.openmetrics()))
        yield exits.enter_context(
            served(
                *("--configs", home, "--workers", str(load.workers)),
                *("--look-every", f"{load.every_s:g}s"),
                PROMETHEUS_URL=prometheus.url,
            )
        )


def _value(exposed: str, name: str) -> float:
    """Add up a metric over its labels."""
    lines = (line for line in exposed.splitlines() if line.startswith((f"{name} ", f"{name}{{")))
    return sum(float(line.rpartition(" ")[2]) for line in lines)


TEMPLATE = """# Load

Made by `make load`; do not edit. {runs} AnalysisRuns, each with {metrics} metrics over
{applications} applications of three pods a side, poll every {every:g} s for {minutes:g} minutes, on
a new connection each time; no analysis is ever decided, so all are looked at to the end. One
process of the service with {workers} workers and SQLite, a real Prometheus beside it. {note}

| what | measured | goal |
| --- | --- | --- |
| calls | {calls} | |
| errors | {errors} | 0 |
| bugs | {bugs} | 0 |
| answer, p50 | {p50:.0f} ms | |
| answer, p99 | {p99:.0f} ms | under 2,000 ms |
| answer, slowest | {slowest:.0f} ms | |
| looks | {looks} | |
| time between two looks at an analysis | {between:.0f} s | {every:g} s |
| memory in the quarters of the time | {memory} MB | flat |
| memory, last quarter over the third | {growth:+.1%} | flat |
| processor of the service | {cores:.2f} cores | |
| processor time a look, polls included | {look_ms:.0f} ms | |
"""


def page(measured: Measured, note: str) -> str:
    """Write the page."""
    load, watch = measured.load, measured.service
    quarters = [watch.resident_mb(0.25 * part, 0.25 * part + 0.25) for part in range(4)]
    taken_s = watch.readings[-1].cpu_s - watch.readings[0].cpu_s
    return TEMPLATE.format(
        runs=load.runs,
        metrics=len(document()["metrics"]),
        applications=load.applications,
        every=load.every_s,
        minutes=load.lasts / timedelta(minutes=1),
        workers=load.workers,
        note=note,
        calls=f"{len(measured.calls):,}",
        errors=len(measured.errors),
        bugs=measured.bugs,
        p50=1e3 * measured.slowest(0.5),
        p99=1e3 * measured.slowest(0.99),
        slowest=1e3 * measured.slowest(1.0),
        looks=f"{measured.looks:,}",
        between=measured.seconds_between_looks,
        memory=", ".join(f"{one:.0f}" for one in quarters),
        growth=measured.growth,
        cores=watch.cores,
        look_ms=1e3 * taken_s / max(measured.looks, 1),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the page; 1 if a call was not answered, or answers were slow."""
    chosen = _parser().parse_args(arguments)
    load = Load(
        runs=min(chosen.runs, MOST_RUNS),
        every_s=chosen.every,
        lasts=timedelta(minutes=min(chosen.minutes, MOST_MINUTES)),
        workers=chosen.workers,
    )
    try:
        measured = measure(load)
    except KeyboardInterrupt:
        print("\nstopped; nothing was written", file=sys.stderr)
        return STOPPED
    text = page(measured, chosen.note)
    print(text)
    if chosen.output != Path("-"):
        chosen.output.write_text(text, encoding="utf-8")
    return int(bool(measured.errors) or measured.slowest(0.99) > SLOWEST_S)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.service.load", description=__doc__)
    add = parser.add_argument
    add("--runs", type=int, default=ASKED.runs, help=f"at once; at most {MOST_RUNS}")
    add("--every", type=float, default=ASKED.every_s, help="seconds between calls of one run")
    add("--minutes", type=float, default=10.0, help=f"at most {MOST_MINUTES:g}")
    add("--workers", type=int, default=ASKED.workers, help="looks under way at once")
    add("--note", default="", help="on what machine, and what else it did")
    add("--output", type=Path, default=PAGE, help="the page; - prints it only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
