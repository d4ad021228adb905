"""Measure how fast recorded deployments are replayed; see the package.

usage: python -m benchmarks.replay [--counts 100,1000,10000] [--engines process,dask]
       [--most 10000]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks import yardstick
from benchmarks.replay import corpus

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "replay-speed.md"
WORKERS = 2
TEMPLATE = """# Speed of replays

Made by `make replays`; do not edit. {count_words} recorded deployments of {steps} steps and twelve
metrics of the default kinds (five gauges, six quotients of counters, a histogram of ten buckets),
one series a side, from local files, each looked at every five minutes of its hour (`--looks 5m
--promote end`: 13 looks). {workers} workers on {cores} processors, Python {python}. Goal: 40
deployments a second on two idle processors, under 1.5 GB, linear, Dask within 15 %.

| deployments | engine | a second | CPU ms each | stretched | CPU ms each, idle | memory MB |
| --- | --- | --- | --- | --- | --- | --- |
{rows}

*CPU ms each* is the processor time of all processes, start included, over the deployments.
*stretched* says by how much other work on the machine lengthened processor time during the run:
that of a yardstick (scipy's Mann-Whitney test at 360 steps) over its time on an idle machine.
*idle* is the quotient of the two: two processors with nothing else to do would replay 2000 divided
by it a second. *memory* is the largest resident size of the client and {workers} times that of the
largest worker.
"""


def measured(folder: Path, engine: str) -> dict[str, float]:
    """Replay a folder in a process of its own; give its figures."""
    stretched = [yardstick.stretched()]
    command = [sys.executable, "-m", "benchmarks.replay.once", str(folder), engine, str(WORKERS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    out = None
    while out is None:
        try:
            out, _ = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            stretched.append(yardstick.stretched())
    if process.returncode:
        sys.exit(process.returncode)
    stretched.append(yardstick.stretched())
    figures: dict[str, float] = json.loads(out)
    return figures | {"stretched": float(np.mean(stretched))}


def rows(counts: Sequence[int], engines: Sequence[str], most: int) -> Iterator[str]:
    """Measure every count on the first engine, and those up to `most` on the others."""
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="replay-") as place:
            corpus.write(Path(place), count)
            for engine in engines if count <= most else engines[:1]:
                found = measured(Path(place), engine)
                each = 1e3 * found["cpu_s"] / count
                row = (
                    f"| {count:,} | {engine} | {count / found['wall_s']:.1f} | {each:.0f} | "
                    f"{found['stretched']:.2f} | {each / found['stretched']:.0f} | "
                    f"{found['memory_mb']:.0f} |"
                )
                print(row, flush=True)
                yield row


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay")
    parser.add_argument("--counts", default="100,1000,10000")
    parser.add_argument("--engines", default="process,dask")
    parser.add_argument("--most", type=int, default=10_000, help="for engines after the first")
    given = parser.parse_args()
    counts = [int(count) for count in given.counts.split(",")]
    text = TEMPLATE.format(
        count_words=" to ".join(f"{count:,}" for count in (counts[0], counts[-1])),
        steps=corpus.STEPS,
        workers=WORKERS,
        cores=os.cpu_count(),
        python=platform.python_version(),
        rows="\n".join(rows(counts, given.engines.split(","), given.most)),
    )
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
