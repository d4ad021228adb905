"""`serinus tune`: which tolerances, windows and risks keep a budget of false fails?"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from analysis.cli.output import format_option, rendered, write_file, write_out
from analysis.cli.pace import pace
from analysis.cli.past import Past, past_options
from analysis.config.load import load_config
from analysis.errors import ConfigError
from analysis.past.tuning.document import to_json
from analysis.past.tuning.text import print_tuning
from analysis.past.tuning.tuning import FACTORS, Aim, tune


@click.command(
    "tune",
    epilog="""\b
Examples:
  serinus tune deployments/ --config canary.yaml --looks 5m
  serinus tune past.csv --config canary.yaml --prometheus http://prometheus:9090 --budget 0.005
  serinus tune deployments/ --config canary.yaml --looks 5m --write
  serinus tune good-ones/ --config canary.yaml --harm 1.25 --harm 2

\b
Deployments whose truth is not known are taken for good. Where none is known to be bad,
harm of known size is put into copies of them, and what is found of it is shown instead.
""",
)
@click.argument("deployments", metavar="DEPLOYMENTS")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    required=True,
    metavar="CONFIG",
    help="The configuration to tune.",
)
@click.option(
    "--budget",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.01,
    show_default=True,
    metavar="SHARE",
    help="Share of good deployments that may fail.",
)
@click.option(
    "--harm",
    type=click.FloatRange(min=1, min_open=True),
    multiple=True,
    default=FACTORS,
    show_default=True,
    metavar="FACTOR",
    help="Without bad deployments: how much worse the harmed copies are; may be repeated.",
)
@click.option("--write", is_flag=True, help="Write the suggestion into CONFIG; its comments stay.")
@format_option
@past_options
def command(
    past: Past,
    *,
    config: Path,
    budget: float,
    harm: tuple[float, ...],
    write: bool,
    form: str,
) -> None:
    """Search tolerances, windows, risks and weights that keep a budget of false fails.

    DEPLOYMENTS is recordings, a dataset, a CSV or Parquet list, or the database of a service. What
    is suggested is held against deployments it was not chosen on, and where yours cannot tell, it
    says so. Exit code 0, whatever is suggested.
    """
    loaded = load_config(config)
    text = config.read_text(encoding="utf-8")
    aim = Aim(budget=budget, schedule=past.schedule, factors=harm)
    with past.make_engine() as engine, pace("tuning") as progress:
        found = tune(text, past.open(loaded), engine, aim, progress=progress)

    def show(console: Console) -> None:
        print_tuning(found, console)

    is_terminal = sys.stdout.isatty()
    write_out(to_json(found) if form == "json" else rendered(show, is_terminal=is_terminal))
    if write and found.chosen:
        _write(config, text, found.text)


def _write(path: Path, before: str, after: str) -> None:
    if path.read_text(encoding="utf-8") != before:
        raise ConfigError("was changed meanwhile; tune again", origin=str(path))
    write_file(path, after)
    click.echo(f"wrote {path}; its comments stayed, its digest changed", err=True)
