"""Which series a query asks for: the selectors in it, with their matchers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser

NAME = "__name__"
# Where an expression holds others, by the parser's names.
_INNER = ("expr", "param", "lhs", "rhs", "args", "vector_selector")


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One condition of a selector: `label="value"`, or with `!=`, `=~`, `!~`."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        """Write it as PromQL."""
        return f'{self.label}{self.operator}"{self.value}"'

    def fits(self, value: str) -> bool:
        """Tell whether a label's value meets the condition; a strange regex may well."""
        if self.operator in {"=", "!="}:
            return (value == self.value) == (self.operator == "=")
        try:
            is_match = re.fullmatch(self.value, value) is not None
        except re.error:
            return True
        return is_match == (self.operator == "=~")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """The series of one metric that meet some conditions."""

    name: str
    matchers: tuple[Matcher, ...]


def selectors_in(query: str) -> tuple[Selector, ...]:
    """List the selectors of a query that name their metric; none where it is no PromQL."""
    try:
        parsed = promql_parser.parse(query)
    except ValueError:
        return ()
    found = (one for vector in vectors_in(parsed) for one in selector_of(vector))
    return tuple(dict.fromkeys(one for one in found if one.name))


def vectors_in(node: object) -> Iterator[promql_parser.VectorSelector]:
    """Walk through the selectors of a parsed query, in the order in which they are written."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    elif isinstance(node, list | tuple):
        for one in node:
            yield from vectors_in(one)
    else:
        for attribute in _INNER:
            if (inner := getattr(node, attribute, None)) is not None:
                yield from vectors_in(inner)


def selector_of(parsed: promql_parser.VectorSelector) -> tuple[Selector, ...]:
    """Give what a selector asks for: one, or as many as it has alternatives, `{a="1" or b="2"}`.

    The name is empty where none is given, as in `{job="x"}`.
    """
    return tuple(_alternative(parsed.name, one) for one in _alternatives(parsed.matchers))


def _alternatives(matchers: promql_parser.Matchers) -> list[list[promql_parser.Matcher]]:
    return [*matchers.or_matchers] or [matchers.matchers]


def _alternative(name: str | None, parsed: list[promql_parser.Matcher]) -> Selector:
    matchers = tuple(
        Matcher(label=one.name, operator=_OPERATORS[str(one.op)], value=one.value) for one in parsed
    )
    names = [m.value for m in matchers if m.label == NAME and m.operator == "="]
    return Selector(
        name=name or next(iter(names), ""),
        matchers=tuple(m for m in matchers if m.label != NAME or m.operator != "="),
    )


_OPERATORS = {
    str(promql_parser.MatchOp.Equal): "=",
    str(promql_parser.MatchOp.NotEqual): "!=",
    str(promql_parser.MatchOp.Re): "=~",
    str(promql_parser.MatchOp.NotRe): "!~",
}
