"""Where things are written: a terminal, a pipe, or a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from analysis.errors import DeliveryError
from analysis.sources.port import Progress as OnProgress

# Wide enough for a summary sentence when the output is no terminal.
PIPE_WIDTH = 120


def console_for(file: object = None) -> Console:
    """Make a console for standard output, with color only where it is a terminal."""
    is_terminal = file is None and sys.stdout.isatty()
    return Console(
        file=file,  # type: ignore[arg-type]  # rich takes any text file
        width=None if is_terminal else PIPE_WIDTH,
        highlight=False,
    )


def write_file(path: Path, text: str) -> None:
    """Write a file atomically.

    Raises:
        DeliveryError: It cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise DeliveryError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def progress_bar(what: str) -> Iterator[OnProgress]:
    """Show a bar on standard error while it is a terminal; it is gone when the work is done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda answered, asked: bar.update(task, completed=answered, total=asked)
