"""Which series a plain selector selects."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping

import promql_parser
from promql_parser import MatchOp

from analysis.testing.notation import is_plain_selector

Labels = Mapping[str, str]
Predicate = Callable[[Labels], bool]
# What Python's expressions read otherwise than Prometheus' do.
_OTHERWISE = ("[[:", "[:")


def selection(query: str) -> Predicate | None:
    """Give what tells whether a query selects a series; `None` if it is more than a selector.

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

    return selects


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
