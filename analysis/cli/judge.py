"""`serinus judge`: the main job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from analysis.cli.output import progress_bar
from analysis.cli.rendering import Rendering, rendering_options
from analysis.cli.selection import Selection, selection_options
from analysis.config import CanaryConfig
from analysis.engine import analyze
from analysis.errors import ConfigError, SourceError, TooEarlyError
from analysis.report import AnalysisReport
from analysis.sources import recording as recordings
from analysis.sources.connect import named_sources, open_source
from judges import Verdict

PASS, FAIL, INCONCLUSIVE = 0, 1, 3


@click.command(
    "judge",
    epilog="""\b
Examples:
  serinus judge canary.yaml --prometheus http://prometheus:9090 \\
      --baseline hash=5d4c --canary hash=7f9b --lookback 30m
  serinus judge canary.yaml --recording deployments/2026-11-22 --format json
  serinus judge canary.yaml --lookback 30m --report html=report.html --report junit=junit.xml
  serinus judge canary.yaml --lookback 30m --format markdown >> "$GITHUB_STEP_SUMMARY"
""",
)
@selection_options
@click.option(
    "--recording",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Judge a recording instead of asking a server.",
)
@rendering_options
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
    rendering: Rendering,
    exit_code_inconclusive: int,
) -> None:
    """Judge the canary of CONFIG against its baseline.

    Reads both sides' series, judges every metric and prints verdict, score and the numbers behind
    them. The exit code is the verdict: 0 pass, 1 fail, 3 inconclusive, also when nothing
    is left to judge yet; 4 if the source gave no answer to some query and the rest does not fail.
    """
    config, looks_back = selection.load(), rendering.looks_back
    try:
        report, asked = (
            _from_recording(selection, config, recording, looks_back)
            if recording
            else _live(selection, config, looks_back)
        )
    except TooEarlyError as early:
        click.echo(f"serinus: {early}", err=True)
        raise click.exceptions.Exit(exit_code_inconclusive) from early
    rendering.deliver(report, asked)
    for error in report.source_errors:
        click.echo(f"serinus: {error}", err=True)
    raise click.exceptions.Exit(_exit_code(report, exit_code_inconclusive))


def _live(
    selection: Selection, config: CanaryConfig, looks_back: int
) -> tuple[AnalysisReport, Mapping[str, str | None]]:
    source = open_source(config, selection.prometheus, os.environ)
    window, variables = selection.window(config), selection.variables()
    with progress_bar("asking Prometheus") as progress:
        report = analyze(
            config, source, window, variables, progress=progress, looks_back=looks_back
        )
    return report, {name: getattr(one, "url", None) for name, one in named_sources(source).items()}


def _from_recording(
    selection: Selection, config: CanaryConfig, folder: Path, looks_back: int
) -> tuple[AnalysisReport, Mapping[str, str | None]]:
    if selection.prometheus:
        raise ConfigError("give --recording or --prometheus, not both")
    recording = recordings.load(folder)
    given = selection.variables()
    variables = {
        side: {**recording.variables.get(side, {}), **given[side]}
        for side in ("baseline", "canary")
    }
    window = selection.recorded_window(config, recording)
    report = analyze(config, recording, window, variables, looks_back=looks_back)
    return report, dict.fromkeys(config.named_sources)


def _exit_code(report: AnalysisReport, inconclusive: int) -> int:
    if report.verdict is Verdict.FAIL:
        return FAIL
    if report.source_errors:
        return SourceError.exit_code
    return PASS if report.verdict is Verdict.PASS else inconclusive
