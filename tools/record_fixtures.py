"""Make fixtures/recordings anew from fixtures/corpus, through a real Prometheus.

usage: .venv/bin/python tools/record_fixtures.py [RUN…]

Every recording is made by `serinus record` and judged; if a good run fails, or a bad one does not
fail by the metric that is worse, nothing is replaced and the exit code is 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from analysis.sources.prometheus import PrometheusSource
from tests.support.corpus import FAILED_BY, RECORDED, RECORDINGS, SHOP, Run, past, run
from tests.support.prometheus import RealPrometheus

ORIGIN = """\
# {name}

What Serinus asks of [the run of this name](../../corpus/{name}/ORIGIN.md), recorded with
`serinus record` from {server} that held its samples. Made by
`tools/record_fixtures.py`; not edited, except that the source is named without the address it had.

**Verdict to expect** (`expected.json`): {verdict}{metrics}.
"""


def main(names: list[str]) -> int:
    """Record the runs; 1 if a verdict is not what the run's design demands."""
    runs = [run(name) for name in names or RECORDED]
    with (
        tempfile.TemporaryDirectory(prefix=".record-", dir=RECORDINGS) as folder,
        RealPrometheus(openmetrics=past(one.name for one in runs)) as prometheus,
    ):
        server = f"Prometheus {PrometheusSource(url=prometheus.url).server_version()}"
        faults = [_make(one, Path(folder), prometheus.url, server) for one in runs]
        if any(faults):
            print("\n".join(fault for fault in faults if fault), file=sys.stderr)
            return 1
        for one in runs:
            _replace(Path(folder) / one.name, RECORDINGS / one.name)
    (RECORDINGS / "deployments.csv").write_text(labels(RECORDED), encoding="utf-8")
    return 0


def labels(names: Iterable[str]) -> str:
    """Give what is known of runs as the list that `serinus replay` reads beside recordings."""
    rows = ["id,truth,fault_start,service"]
    for name in names:
        one = run(name)
        truth = "good" if one.is_good else "bad"
        since = "" if one.fault_start is None else f"{one.fault_start:.3f}"
        rows.append(f"{name},{truth},{since},shop")
    return "\n".join(rows) + "\n"


def _make(one: Run, folder: Path, url: str, server: str) -> str:
    """Record and judge a run; what is wrong with the verdict, or nothing."""
    made = folder / one.name
    _serinus("record", SHOP, "--prometheus", url, *one.selection, "--output", made)
    _name_source(made / "recording.json", f"{server} with fixtures/corpus/{one.name}")
    report = _judge(made)
    verdict, decided_by = report["verdict"], report["decided_by"]
    _write(made / "expected.json", {"verdict": verdict, "decided_by": decided_by})
    metrics = f", by {' and '.join(decided_by)}" if decided_by else ""
    text = ORIGIN.format(name=one.name, server=server, verdict=verdict, metrics=metrics)
    (made / "ORIGIN.md").write_text(text, encoding="utf-8")
    size_kb = sum(path.stat().st_size for path in made.iterdir()) / 1000
    print(f"{one.name:<10} {size_kb:4.0f} kB  {verdict}{metrics}")
    return _fault(one, verdict, decided_by)


def _judge(recording: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(
        _serinus("judge", SHOP, "--recording", recording, "--format", "json")
    )
    return report


def _serinus(*words: str | Path) -> str:
    command = [sys.executable, "-m", "analysis.cli", *map(str, words)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if not done.stdout:
        sys.exit(done.returncode)
    return done.stdout


def _fault(one: Run, verdict: str, decided_by: list[str]) -> str:
    metric = FAILED_BY.get(one.name)
    if metric and (verdict, decided_by[:1]) != ("fail", [metric]):
        return f"{one.name} must fail by its {metric}, got {verdict} by {decided_by}"
    if one.is_good and verdict == "fail":
        return f"{one.name} is good and must not fail, got {verdict} by {decided_by}"
    return ""


def _name_source(path: Path, name: str) -> None:
    """Put a lasting name in the place of a port that was free for a minute."""
    document = json.loads(path.read_text(encoding="utf-8"))
    _write(path, {**document, "source": name})


def _write(path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def _replace(made: Path, kept: Path) -> None:
    kept.mkdir(exist_ok=True)
    for path in made.iterdir():
        path.replace(kept / path.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
