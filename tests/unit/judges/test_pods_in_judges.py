"""Pods as replicates, in each judge that compares sides: their spread, and never the canary's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

import judges
from judges import Histogram, Judgment, Ratio, Reason, Sample, Values, Verdict
from judges.core.sample import Side
from tests.support.samples import FINE, Array, a_gauge, latencies

EVEN, SPREAD, LARGE = (1.0, 1.0, 1.0), (0.8, 1.0, 1.25), 3.0
KINDS = ("mann_whitney", "mean_ratio", "error_ratio", "exceedance", "quantile_ratio")
LIMITS = {"tolerance": 1.1, "margin": 1.2}
EDGE = float(FINE[31])
PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def a_side(kind: str, seed: int, levels: Sequence[float]) -> Side:
    """Draw a side whose pods have these levels: of a gauge, of a share or of latencies."""
    if kind == "quantile_ratio":
        counts = [latencies(seed + i, level=0.2 * level) for i, level in enumerate(levels)]
        return Histogram(edges=FINE, counts=np.array(counts))
    if kind == "exceedance":
        counts = [shares(seed + i, 0.05 * level) for i, level in enumerate(levels)]
        return Histogram(edges=np.array([EDGE, np.inf]), counts=np.array(counts))
    if kind == "error_ratio":
        rows = np.array([shares(seed + i, 0.01 * level) for i, level in enumerate(levels)])
        return Ratio(numerator=rows[..., 1], denominator=rows.sum(axis=2))
    rows = np.array([a_gauge(seed + i, n=40, level=1e4 * x) for i, x in enumerate(levels)])
    return Values(values=np.round(rows))


def shares(seed: int, share: float) -> Array:
    """Draw requests below and above an edge, shape (steps, 2)."""
    rng = np.random.default_rng(seed)
    return rng.poisson((20_000 * (1 - share), 20_000 * share), (40, 2)).astype(float)


def judgment_of(kind: str, baseline: Side, canary: Side, **parameters: object) -> Judgment:
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        rule = judges.create(kind, **{**LIMITS, **parameters})
        return rule.judge(Sample(baseline=baseline, canary=canary))


def p_of(judgment: Judgment) -> float:
    assert judgment.harm is not None
    return judgment.harm.p


def times(levels: Sequence[float], ratio: float) -> tuple[float, ...]:
    return tuple(ratio * level for level in levels)


def in_order(side: Side, order: Sequence[int]) -> Side:
    """Give some of the pods of a side."""
    rows = list(order)
    if isinstance(side, Values):
        return Values(values=side.values[rows])
    if isinstance(side, Ratio):
        return Ratio(numerator=side.numerator[rows], denominator=side.denominator[rows])
    return replace(side, counts=side.counts[rows])


def as_one(side: Side) -> Side:
    """Give the pods together, as one."""
    if isinstance(side, Values):
        return Values(values=side.series())
    if isinstance(side, Ratio):
        numerator, denominator = side.sums()
        return Ratio(numerator=numerator, denominator=denominator)
    return replace(side, counts=side.by_step())


def seldom(side: Side, pod: int, *, seen: int) -> Side:
    """Hide a pod after its first steps."""

    def cut(rows: Array) -> Array:
        rows = rows.copy()
        rows[pod, seen:] = np.nan
        return rows

    if isinstance(side, Values):
        return Values(values=cut(side.values))
    if isinstance(side, Ratio):
        return Ratio(numerator=cut(side.numerator), denominator=cut(side.denominator))
    return replace(side, counts=cut(side.counts))


def with_one_bad(side: Side) -> Side:
    """Give three equal pods' harm to one of them; together they stay what they are."""
    if isinstance(side, Values):
        return Values(values=side.values * np.array([[2.0], [0.5], [0.5]]))
    if isinstance(side, Ratio):
        bad = side.numerator * np.array([[3.0], [0.0], [0.0]])
        return Ratio(numerator=bad, denominator=side.denominator)
    slow = np.arange(len(side.edges)) >= len(side.edges) // 2
    fast = ~slow
    return replace(
        side, counts=side.counts * np.array([3.0 * slow, 1.5 * fast, 1.5 * fast])[:, None]
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_where_the_baselines_pods_differ_a_small_difference_decides_nothing(
    kind: str, looks: str
) -> None:
    canary = a_side(kind, 10, times(EVEN, 1.25))

    steady, unsteady = (
        judgment_of(kind, a_side(kind, 1, levels), canary, looks=looks) for levels in (EVEN, SPREAD)
    )

    assert p_of(steady) < 0.01
    assert unsteady.verdict is UNSURE
    assert p_of(unsteady) > 0.05


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_where_the_baselines_pods_differ_a_large_difference_still_fails(
    kind: str, looks: str
) -> None:
    canary = a_side(kind, 10, times(EVEN, LARGE))

    assert judgment_of(kind, a_side(kind, 1, SPREAD), canary, looks=looks).verdict is FAIL


@pytest.mark.parametrize("kind", KINDS)
def test_how_much_pods_differ_is_never_learnt_from_the_canary(kind: str) -> None:
    baseline = a_side(kind, 1, SPREAD)
    alike = in_order(a_side(kind, 10, (1.25,)), (0, 0, 0))

    judgments = [judgment_of(kind, baseline, side) for side in (alike, with_one_bad(alike))]

    assert [one.details["pods_canary"] for one in judgments] == [3, 3]
    assert p_of(judgments[0]) == pytest.approx(p_of(judgments[1]), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_pods_is_irrelevant(kind: str) -> None:
    baseline, canary = a_side(kind, 1, SPREAD), a_side(kind, 10, times(SPREAD, 1.25))
    turned = [in_order(side, (2, 0, 1)) for side in (baseline, canary)]

    there, here = judgment_of(kind, baseline, canary), judgment_of(kind, turned[0], turned[1])

    assert p_of(here) == pytest.approx(p_of(there), rel=1e-9)
    assert here.verdict is there.verdict


@pytest.mark.parametrize("kind", KINDS)
def test_ignored_pods_are_their_sum(kind: str) -> None:
    baseline, canary = a_side(kind, 1, SPREAD), a_side(kind, 10, times(EVEN, 1.25))

    ignored = judgment_of(kind, baseline, canary, pods="ignore")
    summed = judgment_of(kind, as_one(baseline), as_one(canary))

    assert p_of(ignored) == pytest.approx(p_of(summed), rel=1e-9)
    assert "pods_baseline" not in ignored.details


@pytest.mark.parametrize("kind", KINDS)
def test_one_canary_pod_proves_less_than_three(kind: str) -> None:
    """Of three the same pod: what differs is only how many would have to be odd by themselves."""
    baseline, canary = a_side(kind, 1, SPREAD), a_side(kind, 10, (1.6,))
    one, three = (
        judgment_of(kind, baseline, in_order(canary, order)) for order in ((0,), (0, 0, 0))
    )

    assert (one.details["pods_canary"], three.details["pods_canary"]) == (1, 3)
    assert p_of(one) > 1.5 * p_of(three)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pod_known_in_too_few_steps_is_left_out(kind: str) -> None:
    """A baseline pod at twice the level, seen in 5 of 40 steps: too little to say pods differ."""
    baseline, canary = a_side(kind, 1, (*EVEN, 2.0)), a_side(kind, 10, EVEN)

    judgment = judgment_of(kind, seldom(baseline, 3, seen=5), canary)

    assert judgment.details["pods_baseline"] == 3
    assert judgment_of(kind, baseline, canary).details["pods_baseline"] == 4


@pytest.mark.parametrize("kind", KINDS)
def test_required_pods_that_are_not_there_are_asked_for(kind: str) -> None:
    one, two, canary = a_side(kind, 1, (1.0,)), a_side(kind, 1, (1.0, 1.0)), a_side(kind, 10, EVEN)

    refused = judgment_of(kind, one, canary, pods="require")
    judged_ = judgment_of(kind, two, canary, pods="require")

    assert (refused.verdict, refused.reason) == (UNSURE, Reason.TOO_FEW_PODS)
    assert "the baseline shows 1 series; 2 are needed" in refused.summary
    assert judged_.reason is not Reason.TOO_FEW_PODS
