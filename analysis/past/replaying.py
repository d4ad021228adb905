"""Replay past deployments: on any engine, resumed where an earlier run ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext

from analysis.past.deployment import Deployment
from analysis.past.engines.chunks import chunk_size, chunked
from analysis.past.engines.port import Engine, Lost
from analysis.past.results import Results
from analysis.past.rows import Row, row_of_error
from analysis.past.work import Work

# (deployments done, deployments in all, how many of those done were kept from an earlier run)
OnProgress = Callable[[int, int, int], None]


def no_progress(done: int, total: int, kept: int, /) -> None:
    """Show nothing."""


def replay(
    work: Work,
    deployments: Sequence[Deployment],
    engine: Engine,
    *,
    results: Results | None = None,
    progress: OnProgress = no_progress,
) -> list[Row]:
    """Judge past deployments; the same rows in the same order on every engine.

    Args:
        work: Where they are, how they are judged and when they are looked at.
        deployments: Which.
        engine: Where the work runs; entered by the caller.
        results: Where rows are kept as they come; what is there already is not judged again,
            unless it failed.
        progress: Told how many have been judged.

    Raises:
        ConfigError: The results file is of another kind.
        DeliveryError: Results cannot be written; what has been judged is kept.
    """
    known = results.kept() if results else {}
    wanted = dict(zip(work.keys(deployments), deployments, strict=True)) if known else {}
    rows = {one.id: known[key].labeled(one) for key, one in wanted.items() if key in known}
    kept = len(rows)
    progress(kept, len(deployments), kept)
    with results or nullcontext():
        for found in _judged(work, [one for one in deployments if one.id not in rows], engine):
            if results:
                results.add(found)
            rows |= {row.id: row for row in found}
            progress(len(rows), len(deployments), kept)
        ordered = [rows[one.id] for one in deployments]
        if results:
            results.finish(ordered)
    return ordered


def _judged(work: Work, deployments: Sequence[Deployment], engine: Engine) -> Iterator[list[Row]]:
    """Judge chunk by chunk; of a chunk that costs workers each deployment by itself."""
    size, lost = chunk_size(len(deployments), engine.workers), list[Deployment]()
    chunks = chunked(deployments, size)
    found: list[Row] | Lost
    for chunk, found in zip(
        chunked(deployments, size), engine.map_chunks(work, chunks), strict=True
    ):
        if isinstance(found, Lost):
            lost += chunk
        else:
            yield found
    for chunk, found in zip(
        chunked(lost, 1), engine.map_chunks(work, chunked(lost, 1)), strict=True
    ):
        yield [_row_of_lost(work, chunk[0], found)] if isinstance(found, Lost) else found


def _row_of_lost(work: Work, deployment: Deployment, lost: Lost) -> Row:
    """Write down that a deployment cannot be judged here: it ended every worker."""
    return row_of_error(work.question(deployment), f"{lost.why} ({lost.tries} times)", "lost")
