"""Rates of events: what looks, limits, traffic and pods do to the evidence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

from judges import Evidence, Judgment, Verdict
from judges.core import evidence, stages
from judges.core.pods import ONE_LOOK
from tests.support.samples import Array, judged_counts

PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
N = 60
Side = tuple[Array, Array]


def side(seed: int, rate: float, *, n: int = N, requests: float = 1000.0) -> Side:
    events = np.random.default_rng(seed).poisson(rate * requests, n).astype(float)
    return events, np.full(n, requests)


def even(events: float, *, n: int = 9, requests: float = 1000.0) -> Side:
    """Give as many events in each step: no chance, no bunching."""
    return np.full(n, events), np.full(n, requests)


def until(n: int, *sides: Side) -> tuple[Side, ...]:
    return tuple((events[..., :n], total[..., :n]) for events, total in sides)


def judgment_of(baseline: Side, canary: Side, **parameters: object) -> Judgment:
    return judged_counts("error_ratio", baseline, canary, **parameters)


def known(weight: Evidence | None) -> Evidence:
    assert weight is not None
    return weight


def log_of(weight: Evidence | None) -> float:
    log_e = known(weight).log_e
    assert log_e is not None
    return log_e


# ---- group sequential looks


@pytest.mark.parametrize("rate", [0.01, 0.014, 0.02])
def test_each_completed_stage_is_one_look_at_its_data(rate: float) -> None:
    sides, n = (side(1, 0.01), side(2, rate)), 33
    staged = judgment_of(*until(n, *sides), looks="group_sequential")
    ends = stages.ends(n, N)
    single = [judgment_of(*until(end, *sides)) for end in ends]

    for name in ("harm", "safety"):
        p = [np.array([known(getattr(one, name)).p]) for one in single]
        expected = stages.sequential_p(p, ends, N, 1)[0]

        assert known(getattr(staged, name)).p == pytest.approx(expected)
        assert known(getattr(staged, name)).log_e is None


def test_steps_behind_the_last_completed_stage_do_not_count() -> None:
    sides = side(1, 0.01), side(2, 0.014)

    at_the_end, later = (judgment_of(*until(n, *sides), looks="group_sequential") for n in (30, 34))

    assert (later.harm, later.safety) == (at_the_end.harm, at_the_end.safety)
    assert later.estimate != at_the_end.estimate


def test_before_the_first_stage_nothing_is_known() -> None:
    judgment = judgment_of(*until(9, side(1, 0.01), side(2, 0.1)), looks="group_sequential")

    assert judgment.verdict is UNSURE
    assert (known(judgment.harm).p, known(judgment.safety).p) == (1, 1)


# ---- any number of looks


@pytest.mark.parametrize(("n", "verdict"), [(9, UNSURE), (10, FAIL)])
def test_evidence_over_looks_takes_ten_steps(n: int, verdict: Verdict) -> None:
    sides = side(1, 0.01, n=n), side(2, 0.05, n=n)

    assert judgment_of(*sides).verdict is FAIL
    assert judgment_of(*sides, looks="anytime").verdict is verdict


def test_before_ten_steps_only_the_stake_of_the_planned_end_is_left() -> None:
    judgment = judgment_of(side(1, 0.01, n=9), side(2, 0.01, n=9), looks="anytime")

    assert log_of(judgment.safety) == pytest.approx(math.log(evidence.END_PART))


@pytest.mark.parametrize(("events", "won"), [(13.0, True), (13.5, True), (13.6, False)])
def test_at_the_planned_end_one_look_is_worth_its_part_of_the_error_rate(
    events: float, won: bool
) -> None:
    """No look before could pass: 57 of 60 planned steps are the end, and it has .04 of .05."""
    sides, end = (even(10, n=N), even(events, n=N)), evidence.planned_end(N)

    one = judgment_of(*until(end, *sides), tolerance=1.25, margin=1.5)
    before, at, after = (
        judgment_of(*until(n, *sides), tolerance=1.25, margin=1.5, looks="anytime")
        for n in (end - 1, end, N)
    )

    assert (known(one.safety).p <= evidence.END_PART * 0.05) is won
    assert [judgment.verdict is PASS for judgment in (before, at, after)] == [False, won, won]


def test_what_was_won_at_the_planned_end_stays_whatever_comes_later() -> None:
    events, total = side(2, 0.01)
    events[evidence.planned_end(N) :] = 100

    judgment = judgment_of(
        side(1, 0.01), (events, total), looks="anytime", tolerance=1.25, margin=1.5
    )

    assert known(judgment.safety).p > 0.05
    assert log_of(judgment.safety) >= -math.log(0.05)


def test_bunches_too_few_to_be_told_apart_are_no_evidence_over_looks() -> None:
    """One slow wave of errors: sixty steps that are worth a few."""
    wave = 1 + np.sin(np.linspace(0, 2 * math.pi, N))
    canary = np.random.default_rng(1).poisson(200 * wave).astype(float), np.full(N, 1000.0)

    judgment = judgment_of(side(2, 0.02), canary, looks="anytime", horizon=4 * N)

    waiting = (evidence.RESTARTS - 1) / (2 * evidence.RESTARTS)
    assert log_of(judgment.harm) == pytest.approx(math.log(waiting))


# ---- limits


@pytest.mark.parametrize(
    ("ratio", "absolute"), [(1.25, 0.0001), (1.02, 0.002)], ids=["the ratio binds", "the floor"]
)
def test_harm_needs_both_parts_of_a_limit_and_safety_one(ratio: float, absolute: float) -> None:
    sides = side(1, 0.01), side(2, 0.0118)
    parts = [{"ratio": ratio}, {"ratio": 1.0, "absolute": absolute}]
    both = {"ratio": ratio, "absolute": absolute}

    whole = judgment_of(*sides, tolerance=both, margin=both)
    single = [judgment_of(*sides, tolerance=part, margin=part) for part in parts]

    assert known(whole.harm).p == pytest.approx(max(known(one.harm).p for one in single))
    assert known(whole.safety).p == pytest.approx(min(known(one.safety).p for one in single))


def test_the_p_values_are_the_conditional_binomial() -> None:
    judgment = judgment_of(even(10), even(14), tolerance=1.25, margin=1.5)

    assert known(judgment.harm).p == pytest.approx(stats.binom.sf(125, 216, 1.25 / 2.25))
    assert known(judgment.safety).p == pytest.approx(stats.binom.cdf(126, 216, 1.5 / 2.5))


# ---- pods


def pods(*events: float, requests: float = 1000.0, n: int = 9) -> Side:
    return np.tile(np.array(events)[:, np.newaxis], (1, n)), np.full((len(events), n), requests)


def test_events_are_deflated_by_what_pods_add_to_the_variance() -> None:
    """Reckoned by hand: two pods with 8 and 12 events a step against two, at the level .01."""
    judgment = judgment_of(pods(8, 12), pods(14, 14), tolerance=1.1, margin=1.5, alpha=0.01)

    events, expected = np.array([72.0, 108.0]), 90.0
    spread = max(float(((events - expected) ** 2 - expected).sum()) / (2 * expected**2), 0) * 2
    pooled = (ONE_LOOK.df * ONE_LOOK.spread**2 + spread) / (ONE_LOOK.df + 1)
    widened = stats.t.isf(0.01, ONE_LOOK.df + 1) / stats.norm.isf(0.01)
    chance, hits, tosses = 1.1 / 2.1, 252.0, 432.0
    information = tosses * chance * (1 - chance)
    deflator = 1 + pooled * (1 / 2 + 1 / 2) * widened**2 * information
    tail = special.betainc(hits / deflator, (tosses - hits) / deflator + 1, chance)
    assert spread > 0.01
    assert known(judgment.harm).p == pytest.approx(float(tail))


def test_pods_that_differ_by_no_more_than_chance_add_what_is_usual_only() -> None:
    alike, chance = (judgment_of(one, pods(14, 14)) for one in (pods(10, 10), pods(9.7, 10.3)))

    assert known(chance.harm).p == pytest.approx(known(alike.harm).p)


def test_pods_widen_the_interval() -> None:
    of_pods, of_sides = (
        judgment_of(pods(8, 12), pods(14, 14), pods=mode).estimate for mode in ("auto", "ignore")
    )
    assert of_pods is not None
    assert of_sides is not None
    assert of_pods.interval is not None
    assert of_sides.interval is not None

    assert of_pods.value == of_sides.value
    assert of_sides.interval.excludes(1.1)
    assert not of_pods.interval.excludes(1.1)
