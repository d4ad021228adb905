"""Whatever a value holds, the query keeps its shape and the matcher gets exactly that value."""

from __future__ import annotations

import re
from typing import Any

import promql_parser
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from analysis.errors import ConfigError
from analysis.query import MOST_CHARACTERS, references, render

# What the door lets in: no control characters, no halves of surrogate pairs.
VALUES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\"'`\\{}()[]|.*+?^$#,=~ "),
    min_size=1,
    max_size=60,
)
TEMPLATES = [
    'sum(rate(x_total{v="${v}", code=~"5.."}[5m])) / sum(rate(x_total{v="${v}"}[5m]))',
    "max by (pod) (up{a!='b', v='${v}'})",
    'up{v!="pre ${v} post"} or up # "${v:-x}" is not asked here: ${plain}',
    'up{v=~"${v}"} unless up{v!~"${v}-.*"}',
    "count(up{v=~'(${v}|other)'}) > 0",
]


def shape(node: Any) -> Any:
    """Give a parsed query without the values of its matchers."""
    if isinstance(node, promql_parser.VectorSelector):
        matchers = [(m.name, str(m.op)) for m in node.matchers.matchers]
        return "selector", node.name, matchers, str(node.offset), str(node.at)
    if isinstance(node, list):
        return [shape(one) for one in node]
    parts = [name for name in dir(node) if name in {"expr", "lhs", "rhs", "args", "param"}]
    inner = [shape(getattr(node, name)) for name in parts]
    own = [str(getattr(node, name)) for name in ("op", "range") if hasattr(node, name)]
    if (selector := getattr(node, "vector_selector", None)) is not None:
        inner.append(shape(selector))
    return type(node).__name__, own, inner


def matched(node: Any) -> list[str]:
    """List the values that a query matches the label `v` with."""
    if isinstance(node, promql_parser.VectorSelector):
        return [m.value for m in node.matchers.matchers if m.name == "v"]
    found = []
    for name in ("expr", "lhs", "rhs", "args", "vector_selector"):
        inner = getattr(node, name, None)
        for one in inner if isinstance(inner, list) else [inner]:
            found += matched(one) if one is not None else []
    return found


def rendered(template: str, value: str) -> Any:
    return promql_parser.parse(render(template, {"v": value, "plain": "x"}))


@pytest.mark.parametrize("template", TEMPLATES)
@given(value=VALUES)
@example(value='"} or vector(1) or up{v="')
@example(value="\\")
@example(value=".*")
@example(value="${v}")
def test_a_query_keeps_its_shape(template: str, value: str) -> None:
    assert shape(rendered(template, value)) == shape(rendered(template, "harmless"))


@pytest.mark.parametrize("quote", ['"', "'"])
@given(value=VALUES)
def test_a_matcher_gets_exactly_the_value(quote: str, value: str) -> None:
    query = rendered(f"up{{v={quote}${{v}}{quote}, w!={quote}x{quote}}}", value)

    assert matched(query) == [value]


@pytest.mark.parametrize("quote", ['"', "'"])
@given(value=VALUES, other=VALUES)
def test_a_regex_matches_exactly_the_value(quote: str, value: str, other: str) -> None:
    assume(value != other)

    (pattern,) = matched(rendered(f"up{{v=~{quote}${{v}}{quote}}}", value))

    assert re.fullmatch(pattern, value)
    assert not re.fullmatch(pattern, other)


@given(value=VALUES)
def test_in_backquotes_the_value_stands_literally_or_is_refused(value: str) -> None:
    if "`" in value:
        with pytest.raises(ConfigError, match="backquote"):
            render("up{v=`${v}`}", {"v": value})
    else:
        assert render("up{v=`${v}`}", {"v": value}) == f"up{{v=`{value}`}}"


@given(value=VALUES)
def test_in_backquotes_a_regex_matches_the_value(value: str) -> None:
    assume("`" not in value)

    query = render("up{v=~`${v}`}", {"v": value})

    pattern = query.removeprefix("up{v=~`").removesuffix("`}")
    assert "`" not in pattern
    assert re.fullmatch(pattern, value)


@given(value=VALUES)
def test_outside_quotes_a_value_is_one_word_number_or_duration_or_refused(value: str) -> None:
    try:
        query = render("${v}", {"v": value})
    except ConfigError:
        return

    assert query == value
    assert re.fullmatch(r"[A-Za-z0-9_.:]+", query)


@given(value=st.text(max_size=60))
def test_no_value_at_all_makes_rendering_fail_otherwise_than_by_refusal(value: str) -> None:
    for template in TEMPLATES:
        try:
            render(template, {"v": value, "plain": "x"})
        except ConfigError as error:
            assert len(str(error)) < MOST_CHARACTERS  # noqa: PT017 - only if it was refused


@given(template=st.text(st.sampled_from("ab${}:-\"'`\\#\n=~ x1_"), max_size=40))
def test_no_template_makes_rendering_fail_otherwise_than_by_refusal(template: str) -> None:
    names = references(template)
    try:
        query = render(template, dict.fromkeys(names, "value"))
    except ConfigError:
        return

    # What holds no reference is sent as it was written.
    assert names or query == template
