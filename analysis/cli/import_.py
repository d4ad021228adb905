"""`serinus import`: move in from another canary tool."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.cli.output import write_file, write_out
from analysis.config.load import read_text
from analysis.errors import ConfigError, DeliveryError
from analysis.translate.from_flagger import from_flagger
from analysis.translate.from_kayenta import JUDGES, from_kayenta
from analysis.translate.writing import Imported

_OUTPUT = click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there instead of to standard output; an existing file is never overwritten.",
)
_STRICT = click.option("--strict", is_flag=True, help="Write nothing if anything changed.")


@click.group(
    "import",
    epilog="""\b
Examples:
  serinus import kayenta guestbook.json --output guestbook.yaml
  serinus import flagger podinfo.yaml --output podinfo-canary.yaml
""",
)
def command() -> None:
    """Write a configuration from another canary tool's.

    What changed, what was left out and why is told on standard error, line by line, and stands as
    a comment beside each thing.
    """


@command.command(
    "kayenta",
    epilog="""\b
Example:
  serinus import kayenta guestbook.json --output guestbook.yaml
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--judge",
    type=click.Choice(JUDGES),
    default=JUDGES[0],
    show_default=True,
    help="kayenta: label every metric as before; mann_whitney: judge by ranks, with error rates.",
)
@_OUTPUT
@_STRICT
def kayenta(file: Path, *, judge: str, output: Path | None, strict: bool) -> None:
    """Write a configuration from FILE, a canary config of Kayenta's as JSON.

    The config may stand alone or within the call that starts it ({canaryConfig, executionRequest}),
    which then tells thresholds, step and length too.
    """
    text = read_text(file, remedy="give the JSON of a canary config")
    _deliver(from_kayenta(text, origin=str(file), judge=judge), file, output, strict=strict)


@command.command(
    "flagger",
    epilog="""\b
Example:
  kubectl get canary,metrictemplate -n shop -o yaml > shop.yaml
  serinus import flagger shop.yaml --name checkout --output checkout.yaml
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Which Canary, where FILE holds several.")
@click.option(
    "--provider",
    metavar="NAME",
    help="Flagger's -mesh-provider, where the Canary names none: it chooses the built-in metrics.",
)
@_OUTPUT
@_STRICT
def flagger(
    file: Path, *, name: str | None, provider: str | None, output: Path | None, strict: bool
) -> None:
    """Write a configuration from FILE, a Canary and its MetricTemplates as YAML."""
    text = read_text(file, remedy="give the YAML of a Canary and its MetricTemplates")
    imported = from_flagger(text, origin=str(file), name=name, provider=provider)
    _deliver(imported, file, output, strict=strict)


def _deliver(imported: Imported, file: Path, output: Path | None, *, strict: bool) -> None:
    for note in imported.notes:
        place = ":".join(str(part) for part in (file, note.line) if part is not None)
        click.echo(": ".join(p for p in (place, note.path, note.message) if p), err=True)
    if strict and imported.notes:
        count = len(imported.notes)
        raise ConfigError(f"{count} things changed, and --strict was given", origin=str(file))
    if output is None:
        write_out(imported.text)
        return
    if output.exists():
        raise DeliveryError(f"{output} exists already; it was left as it is")
    write_file(output, imported.text)
    click.echo(f"wrote {output}; next: serinus check {output}", err=True)
