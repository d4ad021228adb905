"""How instants and durations are written on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from analysis.config.fields import parse_duration
from analysis.window import parse_instant

_INSTANT = "an instant such as 2026-11-22T10:00:00Z, 1795380620, now or now-30m"


def duration(_ctx: click.Context, _param: click.Parameter, value: str | None) -> timedelta | None:
    """Read a duration such as 15s, 5m or 1h30m; a callback of click's."""
    if value is None:
        return None
    try:
        read = parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if read == timedelta(0):
        raise click.BadParameter("a duration here must be longer than 0s")
    return read


def instant(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Check an instant; it is resolved once `now` is known. A callback of click's."""
    if value is not None:
        try:
            resolve(value, datetime.max.replace(tzinfo=UTC))
        except (ValueError, OverflowError) as error:
            raise click.BadParameter(f"{error}; expected {_INSTANT}") from error
    return value


def resolve(text: str, now: datetime) -> datetime:
    """Turn a written instant into an aware datetime.

    Raises:
        ValueError: The text is no instant, or lacks its offset from UTC.
        OverflowError: It lies beyond all dates.
    """
    if text == "now":
        return now
    if text.startswith("now-"):
        return now - parse_duration(text.removeprefix("now-"))
    return parse_instant(text)
