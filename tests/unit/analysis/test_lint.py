"""What looks wrong in a configuration although it can be used, and what cannot be used at all."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.errors import ConfigError
from analysis.lint import lint
from tests.support.builders import Document, a_config, a_metric, some_counts


def warned(*metrics: Document, **changes: object) -> list[str]:
    return [f"{w.path}: {w.message}" for w in lint(a_config(*metrics, **changes))]


def of_query(query: str) -> list[str]:
    """Lint one query at the default step of 15 s."""
    return warned(a_metric(query=query))


def refused(*metrics: Document) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        lint(a_config(*metrics))
    return [f"{fault.path}: {fault.message}" for fault in caught.value.faults]


def test_a_history_that_ends_before_the_rollout_does_is_remarked_on() -> None:
    short, long = ({"planned": "60m", "warmup": "0s", "history": text} for text in ("19h", "20h"))

    assert warned(a_metric(), window=long) == []
    (remark,) = warned(a_metric(), window=short)
    assert remark.startswith("window.history: is shorter than 20 of the planned windows (20h)")


QUIET = {
    "a gauge": 'memory{v="${v}"}',
    "a rate that ends where the next begins": 'rate(x_total{v="${v}"}[15s])',
    "a rate over the step": 'rate(x_total{v="${v}"}[${step}])',
    "a rate a little longer than the step": 'rate(x_total{v="${v}"}[22s])',
    "an aggregate of the whole window": 'max(changes(start_time{v="${v}"}[${window}]))',
    "a character class that looks like a range": 'rate(x_total{v=~"[a-z]${v}"}[15s])',
    "a variable for a word": 'sum by (${by}) (memory{v="${v}"})',
    "a variable for a duration": 'avg_over_time(memory{v="${v}"}[${range}])',
    "a default": 'memory{v="${v:-x}"}',
    "a regex group": 'label_replace(memory{v="${v}"}, "a", "${1}", "b", "(.*)")',
}


@pytest.mark.parametrize("query", QUIET.values(), ids=QUIET)
def test_a_sound_query_is_not_remarked_on(query: str) -> None:
    assert of_query(query) == []


LOUD = {
    "no PromQL": ("sum(memory", "this may be no PromQL: "),
    "no function of PromQL's": ("sums(memory)", "this may be no PromQL: "),
    "a rate over four steps": (
        'rate(x_total{v="${v}"}[1m])',
        "rate over [1m] overlaps from step to step (15 s), so that few steps are independent",
    ),
    "an increase inside an aggregate": (
        'sum(increase(x_total{v="${v}"}[5m]))',
        "rate over [5m] overlaps from step to step (15 s)",
    ),
    "an irate with spaces": ("irate (x_total[ 2m ])", "rate over [ 2m ] overlaps"),
    "a rate over two steps": ("rate(x_total[30s])", "rate over [30s] overlaps"),
}


@pytest.mark.parametrize(("query", "message"), LOUD.values(), ids=LOUD)
def test_a_doubtful_query_is_remarked_on(query: str, message: str) -> None:
    (warning,) = of_query(query)

    assert warning.startswith(f"metrics[0] (memory).query: {message}")


UNREMARKED: dict[str, tuple[str, dict[str, Any]]] = {
    "a range of what is no rate": (
        "rate(x_total[15s]) * on (pod) group_left () last_over_time(owner[5m])",
        {},
    ),
    "a class of characters that looks like one": ('rate(x_total{pod=~"a-[5m]+"}[15s])', {}),
    "a bound on the last value": (
        "increase(x_total[1h])",
        {"judge": {"kind": "threshold", "max": 0, "statistic": "last"}},
    ),
}


@pytest.mark.parametrize(("query", "changes"), UNREMARKED.values(), ids=UNREMARKED)
def test_what_does_not_correlate_the_steps_is_not_remarked_on(
    query: str, changes: dict[str, Any]
) -> None:
    assert warned(a_metric(query=query, **changes)) == []


def test_both_texts_of_a_query_are_looked_at_where_it_has_one_a_side() -> None:
    sides = {"baseline": "rate(x_total[15s])", "canary": "rate(x_total[1h])"}

    (warning,) = warned(a_metric(query=sides))

    assert warning.startswith("metrics[0] (memory).query.canary: rate over [1h] overlaps")


def test_each_overlapping_range_is_told() -> None:
    assert len(of_query("rate(a_total[1m]) / rate(b_total[5m])")) == 2


def test_the_step_of_the_configuration_is_what_ranges_are_held_against() -> None:
    source = {"prometheus": {"step": "1m"}}

    assert warned(a_metric(query="rate(x_total[1m])"), source=source) == []
    assert len(warned(a_metric(query="rate(x_total[2m])"), source=source)) == 1


def test_a_range_given_by_a_variable_of_the_configuration_is_known() -> None:
    variables = {"range": "10m", "canary": {"v": "new"}}

    (warning,) = warned(a_metric(query='rate(x_total{v="${v}"}[${range}])'), variables=variables)

    assert "rate over [10m] overlaps" in warning


def test_few_steps_are_remarked_on() -> None:
    (warning,) = warned(window={"planned": "10m", "warmup": "3m"})

    assert warning == (
        "window: the planned window has 28 steps after warmup; autocorrelated gauges often need 30 "
        "or more to be decided"
    )


def test_enough_steps_are_not() -> None:
    assert warned(window={"planned": "10m", "warmup": "2m30s"}) == []


SELECTORS = {
    "a rate": 'rate(x_total{v="${v}"}[1m])',
    "an aggregate": 'sum(x_total{v="${v}"})',
    "a range": 'x_total{v="${v}"}[5m]',
    "parentheses": '(x_total{v="${v}"})',
    "an offset": 'x_total{v="${v}"} offset 5m',
    "a moment": 'x_total{v="${v}"} @ 1800000000',
    "a number": "1",
}


@pytest.mark.parametrize("selector", SELECTORS.values(), ids=SELECTORS)
def test_counters_are_given_as_plain_selectors(selector: str) -> None:
    counts = {"events": selector, "total": 'all_total{v="${v}"}'}

    (fault,) = refused(a_metric("errors", counts=counts))

    assert fault.startswith(
        "metrics[0] (errors).events: must be a plain selector of a counter, which is read raw, "
        "without offset or @; got "
    )


def test_a_plain_selector_is_what_counters_need() -> None:
    assert warned(some_counts()) == []


def a_histogram(selector: str) -> Document:
    return a_metric("latency", histogram=selector, judge={"kind": "mean_ratio"})


@pytest.mark.parametrize("selector", SELECTORS.values(), ids=SELECTORS)
def test_a_histogram_is_given_as_a_plain_selector(selector: str) -> None:
    (fault,) = refused(a_histogram(selector))

    assert fault.startswith(
        "metrics[0] (latency).buckets: must be a plain selector of a histogram, which is read raw, "
        "without offset or @; got "
    )


HISTOGRAMS = {
    "classic buckets": 'latency_bucket{v="${v}"}',
    "a native histogram": 'latency_seconds{v="${v}"}',
    "buckets and their sum": '{__name__=~"latency_(bucket|sum)", v="${v}"}',
}


@pytest.mark.parametrize("selector", HISTOGRAMS.values(), ids=HISTOGRAMS)
def test_a_histogram_is_not_remarked_on(selector: str) -> None:
    assert warned(a_histogram(selector)) == []


NO_HISTOGRAMS = {
    "its sum": ("latency_sum", "latency_sum is no histogram; give its …_bucket"),
    "its count": ("latency_count", "latency_count is no histogram"),
    "a counter": ("requests_total", "requests_total is no histogram"),
    "one bucket": ('latency_bucket{le="0.5"}', "selects some of the buckets only; leave le out"),
    "most buckets": ('latency_bucket{le!="+Inf"}', "selects some of the buckets only"),
}


@pytest.mark.parametrize(("selector", "message"), NO_HISTOGRAMS.values(), ids=NO_HISTOGRAMS)
def test_what_is_hardly_a_whole_histogram_is_remarked_on(selector: str, message: str) -> None:
    (warning,) = warned(a_histogram(selector))

    assert warning.startswith(f"metrics[0] (latency).buckets: {message}")


def test_a_selector_that_is_no_promql_is_remarked_on() -> None:
    counts = {"events": "x_total{", "total": "all_total"}

    (warning,) = warned(a_metric("errors", counts=counts))

    assert warning.startswith("metrics[0] (errors).events: this may be no PromQL: ")


def test_every_query_that_cannot_be_used_is_told_at_once() -> None:
    found = refused(
        a_metric("a", query='up{v="${v"}'),
        a_metric("b"),
        a_metric("c", sums={"numerator": "rate(x[1m])", "denominator": "sum(x)"}),
    )

    assert [fault.split(": ")[0] for fault in found] == [
        "metrics[0] (a).query",
        "metrics[2] (c).numerator",
        "metrics[2] (c).denominator",
    ]


def test_remarks_come_in_the_order_of_the_configuration() -> None:
    found = warned(
        a_metric("a", query="sum("),
        a_metric("b", query="rate(x_total[1h])"),
        window={"planned": "5m"},
    )

    assert [warning.split(":")[0] for warning in found] == [
        "window",
        "metrics[0] (a).query",
        "metrics[1] (b).query",
    ]


def test_a_metric_of_a_table_must_be_a_plain_selector() -> None:
    sources = {"metrics": {"prometheus": {"step": "1m"}}, "orders": {"table": {"path": "o.csv"}}}
    config = a_config(
        a_metric("a", query='sum(orders{v="${v}"})', source="orders"),
        a_metric("b", query='orders{v="${v}"}', source="orders"),
        a_metric("c", query='sum(orders{v="${v}"})'),
        sources=sources,
    )

    with pytest.raises(ConfigError) as caught:
        lint(config)

    (fault,) = caught.value.faults
    assert fault.path == "metrics[0] (a).query"
    assert fault.message.startswith("must be a plain selector, for its source is a table")
