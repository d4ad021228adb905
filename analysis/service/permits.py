"""Which Prometheus may be asked, so that a configuration is no way into the network behind us.

Addresses are compared by scheme, host, port and whole parts of the path, and redirects are followed
nowhere. A name is trusted to be resolved by the operator's own DNS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Self
from urllib.parse import unquote, urlsplit

from analysis.config import CanaryConfig
from analysis.config.sources import SourceSettings
from analysis.errors import ConfigError, Fault
from analysis.query import MissingVariableError, expand
from analysis.sources.prometheus_http.address import without_secrets

# Of the source a caller may choose its address and its times. The rest is credentials, headers that
# choose a tenant, and files of this machine.
OF_CALLERS = frozenset({"url", "backend", "step", "lag", "timeout", "deadline"})
_PORTS = {"http": 80, "https": 443}
# How a configuration says that it asks the service's own; with a default it may be another.
_OWN = frozenset({"${PROMETHEUS_URL:-}", "${PROMETHEUS_URL}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a Prometheus is, in parts that can be compared."""

    scheme: str
    host: str
    port: int
    path: PurePosixPath

    @classmethod
    def of(cls, url: str, *, with_user: bool = False) -> Self:
        """Take an address apart; who logs in there is no part of it.

        Raises:
            ValueError: It is none, or hides something: a user, a query, a step up the path.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"{url!r} is no address; write https://HOST[:PORT][/PATH]")
        path = PurePosixPath(unquote(parts.path) or "/")
        is_plain = not (parts.query or parts.fragment or ".." in path.parts)
        is_plain &= with_user or "@" not in parts.netloc
        if not is_plain or set(url) & set("\\ \t\r\n"):
            raise ValueError("an address here has no user, query, fragment, space or '..'")
        port = parts.port or _PORTS[parts.scheme]
        return cls(scheme=parts.scheme, host=parts.hostname.rstrip("."), port=port, path=path)

    def covers(self, other: Address) -> bool:
        """Tell whether the other address is this one, or lies below it."""
        ours, theirs = ((one.scheme, one.host, one.port) for one in (self, other))
        return ours == theirs and other.path.is_relative_to(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permits:
    """What the operator lets configurations ask.

    Attributes:
        addresses: Beside the service's own PROMETHEUS_URL; empty: the operator's configurations
            may ask anything, a caller's nothing else.
        environment: What addresses refer to.
    """

    addresses: tuple[Address, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def check(self, config: CanaryConfig, *, by_caller: bool, origin: str = "") -> None:
        """Make sure that a configuration may ask its source.

        Args:
            config: Names the source.
            by_caller: Whether a caller brought it.
            origin: The file it stands in, for the reader.

        Raises:
            ConfigError: It may not.
        """
        for name, settings in config.named_sources.items():
            place = f"sources.{name}" if name else "source"
            if by_caller:
                _check_keys(settings, place)
            for key, url in _addresses(settings):
                if url not in _OWN and (self.addresses or by_caller):
                    self._check_address(url, f"{place}.{key}", by_caller=by_caller, origin=origin)

    def _check_address(self, written: str, path: str, *, by_caller: bool, origin: str) -> None:
        try:
            is_allowed = self._is_allowed(written, by_caller=by_caller)
        except ValueError as error:
            # Without the address: what it was expanded to may hold a secret.
            message = "is no plain address such as https://HOST/PATH"
            raise _fault(path, message, origin) from error
        except MissingVariableError as error:
            message = f"{error.faults[0].message} in the environment"
            raise _fault(path, message, origin) from error
        if not is_allowed:
            message = (
                f"{without_secrets(written)!r} may not be asked; let the operator serve with "
                "--allow-source, or leave it out and ask the service's own"
            )
            raise _fault(path, message, origin)

    def _is_allowed(self, written: str, *, by_caller: bool) -> bool:
        url = expand(written, self.environment)
        asked = Address.of(url, with_user=not by_caller)
        return any(one.covers(asked) for one in self._allowed())

    def _allowed(self) -> tuple[Address, ...]:
        own = self.environment.get("PROMETHEUS_URL")
        return (*self.addresses, Address.of(own, with_user=True)) if own else self.addresses


def _fault(path: str, message: str, origin: str = "") -> ConfigError:
    return ConfigError((Fault(path=path, message=message),), origin=origin)


def _addresses(source: SourceSettings) -> Iterator[tuple[str, str]]:
    """Give every address that is asked, where tokens are issued too; a table has none."""
    if source.table is not None:
        return
    yield "prometheus.url", source.prometheus.url
    if source.prometheus.oauth2 is not None:
        yield "prometheus.oauth2.token_url", source.prometheus.oauth2.token_url


def _check_keys(source: SourceSettings, place: str) -> None:
    """Refuse what would send the service's secrets, or read its files, for a caller."""
    foreign = sorted(source.model_fields_set - {"prometheus"})
    foreign += sorted(source.prometheus.model_fields_set - OF_CALLERS)
    if foreign:
        message = (
            f"a caller's configuration has no {', '.join(foreign)}; with them it must be a "
            "configuration of the operator's"
        )
        raise _fault(place, message)
    if source.prometheus.url not in _OWN and "${" in source.prometheus.url:
        message = "a caller's configuration names its address without the environment"
        raise _fault(f"{place}.prometheus.url", message)
