"""`serinus serve`: the service."""

from __future__ import annotations

import ipaddress
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.config import CanaryConfig, load_config
from analysis.errors import ConfigError
from analysis.sources.port import MetricSource

if TYPE_CHECKING:
    from analysis.service.context import Service


@click.command(
    "serve",
    epilog="""\b
Every option is also read from the environment: SERINUS_SERVE_CONFIGS, SERINUS_DATABASE_URL, …
Examples:
  serinus serve --configs configs
  serinus serve --configs configs --host 0.0.0.0 --tokens tokens.json
  serinus serve --configs configs --check
""",
)
@click.option(
    "--configs",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    metavar="DIR",
    help="Folder of configurations; callers name checkout.yaml `checkout`.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: a free one."
)
@click.option(
    "--database-url",
    envvar=["SERINUS_DATABASE_URL", "SERINUS_SERVE_DATABASE_URL"],
    default="sqlite:///serinus.db",
    show_default=True,
    metavar="URL",
    help="Where analyses are kept; postgresql://… for several replicas.",
)
@click.option(
    "--tokens",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="JSON list of {name, sha256, configs, namespaces}: who may call.",
)
@click.option(
    "--without-tokens",
    is_flag=True,
    help="Let everybody in although the service listens beyond this machine.",
)
@click.option(
    "--notices",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="JSON list of {name, form, url, verdicts}: who is told of verdicts.",
)
@click.option("--public-url", default="", metavar="URL", help="Address that links point to.")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=8,
    show_default=True,
    help="Looks under way at once.",
)
@click.option(
    "--look-every",
    "look_every_s",
    type=click.FloatRange(1.0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Time between the looks at a running analysis.",
)
@click.option(
    "--log-format",
    type=click.Choice(["auto", "json", "text"]),
    default="auto",
    show_default=True,
    help="auto: text to a terminal, else a JSON object a line.",
)
@click.option(
    "--inline", is_flag=True, help="Let callers bring their own configuration and PromQL."
)
@click.option("--check", is_flag=True, help="Check all settings and configurations, then end.")
def command(  # noqa: PLR0913 - its options
    *,
    configs: Path,
    host: str,
    port: int,
    database_url: str,
    tokens: Path | None,
    without_tokens: bool,
    notices: Path | None,
    public_url: str,
    workers: int,
    look_every_s: float,
    log_format: str,
    inline: bool,
    check: bool,
) -> None:
    """Serve analyses over HTTP to Argo Rollouts, Flagger, Kayenta clients and scripts.

    Beyond this machine it lets nobody in without a token. Runs until SIGTERM or Ctrl-C, and ends
    the looks that are under way first.
    """
    _needs_tokens(host, given=tokens is not None or without_tokens)
    service = _service(
        configs=configs,
        database_url=database_url,
        tokens=tokens,
        notices=notices,
        public_url=public_url,
        workers=workers,
        look_every_s=look_every_s,
        inline=inline,
    )
    if check:
        names = service.analyses.catalog.names()
        for name in names:
            load_config(configs / f"{name}.yaml")
        click.echo(f"settings and {len(names)} configurations are good: {', '.join(names)}")
        return
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    _serve(service, host, port, as_json=as_json)


def _needs_tokens(host: str, *, given: bool) -> None:
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = host == "localhost"
    if not is_local and not given:
        message = (
            f"{host} is reached from other machines; give --tokens FILE, or say --without-tokens"
        )
        raise ConfigError(message, origin="--host")


def _service(*, notices: Path | None, **settings: Any) -> Service:  # noqa: ANN401 - see Settings
    try:
        from analysis.service.app import make_service
        from analysis.service.notices import targets
        from analysis.service.settings import Settings
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed; pip install 'serinus[server]'"
        raise ConfigError(message, origin="serve") from error
    told = targets.load(notices, os.environ)
    return make_service(Settings(notices=told, **settings), _connect, time.time)


def _connect(config: CanaryConfig) -> MetricSource:
    from analysis.sources.connect import open_source

    return open_source(config, None, os.environ)


def _serve(service: Service, host: str, port: int, *, as_json: bool) -> None:
    import uvicorn

    from analysis.service import logs
    from analysis.service.app import create_app

    uvicorn.run(
        create_app(service),
        host=host,
        port=port,
        log_config=logs.settings(as_json=as_json),
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=30,
    )
