"""Two live rollouts at once, judged while they run: one with an error fault, one without."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import Done, run_serinus
from tests.support.prometheus import RealPrometheus

ROOT = Path(__file__).parents[2]
RATE, LOAD_S = 70, 66.0
FIRST_LOOK_S, LOOK_EVERY_S = 12.0, 3.0
WITHIN_S = 60.0
PASS, FAIL, INCONCLUSIVE = 0, 1, 3

# One request of so many fails: as few in the good canary as before, many in the bad one.
ERRORS_EVERY = {"v1": 250, "v2-good": 260, "v2-bad": 20}
CANARIES = ("v2-good", "v2-bad")

CONFIG = """\
version: 1
name: live shop
source: {prometheus: {step: 2s, lag: 2s}}
variables:
  baseline: {version: v1}
  canary: {version: null}
window: {planned: 66s, warmup: 4s}
metrics:
  - name: error ratio
    critical: true
    counts:
      events: http_requests_total{version="${version}", code=~"5.."}
      total: http_requests_total{version="${version}"}
    judge:
      kind: error_ratio
      tolerance: {ratio: 1.25, absolute: 0.002}
      margin: {ratio: 2, absolute: 0.02}

  # Loopback and a busy machine: only what is far apart may count here.
  - name: mean latency
    critical: true
    sums:
      numerator: http_request_duration_seconds_sum{version="${version}"}
      denominator: http_request_duration_seconds_count{version="${version}"}
    judge: {kind: mann_whitney, tolerance: 100%, margin: 200%}

  - name: restarts
    critical: true
    query: max(changes(process_start_time_seconds{version="${version}"}[1m]))
    judge: {kind: threshold, max: 0, statistic: last}
"""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Three versions under load, and the server that watches them.

    Attributes:
        url: The server.
        config: What is asked of it.
        load: The process that sends the requests, until it ends by itself.
        begin: When it began, epoch seconds.
    """

    url: str
    config: Path
    load: subprocess.Popen[bytes]
    begin: float

    def judge(self, canary: str) -> Done:
        """Look at a canary, with what has been scraped so far."""
        asked = ("--prometheus", self.url, f"--canary=version={canary}", f"--start={self.begin}")
        return run_serinus("judge", self.config, *asked, "--format", "json")


@pytest.fixture
def rollout(requires_prometheus: object, tmp_path: Path) -> Iterator[Rollout]:
    config = tmp_path / "canary.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    with ExitStack() as exits:
        ports = {
            version: started(exits, "serve", "--errors-every", str(errors))[1]
            for version, errors in ERRORS_EVERY.items()
        }
        prometheus = exits.enter_context(RealPrometheus(scrape_configs=[scrape_config(ports)]))
        targets = [f"127.0.0.1:{port}" for port in ports.values()]
        load, _ = started(exits, "load", f"--rate={RATE}", f"--seconds={LOAD_S}", *targets)
        yield Rollout(url=prometheus.url, config=config, load=load, begin=time.time())


def started(exits: ExitStack, *words: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start a part of the shop, to be ended with the test; give its port if it serves."""
    process = exits.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.shop", *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    )
    exits.callback(process.kill)  # before it is waited for
    assert process.stdout is not None
    return process, int(process.stdout.readline()) if words[0] == "serve" else 0


def scrape_config(ports: dict[str, int]) -> dict[str, object]:
    """Scrape every version, each with its label."""
    targets = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"version": version}}
        for version, port in ports.items()
    ]
    return {"job_name": "shop", "static_configs": targets}


def is_under_load(rollout: Rollout, wait_s: float) -> bool:
    """Wait, unless the load ends; tell whether it goes on."""
    try:
        rollout.load.wait(wait_s)
    except subprocess.TimeoutExpired:
        return True
    return False


def test_harm_is_found_while_it_runs_and_only_where_it_is(rollout: Rollout) -> None:
    looks: dict[str, list[Done]] = {canary: [] for canary in CANARIES}
    failed_after_s = None
    while is_under_load(rollout, LOOK_EVERY_S if looks["v2-good"] else FIRST_LOOK_S):
        looks["v2-good"].append(rollout.judge("v2-good"))
        if failed_after_s is None:
            looks["v2-bad"].append(rollout.judge("v2-bad"))
            if looks["v2-bad"][-1].code == FAIL:
                failed_after_s = time.time() - rollout.begin

    assert failed_after_s is not None, looks["v2-bad"][-1]
    assert failed_after_s < WITHIN_S
    assert looks["v2-bad"][-1].report["decided_by"] == ["error ratio"]

    assert {look.code for look in looks["v2-good"]} <= {PASS, INCONCLUSIVE}
    assert len(looks["v2-good"]) >= 5
    last = looks["v2-good"][-1]
    assert all(metric["guards"] == [] for metric in last.report["metrics"])
    assert last.metric("mean latency")["verdict"] == "pass"
