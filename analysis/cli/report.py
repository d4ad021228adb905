"""`serinus report`: what past deployments tell of the whole fleet."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from analysis.cli.output import format_option, rendered, write_out
from analysis.cli.pace import pace
from analysis.cli.past import Past, past_options
from analysis.config.load import load_config
from analysis.past.fleet import fleet
from analysis.past.fleet_json import to_json
from analysis.past.fleet_text import print_fleet
from analysis.past.replaying import replay
from analysis.past.results import Results
from analysis.past.work import Work


@click.command(
    "report",
    epilog="""\b
Examples:
  serinus report sqlite:///serinus.db
  serinus report deployments/ --config canary.yaml --looks 5m --results verdicts.jsonl
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
    "--results",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the rows there, or go on with those of `serinus replay`.",
)
@click.option(
    "--unknown-is-good",
    is_flag=True,
    help="Count deployments whose truth nobody knows as good ones.",
)
@format_option
@past_options
def command(
    past: Past, *, config: Path | None, results: Path | None, unknown_is_good: bool, form: str
) -> None:
    """Show false fails over time, services that cannot decide, and metrics that never do.

    DEPLOYMENTS is recordings, a dataset, a CSV or Parquet list, or the database of a service; they
    are replayed, or their rows taken from FILE where they are the same.
    """
    chosen = load_config(config) if config else None
    work = Work(deployments=past.open(chosen), schedule=past.schedule, config=chosen)
    kept = Results(results) if results else None
    listed = work.deployments.listed()
    with past.make_engine() as engine, pace("replaying") as progress:
        rows = replay(work, listed, engine, results=kept, progress=progress)
    found = fleet(rows, unknown_is_good=unknown_is_good)

    def show(console: Console) -> None:
        print_fleet(found, console)

    is_terminal = sys.stdout.isatty()
    write_out(to_json(found) if form == "json" else rendered(show, is_terminal=is_terminal))
