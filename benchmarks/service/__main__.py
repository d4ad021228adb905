"""Measure what the service adds to Prometheus' own time: `python -m benchmarks.service`.

The source answers at once, so all that is measured is ours: HTTP, the engine, the store. Times are
processor time of the whole process, the benchmark's own client within it included. On a machine
that others use too it is stretched: so each call is measured beside a yardstick, and told as an
idle machine would have it too. The wall clock means little there.
"""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from analysis.config import parse_config
from analysis.engine import analyze
from analysis.service.app import create_app, make_service
from analysis.service.listening import Listening, server
from analysis.service.settings import Settings
from analysis.service.warming import warm_up
from analysis.window import Window
from benchmarks import yardstick
from benchmarks.service.source import START, STEP_S, STEPS, Instant, configuration

CALLS, POLLS, WARM = 40, 400, 5
# Tests of the yardstick between two calls: some 3 ms of an idle machine.
YARDS = 10
END = START + STEPS * STEP_S
SIDES = {"baseline": {"hash": "a"}, "canary": {"hash": "b"}}
# What the issue of the service asks for.
MOST_MS, LEAST_POLLS = 50.0, 40.0


@contextmanager
def serving(source: Instant) -> Iterator[http.client.HTTPConnection]:
    """Serve in a thread; give a connection that is kept."""
    with tempfile.TemporaryDirectory() as home:
        configs = Path(home) / "configs"
        configs.mkdir()
        (configs / "benchmark.yaml").write_text(configuration())
        settings = Settings(
            configs=configs, database_url=f"sqlite:///{home}/b.db", calls_per_second=1e9
        )
        service = make_service(settings, lambda _: source, lambda: END + 1.0)
        quiet = {"version": 1, "disable_existing_loggers": False}
        running = server(create_app(service), Listening(log=quiet))
        thread = threading.Thread(target=running.run, daemon=True)
        thread.start()
        try:
            yield http.client.HTTPConnection("127.0.0.1", _port(running))
        finally:
            running.should_exit = True
            thread.join()


def _port(running: uvicorn.Server) -> int:
    while not running.started:
        time.sleep(0.01)
    port: int = running.servers[0].sockets[0].getsockname()[1]
    return port


def ask(connection: http.client.HTTPConnection, key: str) -> bytes:
    """Start an analysis or fetch it."""
    body = json.dumps({"config": "benchmark", "start": START, "end": END, **SIDES})
    headers = {"Content-Type": "application/json"}
    connection.request("PUT", f"/v1/analyses/{key}", body, headers)
    answer = connection.getresponse()
    told = answer.read()
    if answer.status != 200:
        raise RuntimeError(told.decode())
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Milliseconds, call by call, and by how much each call was stretched."""

    cpu: tuple[float, ...]
    wall: tuple[float, ...]
    stretched: tuple[float, ...]

    @property
    def idle(self) -> tuple[float, ...]:
        """Give the processor time of each call as an idle machine would need it."""
        return tuple(one / by for one, by in zip(self.cpu, self.stretched, strict=True))


def timed(work: Callable[[int], object], times: int) -> Times:
    """Measure calls, each beside the yardstick."""
    cpu, wall, stretched, before = [], [], [], yardstick.stretched(YARDS)
    for number in range(times):
        began = time.process_time(), time.perf_counter()
        work(number)
        cpu.append(1000 * (time.process_time() - began[0]))
        wall.append(1000 * (time.perf_counter() - began[1]))
        after = yardstick.stretched(YARDS)
        stretched.append((before + after) / 2)
        before = after
    return Times(cpu=tuple(cpu), wall=tuple(wall), stretched=tuple(stretched))


def show(what: str, times: Times) -> None:
    """Print the median and the 99th percentile."""
    told = {"processor": times.cpu, "idle": times.idle, "wall clock": times.wall}
    for name, values in told.items():
        late = statistics.quantiles(values, n=100)[98]
        print(f"{what:<34} {name:<11} p50 {statistics.median(values):7.1f} ms  p99 {late:7.1f} ms")


def main() -> None:
    """Measure and print."""
    source, config = Instant(), parse_config(configuration())
    window = Window(start=START, end=END, warmup_s=0.0, step_s=STEP_S)
    if (warming := warm_up()) is not None:
        warming.join()
    show("engine alone, 20 metrics", timed(lambda _: analyze(config, source, window, SIDES), 20))
    with serving(source) as connection:
        for number in range(WARM):
            ask(connection, f"warm.{number}")
        whole = timed(lambda number: ask(connection, f"key.{number}"), CALLS)
        show("synchronous call, 20 metrics", whole)
        polls = timed(lambda _: ask(connection, "key.0"), POLLS)
        show("poll of a cached verdict", polls)
    per_core = 1000.0 * POLLS / sum(polls.cpu), 1000.0 * POLLS / sum(polls.idle)
    overhead = statistics.median(whole.cpu), statistics.median(whole.idle)
    print(f"stretched by {statistics.median(whole.stretched):.2f}")
    print(
        f"polls a second and core: {per_core[0]:.0f}, idle {per_core[1]:.0f} (>= {LEAST_POLLS:g})"
    )
    print(f"overhead, p50: {overhead[0]:.1f} ms, idle {overhead[1]:.1f} ms (<= {MOST_MS:g} ms)")


if __name__ == "__main__":
    main()
