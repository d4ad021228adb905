"""Who may call: bearer tokens, kept as hashes, each for some configurations and namespaces.

The file is JSON, a list of

    {"name": "argo", "sha256": "<hex digest of the token>", "namespaces": ["shop"]}

and is read again when it changes, so that a token is rotated without a restart. `*`, which is
also what is taken where nothing is said, stands for all configurations or namespaces.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from analysis.errors import ConfigError
from analysis.service import files
from analysis.service.problems import Problem, not_found
from analysis.store import Filter

ALL = "*"
_ORIGIN = "the file of tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a caller may do.

    Attributes:
        name: Whose token it is, for the log.
        sha256: Hex digest of the secret.
        configs: Names of the configurations it may use.
        namespaces: Namespaces it may judge and see.
    """

    name: str
    sha256: str
    configs: tuple[str, ...] = (ALL,)
    namespaces: tuple[str, ...] = (ALL,)

    def allows(self, *, config: str, namespace: str) -> bool:
        """Tell whether an analysis concerns this caller."""
        return self.may_use(config) and _among(namespace, self.namespaces)

    def may_use(self, config: str) -> bool:
        """Tell whether a configuration concerns this caller."""
        return _among(config, self.configs)

    def check_use(self, config: str) -> None:
        """Make sure that a configuration concerns this caller.

        Raises:
            Problem: It does not; to others it is not there.
        """
        if not self.may_use(config):
            remedy = "at least not for this token; ask the operator for one that may use it"
            raise not_found(f"configuration {config!r}", remedy)

    def seen(self, wanted: Filter) -> Filter:
        """Narrow a list to what concerns this caller."""
        return replace(
            wanted,
            configs=None if ALL in self.configs else self.configs,
            namespaces=None if ALL in self.namespaces else self.namespaces,
        )


ANYBODY = Token(name="anybody", sha256="")


def _among(value: str, allowed: tuple[str, ...]) -> bool:
    return ALL in allowed or value in allowed


class Tokens:
    """The tokens of a file, or nobody's where there is no file."""

    def __init__(self, path: Path | None) -> None:
        """Read the file, so that a fault in it is found at the start.

        Raises:
            ConfigError: The file cannot be read or used.
        """
        self._path = path
        self._lock = threading.Lock()
        self._stamp = (0, 0)
        self._tokens: tuple[Token, ...] = ()
        if path is not None:
            self._reload(path)

    @property
    def are_asked_for(self) -> bool:
        """Tell whether callers need one."""
        return self._path is not None

    def identify(self, authorization: str | None) -> Token:
        """Find the token of an `Authorization` header.

        Raises:
            Problem: There is none, or it is unknown.
        """
        if self._path is None:
            return ANYBODY
        digest = hashlib.sha256(_secret(authorization or "").encode()).hexdigest()
        found = None
        for token in self._current(self._path):  # all of them, so that time tells nothing
            if hmac.compare_digest(token.sha256.lower(), digest):
                found = token
        if found is None:
            raise Problem(401, "unauthorized", "the token is not known here; ask the operator")
        return found

    def _current(self, path: Path) -> tuple[Token, ...]:
        with self._lock:
            try:
                if files.stamp(path) != self._stamp:
                    self._reload(path)
            except (OSError, ConfigError):
                # A file that is just being written must not lock everybody out.
                return self._tokens
            return self._tokens

    def _reload(self, path: Path) -> None:
        try:
            stamp = files.stamp(path)
            tokens = msgspec.json.decode(path.read_bytes(), type=tuple[Token, ...])
        except (OSError, msgspec.MsgspecError) as error:
            raise ConfigError(f"{path} cannot be used: {error}", origin=_ORIGIN) from error
        for token in tokens:
            if len(token.sha256) != 64 or not token.sha256.isalnum():
                message = (
                    f"sha256 of {token.name!r} must have 64 hex digits: printf %s TOKEN | sha256sum"
                )
                raise ConfigError(message, origin=_ORIGIN)
        self._tokens, self._stamp = tokens, stamp


def _secret(authorization: str) -> str:
    """Take the token out of a header; as the password of whatever user, where only a URL is set."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "bearer" and given.strip():
        return given.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:
            pass
    message = "send the header `Authorization: Bearer TOKEN`, or call http://any:TOKEN@host"
    raise Problem(401, "unauthorized", message)
