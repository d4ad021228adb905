"""What rows come to: rates, times, who decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from analysis.past.deployment import Truth
from analysis.past.evaluation import Rate, Times, evaluate
from analysis.past.looks import Schedule
from analysis.past.rows import Question, Row, row_of_error
from judges import Verdict
from tests.support.past import BEGAN, a_deployment

GOOD, BAD = Truth.GOOD, Truth.BAD


def a_row(
    verdict: Verdict | None, truth: Truth | None = None, *, minutes: int = 10, **changes: Any
) -> Row:
    """Make the row of a deployment that was settled after ten minutes."""
    question = Question(deployment=a_deployment(), config_digest="", schedule=Schedule())
    fields: dict[str, Any] = {
        "verdict": verdict,
        "truth": truth,
        "error": None,
        "decided_at": BEGAN + timedelta(minutes=minutes),
        "seconds_to_decision": 60.0 * minutes,
        **changes,
    }
    return replace(row_of_error(question, "", ""), **fields)


def test_rates_are_held_against_the_truth() -> None:
    rows = [
        *(a_row(Verdict.PASS, GOOD) for _ in range(3)),
        *(a_row(Verdict.FAIL, GOOD), a_row(Verdict.INCONCLUSIVE, GOOD)),
        *(a_row(Verdict.FAIL, BAD), a_row(Verdict.PASS, BAD), a_row(Verdict.PASS)),
    ]

    found = evaluate(rows)

    assert found.false_fails == Rate(hits=1, of=5)
    assert found.good_passed == Rate(hits=3, of=5)
    assert found.detections == Rate(hits=1, of=2)
    assert found.false_passes == Rate(hits=1, of=2)
    assert found.confusion["unknown"] == {
        Verdict.PASS: 1, Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 0,
    }  # fmt: skip


def test_wilsons_interval_is_his() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    lower, upper = Rate(hits=81, of=263).interval or (0, 0)
    assert (round(lower, 4), round(upper, 4)) == (0.2553, 0.3662)

    lower, upper = Rate(hits=0, of=20).interval or (1, 1)
    assert (round(lower, 4), round(upper, 4)) == (0.0, 0.1611)


def test_of_nothing_there_is_no_rate() -> None:
    assert Rate(hits=0, of=0).value is None
    assert Rate(hits=0, of=0).interval is None


def test_what_could_not_be_judged_is_in_no_rate() -> None:
    rows = [a_row(None, GOOD, error="down"), a_row(Verdict.INCONCLUSIVE, BAD, error="half")]

    found = evaluate([*rows, a_row(Verdict.PASS, GOOD)])

    assert (found.deployments, found.unread) == (3, 2)
    assert found.good_passed == Rate(hits=1, of=1)
    assert found.detections.of == 0


def test_a_fail_before_the_fault_is_no_detection() -> None:
    rows = [
        a_row(Verdict.FAIL, BAD, minutes=minutes, fault_start=BEGAN + timedelta(minutes=8))
        for minutes in (5, 12)
    ]

    found = evaluate(rows)

    assert found.detections == Rate(hits=1, of=2)
    assert found.failed_before_fault == 1
    assert found.delay == Times.of([240])


def test_bad_canaries_serve_until_they_fail_or_to_the_end() -> None:
    rows = [a_row(Verdict.FAIL, BAD), a_row(Verdict.PASS, BAD), a_row(Verdict.INCONCLUSIVE, BAD)]

    assert evaluate(rows).exposure.total == 600 + 1800 + 1800


def test_waiting_counts_what_stayed_open_and_deciding_what_did_not() -> None:
    rows = [a_row(Verdict.INCONCLUSIVE, minutes=30), a_row(Verdict.PASS, minutes=6)]

    found = evaluate(rows)

    assert found.open_wait == Times.of([1800])
    assert found.to_decision == Times.of([360])


def test_of_ten_times_nine_lie_below_the_ninetieth_percentile() -> None:
    times = Times.of(range(11))

    assert (times.n, times.median, times.p90, times.total) == (11, 5, 9, 55)
    assert Times.of([]) == Times(n=0, median=None, p90=None, total=0)


def test_metrics_are_named_by_how_much_they_decided() -> None:
    rows = [
        *(a_row(Verdict.FAIL, BAD, decided_by=("errors",)) for _ in range(2)),
        a_row(Verdict.FAIL, GOOD, decided_by=("latency", "errors")),
        a_row(Verdict.INCONCLUSIVE, decided_by=("memory",)),
    ]

    found = [(d.metric, d.failed, d.failed_good, d.held_open) for d in evaluate(rows).deciding]

    assert found == [("errors", 3, 1, 0), ("latency", 1, 1, 0), ("memory", 0, 0, 1)]


@pytest.mark.parametrize("rows", [[], [a_row(None, error="down")]], ids=["none", "none judged"])
def test_nothing_judged_comes_to_nothing(rows: list[Row]) -> None:
    found = evaluate(rows)

    assert found.confusion == {}
    assert found.deciding == ()
    assert found.unread == len(rows)
