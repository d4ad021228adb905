"""Selectors are found wherever in a query they stand."""

from __future__ import annotations

import pytest

from analysis.selectors import Matcher, selectors_in

FOUND = {
    "a plain selector": ('a{x="1", y=~"b.*"}', {"a": ['x="1"', 'y=~"b.*"']}),
    "a name among the matchers": ('{__name__="a", x!="1"}', {"a": ['x!="1"']}),
    "within aggregates and functions": (
        "histogram_quantile(0.9, sum by (le) (rate(a_bucket[1m])))",
        {"a_bucket": []},
    ),
    "on both sides of an operator": ('a / on(x) -b{y!~"z"}', {"a": [], "b": ['y!~"z"']}),
    "within a subquery": ("max_over_time(rate(a[1m])[5m:1m])", {"a": []}),
    "with an offset, in parentheses": ("(a offset 5m)", {"a": []}),
    "a parameter": ("topk(3, a)", {"a": []}),
    "one that is written twice": ("a / (a + b)", {"a": [], "b": []}),
    "no metric's name": ('{job="x"}', {}),
    "no selector": ("vector(1)", {}),
    "no PromQL": ("sum(", {}),
}


@pytest.mark.parametrize(("query", "expected"), FOUND.values(), ids=FOUND)
def test_selectors_are_found(query: str, expected: dict[str, list[str]]) -> None:
    found = {one.name: [str(matcher) for matcher in one.matchers] for one in selectors_in(query)}

    assert found == expected


FITS = {
    "equal": ("=", "a", "a", True),
    "not equal": ("=", "a", "b", False),
    "unequal": ("!=", "a", "b", True),
    "a regex": ("=~", "a|b.*", "bc", True),
    "a regex is anchored": ("=~", "a", "ab", False),
    "a regex that must not match": ("!~", "a.*", "ab", False),
    "a regex that Python does not know": ("=~", r"\pL+", "anything", True),
}


@pytest.mark.parametrize(("operator", "wanted", "value", "fits"), FITS.values(), ids=FITS)
def test_a_matcher_fits_as_prometheus_would(
    operator: str, wanted: str, value: str, fits: bool
) -> None:
    assert Matcher(label="x", operator=operator, value=wanted).fits(value) is fits
