"""What the judge of extreme effects answers, and why."""

from __future__ import annotations

import numpy as np
import pytest

import judges
from judges import InvalidParameterError, Reason, Sample, Verdict
from tests.support.samples import Array, a_gauge, faults, judged, judged_counts

PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
NAN = float("nan")


def level(value: float, steps: int = 10) -> Array:
    return np.full(steps, value)


def ending(*last: float, steps: int = 10, before: float = 1.0) -> Array:
    """Give a series at one level that ends with other values."""
    return np.concatenate([np.full(steps - len(last), before), last])


GAUGES = {
    "the canary is extreme now": (level(1), ending(100, 100, 100, 100), FAIL),
    "three of the last four steps suffice": (level(1), ending(100, 1, 100, 100), FAIL),
    "two of the last four do not": (level(1), ending(1, 100, 1, 100), PASS),
    "a spike that is over is none now": (level(1), ending(1, 1, 1, before=100), PASS),
    "the baseline has been there itself": (
        np.array([100.0] + [1.0] * 9), ending(100, 100, 100, 100), PASS,
    ),
    "both are extreme in the same steps": (ending(90, 90, 90), ending(100, 100, 100), PASS),
    "exactly at the ratio counts": (level(2), ending(5, 5, 5, 5, before=2), FAIL),
    "just below the ratio does not": (level(2), ending(4.9, 4.9, 4.9, 4.9, before=2), PASS),
    "a fall is no harm here": (level(1), ending(0, 0, 0, 0), PASS),
    "a step of zero is exceeded": (
        np.array([3.0] + [0.0] * 9), ending(4, 4, 4, 4), FAIL,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("baseline", "canary", "verdict"), GAUGES.values(), ids=GAUGES)
@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e9, 0.3])
def test_a_gauge_spikes_when_its_last_steps_are_extreme(
    baseline: Array, canary: Array, verdict: Verdict, unit: float
) -> None:
    judgment = judged("spike", unit * baseline, unit * canary)

    assert judgment.verdict is verdict
    assert judgment.reason is {PASS: Reason.WITHIN_BOUNDS, FAIL: Reason.OUT_OF_BOUNDS}[verdict]


@pytest.mark.parametrize(("look", "verdict"), [(7, UNSURE), (8, FAIL), (9, PASS), (10, PASS)])
def test_a_spike_is_seen_by_the_looks_while_it_lasts(look: int, verdict: Verdict) -> None:
    """Ranks and means cannot decide this known case at its last look, and neither is it a spike."""
    canary = ending(1, 1, 1, before=100)

    assert judged("spike", level(1)[:look], canary[:look]).verdict is verdict


@pytest.mark.parametrize(
    ("direction", "last", "verdict"),
    [
        ("decrease", 40.0, FAIL), ("decrease", 41.0, PASS), ("decrease", 0.0, FAIL),
        ("decrease", 1e4, PASS), ("either", 40.0, FAIL), ("either", 250.0, FAIL),
        ("either", 200.0, PASS), ("increase", 40.0, PASS),
    ],
)  # fmt: skip
def test_the_direction_says_what_is_extreme(direction: str, last: float, verdict: Verdict) -> None:
    judgment = judged("spike", level(100), ending(*[last] * 4, before=100), direction=direction)

    assert judgment.verdict is verdict


SERVED = level(100)
COUNTS = {
    "many errors against none": (level(0), ending(8, 8, 8, 8, before=0), SERVED, FAIL),
    "one error against none": (level(0), ending(0, 0, 0, 1, before=0), SERVED, PASS),
    "few errors in each step against none": (level(0), ending(1, 1, 1, 1, before=0), SERVED, PASS),
    "errors in step with traffic": (level(8), ending(80, 80, 80, 80, before=8), 10 * SERVED, PASS),
    "errors of a canary with less traffic": (
        level(2), ending(8, 8, 8, 8, before=1), SERVED / 4, FAIL,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("baseline", "canary", "served", "verdict"), COUNTS.values(), ids=COUNTS)
def test_counted_events_spike_when_there_are_enough_of_them(
    baseline: Array, canary: Array, served: Array, verdict: Verdict
) -> None:
    assert judged_counts("spike", (baseline, SERVED), (canary, served)).verdict is verdict


def test_too_few_events_are_named() -> None:
    judgment = judged_counts("spike", (level(0), SERVED), (ending(3, 3, 3, 3, before=0), SERVED))

    assert judgment.summary.endswith("but on 12 events (20 needed)")


@pytest.mark.parametrize(("served", "verdict"), [(100.0, FAIL), (5.0, PASS)])
def test_events_that_should_have_been_show_their_loss(served: float, verdict: Verdict) -> None:
    """Of 100 requests 90 used to succeed, and now none; of 5 requests that may be chance."""
    lost = ending(0, 0, 0, 0, before=0.9 * served)

    judgment = judged_counts(
        "spike", (level(90), SERVED), (lost, level(served)), direction="decrease"
    )

    assert judgment.verdict is verdict


UNSEEN = {
    "no canary": (level(1), level(NAN), UNSURE, Reason.NO_DATA),
    "too few steps for a worst level": (level(1, 7), level(100, 7), UNSURE, Reason.TOO_FEW_SAMPLES),
    "a canary that fell silent": (
        level(1, 14), ending(NAN, NAN, NAN, NAN, steps=14), UNSURE, Reason.NO_DATA,
    ),
    "too much unseen to be sure": (
        level(1, 14), ending(100, 100, NAN, NAN, steps=14), UNSURE, Reason.TOO_FEW_SAMPLES,
    ),
    "enough was seen to be sure of a spike": (
        level(1), ending(100, 100, 100, NAN), FAIL, Reason.OUT_OF_BOUNDS,
    ),
    "enough was seen to be sure of none": (
        level(1), ending(1, 1, 1, NAN), PASS, Reason.WITHIN_BOUNDS,
    ),
    "nothing is a multiple of zero": (level(0), level(9), UNSURE, Reason.NOT_COMPARABLE),
    "nothing is a multiple of less than zero": (
        ending(-1), level(9), UNSURE, Reason.NOT_COMPARABLE,
    ),
    "the largest doubles": (level(1e308), level(1.7e308), PASS, Reason.WITHIN_BOUNDS),
    "the smallest against the largest": (
        level(5e-324), level(1.7e308), FAIL, Reason.OUT_OF_BOUNDS,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("baseline", "canary", "verdict", "reason"), UNSEEN.values(), ids=UNSEEN)
def test_what_was_not_seen_has_a_stated_outcome(
    baseline: Array, canary: Array, verdict: Verdict, reason: Reason
) -> None:
    judgment = judged("spike", baseline, canary)

    assert (judgment.verdict, judgment.reason) == (verdict, reason)
    assert faults(judgment) == []


def test_unseen_steps_say_how_many_minutes_are_missing() -> None:
    sample = Sample.of_values(level(1), ending(100, 100, NAN, NAN), step_s=15.0)

    settlement = judges.create("spike").judge(sample).settlement

    assert settlement is not None
    assert settlement.minutes == 0.5


def test_it_is_no_estimate_so_it_spends_no_budget() -> None:
    judgment = judged("spike", level(1), level(100))

    assert (judgment.harm, judgment.safety) == (None, None)
    assert judgment.estimate is not None
    assert (judgment.estimate.value, judgment.estimate.interval) == (100, None)


def test_the_summary_names_what_was_seen_and_what_makes_a_spike() -> None:
    assert judged("spike", level(2), ending(6, 6, 6, before=2)).summary == (
        "3 of the last 4 steps stood at 2.5 times the baseline or more and beyond 2, the worst it "
        "reached itself (median 6 against 2)"
    )
    assert judged("spike", level(2), level(2)).summary == (
        "0 of the last 4 steps stood at 2.5 times the baseline or more and beyond 2, the worst it "
        "reached itself (median 2 against 2); 3 make a spike"
    )


@pytest.mark.parametrize("ratio", [1.1, 2.5, 3.3, 7.7])
def test_a_canary_exactly_at_the_ratio_counts_whatever_its_rounding(ratio: float) -> None:
    for tenths in range(1, 60):
        baseline = level(tenths / 10)
        assert judged("spike", baseline, ratio * baseline, ratio=ratio).verdict is FAIL


def test_pods_are_judged_by_their_mean() -> None:
    baseline = np.stack([a_gauge(seed, n=10) for seed in range(3)])
    one_bad = baseline.copy()
    one_bad[0, -4:] *= 10

    assert judged("spike", baseline, one_bad).verdict is FAIL
    assert judged("spike", baseline, baseline[::-1]).verdict is PASS


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hits": 5}, r"hits \(5\) must not exceed steps \(4\)"),
        ({"ratio": 1.0}, r"must lie in \[1.1"),
        ({"steps": 0}, "must be at least 1"),
        ({"min_events": -1}, r"must lie in \[0"),
    ],
    ids=str,
)
def test_parameters_that_make_no_sense_are_refused(
    parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        judges.create("spike", **parameters)
