"""What a query's text tells: which series it selects, and what is left of them in its answer."""

from __future__ import annotations

import pytest

from analysis.expressions import Left, left_of, select_alike

ALIKE = {
    "spaces": ("sum(rate(x[1m]))", "sum (rate(x [60s]))"),
    "the order of matchers": ('x{a="1", b="2"}', 'x{b="2", a="1"}'),
    "a regex that takes any value": ('x{hash=~"old|.*"}', 'x{hash=~".*new?|.*"}'),
    "an alternative that selects nothing": ('x{hash="old" or job=~".*"}', "x"),
    "the order of alternatives": ('x{a="1" or b="2"}', 'x{b="2" or a="1"}'),
    "a label written over the answer": (
        'label_replace(sum(rate(x[1m])), "side", "old", "", "")',
        'label_replace(sum(rate(x[1m])), "side", "new", "", "")',
    ),
    "parentheses": ("(x)", "x"),
}


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=ALIKE)
def test_what_selects_nothing_does_not_tell_queries_apart(one: str, other: str) -> None:
    assert select_alike(one, other)


APART = {
    "another value": ('x{hash="old"}', 'x{hash="new"}'),
    "another name": ("x_old", "x_new"),
    "another name as a label": ('{__name__="x_old"}', '{__name__="x_new"}'),
    "a label that is not the other's": ('x{hash!="old"}', 'x{hash!="new"}'),
    "a regex that wants a value": ('x{hash=~".+"}', "x"),
    "a regex that takes some values": ('x{hash=~"a.*"}', 'x{hash=~".*"}'),
    "another function": ("rate(x[1m])", "irate(x[1m])"),
    "another quantile": ("quantile(0.5, x)", "quantile(0.9, x)"),
    "another offset": ("x offset 1h", "x"),
    "a selector in a join": ('x * on (pod) owner{rs="a"}', 'x * on (pod) owner{rs="b"}'),
    "a label by which a join selects": (
        'y * on (k) label_replace(x, "k", "$1", "pod", "old-(.*)")',
        'y * on (k) label_replace(x, "k", "$1", "pod", "new-(.*)")',
    ),
    "what is no PromQL": ("sum(", "sum(("),
}


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART)
def test_what_may_select_otherwise_tells_queries_apart(one: str, other: str) -> None:
    assert not select_alike(one, other)


LEFT = {
    'x{a="1"}': Left(metrics=("x",)),
    'rate(x{a="1"}[2m])': Left(metrics=("x",), rate_s=120.0),
    "rate(e[1m]) / rate(t[1m])": Left(metrics=("e", "t")),
    "max_over_time(x[5m]) * 2": Left(metrics=("x",)),
    "sum(rate(x[1m]))": Left(rate_s=60.0),
    "60 * sum by (zone) (increase(x[5m]))": Left(rate_s=300.0),
    "x * on (pod) y": Left(),
    "sum(rate(e[1m])) / sum(rate(t[1m]))": Left(),
    "histogram_quantile(0.5, sum by (le) (rate(x[1m])))": Left(),
    'label_replace(x, "a", "b", "", "")': Left(),
    "avg(x)": Left(),
    'x{a="1" or b="2"}': Left(),
    "sum(": Left(),
}


@pytest.mark.parametrize(("query", "left"), LEFT.items(), ids=LEFT)
def test_what_is_left_of_the_series_is_told(query: str, left: Left) -> None:
    assert left_of(query) == left
