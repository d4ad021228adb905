"""`serinus judge`: the main job."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from rich.console import Console

from analysis.cli.output import (
    format_option,
    output_option,
    progress_bar,
    rendered,
    write_file,
    write_out,
)
from analysis.cli.selection import Selection, selection_options
from analysis.config import CanaryConfig
from analysis.consumers.json import to_json
from analysis.consumers.text import print_report
from analysis.engine import analyze
from analysis.errors import ConfigError, SourceError, TooEarlyError
from analysis.report import AnalysisReport
from analysis.sources import recording as recordings
from analysis.sources.connect import connect
from judges import Verdict

PASS, FAIL, INCONCLUSIVE = 0, 1, 3


@click.command(
    "judge",
    epilog="""\b
Examples:
  serinus judge canary.yaml --prometheus http://prometheus:9090 \\
      --baseline hash=5d4c --canary hash=7f9b --lookback 30m
  serinus judge canary.yaml --recording deployments/2026-11-22 --format json
""",
)
@selection_options
@click.option(
    "--recording",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Judge a recording instead of asking a server.",
)
@format_option
@click.option("--full", is_flag=True, help="Show the evidence and queries of every metric too.")
@output_option("report")
@click.option(
    "--exit-code-inconclusive",
    type=click.IntRange(0, 255),
    default=INCONCLUSIVE,
    show_default=True,
    metavar="N",
    help="Exit code of an inconclusive verdict, for callers that know only two outcomes.",
)
def command(
    selection: Selection,
    *,
    recording: Path | None,
    form: str,
    full: bool,
    output: Path | None,
    exit_code_inconclusive: int,
) -> None:
    """Judge the canary of CONFIG against its baseline.

    Reads both sides' series, judges every metric and prints verdict, score and the numbers behind
    them. The exit code is the verdict: 0 pass, 1 fail, 3 inconclusive, also when nothing
    is left to judge yet; 4 if the source gave no answer to some query and the rest does not fail.
    """
    config = selection.load()
    try:
        report = (
            _from_recording(selection, config, recording) if recording else _live(selection, config)
        )
    except TooEarlyError as early:
        click.echo(f"serinus: {early}", err=True)
        raise click.exceptions.Exit(exit_code_inconclusive) from early
    _deliver(report, form, output, full=full)
    for error in report.source_errors:
        click.echo(f"serinus: {error}", err=True)
    raise click.exceptions.Exit(_exit_code(report, exit_code_inconclusive))


def _live(selection: Selection, config: CanaryConfig) -> AnalysisReport:
    source = connect(config.source.prometheus, selection.prometheus, os.environ)
    window = selection.window(config)
    with progress_bar("asking Prometheus") as progress:
        return analyze(config, source, window, selection.variables(), progress=progress)


def _from_recording(selection: Selection, config: CanaryConfig, folder: Path) -> AnalysisReport:
    if selection.prometheus:
        raise ConfigError("give --recording or --prometheus, not both")
    recording = recordings.load(folder)
    given = selection.variables()
    variables = {
        side: {**recording.variables.get(side, {}), **given[side]}
        for side in ("baseline", "canary")
    }
    window = selection.recorded_window(config, recording)
    return analyze(config, recording, window, variables)


def _deliver(report: AnalysisReport, form: str, output: Path | None, *, full: bool) -> None:
    def show(console: Console) -> None:
        print_report(report, console, full=full)

    is_terminal = output is None and sys.stdout.isatty()
    text = to_json(report) if form == "json" else rendered(show, is_terminal=is_terminal)
    if output is None:
        write_out(text)
    else:
        write_file(output, text)


def _exit_code(report: AnalysisReport, inconclusive: int) -> int:
    if report.verdict is Verdict.FAIL:
        return FAIL
    if report.source_errors:
        return SourceError.exit_code
    return PASS if report.verdict is Verdict.PASS else inconclusive
