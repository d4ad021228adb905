"""Two thousand pods a side for an hour on a real Prometheus: what an analysis costs both of them.

    python -m benchmarks.sources.fleet [PODS]

Making the past takes a minute of processor time and a gigabyte on disk, which is removed again.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.fleet import Fleet
from tests.support.prometheus import RealPrometheus

PODS = 2000
START = 1_700_000_000
SELECTED = (f"--start={START}", f"--end={START + 3600}")
# Pods 0 to 19 of either side, small enough to be read both ways.
TWENTY = ', pod=~"(old|new)-1?[0-9]"'
ALL_RAW = 10**9
TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One call of `serinus judge`.

    Attributes:
        report: What it printed.
        wall_s: How long it took.
        own_s: Processor time of the command.
        server_s: Processor time of Prometheus meanwhile.
        peak_mb: The most memory the command held.
    """

    report: dict[str, Any]
    wall_s: float
    own_s: float
    server_s: float
    peak_mb: float


def config(url: str, step: str, matchers: str, budget: int) -> str:
    """Describe an analysis of response times and failures."""
    latency = f'latency_bucket{{hash="${{hash}}"{matchers}}}'
    selectors = {
        name: f'{metric}_total{{hash="${{hash}}"{matchers}}}'
        for name, metric in (("events", "failures"), ("total", "requests"))
    }
    # On a machine with much else to do a query takes longer than anybody would wait for it.
    patience = {"timeout": "100s", "deadline": "300s"}
    server = {"url": url, "step": step, "max_samples": budget, **patience}
    judge = {"kind": "quantile_ratio", "quantile": 0.95, "tolerance": "5%"}
    document = {
        "name": "fleet",
        "source": {"prometheus": server},
        "variables": {"baseline": {"hash": "old"}, "canary": {"hash": "new"}},
        "window": {"planned": "1h", "warmup": "5m"},
        "metrics": [
            {"name": "latency", "histogram": latency, "pods": "pod", "judge": judge},
            {"name": "errors", "counts": selectors, "pods": "pod"},
        ],
    }
    return json.dumps(document)


def judge(prometheus: RealPrometheus, folder: Path, text: str) -> Run:
    """Run the command in a process of its own and watch both."""
    path = folder / "canary.yaml"
    path.write_text(text)
    before, began = server_s(prometheus.pid), time.monotonic()
    command = [sys.executable, "-m", "analysis.cli", "judge", str(path), *SELECTED]
    process = subprocess.Popen([*command, "--format", "json"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    output = process.stdout.read()
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0  # it has been waited for
    return Run(
        report=json.loads(output),
        wall_s=time.monotonic() - began,
        own_s=used.ru_utime + used.ru_stime,
        server_s=server_s(prometheus.pid) - before,
        peak_mb=used.ru_maxrss / 1024,
    )


def server_s(pid: int) -> float:
    """Give the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def told(name: str, run: Run) -> str:
    """Word a row of the table."""
    verdicts = " ".join(f"{m['name']}={m['verdict']}" for m in run.report["metrics"])
    return (
        f"| {name} | {run.wall_s:.1f} s | {run.own_s:.1f} s | {run.server_s:.1f} s "
        f"| {run.peak_mb:.0f} MB | {run.report['verdict']} ({verdicts}) |"
    )


def main(pods: int) -> None:
    """Make the past, judge all of it at several steps, and twenty pods both ways."""
    fleet = Fleet(pods=pods, start=START, slower=1.5)
    with tempfile.TemporaryDirectory(prefix="fleet-") as name:
        folder = Path(name)
        fleet.write(folder / "past.om")
        size_mb = (folder / "past.om").stat().st_size / 1e6
        with RealPrometheus(openmetrics=folder / "past.om") as prometheus:
            (folder / "past.om").unlink()
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            print(f"{pods} pods a side, {size_mb:.0f} MB of text, promtool {used.ru_utime:.0f} s")
            print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
            print("| analysis | wall | own | server | peak | verdict |")
            print("| --- | --- | --- | --- | --- | --- |")
            for step in ("60s", "30s", "15s"):
                run = judge(prometheus, folder, config(prometheus.url, step, "", 2_000_000))
                print(told(f"all, step {step}", run))
            raw, summed = (
                judge(prometheus, folder, config(prometheus.url, "30s", TWENTY, budget))
                for budget in (ALL_RAW, 1_000)
            )
            print(told("20 pods, raw", raw))
            print(told("20 pods, summed", summed))
            print(next(w for w in summed.report["metrics"][0]["warnings"] if "summed them" in w))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PODS)
