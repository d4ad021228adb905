"""What an expression makes of the series it selects: which it selects, and what is left of them.

Two questions of the guards are answered from the text alone, without asking a server: whether two
queries select the same although they are written differently, and whether the answer to one still
shows which series it is made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import promql_parser

from analysis.selectors import Matcher, Selector, selector_of, vectors_in

# A regex that takes all of these takes anything: nothing, a letter, what no label is called.
_ANY_VALUE = ("", "a", "Z9", "q7:x-0/.é", "no such value")
# Of one series each, and with all of its labels but the name.
_OF_EACH = re.compile(
    r"(rate|irate|increase|delta|idelta|deriv|resets|changes|predict_linear|abs|ceil|floor|round"
    r"|clamp|clamp_min|clamp_max|sqrt|exp|ln|log2|log10|sgn"
    r"|(avg|min|max|sum|count|last|stddev|stdvar|quantile)_over_time)\("
)
_OF_COUNTERS = re.compile(r"(rate|irate|increase)\(")
_RENAMED = re.compile(r"label_(replace|join)\(")
_ADDING_UP = frozenset({"sum", "avg", "min", "max"})
_ARITHMETIC = frozenset("+-*/%^")
# The braces of a selector, with whatever quoted values stand in it.
_BRACES = re.compile(r'\{(?:[^"{}]|"(?:\\.|[^"\\])*")*\}')
_MANY = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of the selected series in an expression's answer.

    Attributes:
        metrics: Names of the metrics all of whose labels the answer has; empty where labels are
            aggregated away, renamed or joined.
        rate_s: Over how many seconds rates of counters are taken, where the answer is made of
            nothing but such rates added up; `None` elsewhere.
    """

    metrics: tuple[str, ...] = ()
    rate_s: float | None = None


@lru_cache(maxsize=_MANY)  # every look at a rollout asks the same
def left_of(query: str) -> Left:
    """Say what an expression leaves of its series; nothing of what is no PromQL."""
    parsed = _parsed(query)
    if parsed is None:
        return Left()
    try:
        metrics = tuple(_handed_through(parsed))
    except _LostError:
        metrics = ()
    return Left(metrics=metrics, rate_s=_rate_s(parsed))


@lru_cache(maxsize=_MANY)
def select_alike(one: str, other: str) -> bool:
    """Tell whether two queries take the same values of the same series, however they are written.

    Spaces and the order of matchers do not count, nor does a regex that takes any value, nor a
    label that is written over the answer. What depends on the series there are is not known here.

    Examples:
        >>> select_alike('sum(rate(x{hash=~"old|.*"}[1m]))', 'sum (rate(x{hash=~"new|.*"}[1m]))')
        True
        >>> select_alike('sum(rate(x{hash="old"}[1m]))', 'sum(rate(x{hash="new"}[1m]))')
        False
    """
    both = [_parsed(query) for query in (one, other)]
    if any(parsed is None for parsed in both):
        return one == other
    first, second = (_bare(parsed) for parsed in both)
    return _frame(first) == _frame(second) and _selections(first) == _selections(second)


def _parsed(query: str) -> object | None:
    try:
        parsed: object = promql_parser.parse(query)
    except ValueError:
        return None
    return parsed


# ---- which series


def _bare(node: object) -> object:
    """Take away what only writes a label over the answer."""
    while True:
        if isinstance(node, promql_parser.ParenExpr):
            node = node.expr
        elif isinstance(node, promql_parser.Call) and _RENAMED.match(str(node)):
            node = node.args[0]
        else:
            return node


def _frame(node: object) -> str:
    """Write an expression without the matchers of its selectors."""
    written: str = node.prettify()  # type: ignore[attr-defined]  # every expression has it
    return _BRACES.sub("", written)


def _selections(node: object) -> list[frozenset[frozenset[str]]]:
    return [_selection(one) for one in vectors_in(node)]


def _selection(vector: promql_parser.VectorSelector) -> frozenset[frozenset[str]]:
    """Give the conditions that select, any of the sets of them; the name alone takes all."""
    found = selector_of(vector)
    either = [
        frozenset([one.name, *(str(some) for some in one.matchers if not _takes_any(some))])
        for one in found
    ]
    all_of_it = frozenset([found[0].name])
    return frozenset([all_of_it] if all_of_it in either else either)


def _takes_any(matcher: Matcher) -> bool:
    return matcher.operator == "=~" and all(matcher.fits(value) for value in _ANY_VALUE)


# ---- what is left of them


class _LostError(Exception):
    """Labels are aggregated away, renamed or joined."""


def _handed_through(node: object) -> Iterator[str]:
    """Name the metrics in an answer that has all their labels.

    Raises:
        _LostError: It has not.
    """
    match node:
        case promql_parser.VectorSelector():
            alternatives: tuple[Selector, ...] = selector_of(node)
            if len(alternatives) != 1 or not alternatives[0].name:
                raise _LostError
            yield alternatives[0].name
        case promql_parser.MatrixSelector():
            yield from _handed_through(node.vector_selector)
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr() | promql_parser.SubqueryExpr():
            yield from _handed_through(node.expr)
        case promql_parser.Call() if _OF_EACH.match(str(node)):
            for one in node.args:
                yield from _handed_through(one)
        case promql_parser.BinaryExpr() if str(node.op) in _ARITHMETIC and _matches_all(node):
            yield from _handed_through(node.lhs)
            yield from _handed_through(node.rhs)
        case promql_parser.NumberLiteral():
            return
        case _:
            raise _LostError


def _matches_all(node: promql_parser.BinaryExpr) -> bool:
    return not str(node.modifier or "").strip()


def _rate_s(node: object) -> float | None:
    """Give the longest window of the rates that an expression adds up; `None` for any other."""
    match node:
        case promql_parser.ParenExpr():
            return _rate_s(node.expr)
        case promql_parser.AggregateExpr() if str(node.op) in _ADDING_UP:
            return _rate_s(node.expr)
        case promql_parser.Call() if _OF_COUNTERS.match(str(node)):
            (inner,) = node.args
            is_plain = isinstance(inner, promql_parser.MatrixSelector)
            return float(inner.range.total_seconds()) if is_plain else None
        case promql_parser.BinaryExpr() if str(node.op) in {"*", "/"}:
            sides = [one for one in (node.lhs, node.rhs) if not _is_number(one)]
            return _rate_s(sides[0]) if len(sides) == 1 else None
        case _:
            return None


def _is_number(node: object) -> bool:
    return isinstance(node, promql_parser.NumberLiteral)
