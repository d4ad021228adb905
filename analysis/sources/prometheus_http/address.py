"""Where a server is and what is sent along: checked once, at the door, showing no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from analysis.errors import ConfigError
from analysis.sources.prometheus_http.credentials import BasicAuth

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[!-~\x80-\xff]([ -~\x80-\xff]*[!-~\x80-\xff])?")


def split_url(url: str) -> tuple[str, BasicAuth | None]:
    """Part an address from the user and password that may stand in it.

    Raises:
        ConfigError: It is not the address of an HTTP server; the message shows no secret.
    """
    parts = _parts(url)
    if parts is None or parts.scheme not in ("http", "https") or re.search(r"\s", url):
        raise _wrong_url(url, "must start with http:// or https:// and a host")
    if "@" in parts.path or parts.query or parts.fragment:
        raise _wrong_url(url, "must hold neither ? nor #, nor @ in its path (write %40)")
    return without_secrets(url).rstrip("/"), _url_auth(parts.username, parts.password)


def without_secrets(url: str) -> str:
    """Leave of an address its scheme, host and path."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not match
        return None
    return parts if is_address else None


def _url_auth(user: str | None, password: str | None) -> BasicAuth | None:
    if user is None:
        return None
    return BasicAuth(user=unquote(user), password=unquote(password or ""))


def _wrong_url(url: str, rule: str) -> ConfigError:
    shown = re.split(r"[?#]", url.rpartition("@")[2])[0]
    return ConfigError(
        f"the Prometheus URL {rule}, got {shown!r}; write it like http://prometheus:9090"
    )


def header_faults(headers: Mapping[str, str]) -> Iterator[str]:
    """Say of every header that cannot be sent why, without showing its value."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            yield f"header name {name!r} must be letters, digits and dashes"
        if not _HEADER_VALUE.fullmatch(value):
            yield (
                f"the value of header {name!r} must be one line of Latin-1 text "
                "without blanks around it"
            )
