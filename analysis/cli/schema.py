"""`serinus schema`: the shape of a configuration, for editors."""

from __future__ import annotations

import json

import click

from analysis.config.load import json_schema


@click.command(
    "schema",
    epilog="""\b
Example:
  serinus schema > canary.schema.json
and as the first line of a configuration:
  # yaml-language-server: $schema=canary.schema.json
""",
)
def command() -> None:
    """Print the JSON Schema of a configuration, by which editors complete and check it."""
    click.echo(json.dumps(json_schema(), indent=2))
