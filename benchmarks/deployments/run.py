"""Draw deployments and put every rule to them, in processes of their own."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial

from benchmarks.deployments import comparators, rule
from benchmarks.deployments.draw import Deployment, draw
from benchmarks.deployments.outcome import Look, outcome_of
from benchmarks.deployments.scraped import Reading
from benchmarks.deployments.world import MINUTE

Judging = Callable[[Sequence[Deployment], Sequence[float]], list[list[Look]]]

# Ours, among the rules by name.
OURS = "Serinus"
# Deployments that one process takes at a time: enough for judges to work on many at once.
CHUNK = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A deployment, and what became of it under each rule.

    Attributes:
        seed: The seed it was drawn from.
        name: Its own name.
        kind: Its fault; `None` for a good one.
        grade: How bad that is.
        onset: Minute from which it acts.
        z: The fault in standard errors.
        clear: Whether nobody should miss it.
        requests: Requests of the side with fewer.
        outcomes: By rule.
    """

    seed: int
    name: str
    kind: str | None
    grade: str | None
    onset: float
    z: float
    clear: bool
    requests: float
    outcomes: Mapping[str, Look]


def rules() -> dict[str, Judging]:
    """Give every rule by name."""
    config = rule.configuration()
    return {
        OURS: partial(rule.looks_of, config),
        "Kayenta": comparators.kayenta,
        "fixed limits": comparators.fixed_limits,
        "Mann-Whitney, each look": comparators.textbook,
        "Mann-Whitney, once": comparators.textbook_once,
    }


def play(
    seed: int, indices: Sequence[int], names: Sequence[str], minutes: Sequence[float]
) -> list[Row]:
    """Draw some deployments of a seed and judge them by the rules named."""
    deployments = [draw(seed, index) for index in indices]
    known = rules()
    outcomes: list[dict[str, Look]] = [{} for _ in deployments]
    for name in names:
        for found, looks in zip(outcomes, known[name](deployments, minutes), strict=True):
            found[name] = outcome_of(looks)
    return [
        _row(seed, deployment, found)
        for deployment, found in zip(deployments, outcomes, strict=True)
    ]


def _row(seed: int, deployment: Deployment, outcomes: Mapping[str, Look]) -> Row:
    fault = deployment.fault
    return Row(
        seed=seed,
        name=deployment.name,
        kind=fault.kind.value if fault else None,
        grade=fault.grade.value if fault else None,
        onset=fault.onset / MINUTE if fault else 0.0,
        z=deployment.oracle_z,
        clear=deployment.is_clear,
        requests=Reading.of(deployment).requests(),
        outcomes=outcomes,
    )


def play_all(
    seeds: Sequence[int],
    count: int,
    names: Sequence[str],
    minutes: Sequence[float],
    processes: int,
) -> list[Row]:
    """Play `count` deployments of each seed, and say on stderr how far it is.

    Raises:
        KeyboardInterrupt: Somebody pressed Ctrl-C; what was not begun is not.
    """
    chunks = [
        (seed, range(start, min(start + CHUNK, count)))
        for seed in seeds
        for start in range(0, count, CHUNK)
    ]
    rows: list[Row] = []
    with ProcessPoolExecutor(processes, initializer=_die_of_interrupts) as pool:
        jobs = [pool.submit(play, seed, indices, names, minutes) for seed, indices in chunks]
        try:
            for found in _in_time(jobs):
                rows += found
                print(f"\r{len(rows)}/{len(seeds) * count}", end="", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    print(file=sys.stderr)
    return sorted(rows, key=lambda row: (row.seed, int(row.name.split("-")[1])))


def _in_time(jobs: Sequence[Future[list[Row]]]) -> Iterator[list[Row]]:
    return (job.result() for job in as_completed(jobs))


def _die_of_interrupts() -> None:
    """Let Ctrl-C end a worker at once and silently: there is nothing to tidy up."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
