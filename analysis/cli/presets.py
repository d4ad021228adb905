"""`serinus presets`: what each traffic layer counts, and how it tells the sides apart."""

from __future__ import annotations

import json

import click

from analysis.consumers import presets as shown
from analysis.presets import layers, load
from analysis.presets.search import found

_FORMS = click.Choice(["text", "json"])


@click.group(
    "presets",
    epilog="""\b
Examples:
  serinus presets list --kind ingress
  serinus presets list --metric istio_requests_total
  serinus presets show istio
  serinus presets show istio --separation flagger --yaml
""",
)
def command() -> None:
    """List the traffic layers, or show one: metrics, limits, ways to tell the sides apart.

    A configuration takes a whole layer by `presets: {layer: istio, separation: flagger}`, or one
    metric by `preset: istio/error_ratio`.
    """


@command.command("list")
@click.option("--kind", metavar="KIND", help="Only layers of this kind, such as ingress or mesh.")
@click.option("--metric", metavar="NAME", help="Only layers that read this metric, or one like it.")
@click.option("--format", "form", type=_FORMS, default="text", show_default=True)
def list_(kind: str | None, metric: str | None, form: str) -> None:
    """List the layers; with --metric, those that read a Prometheus metric."""
    matches = found(kind=kind, metric=metric)
    if form == "json":
        click.echo(json.dumps(shown.as_list(matches), indent=2))
    else:
        click.echo("\n".join(shown.list_lines(matches, total=len(layers()))))


@command.command("show")
@click.argument("layer")
@click.option("--separation", metavar="NAME", help="How the sides are told apart.")
@click.option("--yaml", "is_yaml", is_flag=True, help="Write the metrics out, for a configuration.")
@click.option("--format", "form", type=_FORMS, default="text", show_default=True)
def show(layer: str, separation: str | None, *, is_yaml: bool, form: str) -> None:
    """Show LAYER; with --yaml, what a configuration comes to that takes its recommended metrics."""
    preset = load(layer)
    if is_yaml:
        click.echo(shown.as_yaml(preset, separation), nl=False)
    elif form == "json":
        click.echo(json.dumps(shown.as_document(preset), indent=2))
    else:
        click.echo("\n".join(shown.lines(preset, separation)))
