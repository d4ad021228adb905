"""Quantiles of histograms: where they lie, each step's part in them, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from judges import Reason, Sample
from judges.core.parameters import Pods
from judges.core.quantiles import COARSEST, Buckets, Place, locate
from tests.support.samples import FINE, Array, latencies

INF = math.inf


def buckets_of(
    baseline: Array, canary: Array, *, quantile: float = 0.95, edges: Array = FINE
) -> Buckets:
    return Buckets.of(Sample.of_histograms(edges, baseline, canary), quantile, Pods.AUTO)


def interpolated(counts: Array, quantile: float, edges: Array = FINE) -> float:
    """Give the quantile by another way: the inverse of the broken line through the edges."""
    reached = np.cumsum(counts)
    return float(np.interp(quantile * reached[-1], reached[:-1], edges[:-1]))


def topped_up(side: Array, total: float) -> Array:
    """Add fast observations, so that each step has `total`."""
    return np.hstack([total - side[:, 1:].sum(axis=1, keepdims=True), side[:, 1:]])


def found(place: Place | None) -> Place:
    assert place is not None
    return place


# ---- where a quantile lies


# By the rules of histogram_quantile, reckoned by hand: 10 up to .1, 20 up to .5, 60 up to 1.
EDGES, COUNTS = np.array([0.1, 0.5, 1.0, INF]), np.array([10.0, 20.0, 60.0, 10.0])
BY_HAND = {
    "within a bucket it is linear": (0.5, 0.5 + 0.5 * 20 / 60),
    "the first bucket begins at zero": (0.05, 0.05),
    "at the end of a bucket it is the edge": (0.3, 0.5),
    "the last finite edge can be reached": (0.9, 1.0),
}


@pytest.mark.parametrize(("quantile", "expected"), BY_HAND.values(), ids=BY_HAND)
def test_a_quantile_lies_where_prometheus_puts_it(quantile: float, expected: float) -> None:
    assert found(locate(COUNTS, EDGES, quantile)).value == pytest.approx(expected)


def test_in_a_native_histogram_it_is_geometric() -> None:
    place = locate(np.array([0, 0, 10.0, 0]), np.array([1, 2, 4, INF]), 0.5, is_exponential=True)

    assert found(place).value == pytest.approx(2 * math.sqrt(2))


def test_a_first_bucket_below_zero_has_no_width() -> None:
    place = found(locate(np.array([8.0, 2.0, 0.0]), np.array([-1.0, 1.0, INF]), 0.5))

    assert (place.value, place.density) == (-1, 0)


def test_empty_buckets_are_skipped() -> None:
    place = found(locate(np.array([5.0, 0.0, 5.0, 0.0]), EDGES, 0.51))

    assert place.bucket == 2
    assert place.value == pytest.approx(0.5 + 0.5 * 0.1 / 5)


@pytest.mark.parametrize(
    "counts", [np.zeros(4), np.array([1.0, 0.0, 0.0, 99.0])], ids=["nothing", "above all edges"]
)
def test_without_a_bucket_of_finite_bounds_there_is_no_quantile(counts: Array) -> None:
    assert locate(counts, EDGES, 0.5) is None


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9, 0.99])
def test_it_is_the_quantile_of_the_observations_up_to_a_bucket(quantile: float) -> None:
    observed = 0.2 * np.exp(0.5 * np.random.default_rng(1).standard_normal(20_000))
    counts = np.histogram(observed, np.concatenate(([0.0], FINE)))[0].astype(float)
    place = found(locate(counts, FINE, quantile))

    assert place.lower <= np.quantile(observed, quantile) <= place.upper
    assert place.value == pytest.approx(interpolated(counts, quantile))


@pytest.mark.parametrize("is_exponential", [False, True])
@pytest.mark.parametrize("quantile", [0.2, 0.5, 0.95])
def test_the_density_is_the_slope_of_probability_over_the_logarithm(
    quantile: float, is_exponential: bool
) -> None:
    counts, step = latencies(1).sum(axis=0), 1e-7
    below, place, above = (
        found(locate(counts, FINE, quantile + shift, is_exponential=is_exponential))
        for shift in (-step, 0.0, step)
    )

    slope = 2 * step / math.log(above.value / below.value)

    assert place.density == pytest.approx(slope, rel=1e-5)


def test_a_density_that_few_observations_carry_takes_in_its_neighbors() -> None:
    """With two in each bucket 15 would hold 30; of a factor 1.1 nine are as many as 2.6 allows."""
    counts = np.full((40, len(FINE)), 0.05)
    place = found(buckets_of(counts, counts, quantile=0.5).places()[0])

    assert 1.1**9 < COARSEST < 1.1**11
    assert place.around == pytest.approx(2 * 9)
    assert place.density == pytest.approx(1 / 71 / math.log(1.1))


# ---- effect, and each step's part in it


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.99])
def test_with_equal_traffic_the_effect_is_that_of_the_pooled_quantiles(quantile: float) -> None:
    baseline = topped_up(latencies(1, requests=1e4), 11_000)
    canary = topped_up(latencies(2, requests=1e4, level=0.25), 11_000)

    effect = buckets_of(baseline, canary, quantile=quantile).effect()

    direct = [interpolated(side.sum(axis=0), quantile) for side in (canary, baseline)]
    assert effect is not None
    assert effect[0] == pytest.approx(math.log(direct[0] / direct[1]), abs=1e-9)


def test_the_parts_of_the_steps_sum_to_nothing() -> None:
    effect = buckets_of(latencies(1), latencies(2, level=0.3)).effect()

    assert effect is not None
    for influence in effect[1:]:
        assert abs(influence.sum()) < 1e-9 * np.abs(influence).sum()


@pytest.mark.parametrize("step", [0, 7, 39])
def test_the_part_of_a_step_is_how_far_its_weight_moves_the_effect(step: int) -> None:
    buckets, more = buckets_of(latencies(1), latencies(2)), 1e-6
    before = buckets.effect()
    heavier = np.ones((40, 1))
    heavier[step] += more
    of_canary = replace(buckets, canary=buckets.canary * heavier).effect()
    of_baseline = replace(buckets, baseline=buckets.baseline * heavier).effect()
    assert before is not None
    assert of_canary is not None
    assert of_baseline is not None

    moved = [(after[0] - before[0]) / more for after in (of_canary, of_baseline)]

    assert moved[0] == pytest.approx(before[1][step] / 40, rel=1e-3)
    assert moved[1] == pytest.approx(-before[2][step] / 40, rel=1e-3)


def test_a_ramp_of_traffic_while_all_get_slower_is_not_the_canarys() -> None:
    """The canary gets its traffic when all are slow: pooled as they are, it looks 40 % slower."""
    share, level = np.linspace(0.01, 0.5, 40), np.linspace(0.1, 0.3, 40)
    expected = np.mean([latencies(seed, requests=1e5, level=level) for seed in range(3)], axis=0)
    baseline, canary = expected * (1 - share)[:, np.newaxis], expected * share[:, np.newaxis]

    effect = buckets_of(baseline, canary, quantile=0.5).effect()

    naive = [interpolated(side.sum(axis=0), 0.5) for side in (canary, baseline)]
    assert naive[0] > 1.2 * naive[1]
    assert effect is not None
    assert effect[0] == pytest.approx(0, abs=1e-9)


def test_steps_without_observations_on_a_side_are_left_out() -> None:
    baseline, canary = latencies(1), latencies(2)
    kept = buckets_of(baseline[5:], canary[5:]).effect()
    baseline[:2], canary[2:5] = 0.0, np.nan

    buckets = buckets_of(baseline, canary)
    effect = buckets.effect()

    assert buckets.n == 35
    assert kept is not None
    assert effect is not None
    assert effect[0] == kept[0]


def test_a_part_of_the_window_is_a_window() -> None:
    baseline, canary = latencies(1), latencies(2, level=0.3)
    part, alone = (
        buckets_of(baseline, canary).part(10, 30).effect(),
        buckets_of(baseline[10:30], canary[10:30]).effect(),
    )

    assert part is not None
    assert alone is not None
    assert part[0] == alone[0]
    np.testing.assert_array_equal(part[1], alone[1])


# ---- what is refused


@pytest.mark.parametrize(("factor", "refused"), [(COARSEST, False), (COARSEST + 0.1, True)])
def test_a_bucket_wider_than_clients_make_them_tells_no_ratio(factor: float, refused: bool) -> None:
    edges = np.array([0.1, 0.1 * factor, INF])
    counts = np.tile([50.0, 100.0, 5.0], (20, 1))

    unusable = buckets_of(counts, counts, quantile=0.5, edges=edges).unusable()

    assert (unusable is not None and unusable[0] is Reason.COARSE_BUCKETS) is refused


def test_a_quantile_above_all_edges_says_on_which_side() -> None:
    baseline, canary = latencies(1), latencies(2)
    canary[:, -1] = 1e4

    unusable = buckets_of(baseline, canary).unusable()

    assert unusable is not None
    assert unusable[0] is Reason.COARSE_BUCKETS
    assert unusable[1].startswith("p95 of the canary lies above the last finite edge")
    assert unusable[2] == INF


@pytest.mark.parametrize(("requests", "usable"), [(990, False), (1010, True)])
def test_ten_observations_must_lie_above_the_quantile(requests: int, usable: bool) -> None:
    few = np.zeros((20, len(FINE)))
    few[:, 30:40] = requests / 200
    plenty = 10 * few

    unusable = buckets_of(plenty, few, quantile=0.99).unusable()

    assert (unusable is None) is usable
    if unusable is not None:
        assert unusable[0] is Reason.TOO_FEW_EVENTS
        assert "of the canary" in unusable[1]
        assert unusable[2] == pytest.approx(1000 / requests)
