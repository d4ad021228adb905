"""How instants and durations are read from the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from analysis.cli.times import duration, instant, resolve
from tests.support.builders import START

NOW = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
CONTEXT, PARAMETER = click.Context(click.Command("judge")), click.Option(["--start"])

INSTANTS = {
    "now": ("now", NOW),
    "a while ago": ("now-30m", NOW - timedelta(minutes=30)),
    "a while ago, in several units": ("now-1h30m", NOW - timedelta(minutes=90)),
    "this moment, at length": ("now-0", NOW),
    "RFC 3339 in UTC": ("2027-01-15T07:00:00Z", NOW - timedelta(hours=1)),
    "RFC 3339 with an offset": ("2027-01-15T09:00:00+01:00", NOW),
    "RFC 3339 with a space and fractions": (
        "2027-01-15 08:00:00.250Z",
        NOW + timedelta(seconds=0.25),
    ),
    "epoch seconds": ("1800000000", NOW),
    "epoch seconds with fractions": ("1800000000.5", NOW + timedelta(seconds=0.5)),
}


@pytest.mark.parametrize(("text", "expected"), INSTANTS.values(), ids=INSTANTS)
def test_an_instant_is_read(text: str, expected: datetime) -> None:
    assert resolve(text, NOW) == expected
    assert instant(CONTEXT, PARAMETER, text) == text


def test_the_tests_now_is_their_start() -> None:
    assert NOW.timestamp() == START


REFUSED_INSTANTS = {
    "nothing": ("", "expected an instant such as"),
    "a word": ("yesterday", "expected an instant such as 2026-11-22T10:00:00Z"),
    "a time without an offset": ("2027-01-15T08:00:00", r"no offset from UTC; add Z or \+01:00"),
    "a date alone": ("2027-01-15", "no offset from UTC"),
    "an impossible date": ("2027-02-30T08:00:00Z", "day is out of range"),
    "the future": ("now+5m", "expected an instant"),
    "no unit": ("now-5", "expected a duration such as"),
    "a negative duration": ("now--5m", "must not be negative"),
    "longer ago than can be meant": ("now-4000d", "at most 3650d"),
    "longer ago than there are dates": ("now-99999999999d", "expected a duration"),
    "not a number": ("nan", "expected an instant"),
    "infinity": ("inf", "expected an instant"),
    "a number beyond all dates": ("1e30", "expected an instant"),
    "milliseconds": ("1800000000000", "expected an instant"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED_INSTANTS.values(), ids=REFUSED_INSTANTS)
def test_what_is_no_instant_is_refused(text: str, message: str) -> None:
    with pytest.raises(click.BadParameter, match=message):
        instant(CONTEXT, PARAMETER, text)


def test_an_instant_left_out_stays_out() -> None:
    assert instant(CONTEXT, PARAMETER, None) is None
    assert duration(CONTEXT, PARAMETER, None) is None


DURATIONS = {
    "seconds": ("15s", 15),
    "minutes": ("5m", 300),
    "several units": ("1h30m", 5400),
    "days": ("1d", 86_400),
    "fractions": ("1.5h", 5400),
    "milliseconds": ("500ms", 0.5),
}


@pytest.mark.parametrize(("text", "seconds"), DURATIONS.values(), ids=DURATIONS)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert duration(CONTEXT, PARAMETER, text) == timedelta(seconds=seconds)


REFUSED_DURATIONS = {
    "nothing": ("", "expected a duration such as 15s, 5m or 1h30m, got ''"),
    "no unit": ("5", "expected a duration"),
    "an unknown unit": ("5 parsecs", "expected a duration"),
    "a word": ("long", "got 'long'"),
    "zero": ("0s", "must be longer than 0s"),
    "less than nothing": ("-5m", "must not be negative, got '-5m'"),
    "more than can be meant": ("11y", "at most 3650d, got '11y'"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED_DURATIONS.values(), ids=REFUSED_DURATIONS)
def test_what_is_no_duration_is_refused(text: str, message: str) -> None:
    with pytest.raises(click.BadParameter, match=message):
        duration(CONTEXT, PARAMETER, text)
