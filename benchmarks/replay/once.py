"""Replay a folder once and print what it took, as JSON.

usage: python -m benchmarks.replay.once FOLDER ENGINE WORKERS
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from analysis.config import load_config
from analysis.past.engines.making import EngineKind, make_engine
from analysis.past.folder import RecordedDeployments
from analysis.past.looks import Promotion, Schedule
from analysis.past.replaying import replay
from analysis.past.results import Results
from analysis.past.work import Work
from benchmarks.replay.corpus import CONFIGURATION


def main(folder: Path, engine: EngineKind, workers: int) -> None:
    """Replay, and print wall and processor seconds and memory."""
    schedule = Schedule(every=timedelta(minutes=5), promotion=Promotion.END)
    past = RecordedDeployments(folder=folder)
    work = Work(deployments=past, schedule=schedule, config=load_config(CONFIGURATION))
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="results-") as place,
        make_engine(engine, workers=workers) as running,
    ):
        results = Results(Path(place) / "verdicts.jsonl")
        found = replay(work, past.listed(), running, results=results)
    wall_s = time.monotonic() - began
    if any(row.error for row in found):
        sys.exit(f"not judged: {next(row.error for row in found if row.error)}")
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    figures = {
        "wall_s": wall_s,
        "cpu_s": sum(one.ru_utime + one.ru_stime for one in (own, others)),
        "memory_mb": (own.ru_maxrss + workers * others.ru_maxrss) / 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]), EngineKind(sys.argv[2]), int(sys.argv[3]))
