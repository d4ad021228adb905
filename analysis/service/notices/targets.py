"""Who is told of verdicts.

The operator's file is JSON, a list of

    {"name": "ops", "form": "slack", "url_env": "SLACK_URL", "verdicts": ["fail"]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

import msgspec

from analysis.errors import ConfigError
from analysis.store import Look, Record, Status

Form = Literal["cloudevent", "slack", "teams", "alertmanager"]
ALL = "*"
_ORIGIN = "the file of notices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Somebody who is told.

    Attributes:
        name: Its name in the outbox and the log.
        form: What its receiver understands.
        url: Where it listens; or `url_env`, the variable that holds that, for it may be a secret.
        secret_env: Variable that holds the secret to sign with.
        verdicts: Which verdicts it is told.
        configs: Of which configurations.
    """

    name: str
    form: Form = "cloudevent"
    url: str = field(default="", repr=False)
    url_env: str = ""
    secret_env: str = ""
    verdicts: tuple[str, ...] = ("pass", "fail", "inconclusive")
    configs: tuple[str, ...] = (ALL,)

    def wants(self, record: Record, look: Look) -> bool:
        """Tell whether the end of an analysis concerns it."""
        concerns = ALL in self.configs or record.config in self.configs
        return look.status is Status.COMPLETED and look.verdict in self.verdicts and concerns


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a target listens, and what to sign with; both may be secrets."""

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)


def load(path: Path | None, environment: Mapping[str, str]) -> dict[str, tuple[Target, Address]]:
    """Read the targets, by name.

    Raises:
        ConfigError: The file or a target in it cannot be used.
    """
    if path is None:
        return {}
    try:
        targets = msgspec.json.decode(path.read_bytes(), type=tuple[Target, ...])
    except (OSError, msgspec.MsgspecError) as error:
        forms = ", ".join(get_args(Form))
        message = f"{path} cannot be used: {error}; forms are {forms}"
        raise ConfigError(message, origin=_ORIGIN) from error
    _distinct([target.name for target in targets])
    return {target.name: (target, _address(target, environment)) for target in targets}


def _distinct(names: Sequence[str]) -> None:
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"names must differ, got twice: {', '.join(twice)}", origin=_ORIGIN)


def _address(target: Target, environment: Mapping[str, str]) -> Address:
    url = target.url or _variable(target, "url_env", target.url_env, environment)
    if urlsplit(url).scheme not in {"http", "https"}:
        message = f"url of {target.name!r} must begin with http:// or https://"
        raise ConfigError(message, origin=_ORIGIN)
    name = target.secret_env
    return Address(
        url=url, secret=_variable(target, "secret_env", name, environment) if name else ""
    )


def _variable(target: Target, key: str, name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name, "")
    if not value:
        message = f"{key} of {target.name!r}: the environment has no {name or 'such variable'}"
        raise ConfigError(message, origin=_ORIGIN)
    return value
