"""`serinus init`: a configuration to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from analysis.cli.output import write_file
from analysis.errors import DeliveryError


@click.command(
    "init",
    epilog="""\b
Examples:
  serinus init --output canary.yaml
  serinus init --tests --output canary_test.yaml
""",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there instead of to standard output; an existing file is never overwritten.",
)
@click.option("--tests", is_flag=True, help="Write tests of that configuration instead.")
def command(output: Path | None, *, tests: bool) -> None:
    """Write a commented configuration to start from, or tests of it."""
    package, next_ = ("analysis.testing", "test") if tests else ("analysis.config", "check")
    text = (files(package) / "starter.yaml").read_text(encoding="utf-8")
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise DeliveryError(
            f"{output} exists already and was left as it is; choose another --output"
        )
    write_file(output, text)
    click.echo(f"wrote {output}; next: serinus {next_} {output}")
