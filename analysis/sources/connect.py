"""Make the source that a configuration describes, with values and secrets from the environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.config import (
    CanaryConfig,
    OAuth2Settings,
    PrometheusSettings,
    SigV4Settings,
    SourceSettings,
    TableSettings,
)
from analysis.errors import ConfigError
from analysis.query import MissingVariableError, expand, references

if TYPE_CHECKING:
    from analysis.sources.port import LabelSource, MetricSource
    from analysis.sources.prometheus import Auth, PrometheusSource

ORIGIN = "source.prometheus"
# A sample in JSON, with its time in milliseconds and all digits of a double, takes 41 bytes; most
# take 30. An answer of all samples that may be read must fit, and one of labels alone.
SAMPLE_BYTES = 40
LEAST_BYTES = 16 * 1024**2


def open_source(
    config: CanaryConfig, url: str | None, environment: Mapping[str, str]
) -> MetricSource:
    """Make the source of a configuration; several stand behind one.

    Args:
        config: What says where the series are.
        url: From the command line; wins over the address of the only or first source.
        environment: Values and secrets that the configuration names.

    Raises:
        ConfigError: There is no URL, it is given for a table, or a variable or file that is
            referred to does not exist.
        SourceError: A table cannot be read.
    """
    opened = {
        name: _open(settings, None if number else url, environment, _place(name))
        for number, (name, settings) in enumerate(config.named_sources.items())
    }
    if not config.sources:
        return opened[""]
    from analysis.sources.several import Several

    return Several(sources=opened)


def named_variables(config: CanaryConfig) -> frozenset[str]:
    """Name the variables of the environment that a configuration's sources need."""
    settings = [one.model_dump(mode="json") for one in config.named_sources.values()]
    return frozenset(name for one in settings for name in _named_in(one))


def _named_in(node: object, key: str = "") -> Iterator[str]:
    match node:
        case str() if key.endswith("_env"):
            yield node
        case str():
            yield from references(node)
        case dict():
            for inner, value in node.items():
                yield from _named_in(value, inner)
        case _:
            return


def named_sources(source: MetricSource) -> Mapping[str, MetricSource]:
    """Give a configuration's sources by name; the only one has none."""
    from analysis.sources.several import Several

    return source.sources if isinstance(source, Several) else {"": source}


def label_sources(source: MetricSource) -> dict[str, LabelSource]:
    """Give those of a configuration's sources that can be asked for labels, by name."""
    from analysis.sources.port import LabelSource

    named = named_sources(source).items()
    return {name: one for name, one in named if isinstance(one, LabelSource)}


def _place(name: str) -> str:
    return f"sources.{name}" if name else "source"


def _open(
    settings: SourceSettings, url: str | None, environment: Mapping[str, str], place: str
) -> MetricSource:
    if settings.table is None:
        return connect(settings.prometheus, url, environment, origin=f"{place}.prometheus")
    if url:
        raise ConfigError("the source is a table; leave --prometheus out", origin=place)
    return _table(settings.table, _Named(environment=environment, origin=f"{place}.table"))


def _table(settings: TableSettings, named: _Named) -> MetricSource:
    from analysis.sources.table import Columns, TableSource

    columns = Columns(time=settings.time, metric=settings.metric, value=settings.value)
    path = Path(named.expand("path", settings.path))
    return TableSource.read(path, columns, is_cumulative=settings.counters == "cumulative")


def connect(
    settings: PrometheusSettings,
    url: str | None,
    environment: Mapping[str, str],
    *,
    origin: str = ORIGIN,
) -> PrometheusSource:
    """Make the Prometheus source.

    Args:
        settings: From the configuration.
        url: From the command line; wins over the configuration.
        environment: Values and secrets that the configuration names.
        origin: Where the settings stand, for the reader of an error.

    Raises:
        ConfigError: There is no URL, or a variable or file that is referred to does not exist.
    """
    from analysis.sources.prometheus import PrometheusSource
    from analysis.sources.prometheus_http.backends import MANNERS, tenant_headers, tenant_url

    named = _Named(environment=environment, origin=origin)
    tenant = None if settings.tenant is None else named.expand("tenant", settings.tenant)
    manners = MANNERS[settings.backend]
    return PrometheusSource(
        url=tenant_url(settings.backend, _url(settings, url, named), tenant),
        headers={
            **tenant_headers(settings.backend, tenant),
            **named.all("headers", settings.headers),
        },
        params={**manners.params, **named.all("params", settings.params)},
        auth=_auth(settings, named),
        verify=settings.ca_file or True,
        certificate=_certificate(settings),
        timeout_s=settings.timeout.total_seconds(),
        deadline_s=settings.deadline.total_seconds(),
        max_connections=settings.max_connections,
        max_samples=settings.max_samples,
        max_answer_bytes=max(LEAST_BYTES, SAMPLE_BYTES * settings.max_samples),
        form=manners.form,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What the configuration names and does not hold: variables and files.

    Attributes:
        environment: Variables.
        origin: Where the names stand, for the reader of an error.
    """

    environment: Mapping[str, str]
    origin: str

    def expand(self, key: str, text: str) -> str:
        try:
            return expand(text, self.environment)
        except MissingVariableError as error:
            remedy = "; set it, or give --prometheus URL" if key == "url" else "; set it"
            message = f"{error.faults[0].message} in the environment{remedy}"
            raise ConfigError(message, origin=f"{self.origin}.{key}") from error

    def all(self, key: str, texts: Mapping[str, str]) -> dict[str, str]:
        return {name: self.expand(f"{key}.{name}", text) for name, text in texts.items()}

    def variable(self, key: str, name: str) -> str:
        value = self.environment.get(name)
        if not value:
            raise ConfigError(f"the environment has no {name}", origin=f"{self.origin}.{key}")
        return value

    def file(self, key: str, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            words = getattr(error, "strerror", None) or "not UTF-8 text"
            message = f"{path} cannot be read: {words}"
            raise ConfigError(message, origin=f"{self.origin}.{key}") from None  # it holds a secret


def _url(settings: PrometheusSettings, given: str | None, named: _Named) -> str:
    url = given or named.expand("url", settings.url)
    if not url:
        raise ConfigError(
            "no server to ask; give --prometheus URL, set PROMETHEUS_URL, or write it down here",
            origin=f"{named.origin}.url",
        )
    return url


def _certificate(settings: PrometheusSettings) -> str | tuple[str, str] | None:
    if settings.cert_file is not None and settings.key_file is not None:
        return settings.cert_file, settings.key_file
    return settings.cert_file


# ---- credentials


def _auth(settings: PrometheusSettings, named: _Named) -> Auth | None:
    from analysis.sources.prometheus import BearerToken, BearerTokenFile

    if settings.bearer_token_file is not None:
        return BearerTokenFile(path=Path(settings.bearer_token_file))
    if settings.bearer_token_env is not None:
        token = named.variable("bearer_token_env", settings.bearer_token_env)
        return BearerToken(token=token)
    if settings.oauth2 is not None:
        return _oauth2(settings.oauth2, settings.ca_file or True, named)
    if settings.sigv4 is not None:
        return _sigv4(settings.sigv4, named)
    return _basic(settings, settings.username, named) if settings.username is not None else None


def _basic(settings: PrometheusSettings, user: str, named: _Named) -> Auth:
    from analysis.sources.prometheus import BasicAuth

    if settings.password_env is not None:
        password = named.variable("password_env", settings.password_env)
    else:
        password = named.file("password_file", Path(str(settings.password_file)))
    return BasicAuth(user=user, password=password)


def _oauth2(settings: OAuth2Settings, verify: bool | str, named: _Named) -> Auth:
    from analysis.sources.prometheus import ClientCredentials
    from analysis.sources.prometheus_http.address import split_url

    url, user = split_url(named.expand("oauth2.token_url", settings.token_url))
    if user is not None:
        message = "holds a user; give client_id and client_secret_env or client_secret_file"
        raise ConfigError(message, origin=f"{named.origin}.oauth2.token_url")
    secret = _client_secret(settings, named)
    secret()  # what is missing is told before anything is asked
    return ClientCredentials(
        token_url=url,
        client_id=named.expand("oauth2.client_id", settings.client_id),
        secret=secret,
        scopes=settings.scopes,
        params=named.all("oauth2.params", settings.params),
        in_body=settings.client_auth == "body",
        verify=verify,
    )


def _client_secret(settings: OAuth2Settings, named: _Named) -> Callable[[], str]:
    if settings.client_secret_file is not None:
        path = Path(settings.client_secret_file)
        return lambda: named.file("oauth2.client_secret_file", path)
    variable = str(settings.client_secret_env)
    secret = named.variable("oauth2.client_secret_env", variable)
    return lambda: secret


def _sigv4(settings: SigV4Settings, named: _Named) -> Auth:
    from analysis.sources.prometheus_http.sigv4 import signer

    region = named.expand("sigv4.region", settings.region)
    try:
        return signer(region=region, service=settings.service, profile=settings.profile)
    except ConfigError as error:
        message = error.faults[0].message
        raise ConfigError(message, origin=f"{named.origin}.sigv4") from error
