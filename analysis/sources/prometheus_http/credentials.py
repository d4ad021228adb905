"""Who asks: credentials for a server, and keeping them out of messages."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from requests import PreparedRequest

from analysis.errors import ConfigError
from analysis.sources.prometheus_http.faults import ServerError, without

# requests takes any callable as `auth` and calls it for every request sent, retries included.
Auth = Callable[[PreparedRequest], PreparedRequest]


@runtime_checkable
class Renewable(Protocol):
    """Credentials that may have been replaced since they were sent."""

    def renew(self, sent: Mapping[str, str]) -> bool:
        """Tell whether it is worth asking again, after the headers in `sent` were refused."""


# Headers whose values a server may repeat to us: any other could hold a key.
_OPEN_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "thanos-tenant",
        "user-agent",
        "x-scope-orgid",
    }
)
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuth:
    """A user and a password, as a reverse proxy in front of Prometheus asks for.

    Attributes:
        user: The user's name.
        password: The password, never shown.
    """

    user: str
    password: str = field(repr=False)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign `request`."""
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return authorized(request, f"Basic {pair}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerToken:
    """A token that stays the same.

    Attributes:
        token: The token, never shown.
    """

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot stand in a header, without showing it.

        Raises:
            ConfigError: The token is empty or holds blanks, line ends or other odd characters.
        """
        if not _TOKEN.fullmatch(self.token):
            raise ConfigError("the bearer token must be one word of printable ASCII characters")

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign `request`."""
        return authorized(request, f"Bearer {self.token}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerTokenFile:
    """A token in a file that is rewritten as it expires, such as a Kubernetes service account's.

    Attributes:
        path: The file, read anew for every request.
    """

    path: Path

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign `request` with what the file holds now.

        Raises:
            ServerError: The file cannot be read or does not hold one token.
        """
        return authorized(request, f"Bearer {self._token()}")

    def renew(self, sent: Mapping[str, str]) -> bool:
        """Tell whether the file holds another token than the one that was refused."""
        return sent.get("Authorization", "") not in ("", f"Bearer {self._token()}")

    def _token(self) -> str:
        try:
            token = self.path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            words = getattr(error, "strerror", None) or "not ASCII text"
            raise _useless_token_file(self.path, words) from None  # the cause quotes the file
        if not _TOKEN.fullmatch(token):
            raise _useless_token_file(self.path, "it must hold one token and nothing else")
        return token


def _useless_token_file(path: Path, words: str) -> ServerError:
    return ServerError(
        f"the bearer token file {path} is of no use: {words}; "
        "check the path, its permissions and what writes it",
        code="unauthorized",
        is_final=True,
    )


def authorized(request: PreparedRequest, value: str) -> PreparedRequest:
    """Add what says who asks."""
    request.headers["Authorization"] = value
    return request


def redact(words: str, sent: Mapping[str, str]) -> str:
    """Blank out of a server's words every credential among the headers sent to it."""
    return without(words, _secrets(sent))


def _secrets(sent: Mapping[str, str]) -> Iterator[str]:
    for name, value in sent.items():
        if name.lower() not in _OPEN_HEADERS:
            yield from value.split()[-1:]  # the word after `Basic` or `Bearer`
            yield value
            yield from _password(value)


def _password(value: str) -> Iterator[str]:
    try:
        pair = base64.b64decode(value.removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    yield from (part for part in (pair, pair.partition(":")[2]) if part)
