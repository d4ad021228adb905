"""Series written as promtool's unit tests write them.

`1 2 3`, `0+10x240` (241 values, each 10 more), `5-1x3`, `7x2` (three times 7), `_` and `_x3` (no
sample), `stale` (the series ends here), and `NaN`, `Inf`, `-Inf`, each once.

References:
    https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate, repeat

# A day of samples every second; whoever writes more has added a zero too many.
MOST_VALUES = 100_000

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_WORD = r"(?i:nan|inf)"
_VALUE = rf"[+-]?(?:{_NUMBER}|{_WORD})"
_ITEM = re.compile(
    rf"(?P<value>{_VALUE}|_|stale)"
    rf"(?:(?P<step>[+-](?:{_NUMBER}))?x(?P<times>\d+))?",
    re.ASCII,
)
_HISTOGRAM = "{{"
_WORDS = re.compile(rf"[+-]?{_WORD}|stale")
_SHAPES = "a number, a+bxN, a-bxN, axN, _, _xN or stale"

# How a series ends for good, among its values: not a value, and not a gap either.
STALE = "stale"
Value = float | str | None


def parse_values(text: str) -> list[Value]:
    """Expand a series: a number, `None` where there is no sample, `STALE` where it ends.

    Raises:
        ValueError: The text is no such series, or has more than `MOST_VALUES` values.

    Examples:
        >>> parse_values("1+2x2 _ stale 7x1")
        [1.0, 3.0, 5.0, None, 'stale', 7.0, 7.0]
    """
    values: list[Value] = []
    for word in text.split():
        for value in _expanded(word):
            values.append(value)
            if len(values) > MOST_VALUES:
                raise ValueError(f"holds more than {MOST_VALUES:,} values")
    return values


def _expanded(word: str) -> Iterator[Value]:
    if _HISTOGRAM in word:
        raise ValueError(
            "native histograms ({{…}}) are not read here; write the classic series with le labels"
        )
    item = _ITEM.fullmatch(word)
    if item is None or _is_refused(item):
        raise ValueError(f"{word!r} is none of {_SHAPES}")
    return _repeated(item)


def _is_refused(item: re.Match[str]) -> bool:
    """Tell what promtool refuses too: a word runs on to the x behind it, and a gap has no step."""
    value, step = item["value"], item["step"]
    if item["times"] is None:
        return False
    if step is None:
        return bool(_WORDS.fullmatch(value))
    return value in {"_", STALE}


def _repeated(item: re.Match[str]) -> Iterator[Value]:
    value = item["value"]
    times = None if item["times"] is None else min(int(item["times"]), MOST_VALUES + 1)
    if value == "_":
        return repeat(None, 1 if times is None else times)
    if value == STALE:
        return iter((STALE,))
    first = _number(value)
    if times is None:
        return iter((first,))
    # Added up one after the other, as Prometheus does, for the same last digit.
    step = _number(item["step"]) if item["step"] else 0.0
    return accumulate(repeat(step, times), initial=first)


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value) and "inf" not in text.lower():
        raise ValueError(f"{text!r} is larger than any number")
    return value


def written(labels: Mapping[str, str]) -> str:
    r"""Write labels as Prometheus does.

    Examples:
        >>> written({"__name__": "up", "pod": 'a"b'})
        'up{pod="a\\"b"}'
    """
    inner = ", ".join(
        f"{name}={_quoted(value)}" for name, value in sorted(labels.items()) if name != "__name__"
    )
    name = labels.get("__name__", "")
    return f"{name}{{{inner}}}" if inner or not name else name


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
