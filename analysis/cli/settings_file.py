"""The file of `serinus serve --settings`: what can be said as an option can be written down."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from analysis.config.fields import Duration, format_duration
from analysis.config.load import in_order, parse_mapping, read_text, validate
from analysis.errors import ConfigError


def _at_least_a_second(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise ValueError("must be at least 1s")
    return value


LEAST_CALLS_PER_SECOND, LEAST_BYTES = 0.1, 1000
Span = Annotated[Duration, AfterValidator(_at_least_a_second)]
Bytes = Annotated[int, Field(ge=LEAST_BYTES)]


class ServeFile(BaseModel):
    """Settings of the service; each key is the option of that name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    configs: Path | None = None
    host: str | None = None
    port: Annotated[int, Field(ge=0, le=65535)] | None = None
    database_url: str | None = None
    tokens: Path | None = None
    without_tokens: bool | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    client_ca: Path | None = None
    notices: Path | None = None
    public_url: str | None = None
    link: dict[str, str] | None = None
    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    look_every: Span | None = None
    budget: Span | None = None
    retention: Span | None = None
    calls_per_second: Annotated[float, Field(ge=LEAST_CALLS_PER_SECOND)] | None = None
    body_limit: Bytes | None = None
    series_limit: Bytes | None = None
    log_format: Literal["auto", "json", "text"] | None = None
    traces: str | None = None
    inline: bool | None = None
    allow_source: list[str] | None = None


def defaults(path: Path) -> dict[str, Any]:
    """Read the file; give what it says by the names of the command's parameters.

    Paths are relative to the file. Options and the environment win over what it says.

    Raises:
        ConfigError: It cannot be read or breaks a rule; with every fault found.
    """
    text = read_text(path, remedy="create it, or leave the option out")
    rule = "settings are a mapping, with a key and a colon on each line"
    read, faults = validate(parse_mapping(text, str(path), rule=rule), ServeFile)
    if read is None:
        raise ConfigError(in_order(faults), origin=str(path))
    said = read.model_dump(exclude_unset=True, exclude_none=True)
    return {name: _as_option(value, path.parent) for name, value in said.items()}


def _as_option(value: object, folder: Path) -> object:
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, dict):
        return [f"{name}={one}" for name, one in value.items()]
    return folder / value if isinstance(value, Path) else value
