"""Run the cells that have not been measured yet, and write the document."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache as remember
from pathlib import Path

from benchmarks.calibration import (
    cache,
    cells,
    document,
    errors,
    gauges,
    goals,
    histograms,
    late,
    laws,
    leaks,
    looks,
    margins,
    pods,
    rollouts,
    spikes,
    tables,
)
from benchmarks.calibration.cache import Run, Store
from benchmarks.calibration.cells import Cell, Measured, Results
from benchmarks.calibration.tables import Table

DOCUMENT = cache.ROOT / "docs" / "reference" / "error-rates.md"
REPLICATES = 2000
PROCESSES = 2
# In the order of the document: what matters most to a rollout comes first.
TABLES: tuple[Table, ...] = (
    rollouts.TABLE,
    looks.TABLE,
    looks.ERROR_TABLE,
    late.TABLE,
    gauges.TABLE,
    margins.TABLE,
    errors.TABLE,
    histograms.TABLE,
    pods.TABLE,
    leaks.TABLE,
    spikes.TABLE,
    laws.TABLE,
)
BY_NAME = {table.name: table for table in TABLES}


@remember
def cells_of(table: str) -> Mapping[str, Cell]:
    """Give the cells of a table by name; each process makes them once, for they do not travel."""
    return {cell.name: cell for cell in BY_NAME[table].cells()}


def measure(table: str, cell: str, run: Run) -> tuple[dict[str, Measured], float]:
    """Measure a cell, in whatever process; give its results and the seconds it took."""
    begun = time.perf_counter()
    found = cells.measure(cells_of(table)[cell], seed=run.seed, replicates=run.replicates)
    return found, time.perf_counter() - begun


def run_all(todo: Sequence[tuple[Cell, Run]], store: Store, processes: int) -> None:
    """Measure cells and keep each result as soon as it is there."""
    with ProcessPoolExecutor(processes) as pool:
        jobs = {pool.submit(measure, cell.table, cell.name, run): (cell, run) for cell, run in todo}
        try:
            for number, job in enumerate(as_completed(jobs), start=1):
                cell, run = jobs[job]
                results, seconds = job.result()
                store.save(cell, run, results)
                print(f"{number}/{len(jobs)} {cell.name} ({seconds:.1f} s)", file=sys.stderr)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise SystemExit("stopped; the same command goes on from here") from None


def known(
    table: Table, run: Run, store: Store, *, by_any_code: bool
) -> Iterator[tuple[Cell, Run, Results]]:
    """Give the cells of a table that have been measured."""
    for cell in cells_of(table.name).values():
        found = store.latest(cell, run)
        if found is not None and (by_any_code or found[0] == run):
            yield cell, *found


def sections(runs: Mapping[str, Run], store: Store, *, by_any_code: bool) -> dict[str, str]:
    """Write a section for each table that has results, and the goals if they all have some."""
    measured: dict[str, Results] = {}
    found: dict[str, str] = {}
    for table in TABLES:
        rows = list(known(table, runs[table.name], store, by_any_code=by_any_code))
        measured |= {cell.name: results for cell, _, results in rows}
        if rows:
            made = [cell for cell, _, _ in rows]
            found[table.title] = tables.section(table, made, measured, str(rows[0][1]))
    wanted = {name for table in TABLES for name in cells_of(table.name)}
    if all(cell in measured for goal in goals.goals() for cell in goal.cells if cell in wanted):
        found[goals.TITLE] = goals.section(measured)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is missing and write the document."""
    chosen = _parser().parse_args(arguments)
    store = Store(folder=chosen.cache)
    runs = {
        table.name: cache.run_of(table.module, seed=chosen.seed, replicates=chosen.replicates)
        for table in TABLES
    }
    if not chosen.cached:
        names = chosen.only or BY_NAME
        wanted = [(cell, runs[name]) for name in names for cell in cells_of(name).values()]
        todo = [(cell, run) for cell, run in wanted if store.load(cell, run) is None]
        print(f"{len(wanted) - len(todo)} of {len(wanted)} cells are known", file=sys.stderr)
        run_all(todo, store, chosen.processes)
    _write(chosen, sections(runs, store, by_any_code=chosen.cached))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.calibration", description=__doc__)
    parser.add_argument("--only", action="append", choices=BY_NAME, help="measure this table")
    parser.add_argument("--replicates", type=int, default=REPLICATES, help="of each cell")
    parser.add_argument("--seed", type=int, default=cells.REPORTED_SEED)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--cache", type=Path, default=cache.FOLDER, help="where results are kept")
    parser.add_argument(
        "--cached", action="store_true", help="measure nothing; write what older code measured too"
    )
    parser.add_argument(
        "--output", type=Path, help="default: the committed document, or with another seed or "
        "fewer replicates the screen"
    )  # fmt: skip
    return parser


def _write(chosen: argparse.Namespace, found: Mapping[str, str]) -> None:
    """Write to the committed document only what was made with its seed and enough replicates."""
    order = [goals.TITLE, *(table.title for table in TABLES)]
    committed = chosen.seed == cells.REPORTED_SEED and chosen.replicates >= REPLICATES
    output = chosen.output or (DOCUMENT if committed else None)
    if output is None:
        print(document.merged("", found, order))
    else:
        document.write(output, found, order)


if __name__ == "__main__":
    main()
