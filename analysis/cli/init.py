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
Example:
  serinus init --output canary.yaml
""",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there instead of to standard output; an existing file is never overwritten.",
)
def command(output: Path | None) -> None:
    """Write a commented configuration to start from."""
    text = (files("analysis.config") / "starter.yaml").read_text(encoding="utf-8")
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise DeliveryError(
            f"{output} exists already and was left as it is; choose another --output"
        )
    write_file(output, text)
    click.echo(f"wrote {output}; next: serinus check {output}")
