"""`serinus plan`: before a rollout, how long it will take and what it can show."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console

from analysis.cli.output import (
    format_option,
    output_option,
    progress_bar,
    rendered,
    trimmed,
    write_file,
    write_out,
)
from analysis.cli.selection import Selection, selection_options
from analysis.cli.times import duration
from analysis.config import CanaryConfig
from analysis.consumers.plan_json import to_json
from analysis.consumers.plan_text import print_outlook
from analysis.errors import ConfigError, SourceError
from analysis.outlook import Ahead, Outlook, look_ahead
from analysis.sources import recording as recordings
from analysis.sources.connect import open_source

ENOUGH, NOT_ENOUGH = 0, 3


@click.command(
    "plan",
    epilog="""\b
Examples:
  serinus plan canary.yaml --prometheus http://prometheus:9090 \\
      --baseline hash=5d4c --lookback 6h --share 0.2
  serinus plan canary.yaml --recording deployments/2026-11-22 --planned 45m
""",
)
@selection_options
@click.option(
    "--recording",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Learn from a recording, of which both sides are used, instead of asking a server.",
)
@click.option(
    "--planned",
    callback=duration,
    metavar="DURATION",
    help="Length of the rollout to be planned, over window.planned.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="FRACTION",
    help="The canary's part of the traffic; default as recorded, or half of a live baseline's.",
)
@format_option
@output_option("forecast")
def command(
    selection: Selection,
    *,
    recording: Path | None,
    planned: timedelta | None,
    share: float | None,
    form: str,
    output: Path | None,
) -> None:
    """Forecast a rollout of CONFIG: how long each metric needs, and what effect it can show.

    Learns noise and traffic from the past that --start, --end and --lookback select. Of a server
    only the baseline is asked; itself, one window earlier, stands for a canary that equals it. The
    exit code is 0 if all critical metrics can decide in the planned time, 3 if not; 4 if the source
    gave no answer to some query.
    """
    config = selection.load()
    ahead = Ahead(planned=planned, share=share, one_side=recording is None)
    outlook = (
        _from_recording(selection, config, recording, ahead)
        if recording
        else _live(selection, config, ahead)
    )
    _deliver(outlook, form, output)
    for error in outlook.source_errors:
        click.echo(f"serinus: {error}", err=True)
    raise click.exceptions.Exit(_exit_code(outlook))


def _live(selection: Selection, config: CanaryConfig, ahead: Ahead) -> Outlook:
    source = open_source(config, selection.prometheus, os.environ)
    # What runs already needs no warm-up.
    window = replace(selection.window(config), warmup_s=0.0)
    with progress_bar("asking Prometheus") as progress:
        return look_ahead(config, source, window, selection.variables(), ahead, progress=progress)


def _from_recording(
    selection: Selection, config: CanaryConfig, folder: Path, ahead: Ahead
) -> Outlook:
    if selection.prometheus:
        raise ConfigError("give --recording or --prometheus, not both")
    recording = recordings.load(folder)
    given = selection.variables()
    variables = {
        side: {**recording.variables.get(side, {}), **given[side]}
        for side in ("baseline", "canary")
    }
    window = selection.recorded_window(config, recording)
    return look_ahead(config, recording, window, variables, ahead)


def _deliver(outlook: Outlook, form: str, output: Path | None) -> None:
    def show(console: Console) -> None:
        print_outlook(outlook, console)

    is_terminal = output is None and sys.stdout.isatty()
    text = to_json(outlook) if form == "json" else trimmed(rendered(show, is_terminal=is_terminal))
    if output is None:
        write_out(text)
    else:
        write_file(output, text)


def _exit_code(outlook: Outlook) -> int:
    if outlook.source_errors:
        return SourceError.exit_code
    return ENOUGH if outlook.suffices else NOT_ENOUGH
