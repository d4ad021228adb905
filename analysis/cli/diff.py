"""`serinus diff`: which verdicts flip between two configurations, on the same deployments?"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from analysis.cli.output import format_option, rendered, write_out
from analysis.cli.pace import pace
from analysis.cli.past import Past, past_options
from analysis.config.load import load_config
from analysis.past.differing import difference
from analysis.past.differing_json import to_json
from analysis.past.differing_text import print_difference
from analysis.past.replaying import replay
from analysis.past.rows import Row
from analysis.past.work import Work

SAME, DIFFERENT = 0, 1


@click.command(
    "diff",
    epilog="""\b
Examples:
  serinus diff canary.yaml stricter.yaml deployments/ --looks 5m
  git show main:canary.yaml > old.yaml && serinus diff old.yaml canary.yaml deployments/
""",
)
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD")
@click.argument("new", type=click.Path(path_type=Path), metavar="NEW")
@click.argument("deployments", metavar="DEPLOYMENTS")
@format_option
@past_options
def command(past: Past, *, old: Path, new: Path, form: str) -> None:
    """Judge past deployments with OLD and with NEW, and show which verdicts flip and why.

    The exit code is 0 if no verdict changes, 1 if one does: a check for pull requests that touch a
    configuration.
    """
    before, after = (_rows(path, past) for path in (old, new))
    found = difference(before, after)

    def show(console: Console) -> None:
        print_difference(found, console)

    is_terminal = sys.stdout.isatty()
    write_out(to_json(found) if form == "json" else rendered(show, is_terminal=is_terminal))
    raise click.exceptions.Exit(DIFFERENT if found.flips else SAME)


def _rows(path: Path, past: Past) -> list[Row]:
    config = load_config(path)
    work = Work(deployments=past.open(config), schedule=past.schedule, config=config)
    with past.make_engine() as engine, pace(f"judging with {path}") as progress:
        return replay(work, work.deployments.listed(), engine, progress=progress)
