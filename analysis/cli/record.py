"""`serinus record`: keep what a server says of one deployment."""

from __future__ import annotations

import os
from pathlib import Path

import click

from analysis.cli.output import progress_bar
from analysis.cli.selection import Selection, selection_options
from analysis.errors import SourceError
from analysis.planning import plan, plan_history, unique_requests
from analysis.sources import recording as recordings
from analysis.sources.connect import connect
from analysis.sources.keeping import Keeping


@click.command(
    "record",
    epilog="""\b
Example:
  serinus record canary.yaml --prometheus http://prometheus:9090 --start now-1h \\
      --baseline hash=5d4c --canary hash=7f9b --output deployments/2026-11-22
""",
)
@selection_options
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder to make; it appears whole or not at all.",
)
def command(selection: Selection, *, output: Path) -> None:
    """Record the raw series that CONFIG asks for, so that they outlive the server's retention.

    `serinus judge CONFIG --recording DIR` then gives the verdict of that moment, as often as you
    like and with any tolerances.
    """
    config = selection.load()
    recordings.check_free(output)
    source = Keeping(connect(config.source.prometheus, selection.prometheus, os.environ))
    window, variables = selection.window(config), selection.variables()
    asks = (*plan(config, window, variables), *plan_history(config, window, variables))
    with progress_bar("asking Prometheus") as progress:
        answers = source.answer(unique_requests(asks), progress=progress)
    if errors := [answer for answer in answers.values() if isinstance(answer, SourceError)]:
        raise errors[0]
    recording = source.recording(window, variables)
    recordings.save(recording, output, config_text=selection.config.read_text(encoding="utf-8"))
    points = sum(len(one.times) for a in recording.answers.values() for one in a.series)
    click.echo(f"recorded {len(recording.answers)} queries, {points:,} points in {output}")
