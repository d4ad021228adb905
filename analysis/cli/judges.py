"""`serinus judges`: which judges there are, and what they can be told."""

from __future__ import annotations

import inspect
from enum import StrEnum

import click

import judges
from analysis.errors import ConfigError


@click.command(
    "judges",
    epilog="""\b
Example:
  serinus judges mann_whitney
""",
)
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    """List the judges; with KIND, explain one and its parameters."""
    if kind is None:
        for known in judges.kinds():
            click.echo(f"{known:<16} {_first_line(judges.judge_class(known))}")
        click.echo("\nserinus judges KIND explains one and its parameters.")
        return
    try:
        judge = judges.judge_class(kind)
    except judges.UnknownJudgeError as error:
        raise ConfigError(str(error)) from error
    click.echo(f"{kind}: {_first_line(judge)}\n\n{_body(judge)}\n\nParameters:")
    for name, field in judges.parameters(kind).items():
        click.echo(f"  {name:<12} {field.metadata['doc']} (default {_shown(field.default)})")


def _first_line(judge: type) -> str:
    return inspect.getdoc(judge).splitlines()[0]  # type: ignore[union-attr]  # a test demands it


def _body(judge: type) -> str:
    text = inspect.getdoc(judge) or ""
    return text.partition("\n\n")[2].partition("Attributes:")[0].strip()


def _shown(value: object) -> str:
    if value is None:
        return "derived"
    return value.value if isinstance(value, StrEnum) else str(value)
