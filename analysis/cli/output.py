"""Where things are written: a terminal, a pipe, or a file that appears whole or not at all."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from analysis.errors import DeliveryError
from analysis.sources.port import Progress as OnProgress

# Wide enough for a summary sentence when the output is no terminal.
PIPE_WIDTH = 120
Command = Callable[..., object]


def format_option(command: Command) -> Command:
    """Add `--format`: the command receives it as `form`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="text for people, json for programs.",
    )(command)


def output_option(what: str) -> Callable[[Command], Command]:
    """Add `--output` for a report, a forecast or whatever else is written."""
    return click.option(
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help=f"Write the {what} there instead of to standard output.",
    )


def rendered(show: Callable[[Console], None], *, is_terminal: bool) -> str:
    """Render for a terminal as wide as the user's, in color; or in plain text for anything else.

    rich does not write to standard output itself: where the reader has gone it ends with 1.
    """
    buffer = io.StringIO()
    width = None if is_terminal else PIPE_WIDTH
    show(Console(file=buffer, force_terminal=is_terminal, width=width, highlight=False))
    return buffer.getvalue()


def trimmed(text: str) -> str:
    """Take away the blanks with which a table or a padded line ends."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def write_out(text: str) -> None:
    """Write to standard output.

    Raises:
        DeliveryError: It cannot be written.
        BrokenPipeError: Its reader has gone.
    """
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DeliveryError(f"cannot write to standard output: {error.strerror}") from error


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
    except FileNotFoundError as error:
        message = f"cannot write {path}: there is no folder {path.parent}; make it first"
        raise DeliveryError(message) from error
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
