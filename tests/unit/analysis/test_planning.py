"""Which requests a configuration makes, and what cannot be asked."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.config import CanaryConfig
from analysis.errors import ConfigError
from analysis.planning import (
    LOOKBACK_S,
    Ask,
    Variables,
    plan,
    plan_baseline,
    plan_history,
    unique_requests,
)
from analysis.sources.port import RequestKind, Summing
from analysis.window import Window
from tests.support.builders import START, Document, a_config, a_metric, a_window, some_counts


def planned(
    config: CanaryConfig, variables: Variables | None = None, *, window: Window | None = None
) -> list[Ask]:
    return list(plan(config, window or a_window(), variables or {}))


def queries(config: CanaryConfig, **variables: Document) -> dict[str, list[str]]:
    asks = planned(config, variables)
    return {
        side: [ask.request.query for ask in asks if ask.side == side]
        for side in ("baseline", "canary")
    }


def refused(config: CanaryConfig, **variables: Document) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        planned(config, variables)
    return [f"{fault.path}: {fault.message}" for fault in caught.value.faults]


def test_an_expression_is_asked_at_the_end_of_every_step_of_both_sides() -> None:
    window = a_window(minutes=30, step_s=60, warmup_s=180)

    asks = planned(a_config(a_metric()), window=window)

    assert [(ask.side, ask.role, ask.request.query) for ask in asks] == [
        ("baseline", "query", 'memory{v="old"}'),
        ("canary", "query", 'memory{v="new"}'),
    ]
    assert {(a.request.kind, a.request.start, a.request.end, a.request.step_s) for a in asks} == {
        (RequestKind.RANGE, START + 240, START + 1800, 60)
    }


def test_counters_are_asked_raw_from_before_the_window() -> None:
    window = a_window(minutes=30, step_s=60, warmup_s=180)

    asks = planned(a_config(some_counts()), window=window)

    assert [(ask.side, ask.role) for ask in asks] == [
        ("baseline", "events"),
        ("baseline", "total"),
        ("canary", "events"),
        ("canary", "total"),
    ]
    assert {(a.request.kind, a.request.start, a.request.end, a.request.step_s) for a in asks} == {
        (RequestKind.SAMPLES, START - LOOKBACK_S, START + 1800, 0)
    }


def test_a_histogram_is_asked_raw_from_before_the_window() -> None:
    metric = a_metric(histogram='latency_bucket{v="${v}"}', judge={"kind": "mean_ratio"})

    asks = planned(a_config(metric), window=a_window(minutes=30, step_s=60, warmup_s=180))

    assert [(ask.side, ask.role, ask.request.query) for ask in asks] == [
        ("baseline", "buckets", 'latency_bucket{v="old"}'),
        ("canary", "buckets", 'latency_bucket{v="new"}'),
    ]
    assert {(a.request.kind, a.request.start, a.request.end, a.request.step_s) for a in asks} == {
        (RequestKind.BUCKETS, START - LOOKBACK_S, START + 1800, 0)
    }


def test_a_question_that_two_metrics_share_is_asked_once() -> None:
    total = 'all{v="${v}"}'
    config = a_config(
        a_metric("a", counts={"events": 'a{v="${v}"}', "total": total}),
        a_metric("b", counts={"events": 'b{v="${v}"}', "total": total}),
    )

    requests = unique_requests(planned(config))

    assert [request.query for request in requests] == [
        *('a{v="old"}', 'all{v="old"}', 'a{v="new"}', 'all{v="new"}'),
        *('b{v="old"}', 'b{v="new"}'),
    ]


def test_the_callers_variables_win_over_the_configurations() -> None:
    config = a_config(variables={"v": "shared", "canary": {"v": "new"}})

    assert queries(config, baseline={"v": "given"}, canary={}) == {
        "baseline": ['memory{v="given"}'],
        "canary": ['memory{v="new"}'],
    }


def test_a_null_from_the_caller_leaves_the_configurations_value() -> None:
    assert queries(a_config(), canary={"v": None})["canary"] == ['memory{v="new"}']


STEPS = {"30s": 30.0, "90s": 90.0, "500ms": 0.5, "1500ms": 1.5}


@pytest.mark.parametrize(("text", "step_s"), STEPS.items())
def test_the_step_is_given_to_queries_as_a_duration(text: str, step_s: float) -> None:
    config = a_config(a_metric(query='rate(x{v="${v}"}[${step}])'))

    asks = planned(config, window=a_window(minutes=3, step_s=step_s))

    assert asks[0].request.query == f'rate(x{{v="old"}}[{text}])'


def test_the_judged_length_is_given_to_queries_as_a_duration() -> None:
    config = a_config(a_metric(query='changes(x{v="${v}"}[${window}])'))

    asks = planned(config, window=a_window(minutes=30, step_s=60, warmup_s=150))

    assert asks[0].request.query == 'changes(x{v="old"}[1620s])'


def test_what_the_window_gives_cannot_be_given_by_the_caller() -> None:
    assert refused(a_config(), canary={"step": "5m"}) == [
        "variables.canary.step: is given by the window; choose another name"
    ]


def test_a_missing_variable_is_told_for_each_side_with_the_remedy() -> None:
    config = a_config(variables={"baseline": {"v": None}, "canary": {"v": "new"}})

    remedy = "give --baseline v=… or --set v=…"
    assert refused(config) == [f"variables.baseline.v: the variable 'v' has no value; {remedy}"]


def test_every_query_that_cannot_be_asked_is_told_at_once() -> None:
    config = a_config(a_metric("a"), some_counts("b"), a_metric("c", query='up{w="${w}"}'))

    found = refused(config, canary={"v": "a\nb"})

    assert [fault.split(": ")[0] for fault in found] == [
        "metrics[0] (a), canary",
        "metrics[1] (b), canary",
        "variables.baseline.w",
        "variables.canary.w",
    ]


SAME: dict[str, tuple[Document, Document]] = {
    "the same value on both sides": (a_metric(), {"v": "old"}),
    "a query without a variable": (a_metric(query="memory"), {}),
    "counts without a variable": (a_metric(counts={"events": "a", "total": "b"}), {}),
    "a threshold relative to the baseline": (
        a_metric(query="memory", judge={"kind": "threshold", "max": 2, "relative": "ratio"}),
        {},
    ),
}


@pytest.mark.parametrize(("metric", "canary"), SAME.values(), ids=SAME)
def test_sides_that_ask_the_same_are_refused(metric: Document, canary: Document) -> None:
    (fault,) = refused(a_config(metric), canary=canary)

    assert "both sides ask the same query" in fault
    assert "use a variable that differs between baseline and canary, such as --baseline" in fault


def test_sides_whose_queries_differ_in_what_selects_nothing_are_refused() -> None:
    query = 'sum(rate(requests_total{v=~"${v}|.*"}[1m]))'

    (fault,) = refused(a_config(a_metric(query=query)), canary={"v": "new"})

    assert "both sides select the same series" in fault
    assert "what differs between their queries selects nothing" in fault


def test_the_variables_that_do_not_tell_the_sides_apart_are_named() -> None:
    config = a_config(a_metric(query='up{n="${n}", z="${z}"}'), variables={"n": "a", "z": "b"})

    assert "(it uses n, z)" in refused(config)[0]


def test_one_counter_that_differs_is_enough() -> None:
    counts = {"events": 'a{v="${v}"}', "total": "all"}

    assert len(planned(a_config(a_metric(counts=counts)))) == 4


JUDGED_ALONE: dict[str, Any] = {"kind": "threshold", "max": 2}


def test_a_bound_on_the_canary_alone_needs_no_difference() -> None:
    asks = planned(a_config(a_metric(query="memory", judge=JUDGED_ALONE)))

    assert len(unique_requests(asks)) == 1


def test_the_baseline_alone_is_asked_without_a_word_on_the_canary() -> None:
    config = a_config(
        a_metric(), some_counts(), variables={"baseline": {"v": "old"}, "canary": {"v": None}}
    )

    asks = plan_baseline(config, a_window(), {})

    assert [(ask.side, ask.role) for ask in asks] == [
        ("baseline", "query"),
        ("baseline", "events"),
        ("baseline", "total"),
    ]


def test_every_fault_of_the_baseline_alone_is_told_at_once() -> None:
    config = a_config(a_metric(), a_metric("cpu"), variables={"baseline": {"v": None}})

    with pytest.raises(ConfigError) as caught:
        plan_baseline(config, a_window(), {"baseline": {"step": "1m"}})

    assert [fault.path for fault in caught.value.faults] == [
        "variables.baseline.step",
        "variables.baseline.v",
    ]


# ---- the past of the baseline

A_DAY = {"history": "24h"}


def test_no_past_is_asked_for_unless_the_configuration_says_so() -> None:
    assert plan_history(a_config(a_metric()), a_window(), {}) == ()


def test_the_past_is_that_of_the_baseline_up_to_the_start() -> None:
    window = a_window(minutes=30, step_s=60, warmup_s=180)

    (ask,) = plan_history(a_config(a_metric(), window=A_DAY), window, {})

    assert (ask.side, ask.role, ask.is_history) == ("baseline", "history_query", True)
    request = ask.request
    assert (request.kind, request.query) == (RequestKind.RANGE, 'memory{v="old"}')
    assert (request.start, request.end, request.step_s) == (START - 86_400 + 60, START, 60)


def test_the_past_of_counters_is_asked_raw() -> None:
    metric = some_counts(judge={"kind": "mean_ratio"}, pods="pod")

    asks = plan_history(a_config(metric, window=A_DAY), a_window(), {})

    assert [ask.role for ask in asks] == ["history_events", "history_total"]
    assert {(a.request.kind, a.request.start, a.request.end) for a in asks} == {
        (RequestKind.SAMPLES, START - 86_400 - LOOKBACK_S, START)
    }


WITHOUT_PAST: dict[str, Document] = {
    "a judge that counts events": some_counts(pods="pod"),
    "a bound": a_metric(judge={"kind": "threshold", "max": 2}),
    "Kayenta's judge": a_metric(judge={"kind": "kayenta"}),
    "counters that nothing tells apart by pod": some_counts(judge={"kind": "mean_ratio"}),
}


@pytest.mark.parametrize("metric", WITHOUT_PAST.values(), ids=WITHOUT_PAST)
def test_no_past_is_asked_for_where_it_would_serve_nothing(metric: Document) -> None:
    assert plan_history(a_config(metric, window=A_DAY), a_window(), {}) == ()


def test_the_length_given_to_queries_is_that_of_the_window_in_the_past_too() -> None:
    config = a_config(a_metric(query='changes(x{v="${v}"}[${window}])'), window=A_DAY)

    (ask,) = plan_history(config, a_window(minutes=30), {})

    assert ask.request.query == 'changes(x{v="old"}[1800s])'


def test_a_past_shorter_than_a_step_is_none() -> None:
    config = a_config(a_metric(), window={"history": "10s"})

    assert plan_history(config, a_window(step_s=60), {}) == ()


def test_a_past_of_too_many_steps_is_refused() -> None:
    config = a_config(a_metric(), window={"history": "30d"})

    with pytest.raises(ConfigError, match=r"window.history.*172,800 steps, 100,000 at most"):
        plan_history(config, a_window(step_s=15), {})


# ---- what may be summed


def summing_of(config: CanaryConfig) -> dict[str, Summing]:
    """Give, by query of the canary, how the samples of its request may be summed."""
    sides = {"baseline": {"v": "old"}, "canary": {"v": "new"}}
    found = unique_requests(plan(config, a_window(), sides))
    return {
        one.query: one.summing for one in found if one.summing is not None and '"new"' in one.query
    }


def test_counters_may_be_summed_on_the_steps_and_expressions_may_not() -> None:
    found = summing_of(a_config(some_counts(pods="pod"), a_metric("memory")))

    assert found == {
        'errors_failed{v="new"}': Summing(step_s=60, keep=("pod",), group="errors"),
        'errors_all{v="new"}': Summing(step_s=60, keep=("pod",), group="errors"),
    }


def test_metrics_that_share_a_counter_are_summed_together_and_keep_all_labels() -> None:
    shared = 'all{v="${v}"}'
    found = summing_of(
        a_config(
            {"name": "a", "counts": {"events": 'a{v="${v}"}', "total": shared}},
            {
                "name": "b",
                "sums": {"numerator": 'b{v="${v}"}', "denominator": shared},
                "pods": "pod",
            },
            {"name": "c", "counts": {"events": 'c{v="${v}"}', "total": 'd{v="${v}"}'}},
        )
    )

    assert {query: one.group for query, one in found.items()} == {
        'a{v="new"}': "a",
        'all{v="new"}': "a",
        'b{v="new"}': "a",
        'c{v="new"}': "c",
        'd{v="new"}': "c",
    }
    assert found['all{v="new"}'].keep == ("pod",)


def test_the_past_is_summed_for_itself() -> None:
    config = a_config(
        {
            "name": "latency",
            "sums": {"numerator": 'n{v="${v}"}', "denominator": 'd{v="${v}"}'},
            "pods": "pod",
        },
        window={"planned": "1h", "warmup": "0s", "history": "24h"},
    )
    sides = {"baseline": {"v": "old"}, "canary": {"v": "new"}}

    asks = plan_history(config, a_window(minutes=60), sides)

    groups = {ask.request.summing.group for ask in asks if ask.request.summing is not None}
    assert groups == {"history_latency"}
