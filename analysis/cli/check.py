"""`serinus check`: everything that can be said of a configuration without asking a server."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.config import CanaryConfig, load_config
from analysis.consumers.presets import written
from analysis.errors import ConfigError
from analysis.lint import lint


@click.command(
    "check",
    epilog="""\b
Examples:
  serinus check canary.yaml --strict
  serinus check canary.yaml --show > written-out.yaml
""",
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Count warnings as faults.")
@click.option("--show", is_flag=True, help="Print the configuration with its presets written out.")
def command(config: Path, *, strict: bool, show: bool) -> None:
    """Check CONFIG: keys, values, judges and PromQL; exit 2 if it cannot be used.

    Every fault is told at once, each with its line, the rule and the remedy. Variables that the
    caller gives later are filled with placeholders.
    """
    loaded = load_config(config)
    warnings = lint(loaded)
    for warning in warnings:
        click.echo(f"{config}: {warning.path}: warning: {warning.message}", err=True)
    count = len(loaded.metrics)
    critical = sum(metric.critical for metric in loaded.metrics)
    click.echo(
        f"{config}: {count} metrics, {critical} critical, {len(warnings)} warnings", err=show
    )
    if show:
        click.echo(_written_out(loaded), nl=False)
    if strict and warnings:
        raise ConfigError(f"{len(warnings)} warnings, and --strict was given", origin=str(config))


def _written_out(config: CanaryConfig) -> str:
    """Write a configuration as what it came to, without what it leaves at its default."""
    return written(config.model_dump(mode="json", by_alias=True, exclude_defaults=True))
