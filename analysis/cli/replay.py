"""`serinus replay`: what would this configuration have said about our past deployments?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from analysis.cli.output import format_option, rendered, write_out
from analysis.cli.pace import pace
from analysis.cli.past import Past, past_options
from analysis.config import load_config
from analysis.errors import ConfigError, SourceError
from analysis.past.deployment import Deployment
from analysis.past.evaluation import evaluate
from analysis.past.replaying import replay
from analysis.past.results import Results
from analysis.past.rows import Row
from analysis.past.summary_json import to_json
from analysis.past.summary_text import print_summary
from analysis.past.work import Work

DONE, BUG = 0, 70


@click.command(
    "replay",
    epilog="""\b
Examples:
  serinus replay deployments/ --looks 5m --output verdicts.jsonl
  serinus replay past.csv --config canary.yaml --prometheus http://prometheus:9090 \\
      --looks 5m --output verdicts.parquet
  serinus replay sqlite:///serinus.db --config stricter.yaml --output verdicts.csv
  serinus replay deployments/ --engine dask --scheduler tcp://scheduler:8786 --output v.jsonl

\b
A list has the columns id, start, end; optional truth (good or bad), fault_start, service,
set.NAME, baseline.NAME, canary.NAME. Beside recordings it is called deployments.csv.
""",
)
@click.argument("deployments", metavar="DEPLOYMENTS")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="CONFIG",
    help="Judge with this configuration; default the one kept with each deployment.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Where a row for each deployment goes: .jsonl, .csv or .parquet.",
)
@format_option
@past_options
def command(past: Past, *, config: Path | None, output: Path, form: str) -> None:
    """Judge past deployments again, and say what the verdicts come to.

    DEPLOYMENTS is recordings or a dataset, a CSV or Parquet list, or the database of a service.
    FILE gets a row for each. Given again, the command goes on where it ended, and tries again
    what could not be read. The exit code is 0 if all were judged, whatever the verdicts; 4 if some
    could not be read.
    """
    chosen = load_config(config) if config else None
    work = Work(deployments=past.open(chosen), schedule=past.schedule, config=chosen)
    results = Results(output)
    listed = work.deployments.listed()
    with past.make_engine() as engine:
        try:
            with pace("replaying") as progress:
                rows = replay(work, listed, engine, results=results, progress=progress)
        except KeyboardInterrupt:
            _tell_how_to_go_on(results, listed)
            raise
    _deliver(rows, form)
    raise click.exceptions.Exit(_exit_code(rows))


def _tell_how_to_go_on(results: Results, listed: Sequence[Deployment]) -> None:
    kept = len(results.kept())
    message = f"{kept:,} of {len(listed):,} deployments are kept in {results.partial}"
    click.echo(f"serinus: {message}; the same command goes on from there", err=True)


def _deliver(rows: Sequence[Row], form: str) -> None:
    evaluation = evaluate(rows)

    def show(console: Console) -> None:
        print_summary(evaluation, rows, console)

    is_terminal = sys.stdout.isatty()
    text = to_json(evaluation, rows) if form == "json" else rendered(show, is_terminal=is_terminal)
    write_out("".join(f"{line.rstrip()}\n" for line in text.splitlines()))


def _exit_code(rows: Sequence[Row]) -> int:
    """Give the code of the worst that happened to any deployment."""
    codes = {row.error_code for row in rows if row.error}
    if not codes:
        return DONE
    if "bug" in codes:
        return BUG
    return ConfigError.exit_code if codes == {"configuration"} else SourceError.exit_code
