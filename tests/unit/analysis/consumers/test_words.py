"""What a person on call is told."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.charts import Unit
from analysis.consumers import words
from analysis.consumers.units import unit_of
from analysis.guards import Finding
from analysis.limits import Limits, Range
from analysis.report import AnalysisReport, AskedQuery, MetricReport
from judges import Estimate, Evidence, Interval, Reason, Scale, Verdict
from tests.support.builders import (
    a_judgment,
    a_metric_report,
    a_report,
    a_settlement,
    an_estimate,
)

ERRORS = Estimate(
    value=10.5,
    scale=Scale.RATIO,
    interval=Interval(lower=5.09, upper=25.1, level=0.95),
    baseline=0.00076,
    canary=0.0079,
)
LIMITS = Limits(
    tolerance=Range(upper=1.26), margin=Range(upper=3.6), fail_level=0.003, pass_level=0.05
)


def failing_errors(**changes: object) -> MetricReport:
    judgment = a_judgment(Verdict.FAIL, kind="error_ratio", estimate=ERRORS)
    return a_metric_report(judgment, name="error ratio", limits=LIMITS, lost=25.0, **changes)


def failed(*metrics: MetricReport, **changes: object) -> AnalysisReport:
    return a_report(
        *metrics,
        **{"verdict": Verdict.FAIL, "score": 0.0, "decided_by": (metrics[0].name,), **changes},
    )


def an_open(**changes: Any) -> MetricReport:
    return a_metric_report(a_judgment(Verdict.INCONCLUSIVE, **changes), name="memory", lost=50.0)


def test_the_sentence_says_what_failed_by_how_much_and_what_is_tolerated() -> None:
    assert words.in_short(failed(failing_errors())) == (
        "error ratio: 0.79 %, against 0.08 % at the baseline: ×10.5 (×5.09 to ×25.1); "
        "+26 % is tolerated"
    )


def test_the_others_that_failed_are_counted() -> None:
    report = failed(failing_errors(), a_metric_report(name="b"), decided_by=("error ratio", "b"))

    assert words.in_short(report).endswith("(and 1 more)")


def test_what_has_no_limits_is_told_in_the_words_of_its_judge() -> None:
    assert words.in_short(failed(a_metric_report(), summary="as judged")) == "as judged"


def test_an_open_rollout_says_why_before_the_numbers() -> None:
    report = failed(failing_errors(), verdict=Verdict.INCONCLUSIVE)
    suspect = a_metric_report(a_judgment(estimate=ERRORS), name="errors", limits=LIMITS)
    suspected = failed(suspect, verdict=Verdict.INCONCLUSIVE)

    assert words.in_short(report).startswith("error ratio: worse than tolerated: 7,9"[:35])
    assert words.SUSPECT in words.in_short(suspected)


EFFECTS = {
    "a small rise in percent": (1.014, Scale.RATIO, Unit.PLAIN, "+1.4 %"),
    "a fall with a minus": (0.974, Scale.RATIO, Unit.PLAIN, "−2.6 %"),
    "a large rise as a factor": (25.8, Scale.RATIO, Unit.PLAIN, "×25.8"),
    "no change without a sign": (1.0, Scale.RATIO, Unit.PLAIN, "0.00 %"),
    "a difference in its unit": (0.012, Scale.DIFFERENCE, Unit.SECONDS, "+12 ms"),
    "a level": (2e9, Scale.VALUE, Unit.BYTES, "2 GB"),
}


@pytest.mark.parametrize(("value", "scale", "unit", "text"), EFFECTS.values(), ids=EFFECTS)
def test_an_effect_is_written(value: float, scale: Scale, unit: Unit, text: str) -> None:
    assert words.effect(value, scale, unit) == text


def test_a_bound_is_told_beside_its_level() -> None:
    limits = Limits(tolerance=Range(upper=2.0), of_level=True)
    estimate = Estimate(value=6.0, scale=Scale.VALUE)
    metric = a_metric_report(a_judgment(estimate=estimate), limits=limits)

    assert (words.change(metric, Unit.PLAIN), words.levels(metric, Unit.PLAIN)) == (
        "6",
        "at most 2",
    )


SURE = {
    Verdict.FAIL: "A canary as good as its baseline is failed in at most 1 % of rollouts, "
    "however often it is judged.",
    Verdict.PASS: "A canary that is worse by the margin passes in at most 5 % of rollouts, "
    "however often it is judged.",
    Verdict.INCONCLUSIVE: "The data so far neither show harm nor exclude it.",
}


@pytest.mark.parametrize(("verdict", "text"), SURE.items(), ids=map(str, SURE))
def test_every_verdict_says_how_often_it_is_wrong(verdict: Verdict, text: str) -> None:
    assert words.sureness(failed(failing_errors(), verdict=verdict)) == text


def test_one_look_is_not_promised_to_be_many() -> None:
    assert "however often" not in words.sureness(failed(failing_errors(), looks="fixed"))


def test_bounds_on_what_was_seen_have_no_error_rate() -> None:
    assert "no error rate" in words.sureness(a_report())


def test_a_fail_says_where_to_look() -> None:
    assert words.advice(failed(failing_errors())) == [
        "Roll the canary back. Where to look: “error ratio”."
    ]


def test_a_fail_of_many_names_the_first_few() -> None:
    names = tuple("abcdefg")
    report = failed(*(a_metric_report(name=name) for name in names), decided_by=names)

    assert words.advice(report) == [
        "Roll the canary back. Where to look: “a”, “b”, “c”, “d” and 3 more."
    ]


REMEDIES = {
    "time": (
        {"settlement": a_settlement(summary="about 3 minutes more", minutes=3.0)},
        "wait for about 3 minutes more",
    ),
    "no time": (
        {"settlement": a_settlement(summary="more pods would", minutes=None)},
        "more pods would",
    ),
    "the source": ({"reason": Reason.SOURCE}, "mend the query or the source"),
}


@pytest.mark.parametrize(("changes", "text"), REMEDIES.values(), ids=REMEDIES)
def test_what_would_settle_an_open_metric(changes: dict[str, Any], text: str) -> None:
    report = failed(an_open(**changes), verdict=Verdict.INCONCLUSIVE)

    assert words.advice(report)[0].startswith(f"“memory”: {text}")


def test_a_guard_tells_its_remedy() -> None:
    finding = Finding(code="same_series", summary="they are the same", remedy="tell them apart")
    metric = a_metric_report(a_judgment(Verdict.INCONCLUSIVE), findings=(finding,))

    assert words.to_settle(metric) == ["tell them apart"]


def test_without_any_remedy_one_is_told_to_wait() -> None:
    assert words.advice(failed(an_open(), verdict=Verdict.INCONCLUSIVE)) == [
        "Do not promote yet: judge again with more data."
    ]


SCORES = {
    "nothing lost": (a_report(), "100: no metric cost a point"),
    "a critical metric takes all": (
        failed(failing_errors(critical=True)),
        "100 − 25 (error ratio) = 75; a critical metric failed, and takes what is left",
    ),
    "just what is left": (
        failed(failing_errors(), score=75.0, verdict=Verdict.INCONCLUSIVE),
        "100 − 25 (error ratio) = 75",
    ),
    "held on the verdict's side": (
        failed(an_open(), score=75.0, verdict=Verdict.INCONCLUSIVE),
        "100 − 50 (memory) = 50; held at 75, where inconclusive stands (marginal 75, pass 95)",
    ),
}


@pytest.mark.parametrize(("report", "text"), SCORES.values(), ids=SCORES)
def test_the_score_says_which_metric_cost_how_much(report: AnalysisReport, text: str) -> None:
    assert words.score_told(report) == text


def test_evidence_is_told_in_parts_of_what_a_verdict_asks_for() -> None:
    assert words.evidence(Evidence(p=0.001, log_e=3.0), 0.05) == (
        "p 0.001, log e 3.00 (100 % of what a verdict asks for)"
    )
    assert words.evidence(Evidence(p=0.001), 0.05) == "p 0.001"
    assert words.evidence(None, 0.05) == ""


def test_what_decided_comes_first_and_what_is_muted_last() -> None:
    metrics = (
        a_metric_report(name="fine"),
        a_metric_report(a_judgment(Verdict.FAIL), name="muted", muted=True),
        a_metric_report(a_judgment(Verdict.INCONCLUSIVE), name="open"),
        a_metric_report(a_judgment(Verdict.FAIL), name="worse"),
        failing_errors(),
    )

    report = failed(*metrics, decided_by=("error ratio",))

    assert [metric.name for metric in words.ordered(report)] == [
        *("error ratio", "worse", "open", "fine", "muted"),
    ]


UNITS = {
    "seconds a request": (
        {"numerator": 'a_seconds_sum{x="1"}', "denominator": 'a_seconds_count{x="1"}'},
        Unit.SECONDS,
    ),
    "CPU seconds a request are no time": (
        {"numerator": "process_cpu_seconds_total{}", "denominator": "requests_total{}"},
        Unit.PLAIN,
    ),
    "bytes": ({"query": 'process_resident_memory_bytes{v="1"}'}, Unit.BYTES),
    "a rate of seconds is a share of a core": (
        {"query": 'rate(process_cpu_seconds_total{v="1"}[1m])'},
        Unit.PLAIN,
    ),
    "a quantile of seconds": (
        {"query": "histogram_quantile(0.9, sum by (le) (rate(a_seconds_bucket[1m])))"},
        Unit.SECONDS,
    ),
    "a histogram of seconds": ({"buckets": 'a_duration_seconds_bucket{v="1"}'}, Unit.SECONDS),
    "a native histogram of bytes": ({"buckets": "response_size_bytes"}, Unit.BYTES),
    "events": ({"events": "failed{}", "total": "all{}"}, Unit.SHARE),
    "two selectors": ({"query": "a_bytes{} / b_bytes{}"}, Unit.PLAIN),
    "nothing": ({}, Unit.PLAIN),
}


@pytest.mark.parametrize(("asked", "unit"), UNITS.values(), ids=UNITS)
def test_the_unit_is_what_the_names_tell_and_plain_where_in_doubt(
    asked: dict[str, str], unit: Unit
) -> None:
    queries = tuple(
        AskedQuery(side="canary", role=role, kind="range", query=query, series=1)
        for role, query in asked.items()
    )

    assert unit_of(a_metric_report(a_judgment(estimate=an_estimate()), queries=queries)) is unit
