"""How far long work is, how fast and until when: a bar on standard error, then one line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

# (done, in all, how many of those done were kept from an earlier run)
Pace = Callable[[int, int, int], None]


@contextmanager
def pace(doing: str) -> Iterator[Pace]:
    """Show the pace of work on deployments; the bar only where standard error is a terminal."""
    console = Console(stderr=True)
    began, seen = time.monotonic(), [0, 0, 0]
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    bar = Progress(
        TextColumn(doing),
        *(*columns, TimeRemainingColumn(elapsed_when_finished=True)),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=None, rate="")

        def show(done: int, total: int, kept: int) -> None:
            seen[:] = [done, total, kept]
            rate = f"{_rate(done - kept, began):.1f}/s"
            bar.update(task, completed=done, total=total, rate=rate)

        yield show
    done, _, kept = seen
    rate = f"{_rate(done - kept, began):.1f}/s"
    again = f", {kept:,} of them kept from an earlier run" if kept else ""
    took_s = time.monotonic() - began
    click.echo(f"{done:,} deployments in {took_s:.1f} s ({rate}){again}", err=True)


def _rate(done: int, began: float) -> float:
    return done / max(time.monotonic() - began, 1e-9)
