"""`serinus serve`: the service."""

from __future__ import annotations

import ipaddress
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.cli import times
from analysis.cli.named import named
from analysis.cli.settings_file import LEAST_BYTES, LEAST_CALLS_PER_SECOND, defaults
from analysis.config import CanaryConfig, load_config
from analysis.errors import ConfigError, Fault
from analysis.sources.port import MetricSource

if TYPE_CHECKING:
    from analysis.consumers.links import Links
    from analysis.service.context import Service
    from analysis.service.permits import Permits
    from analysis.service.settings import Settings
    from analysis.service.tls import Certificates
    from analysis.service.tracing import Tracing

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
FILE = click.Path(path_type=Path, dir_okay=False)
BYTES = click.IntRange(LEAST_BYTES)


def _read_defaults(ctx: click.Context, _param: click.Parameter, path: Path | None) -> Path | None:
    """Let what the file says stand where neither an option nor the environment says anything."""
    if path is not None:
        ctx.default_map = {**(ctx.default_map or {}), **defaults(path)}
    return path


def _read_places(
    ctx: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str]:
    """Read `PLACE=URL`; what knows the places is loaded no sooner than somebody names one."""
    from analysis.consumers.links import PLACES, is_place

    return named("PLACE=URL", PLACES, is_place)(ctx, option, texts)


WHERE = (
    click.option(
        "--settings",
        type=FILE,
        is_eager=True,
        callback=_read_defaults,
        expose_value=False,
        metavar="FILE",
        help="YAML with any of these options as keys: look_every: 30s.",
    ),
    click.option(
        "--configs",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        required=True,
        metavar="DIR",
        help="Folder of configurations; callers name checkout.yaml `checkout`.",
    ),
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=8080,
        show_default=True,
        help="0: a free one.",
    ),
    click.option(
        "--database-url",
        envvar=["SERINUS_DATABASE_URL", "SERINUS_SERVE_DATABASE_URL"],
        default="sqlite:///serinus.db",
        show_default=True,
        metavar="URL",
        help="Where analyses are kept; postgresql://… for several replicas.",
    ),
    click.option("--public-url", default="", metavar="URL", help="Address that links point to."),
    click.option(
        "--link",
        multiple=True,
        callback=_read_places,
        metavar="PLACE=URL",
        help="Let the queries on pages lead to prometheus=URL, grafana=URL or, of several sources, "
        "prometheus.NAME=URL, as a browser reaches them; may be repeated.",
    ),
)
WHO = (
    click.option(
        "--tokens",
        type=FILE,
        metavar="FILE",
        help="JSON list of {name, sha256, configs, namespaces}: who may call.",
    ),
    click.option(
        "--without-tokens",
        is_flag=True,
        help="Let everybody in although the service listens beyond this machine.",
    ),
    click.option(
        "--tls-cert",
        type=FILE,
        metavar="FILE",
        help="Speak https with this certificate chain (PEM); a renewed file is read again.",
    ),
    click.option("--tls-key", type=FILE, metavar="FILE", help="Its key, if not in the same file."),
    click.option(
        "--client-ca",
        type=FILE,
        metavar="FILE",
        help="Let in only who shows a certificate of these authorities (PEM).",
    ),
    click.option(
        "--inline", is_flag=True, help="Let callers bring their own configuration and PromQL."
    ),
    click.option(
        "--allow-source",
        multiple=True,
        metavar="URL",
        help="Address that configurations may ask, beside PROMETHEUS_URL; may be repeated.",
    ),
    click.option(
        "--notices",
        type=FILE,
        metavar="FILE",
        help="JSON list of {name, form, url, verdicts}: who is told of verdicts.",
    ),
)
HOW_MUCH = (
    click.option(
        "--workers",
        type=click.IntRange(1, 256),
        default=8,
        show_default=True,
        help="Looks under way at once.",
    ),
    click.option(
        "--look-every",
        default="30s",
        show_default=True,
        callback=times.duration,
        metavar="DURATION",
        help="Time between the looks at a running analysis.",
    ),
    click.option(
        "--budget",
        default="8s",
        show_default=True,
        callback=times.duration,
        metavar="DURATION",
        help="How long a synchronous call waits that names no budget.",
    ),
    click.option(
        "--retention",
        default="90d",
        show_default=True,
        callback=times.duration,
        metavar="DURATION",
        help="How long an analysis is kept after its end.",
    ),
    click.option(
        "--calls-per-second",
        type=click.FloatRange(LEAST_CALLS_PER_SECOND),
        default=50.0,
        show_default=True,
        help="Calls of one token or address over time; ten seconds' worth at once. Each replica "
        "counts for itself.",
    ),
    click.option(
        "--body-limit", type=BYTES, default=1_000_000, show_default=True, help="Bytes of a body."
    ),
    click.option(
        "--series-limit",
        type=BYTES,
        default=16_000_000,
        show_default=True,
        help="Bytes of a body that holds series, such as a remote judge's.",
    ),
    click.option(
        "--log-format",
        type=click.Choice(["auto", "json", "text"]),
        default="auto",
        show_default=True,
        help="auto: text to a terminal, else a JSON object a line.",
    ),
    click.option(
        "--traces",
        default="",
        metavar="URL",
        help="OpenTelemetry collector; also OTEL_EXPORTER_OTLP_ENDPOINT.",
    ),
    click.option("--check", is_flag=True, help="Check all settings and configurations, then end."),
)


def _options(*declared: Decorator) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for one in reversed(declared):
            function = one(function)
        return function

    return decorate


@click.command(
    "serve",
    epilog="""\b
Every option is also read from the environment: SERINUS_SERVE_CONFIGS, SERINUS_DATABASE_URL, …
An option wins over the environment, and that over the file of --settings.
Examples:
  serinus serve --configs configs
  serinus serve --configs configs --host 0.0.0.0 --tokens tokens.json
  serinus serve --settings serinus.yaml --check
""",
)
@_options(*WHERE, *WHO, *HOW_MUCH)
def command(*, check: bool, **given: Any) -> None:  # noqa: ANN401 - the options above
    """Serve analyses over HTTP to Argo Rollouts, Flagger, Kayenta clients and scripts.

    Beyond this machine it lets nobody in without a token. Runs until SIGTERM or Ctrl-C, and ends
    the looks that are under way first.
    """
    _needs_tokens(given)
    certificates = _certificates(given)
    service = _service(given)
    if check:
        names = _check(service)
        click.echo(f"settings and {len(names)} configurations are good: {', '.join(names)}")
        _tell_links(service.settings.links)
        return
    _serve(service, given, certificates)


def _needs_tokens(given: Mapping[str, Any]) -> None:
    host = given["host"]
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = host == "localhost"
    if not (is_local or given["tokens"] or given["client_ca"] or given["without_tokens"]):
        message = (
            f"{host} is reached from other machines; give --tokens FILE or --client-ca FILE, or "
            "say --without-tokens"
        )
        raise ConfigError(message, origin="--host")


def _certificates(given: Mapping[str, Any]) -> Certificates | None:
    certificate, key, client_ca = given["tls_cert"], given["tls_key"], given["client_ca"]
    if certificate is None:
        if key or client_ca:
            raise ConfigError("needs --tls-cert FILE", origin="--tls-key, --client-ca")
        return None
    from analysis.service.tls import Certificates

    certificates = Certificates(certificate=certificate, key=key, client_ca=client_ca)
    certificates.check()
    return certificates


def _service(given: Mapping[str, Any]) -> Service:
    try:
        from analysis.service.app import make_service
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed; pip install 'serinus[server]'"
        raise ConfigError(message, origin="serve") from error
    return make_service(_settings(given), _connect, time.time, _tracing(given["traces"]))


def _tracing(endpoint: str) -> Tracing | None:
    from analysis.service import tracing

    if not endpoint and not tracing.is_wanted(os.environ):
        return None
    return tracing.exporting(endpoint)


def _settings(given: Mapping[str, Any]) -> Settings:
    from analysis.consumers.links import links_of
    from analysis.service.notices import targets
    from analysis.service.settings import Settings

    same = ("configs", "database_url", "tokens", "public_url", "workers", "inline")
    return Settings(
        **{name: given[name] for name in same},
        notices=targets.load(given["notices"], os.environ),
        permits=_permits(given["allow_source"]),
        links=links_of(given["link"]),
        look_every_s=given["look_every"].total_seconds(),
        budget_s=given["budget"].total_seconds(),
        retention_days=given["retention"].total_seconds() / 86400,
        calls_per_second=given["calls_per_second"],
        most_body_bytes=given["body_limit"],
        most_series_bytes=given["series_limit"],
    )


def _permits(urls: tuple[str, ...]) -> Permits:
    from analysis.service.permits import Address, Permits

    try:
        addresses = tuple(Address.of(url) for url in urls)
    except ValueError as error:
        raise ConfigError(str(error), origin="--allow-source") from error
    return Permits(addresses=addresses, environment=os.environ)


def _check(service: Service) -> list[str]:
    """Read every configuration; tell the faults of all of them at once."""
    settings, names = service.settings, service.analyses.catalog.names()
    faults, sources = [], set[str]()
    for name in names:
        path = settings.configs / f"{name}.yaml"
        try:
            config = load_config(path)
            sources |= set(config.named_sources)
            settings.permits.check(config, by_caller=False, origin=str(path))
        except ConfigError as error:
            faults.append(Fault(path="", message=str(error)))
    if faults:
        raise ConfigError(tuple(faults))
    settings.links.check_sources(sorted(sources))
    return names


def _tell_links(links: Links) -> None:
    """Say where queries lead: a wrong address shows only once somebody follows it at night."""
    for name, url in links.prometheus.items():
        click.echo(f"queries{f' of the source {name}' if name else ''} lead to {url}")
    if links.grafana is not None:
        click.echo(f"queries lead to Grafana at {links.grafana}")


def _connect(config: CanaryConfig) -> MetricSource:
    from analysis.sources.connect import open_source

    return open_source(config, None, os.environ)


def _serve(service: Service, given: Mapping[str, Any], certificates: Certificates | None) -> None:
    from analysis.service import logs
    from analysis.service.app import create_app
    from analysis.service.listening import Listening, server
    from analysis.service.warming import warm_up

    form = given["log_format"]
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    listening = Listening(
        host=given["host"],
        port=given["port"],
        certificates=certificates,
        log=logs.settings(as_json=as_json),
    )
    warm_up()
    running = server(create_app(service), listening)
    try:
        running.run()
    except SystemExit as error:  # uvicorn's own, whose code would mean `inconclusive`
        where = f"{listening.host}:{listening.port}"
        message = f"cannot listen on {where}, as the log says; choose another --host or --port"
        raise ConfigError(message, origin="--port") from error
    if not running.started:
        raise ConfigError("the service did not start, as the log says", origin="serve")
