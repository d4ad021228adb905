"""Counts of a sample: when they can be compared, and what would settle an open question."""

from __future__ import annotations

import numpy as np
import pytest

from judges import Judgment, Reason, Verdict
from tests.support.samples import Array, judged_counts

Side = tuple[Array, Array]


def even(events: float, *, n: int = 9, requests: float = 1000.0) -> Side:
    """Give as many events in each step: no chance, no bunching."""
    return np.full(n, events), np.full(n, requests)


def judgment_of(baseline: Side, canary: Side, **parameters: object) -> Judgment:
    return judged_counts("error_ratio", baseline, canary, **parameters)


# ---- counts that cannot be compared


REFUSED = {
    "a baseline without requests": (even(0, requests=0), even(1), "the baseline served no"),
    "a canary without requests": (even(1), even(0, requests=0), "the canary served no"),
    "more events than were ever counted": (even(1), even(1e12), "1e+12 events"),
    "more requests than were ever counted": (even(1), even(1, requests=1e100), "1e+100 requests"),
}


@pytest.mark.parametrize(("baseline", "canary", "text"), REFUSED.values(), ids=REFUSED)
def test_counts_that_say_nothing_are_named(baseline: Side, canary: Side, text: str) -> None:
    judgment = judgment_of(baseline, canary)

    assert judgment.verdict is Verdict.INCONCLUSIVE
    assert judgment.reason in (Reason.NO_EXPOSURE, Reason.NOT_COMPARABLE)
    assert text in judgment.summary


def test_what_is_smaller_than_rounding_is_no_event() -> None:
    judgment = judgment_of(even(1e-10), even(1e-10))

    assert judgment.details["events_canary"] == judgment.details["events_baseline"] == 0


# ---- what would settle it


def named(traffic: float, looks: str) -> tuple[float, float]:
    """Give the further requests and minutes that an open question needs."""
    half = even(1.5 * traffic, n=12, requests=100 * traffic)
    settlement = judgment_of(half, half, looks=looks).settlement
    assert settlement is not None
    assert settlement.requests is not None
    assert settlement.minutes is not None
    return settlement.requests, settlement.minutes


@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_the_minutes_to_an_answer_are_those_of_the_requests(looks: str) -> None:
    for traffic in (1.0, 1.5, 2.0):
        requests, minutes = named(traffic, looks)

        assert minutes == pytest.approx(requests / (100 * traffic))


def test_the_more_traffic_was_seen_the_fewer_further_requests_are_needed() -> None:
    seen = {traffic: 12 * 100 * traffic for traffic in (1.0, 1.5, 2.0)}
    needed = {traffic: named(traffic, "fixed")[0] for traffic in seen}

    whole = [seen[traffic] + needed[traffic] for traffic in seen]
    assert whole == pytest.approx([whole[0]] * 3, rel=0.03)


def test_twice_the_traffic_shortens_the_wait_at_any_number_of_looks() -> None:
    assert named(2.0, "anytime")[1] < 0.9 * named(1.0, "anytime")[1]


def test_a_rate_on_the_margin_is_settled_by_no_time() -> None:
    settlement = judgment_of(even(10), even(13), tolerance=1.3, margin=1.3).settlement

    assert settlement is not None
    assert (settlement.requests, settlement.minutes) == (None, None)
