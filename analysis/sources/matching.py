"""Which series a plain selector selects, and how one series is named."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeGuard

import promql_parser
from promql_parser import MatchOp

Labels = Mapping[str, str]
Predicate = Callable[[Labels], bool]
# What Python's expressions read otherwise than Prometheus' do.
_OTHERWISE = ("[[:", "[:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A plain selector, taken apart.

    Attributes:
        name: The metric; `None` where it is not named, or by a matcher.
        selects: What tells whether a series is selected.
    """

    name: str | None
    selects: Predicate


def selection(query: str) -> Predicate | None:
    """Give what tells whether a query selects a series; `None` if it is more than a selector.

    Raises:
        ValueError: Its regular expressions cannot be told apart from Prometheus' here.
    """
    selector = selector_of(query)
    return None if selector is None else selector.selects


def selector_of(query: str) -> Selector | None:
    """Take a query apart; `None` if it is more than a selector.

    Raises:
        ValueError: Its regular expressions cannot be told apart from Prometheus' here.
    """
    try:
        parsed = promql_parser.parse(query)
    except ValueError:
        return None
    if not is_plain_selector(parsed):
        return None
    name = parsed.name
    tests = [(matcher.name, _test(matcher)) for matcher in parsed.matchers.matchers]

    def selects(labels: Labels) -> bool:
        if name is not None and labels.get("__name__") != name:
            return False
        return all(test(labels.get(label, "")) for label, test in tests)

    return Selector(name=name, selects=selects)


def _test(matcher: promql_parser.Matcher) -> Callable[[str], bool]:
    """Give the test of one label; a label that is not there counts as empty."""
    wanted = matcher.value
    if matcher.op == MatchOp.Equal:
        return lambda value: value == wanted
    if matcher.op == MatchOp.NotEqual:
        return lambda value: value != wanted
    pattern = _compiled(wanted)
    is_wanted = matcher.op == MatchOp.Re
    return lambda value: (pattern.fullmatch(value) is not None) == is_wanted


def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile an expression that means the same to Python and to RE2."""
    refusal = (
        f"the regular expression {pattern!r} means something else outside Prometheus; write it "
        f"without its classes such as [[:alpha:]] and \\pL, or give the metric's answers"
    )
    if any(sign in pattern for sign in _OTHERWISE):
        raise ValueError(refusal)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python warns of what other engines read as a set
            return re.compile(pattern, re.ASCII | re.DOTALL)
    except (re.error, Warning) as error:
        raise ValueError(refusal) from error


def parse_labels(text: str) -> dict[str, str]:
    r"""Read the name and labels of one series.

    Raises:
        ValueError: The text names no single series.

    Examples:
        >>> parse_labels('up{pod="a"}')
        {'__name__': 'up', 'pod': 'a'}
    """
    if text.strip() in {"", "{}"}:
        return {}
    try:
        selector = promql_parser.parse(text)
    except ValueError as error:
        raise ValueError(f'is no series such as up{{pod="a"}}: {error}') from error
    if not is_plain_selector(selector):
        raise ValueError(f'is no series such as up{{pod="a"}}, got {text!r}')
    return _labels(selector)


def is_plain_selector(parsed: object) -> TypeGuard[promql_parser.VectorSelector]:
    """Tell whether PromQL is a selector and nothing else, read at the time of the question."""
    return (
        isinstance(parsed, promql_parser.VectorSelector)
        and parsed.offset is None
        and parsed.at is None
        and not parsed.matchers.or_matchers
    )


def _labels(selector: promql_parser.VectorSelector) -> dict[str, str]:
    labels = {"__name__": selector.name} if selector.name else {}
    for matcher in selector.matchers.matchers:
        if matcher.op != promql_parser.MatchOp.Equal:
            raise ValueError(f'a series has labels, not matchers: write {matcher.name}="…"')
        if matcher.name in labels:
            raise ValueError(f"names the label {matcher.name} twice")
        labels[matcher.name] = matcher.value
    return {name: value for name, value in labels.items() if value}
