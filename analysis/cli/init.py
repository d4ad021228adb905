"""`serinus init`: a configuration to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from analysis.cli.output import write_file
from analysis.errors import DeliveryError

RECIPES = files("analysis.presets") / "recipes"


def recipes() -> list[str]:
    """Name the recipes, one for each way of shipping."""
    return sorted(file.name.removesuffix(".yaml") for file in RECIPES.iterdir())


def _text(recipe: str | None, *, tests: bool) -> str:
    package = "analysis.testing" if tests else "analysis.config"
    file = RECIPES / f"{recipe}.yaml" if recipe else files(package) / "starter.yaml"
    return file.read_text(encoding="utf-8")


@click.command(
    "init",
    epilog="""\b
Examples:
  serinus init --output canary.yaml
  serinus init --recipe argo-canary-background > canary.yaml
  serinus init --tests --output canary_test.yaml
""",
)
@click.option(
    "--recipe",
    type=click.Choice(recipes()),
    help="Start from a way of shipping instead; its sides and metrics come from presets.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there instead of to standard output; an existing file is never overwritten.",
)
@click.option("--tests", is_flag=True, help="Write tests of that configuration instead.")
def command(recipe: str | None, output: Path | None, *, tests: bool) -> None:
    """Write a commented configuration to start from, or tests of it."""
    if recipe and tests:
        raise click.UsageError("give --recipe or --tests; the tests are of the starter")
    text = _text(recipe, tests=tests)
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise DeliveryError(
            f"{output} exists already and was left as it is; choose another --output"
        )
    write_file(output, text)
    click.echo(f"wrote {output}; next: serinus {'test' if tests else 'check'} {output}")
