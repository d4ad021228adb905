"""`serinus export`: what Argo Rollouts or Flagger need to ask for the verdict."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from analysis.cli.output import output_option, write_file, write_out
from analysis.cli.selection import assignments
from analysis.cli.times import duration
from analysis.config import load_config
from analysis.errors import ConfigError
from analysis.lint import lint
from analysis.translate import argo_order, to_argo, to_flagger
from analysis.translate.argo_order import ArgoOrder, Strategy, Template
from analysis.translate.to_flagger import FlaggerOrder

NONE = "none"
Values = dict[str, dict[str, object]]


@click.group(
    "export",
    epilog="""\b
Examples:
  serinus export argo checkout.yaml > checkout-canary.yaml
  serinus export flagger checkout.yaml --namespace shop
""",
)
def command() -> None:
    """Write manifests that ask for the verdict of a configuration.

    They are those of deploy/, filled in with the configuration's variables, thresholds and planned
    length, and valid by the schemas of Argo Rollouts 1.8 and Flagger 1.36.
    """


_SHARED: tuple[Callable[[Any], Any], ...] = (
    click.argument("config", type=click.Path(path_type=Path)),
    click.option(
        "--config-name",
        metavar="NAME",
        help="What the service calls the configuration; default: the file's name.",
    ),
    click.option(
        "--set", "shared", multiple=True, metavar="NAME=VALUE", help="Variable of both sides."
    ),
    click.option(
        "--baseline", multiple=True, metavar="NAME=VALUE", help="Variable of the baseline."
    ),
    click.option("--canary", multiple=True, metavar="NAME=VALUE", help="Variable of the canary."),
    output_option("manifests"),
)


def _shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_SHARED):
        command = option(command)
    return command


@command.command(
    "argo",
    epilog="""\b
Examples:
  serinus export argo checkout.yaml > checkout-canary.yaml
  serinus export argo checkout.yaml --namespace shop --rollout experiment
  serinus export argo checkout.yaml --template job --image registry/serinus:1 --rollout none
""",
)
@_shared_options
@click.option(
    "--template",
    type=click.Choice([str(one) for one in Template]),
    default=str(Template.POLL),
    show_default=True,
    help="poll: ask until there is a verdict; sync: ask once; kayenta: Argo's own provider; "
    "job: the command, without a service.",
)
@click.option(
    "--rollout",
    type=click.Choice([*(str(one) for one in Strategy), NONE]),
    default=str(Strategy.CANARY),
    show_default=True,
    help="Which example of a Rollout to write beside it.",
)
@click.option(
    "--url", metavar="URL", default=argo_order.SERVICE, show_default=True, help="The service."
)
@click.option(
    "--prometheus",
    metavar="URL",
    default=argo_order.PROMETHEUS,
    show_default=True,
    help="The server that a Job asks.",
)
@click.option("--namespace", metavar="NAME", help="Write an AnalysisTemplate of this namespace.")
@click.option(
    "--secret",
    metavar="NAME",
    default=argo_order.SECRET,
    show_default=True,
    help="Secret with the service's token.",
)
@click.option("--image", metavar="IMAGE", help="Image of a Job.")
@click.option(
    "--interval", callback=duration, default="30s", show_default=True, help="Between two questions."
)
def argo(
    config: Path,
    *,
    config_name: str | None,
    output: Path | None,
    interval: timedelta,
    **given: Any,  # noqa: ANN401 - click passes what it parsed
) -> None:
    """Write an AnalysisTemplate for CONFIG, and a Rollout that uses it.

    How often is asked follows from window.planned; the variables that have no value in CONFIG
    become arguments, which the Rollout gives. Without --namespace the template is one of the whole
    cluster.
    """
    values, loaded = _values(given), load_config(config)
    lint(loaded)
    order = ArgoOrder(
        config_name=config_name or config.stem,
        template=Template(given["template"]),
        strategy=None if given["rollout"] == NONE else Strategy(given["rollout"]),
        url=_url(given["url"]),
        prometheus=given["prometheus"],
        namespace=given["namespace"],
        secret=given["secret"],
        image=given["image"],
        interval=interval,
        values=values,
    )
    text, left = to_argo.export(loaded, order)
    _write(text, output)
    for line in left:
        click.echo(f"serinus: {line}", err=True)


@command.command(
    "flagger",
    short_help="Write a Canary with its webhooks, and a MetricTemplate.",
    epilog="""\b
Example:
  serinus export flagger checkout.yaml --namespace shop \\
      --url http://flagger:TOKEN@serinus.serinus:8080
""",
)
@_shared_options
@click.option(
    "--name", metavar="NAME", help="The Canary and its Deployment; default: CONFIG's name."
)
@click.option("--namespace", metavar="NAME", required=True, help="Where both are.")
@click.option(
    "--url",
    metavar="URL",
    default=to_flagger.SERVICE,
    show_default=True,
    help="The service; Flagger sends no header, so a token stands in the address.",
)
@click.option(
    "--interval", callback=duration, default="1m", show_default=True, help="Between two checks."
)
def flagger(
    config: Path,
    *,
    config_name: str | None,
    name: str | None,
    output: Path | None,
    interval: timedelta,
    **given: Any,  # noqa: ANN401 - click passes what it parsed
) -> None:
    """Write a Canary with its webhooks, and a MetricTemplate, for CONFIG.

    Flagger tells its namespace, its name and the workload of each side; what else has no value in
    CONFIG has to be given here.
    """
    values, loaded = _values(given), load_config(config)
    lint(loaded)
    order = FlaggerOrder(
        config_name=config_name or config.stem,
        name=name or loaded.name,
        namespace=given["namespace"],
        url=_url(given["url"]),
        interval=interval,
        values=values,
    )
    try:
        text = to_flagger.export(loaded, order)
    except ConfigError as error:
        raise ConfigError(error.faults, origin=str(config)) from error
    _write(text, output)


def _values(given: dict[str, Any]) -> Values:
    return {
        "shared": assignments("--set", given["shared"]),
        "baseline": assignments("--baseline", given["baseline"]),
        "canary": assignments("--canary", given["canary"]),
    }


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ConfigError(f"must begin with http:// or https://, got {text!r}", origin="--url")
    return text.rstrip("/")


def _write(text: str, output: Path | None) -> None:
    if output is None:
        write_out(text)
    else:
        write_file(output, text)
