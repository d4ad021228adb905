"""Make the source that a configuration describes, with values and secrets from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.config import PrometheusSettings
from analysis.errors import ConfigError
from analysis.query import MissingVariableError, expand

if TYPE_CHECKING:
    from analysis.sources.prometheus import Auth, PrometheusSource

ORIGIN = "source.prometheus"


def connect(
    settings: PrometheusSettings, url: str | None, environment: Mapping[str, str]
) -> PrometheusSource:
    """Make the Prometheus source.

    Args:
        settings: From the configuration.
        url: From the command line; wins over the configuration.
        environment: Values and secrets that the configuration names.

    Raises:
        ConfigError: There is no URL, or a variable or file that is referred to does not exist.
    """
    from analysis.sources.prometheus import PrometheusSource

    return PrometheusSource(
        url=_url(settings, url, environment),
        headers={
            name: _expand(f"headers.{name}", value, environment)
            for name, value in settings.headers.items()
        },
        auth=_auth(settings, environment),
        verify=settings.ca_file or True,
        timeout_s=settings.timeout.total_seconds(),
        deadline_s=settings.deadline.total_seconds(),
    )


def _url(settings: PrometheusSettings, given: str | None, environment: Mapping[str, str]) -> str:
    url = given or _expand("url", settings.url, environment)
    if not url:
        raise ConfigError(
            "no server to ask; give --prometheus URL, set PROMETHEUS_URL, or write it down here",
            origin=f"{ORIGIN}.url",
        )
    return url


def _expand(key: str, text: str, environment: Mapping[str, str]) -> str:
    try:
        return expand(text, environment)
    except MissingVariableError as error:
        remedy = "; set it, or give --prometheus URL" if key == "url" else "; set it"
        message = f"{error.faults[0].message} in the environment{remedy}"
        raise ConfigError(message, origin=f"{ORIGIN}.{key}") from error


def _auth(settings: PrometheusSettings, environment: Mapping[str, str]) -> Auth | None:
    from analysis.sources.prometheus import BasicAuth, BearerToken, BearerTokenFile

    if settings.bearer_token_file is not None:
        return BearerTokenFile(path=Path(settings.bearer_token_file))
    if settings.bearer_token_env is not None:
        return BearerToken(
            token=_secret("bearer_token_env", settings.bearer_token_env, environment)
        )
    if settings.username is None:
        return None
    if settings.password_env is not None:
        password = _secret("password_env", settings.password_env, environment)
    else:
        password = _secret_file("password_file", Path(str(settings.password_file)))
    return BasicAuth(user=settings.username, password=password)


def _secret(key: str, variable: str, environment: Mapping[str, str]) -> str:
    value = environment.get(variable)
    if not value:
        message = f"the environment has no {variable}"
        raise ConfigError(message, origin=f"{ORIGIN}.{key}")
    return value


def _secret_file(key: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error}", origin=f"{ORIGIN}.{key}") from error
