"""`serinus check`: what is wrong with a configuration, and with what a server says to it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from rich.console import Console

from analysis.cli.output import (
    format_option,
    output_option,
    progress_bar,
    rendered,
    trimmed,
    write_file,
    write_out,
)
from analysis.cli.selection import Selection, selection_options
from analysis.config import CanaryConfig
from analysis.consumers.presets import written
from analysis.errors import ConfigError, SourceError
from analysis.lint import lint

FINE = 0
# Options that say what a server is asked; without one they could mean nothing.
OF_A_SERVER = ("shared", "baseline", "canary", "start", "end", "lookback")
SHOWN_ALONE = "prints the configuration, which no server changes; leave out --prometheus and --live"


@click.command(
    "check",
    epilog="""\b
Examples:
  serinus check canary.yaml --strict
  serinus check canary.yaml --show > written-out.yaml
  serinus check canary.yaml --prometheus http://prometheus:9090 \\
      --baseline hash=5d4c --canary hash=7f9b --lookback 30m
""",
)
@selection_options
@format_option
@output_option("diagnosis")
@click.option(
    "--live",
    is_flag=True,
    help="Ask the sources that CONFIG names; --prometheus does so too.",
)
@click.option("--strict", is_flag=True, help="Count warnings as faults.")
@click.option("--show", is_flag=True, help="Print the configuration with its presets written out.")
def command(
    selection: Selection, *, form: str, output: Path | None, live: bool, strict: bool, show: bool
) -> None:
    """Check CONFIG: keys, values, judges and PromQL; with --prometheus or --live also its answers.

    Without a server every fault is told at once, each with its line, the rule and the remedy;
    variables that the caller gives later are filled with placeholders. With one, every query is
    asked as a judgment would: do both sides exist, differ and follow the traffic's weight, have
    they enough traffic, and what can be decided in the planned time? The exit code is 0 if all
    metrics could pass, 2 if something has to be mended, 4 if the source gave no answer.
    """
    config = selection.load()
    if selection.prometheus is None and not live:
        _refuse_what_needs_a_server(selection, form, output)
        _check_alone(selection.config, config, strict=strict, show=show)
        return
    if show:
        raise ConfigError(SHOWN_ALONE, origin="--show")
    _check_live(selection, config, form, output, strict=strict)


def _refuse_what_needs_a_server(selection: Selection, form: str, output: Path | None) -> None:
    given = [name for name in OF_A_SERVER if getattr(selection, name)]
    if given or form != "text" or output is not None:
        raise ConfigError(
            "only a server's answers can be selected or written; give --prometheus URL or --live "
            "as well",
            origin="check",
        )


def _check_alone(path: Path, config: CanaryConfig, *, strict: bool, show: bool) -> None:
    warnings = lint(config)
    for warning in warnings:
        click.echo(f"{path}: {warning.path}: warning: {warning.message}", err=True)
    count = len(config.metrics)
    critical = sum(metric.critical for metric in config.metrics)
    noun = "warning" if len(warnings) == 1 else "warnings"
    counted = f"{count} metrics, {critical} critical, {len(warnings)} {noun}"
    click.echo(f"{path}: {counted}", err=show)
    if show:
        click.echo(_written_out(config), nl=False)
    if strict and warnings:
        raise ConfigError(f"{len(warnings)} {noun}, and --strict was given", origin=str(path))


def _written_out(config: CanaryConfig) -> str:
    """Write a configuration as what it came to, without what it leaves at its default."""
    return written(config.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def _check_live(
    selection: Selection, config: CanaryConfig, form: str, output: Path | None, *, strict: bool
) -> None:
    from analysis.consumers.check_json import to_json
    from analysis.consumers.check_text import print_diagnosis
    from analysis.diagnosis import diagnose
    from analysis.sources.connect import label_sources, open_source

    source = open_source(config, selection.prometheus, os.environ)
    labels, window = label_sources(source), selection.window(config)
    with progress_bar("asking Prometheus") as progress:
        found = diagnose(
            config, source, window, selection.variables(), labels=labels, progress=progress
        )

    def show(console: Console) -> None:
        print_diagnosis(found, console)

    is_terminal = output is None and sys.stdout.isatty()
    text = to_json(found) if form == "json" else trimmed(rendered(show, is_terminal=is_terminal))
    if output is None:
        write_out(text)
    else:
        write_file(output, text)
    if found.source_errors:
        raise click.exceptions.Exit(SourceError.exit_code)
    is_faulty = bool(found.unsound) or (strict and bool(found.warnings))
    raise click.exceptions.Exit(ConfigError.exit_code if is_faulty else FINE)
