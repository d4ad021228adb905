"""Series in promtool's notation: what is expanded, and what is refused with which words."""

from __future__ import annotations

import math

import pytest

from analysis.sources.matching import parse_labels
from analysis.testing.notation import MOST_VALUES, Value, parse_values, written

EXPANDED: dict[str, tuple[str, list[Value]]] = {
    "numbers": ("1 -2.5 +3 .5 2. 1e3", [1.0, -2.5, 3.0, 0.5, 2.0, 1000.0]),
    "a sequence holds its first value and N more": ("0+10x3", [0.0, 10.0, 20.0, 30.0]),
    "it may fall": ("5-1.5x2", [5.0, 3.5, 2.0]),
    "a repetition holds its value and N more": ("7x2", [7.0, 7.0, 7.0]),
    "none more is one": ("7x0", [7.0]),
    "gaps are as many as they say": ("_ _x2 1", [None, None, None, 1.0]),
    "an end": ("1 stale 2", [1.0, "stale", 2.0]),
    "infinities, in any case": ("Inf -inf +INF", [math.inf, -math.inf, math.inf]),
    "an infinity may be the start of a sequence": ("Inf+1x1", [math.inf, math.inf]),
    "an exponent is no step": ("1e+2+1x1", [100.0, 101.0]),
    "lines and tabs part values too": ("1\t2\n3", [1.0, 2.0, 3.0]),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("text", "values"), EXPANDED.values(), ids=EXPANDED)
def test_a_series_is_expanded(text: str, values: list[Value]) -> None:
    assert parse_values(text) == values


def test_no_number_is_one_too() -> None:
    (value,) = parse_values("NaN")

    assert isinstance(value, float)
    assert math.isnan(value)


def test_a_sequence_is_added_up_as_prometheus_does() -> None:
    assert parse_values("0+0.1x3")[-1] == 0.1 + 0.1 + 0.1  # 0.30000000000000004, not 3 * 0.1


SHAPES = "is none of a number"
REFUSED: dict[str, tuple[str, str]] = {
    "native histograms, by name": ("{{schema:1 count:3}}x2", "native histograms"),
    "a word with a repetition": ("NaNx3", SHAPES),
    "an end with a repetition": ("stalex3", SHAPES),
    "a gap with a step": ("_+1x3", SHAPES),
    "a repetition of a part": ("1x3.5", SHAPES),
    "a repetition below nothing": ("1+1x-1", SHAPES),
    "a repetition without its number": ("1x", SHAPES),
    "a step without its repetition": ("1+1", SHAPES),
    "two signs": ("1--1x3", SHAPES),
    "hexadecimal": ("0x1f", SHAPES),
    "a duration": ("5m", SHAPES),
    "other digits": ("\uff11", SHAPES),
    "a misspelt end": ("STALE", SHAPES),
    "what no number reaches": ("1e400", "larger than any number"),
    "more than can be meant": ("1x99999999999999999999999", f"more than {MOST_VALUES:,}"),
    "more gaps than can be meant": ("_x999999", f"more than {MOST_VALUES:,}"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_series_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_values(text)


LABELS: dict[str, tuple[str, dict[str, str]]] = {
    "a name": ("up", {"__name__": "up"}),
    "a name and labels": ("up{a='1', b=\"2\"}", {"__name__": "up", "a": "1", "b": "2"}),
    "a name among the labels": ('{__name__="up"}', {"__name__": "up"}),
    "none": ("{}", {}),
    "escapes": (r'up{a="\"\\\n"}', {"__name__": "up", "a": '"\\\n'}),
    "an empty label is none": ('up{a=""}', {"__name__": "up"}),
}


@pytest.mark.parametrize(("text", "labels"), LABELS.values(), ids=LABELS)
def test_labels_are_read(text: str, labels: dict[str, str]) -> None:
    assert parse_labels(text) == labels


NO_SERIES: dict[str, tuple[str, str]] = {
    "a matcher": ('up{a=~"1"}', "labels, not matchers"),
    "an expression": ("rate(up[1m])", "is no series"),
    "another time": ("up offset 5m", "is no series"),
    "no PromQL": ("up{", "is no series"),
    "a label twice": ('up{a="1", a="2"}', "twice"),
}


@pytest.mark.parametrize(("text", "message"), NO_SERIES.values(), ids=NO_SERIES)
def test_what_names_no_series_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_labels(text)


@pytest.mark.parametrize("text", ["up", 'up{a="1", b="2"}', '{a="x"}', r'up{a="\"\\\n"}', "{}"])
def test_labels_are_written_as_they_were_read(text: str) -> None:
    assert parse_labels(written(parse_labels(text))) == parse_labels(text)
