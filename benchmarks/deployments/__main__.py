"""Judge simulated deployments and write the table: `make deployments`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.deployments import page, run

# Whatever there is to choose is chosen on seeds 1 and 2, and never on these.
REPORTED_SEEDS = (9001, 9002, 9003, 9004, 9005)
TABLE = Path(__file__).parents[2] / "docs" / "reference" / "deployments.md"
LAST = 60.0
STOPPED = 130  # what a shell reports of a command that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the deployments and write the page."""
    chosen = _parser().parse_args(arguments)
    minutes = _minutes(chosen.first, chosen.every)
    names = chosen.rules or list(run.rules())
    try:
        rows = run.play_all(chosen.seeds, chosen.count, names, minutes, chosen.processes)
    except KeyboardInterrupt:
        print("\nstopped; nothing was written", file=sys.stderr)
        return STOPPED
    if chosen.rows:
        lines = (json.dumps(asdict(row), ensure_ascii=False) for row in rows)
        chosen.rows.write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = page.document(rows, names, minutes)
    if chosen.output == Path("-"):
        print(text)
    else:
        chosen.output.write_text(text, encoding="utf-8")
    return 0


def _minutes(first: float, every: float) -> list[float]:
    """Give the looks: from the first at equal distances, and always one at the end."""
    steps = int((LAST - first) // every)
    return sorted({*(first + every * step for step in range(steps + 1)), LAST})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.deployments", description=__doc__)
    add = parser.add_argument
    add("--seeds", type=int, nargs="+", default=list(REPORTED_SEEDS), metavar="SEED")
    add("--count", type=int, default=200, help="deployments of each seed")
    add("--first", type=float, default=10.0, help="minute of the first look")
    add("--every", type=float, default=5.0, help="minutes between looks")
    add("--rules", nargs="+", choices=list(run.rules()), help="only these; the first is required")
    add("--processes", type=int, default=os.cpu_count())
    add("--rows", type=Path, help="write what became of each deployment, a JSON object a line")
    add("--output", type=Path, default=TABLE, help="the page; - prints it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
