"""What a source tells of the canary's weight: laid on the steps, or why it was not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from analysis.config.traffic import Traffic, WeightUnit
from analysis.errors import SourceError
from analysis.guards import (
    Comparison,
    Finding,
    Rollout,
    Severity,
    Weight,
    inspect,
    inspect_rollout,
)
from analysis.sources.port import Answer
from analysis.weights import observed
from judges import Sample
from tests.support.builders import START, a_series, a_window

WINDOW = a_window(minutes=90)
EDGES = WINDOW.edges
STEPS = len(EDGES) - 1
HALF = STEPS // 2
PERCENT = Traffic(observed="weight")


def answer(values: Sequence[float], *, count: int = 1, warnings: tuple[str, ...] = ()) -> Answer:
    points = [(float(t), v) for t, v in zip(EDGES[1:], values, strict=True)]
    return Answer(series=tuple(a_series(points, n=str(n)) for n in range(count)), warnings=warnings)


def seen(values: Sequence[float], traffic: Traffic = PERCENT) -> Weight:
    return observed(traffic, answer(values), WINDOW)


RAISED = [10.0] * HALF + [50.0] * (STEPS - HALF)


def test_a_weight_is_a_fraction_in_every_step() -> None:
    fraction = Traffic(observed="weight", unit=WeightUnit.FRACTION)

    assert seen([20.0] * STEPS).shares.tolist() == [0.2] * STEPS
    assert seen([0.2] * STEPS, fraction).shares.tolist() == [0.2] * STEPS


def test_steps_beside_a_change_are_held_against_nothing() -> None:
    weight = seen(RAISED)

    unknown = np.flatnonzero(np.isnan(weight.shares)).tolist()
    assert unknown == [HALF - 1, HALF]
    assert weight.last == 0.5
    assert weight.changed == (EDGES[HALF], 0.1, 0.5)


UNSEEN: dict[str, tuple[Answer | SourceError, str]] = {
    "no answer": (SourceError("it is down", code="down"), "no answer from the source: it is down"),
    "no series": (answer([5.0] * STEPS, count=0), "the query gave no series, one is needed"),
    "several series": (answer([5.0] * STEPS, count=3), "the query gave 3 series, one is needed"),
    "no value": (answer([math.nan] * STEPS), "the query gave no value in the judged steps"),
    "more than all": (answer([250.0] * STEPS), "the query gave 250, which is no percent"),
    "less than nothing": (answer([-1.0] * STEPS), "the query gave -1, which is no percent"),
    "a warning": (answer([5.0] * STEPS, warnings=("partial",)), "the source warned: partial"),
}


@pytest.mark.parametrize(("told", "why"), UNSEEN.values(), ids=UNSEEN)
def test_what_is_no_weight_is_remarked_on_and_accuses_nobody(
    told: Answer | SourceError, why: str
) -> None:
    comparison = requests([10.0] * STEPS, weight=observed(PERCENT, told, WINDOW), share=0.5)

    assert "traffic_share" not in {finding.code for finding in inspect(comparison)}
    (finding,) = of_rollout(comparison)
    assert (finding.code, finding.severity) == ("traffic_share", Severity.NOTE)
    assert finding.summary == f"the canary's weight was not seen: {why}"


def requests(
    values: Sequence[float], *, weight: Weight | None = None, share: float | None = None
) -> Comparison:
    """Count 400 requests a step, shared as the weight says or otherwise."""
    rng = np.random.default_rng(11)
    parts = np.array(values) / 100 if share is None else np.full(len(values), share)
    canary = rng.binomial(400, parts).astype(float)
    sample = Sample.of_counts((0 * canary, 400 - canary), (0 * canary, canary))
    weight = seen(values) if weight is None else weight
    return Comparison(sample=sample, baseline=(), canary=(), weight=weight, begin=START)


def of_rollout(comparison: Comparison) -> tuple[Finding, ...]:
    return inspect_rollout(Rollout(comparisons={"e": comparison}, since=START, begin=START))


def shares_found(comparison: Comparison) -> list[str]:
    return [one.summary for one in inspect(comparison) if one.code == "traffic_share"]


def test_requests_that_follow_a_weight_that_is_raised_are_as_they_should_be() -> None:
    assert shares_found(requests(RAISED)) == []


def test_requests_that_do_not_follow_it_are_found_with_the_weight_of_their_steps() -> None:
    (summary,) = shares_found(requests(RAISED, share=0.5))

    assert "the canary has 50 % of the requests" in summary
    assert "its observed weight is 10 %" in summary


def test_steps_in_which_one_side_gets_nothing_are_no_shares() -> None:
    assert shares_found(requests([0.0] * HALF + [50.0] * (STEPS - HALF))) == []
    assert shares_found(requests([100.0] * STEPS)) == []


def test_an_observed_weight_tells_of_its_changes_itself() -> None:
    (finding,) = of_rollout(requests(RAISED))

    assert finding.code == "weight_changed"
    assert "the canary's weight went from 10 % to 50 % at" in finding.summary


def test_of_a_weight_that_is_observed_to_stay_nothing_is_guessed_from_requests() -> None:
    moved = requests(RAISED, weight=seen([30.0] * STEPS))

    assert of_rollout(moved) == ()
