"""`serinus schema`: the shape of a configuration, for editors."""

from __future__ import annotations

import json

import click

from analysis.config.load import json_schema


@click.command("schema")
def command() -> None:
    r"""Print the JSON Schema of a configuration.

    \b
    serinus schema > canary.schema.json, and as the first line of a configuration:
    # yaml-language-server: $schema=canary.schema.json
    """
    click.echo(json.dumps(json_schema(), indent=2))
