"""Laws that hold whatever the data are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import judges
from judges import Evidence, Histogram, Judgment, Ratio, Sample, Values, Verdict
from judges.core.ranks import Pairs
from judges.core.shifts import Shifts
from tests.support.samples import Array, faults, judged, judged_buckets, judged_counts

STEPS = st.integers(15, 40)
SEEDS = st.integers(0, 2**32 - 1)
NOISE = st.sampled_from([0.02, 0.1, 0.5])
LEVELS = st.sampled_from([0.5, 0.9, 1.0, 1.05, 1.1, 1.15, 1.2, 1.5, 3.0])
DIRECTIONS = st.sampled_from(["increase", "decrease", "either"])
LOOKS = st.sampled_from(["fixed", "anytime"])
OPPOSITE = {"increase": "decrease", "decrease": "increase", "either": "either"}


@st.composite
def gauges(draw: st.DrawFn, *, signed: bool = False) -> tuple[Array, Array]:
    """Draw both sides of a gauge: smooth or rounded to few values, alike or apart."""
    n, rng = draw(STEPS), np.random.default_rng(draw(SEEDS))
    noise, level = draw(NOISE), draw(LEVELS)
    shared = np.exp(draw(st.sampled_from([0.0, 1.0])) * np.sin(np.arange(n) / 5))
    baseline, canary = 100 * shared * np.exp(noise * rng.standard_normal((2, n)))
    canary = level * canary
    if draw(st.booleans()):
        baseline, canary = np.ceil(baseline / 10), np.ceil(canary / 10)
    offset = 100 if signed else 0
    return baseline - offset, canary - offset


@st.composite
def rough_gauges(draw: st.DrawFn) -> tuple[Array, Array]:
    """Draw any floats at all, often the same ones."""
    numbers = st.one_of(
        st.floats(), st.sampled_from([0.0, -0.0, 1.0, 1.1, 1e-9, 1e18, 5e-324, 1.7e308])
    )
    n = draw(st.integers(0, 40))
    values = st.lists(numbers, min_size=n, max_size=n)
    return np.array(draw(values)), np.array(draw(values))


def weights(judgment: Judgment) -> tuple[Evidence, Evidence]:
    """Give the evidence of a judgment that had any."""
    assume(judgment.harm is not None and judgment.safety is not None)
    assert judgment.harm is not None
    assert judgment.safety is not None
    return judgment.harm, judgment.safety


def assert_same(one: Judgment, other: Judgment) -> None:
    """Assert that verdict and evidence agree; rounding may move the last digits only."""
    assert (one.verdict, one.reason) == (other.verdict, other.reason)
    for first, second in zip(weights(one), weights(other), strict=True):
        assert first.p == pytest.approx(second.p, rel=1e-6)
        assert first.log_e == pytest.approx(second.log_e, rel=1e-6, abs=1e-6)


@given(sides=gauges(), power=st.integers(-300, 300), looks=LOOKS, direction=DIRECTIONS)
def test_a_change_of_the_unit_by_a_power_of_two_changes_nothing(
    sides: tuple[Array, Array], power: int, looks: str, direction: str
) -> None:
    unit = 2.0**power
    one = judged("mann_whitney", *sides, looks=looks, direction=direction)
    other = judged(
        "mann_whitney", unit * sides[0], unit * sides[1], looks=looks, direction=direction
    )

    assert (one.verdict, one.harm, one.safety) == (other.verdict, other.harm, other.safety)


@given(
    sides=gauges(), unit=st.floats(1e-12, 1e12), direction=DIRECTIONS,
    tolerance=st.sampled_from(["0%", "10%", "50%"]),
)  # fmt: skip
def test_a_change_of_the_unit_leaves_the_verdict(
    sides: tuple[Array, Array], unit: float, direction: str, tolerance: str
) -> None:
    parameters = {"direction": direction, "tolerance": tolerance}
    one = judged("mann_whitney", *sides, **parameters)
    other = judged("mann_whitney", unit * sides[0], unit * sides[1], **parameters)

    assert_same(one, other)
    if one.estimate is not None and one.estimate.value is not None:
        assert other.estimate is not None
        assert other.estimate.value == pytest.approx(one.estimate.value)


@given(sides=gauges(signed=True), unit=st.floats(1e-12, 1e12), direction=DIRECTIONS)
def test_a_change_of_the_unit_leaves_the_verdict_on_differences(
    sides: tuple[Array, Array], unit: float, direction: str
) -> None:
    one, other = (
        judged(
            "mann_whitney", scale * sides[0], scale * sides[1],
            tolerance={"absolute": 10 * scale}, direction=direction,
        )
        for scale in (1.0, unit)
    )  # fmt: skip

    assert_same(one, other)


@given(sides=gauges(), unit=st.floats(1e-12, 1e12), statistic=st.sampled_from(["mean", "p75"]))
def test_a_change_of_the_unit_leaves_the_verdict_on_a_bound(
    sides: tuple[Array, Array], unit: float, statistic: str
) -> None:
    bound = float(np.median(sides[0])) * 1.0371

    one, other = (
        judged("threshold", scale * sides[0], scale * sides[1], max=scale * bound,
               statistic=statistic)
        for scale in (1.0, unit)
    )  # fmt: skip

    assert_same(one, other)


@given(sides=gauges(), direction=DIRECTIONS, looks=LOOKS)
def test_swapping_the_sides_turns_the_effect_around(
    sides: tuple[Array, Array], direction: str, looks: str
) -> None:
    baseline, canary = sides
    one = judged("mann_whitney", baseline, canary, direction=direction, looks=looks)
    other = judged("mann_whitney", canary, baseline, direction=OPPOSITE[direction], looks=looks)

    assert_same(one, other)
    assert one.estimate is not None
    assert other.estimate is not None
    if one.estimate.value is not None and other.estimate.value is not None:
        assert one.estimate.value == pytest.approx(1 / other.estimate.value)


@given(sides=gauges(signed=True))
def test_swapping_the_sides_turns_a_difference_around(sides: tuple[Array, Array]) -> None:
    baseline, canary = sides
    tolerance = {"absolute": 10}
    one = judged("mann_whitney", baseline, canary, tolerance=tolerance)
    other = judged("mann_whitney", canary, baseline, tolerance=tolerance, direction="decrease")

    assert_same(one, other)


@st.composite
def counted(draw: st.DrawFn) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Draw both sides of a counter: events, requests."""
    n, rng = draw(STEPS), np.random.default_rng(draw(SEEDS))
    served = np.array([1000.0, draw(st.sampled_from([50.0, 250.0, 1000.0]))])
    rate = draw(st.sampled_from([0.0, 0.0005, 0.01])) * np.array([1.0, draw(LEVELS)])
    burst = draw(st.sampled_from([0.0, 1.0])) * rng.standard_normal((2, n))
    events = rng.poisson(served[:, None] * rate[:, None] * np.exp(burst)).astype(float)
    return (events[0], np.full(n, served[0])), (events[1], np.full(n, served[1]))


@given(sides=counted(), direction=DIRECTIONS, looks=LOOKS)
def test_swapping_the_sides_turns_the_rate_ratio_around(
    sides: tuple[tuple[Array, Array], tuple[Array, Array]], direction: str, looks: str
) -> None:
    baseline, canary = sides
    parameters = {"tolerance": 1.25, "looks": looks}
    one = judged_counts("error_ratio", baseline, canary, direction=direction, **parameters)
    other = judged_counts(
        "error_ratio", canary, baseline, direction=OPPOSITE[direction], **parameters
    )

    assert_same(one, other)


@given(seed=SEEDS, pods=st.integers(2, 5), kind=st.sampled_from(["mann_whitney", "threshold"]))
def test_the_order_of_the_pods_is_irrelevant(seed: int, pods: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    baseline, canary = np.exp(0.1 * rng.standard_normal((2, pods, 30)))
    order = rng.permutation(pods)
    parameters = {"max": 1.02} if kind == "threshold" else {}

    one = judged(kind, baseline, canary, **parameters)
    other = judged(kind, baseline[order], canary[order[::-1]], **parameters)

    assert_same(one, other)


@given(seed=SEEDS, pods=st.integers(2, 5))
def test_the_order_of_counted_pods_is_irrelevant(seed: int, pods: int) -> None:
    rng = np.random.default_rng(seed)
    events = rng.poisson(2, (2, pods, 30)).astype(float)
    served = rng.integers(50, 100, (2, pods, 30)).astype(float)
    order = rng.permutation(pods)

    one = judged_counts("error_ratio", (events[0], served[0]), (events[1], served[1]))
    other = judged_counts(
        "error_ratio", (events[0][order], served[0][order]), (events[1][order], served[1][order])
    )

    assert one == other


@given(sides=gauges(), seed=SEEDS, shift=st.floats(-1, 1))
def test_what_happens_to_both_sides_leaves_signed_ranks(
    sides: tuple[Array, Array], seed: int, shift: float
) -> None:
    baseline, canary = (np.log(side) for side in sides)
    common = np.random.default_rng(seed).standard_normal(len(baseline))
    signed, moved = np.array([True]), np.array([shift])

    one = Pairs.of(baseline[np.newaxis], canary[np.newaxis])
    other = Pairs.of((baseline + common)[np.newaxis], (canary + common)[np.newaxis])

    assert other.studentized(signed, moved, other.runs(signed)).t[0] == pytest.approx(
        one.studentized(signed, moved, one.runs(signed)).t[0]
    )
    assert Shifts.of(other, signed).middle()[0] == pytest.approx(
        Shifts.of(one, signed).middle()[0], abs=1e-9
    )


@given(sides=gauges(), seed=SEEDS)
def test_load_that_both_sides_share_leaves_the_ratio(sides: tuple[Array, Array], seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = (
        judged("mann_whitney", sides[0] * load, sides[1] * load)
        for load in np.exp(rng.standard_normal((2, len(sides[0]))))
    )
    assume(one.details.get("method") == other.details.get("method") == "signed_ranks")

    assert_same(one, other)
    assert one.estimate is not None
    assert other.estimate is not None
    assert one.estimate.value == pytest.approx(other.estimate.value)


@given(sides=gauges(), worse=st.floats(1, 10), looks=LOOKS)
def test_making_every_value_worse_never_turns_fail_into_pass(
    sides: tuple[Array, Array], worse: float, looks: str
) -> None:
    baseline, canary = sides
    before = judged("mann_whitney", baseline, canary, looks=looks)
    after = judged("mann_whitney", baseline, worse * canary, looks=looks)

    assert (before.verdict, after.verdict) != (Verdict.FAIL, Verdict.PASS)
    assert (after.verdict, before.verdict) != (Verdict.PASS, Verdict.FAIL)


@given(sides=gauges(), worse=st.floats(1, 10), statistic=st.sampled_from(["mean", "p75", "max"]))
def test_making_every_value_worse_never_turns_fail_into_pass_at_a_bound(
    sides: tuple[Array, Array], worse: float, statistic: str
) -> None:
    bound = float(np.median(sides[0])) * 1.05
    before = judged("threshold", *sides, max=bound, statistic=statistic)
    after = judged("threshold", sides[0], worse * sides[1], max=bound, statistic=statistic)

    assert (before.verdict, after.verdict) != (Verdict.FAIL, Verdict.PASS)


@given(sides=counted(), more=st.integers(1, 5), looks=LOOKS)
def test_more_errors_never_turn_fail_into_pass(
    sides: tuple[tuple[Array, Array], tuple[Array, Array]], more: int, looks: str
) -> None:
    baseline, canary = sides
    before = judged_counts("error_ratio", baseline, canary, looks=looks)
    after = judged_counts("error_ratio", baseline, (canary[0] + more, canary[1]), looks=looks)

    assert (before.verdict, after.verdict) != (Verdict.FAIL, Verdict.PASS)


REQUIRED = {"threshold": {"max": 1.0}}
KINDS = [
    (kind, accepted) for kind in judges.kinds() for accepted in judges.judge_class(kind).accepts
]


@pytest.mark.parametrize(
    ("kind", "accepted"), KINDS, ids=[f"{kind} of {side.__name__}" for kind, side in KINDS]
)
@given(first=rough_gauges(), second=rough_gauges(), looks=LOOKS, seed=SEEDS)
@example(
    first=(np.full(30, 1.7e308), np.full(30, -1.7e308)),
    second=(np.full(30, 5e-324), np.full(30, 5e-324)),
    looks="fixed",
    seed=0,
)
@example(
    first=(np.arange(30.0), np.arange(30.0)), second=(np.zeros(30), np.ones(30)),
    looks="anytime", seed=0,
)  # fmt: skip
def test_no_data_make_a_judge_raise_or_emit_nan(
    kind: str,
    accepted: type[Values | Ratio | Histogram],
    first: tuple[Array, Array],
    second: tuple[Array, Array],
    looks: str,
    seed: int,
) -> None:
    required: dict[str, Any] = dict(REQUIRED.get(kind, {}))
    if "looks" in judges.parameters(kind):
        required["looks"] = looks
    if accepted is Values:
        judgment = judged(kind, *first, **required)
    elif accepted is Histogram:
        judgment = judged_buckets(
            kind, *(np.abs(np.column_stack(side)) for side in (first, second)), **required
        )
    else:
        n = min(len(first[0]), len(second[0]))
        baseline, canary = ((side[0][:n], side[1][:n]) for side in (first, second))
        judgment = judged_counts(kind, baseline, canary, **required)

    assert faults(judgment) == []
    assert (judgment.verdict is Verdict.INCONCLUSIVE) or judgment.n > 0
    assert judgment.summary


@given(sides=gauges(), seed=SEEDS)
def test_what_is_unknown_is_not_used(sides: tuple[Array, Array], seed: int) -> None:
    """Steps unknown on one side may hold anything on the other."""
    rng = np.random.default_rng(seed)
    hidden = rng.random(len(sides[0])) < 0.3
    baseline = np.where(hidden, math.nan, sides[0])

    one = judged("mann_whitney", baseline, sides[1])
    other = judged("mann_whitney", baseline, np.where(hidden, 1e9, sides[1]))

    assert one == other


@given(sides=gauges())
def test_a_sample_is_not_changed_by_judging_it(sides: tuple[Array, Array]) -> None:
    sample = Sample.of_values(*sides)
    judge = judges.create("mann_whitney")

    assert judge.judge(sample) == judge.judge(sample)
    np.testing.assert_array_equal(sample.baseline.series(), sides[0])
