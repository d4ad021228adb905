"""Harm of known size in somebody's own data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.calibration import inject
from analysis.calibration.traffic import FINE_EDGES, POISSON, Latency
from judges import InvalidSampleError, Ratio, Sample
from judges.core.sample import Histogram

INF = math.inf
Array = NDArray[np.float64]


def rng() -> np.random.Generator:
    return np.random.default_rng(20)


def events(sample: Sample) -> Array:
    assert isinstance(sample.canary, Ratio)
    return sample.canary.numerator


def counts(sample: Sample) -> Array:
    assert isinstance(sample.canary, Histogram)
    return sample.canary.counts


def an_error_sample(*, steps: int = 2000, rate: float = 4.0) -> Sample:
    return POISSON.samples(rng(), 1, steps=steps, rate=rate)[0]


def a_histogram(*buckets: float, edges: tuple[float, ...]) -> Sample:
    return Sample.of_histograms(edges, [list(buckets)] * 4, [list(buckets)] * 4)


# ---- values


def test_values_are_multiplied_from_the_step_where_harm_begins() -> None:
    sample = Sample.of_values([5.0] * 4, [[1.0, 2.0, np.nan, 4.0], [2.0, 2.0, 2.0, 2.0]])

    harmed = inject(sample, 1.5, rng(), since=1)

    np.testing.assert_array_equal(
        harmed.canary.rows, [[1.0, 3.0, np.nan, 6.0], [2.0, 3.0, 3.0, 3.0]]
    )


def test_the_baseline_and_the_sample_given_stay_as_they_were() -> None:
    sample = an_error_sample()
    before = events(sample).copy()

    harmed = inject(sample, 3.0, rng())

    assert harmed.baseline is sample.baseline
    assert harmed.step_s == sample.step_s
    np.testing.assert_array_equal(events(sample), before)


@pytest.mark.parametrize("effect", [0.0, -1.0, INF, math.nan])
def test_an_effect_must_be_a_positive_number(effect: float) -> None:
    with pytest.raises(InvalidSampleError, match="factor above 0"):
        inject(Sample.of_values([1, 2], [1, 2]), effect, rng())


# ---- events


@pytest.mark.parametrize("effect", [0.5, 0.9, 1.2, 2.0, 5.0])
def test_events_become_as_many_as_was_said(effect: float) -> None:
    sample = an_error_sample()
    before = events(sample).sum()

    after = events(inject(sample, effect, rng()))

    # Added or thinned events vary as a Poisson count does; so does the rate they were added at.
    spread = math.sqrt(abs(effect - 1) * before + (effect - 1) ** 2 * before / 2)
    assert after.sum() == pytest.approx(effect * before, abs=5 * spread)
    np.testing.assert_array_equal(after, np.floor(after))


def test_added_events_vary_as_those_of_a_defect_do() -> None:
    sample = an_error_sample(steps=20_000)

    after = events(inject(sample, 2.0, rng())).ravel()

    # Poisson: the variance is the mean; copies of the events themselves would give 1.5 times it.
    assert after.var() / after.mean() == pytest.approx(1.0, abs=0.05)


def test_no_more_requests_fail_than_there_are() -> None:
    sample = Sample.of_counts(([5] * 50, [10] * 50), ([6] * 50, [10] * 50))

    after = events(inject(sample, 50.0, rng()))

    assert after.max() == 10


def test_events_before_harm_begins_stay() -> None:
    sample = an_error_sample(steps=100)

    harmed = inject(sample, 4.0, rng(), since=60)

    np.testing.assert_array_equal(events(harmed)[:, :60], events(sample)[:, :60])
    assert events(harmed)[:, 60:].sum() > 2 * events(sample)[:, 60:].sum()


def test_what_is_unknown_stays_unknown() -> None:
    sample = Sample.of_counts(([1, 2], [10, 10]), ([np.nan, 2], [np.nan, 10]))

    for effect in (0.5, 3.0):
        assert np.isnan(events(inject(sample, effect, rng()))[0]).tolist() == [True, False]


def test_sums_of_seconds_are_multiplied() -> None:
    sample = Sample.of_counts(([1.5, 2.5], [10, 10]), ([1.25, 30.0], [10, 10]))

    np.testing.assert_array_equal(events(inject(sample, 2.0, rng())), [[2.5, 60.0]])


# ---- histograms


def test_observations_move_up_and_none_is_lost() -> None:
    sample = Latency(edges=FINE_EDGES, rates=(500, 500)).samples(rng(), 1, steps=40)[0][0]

    slower = inject(sample, 1.5, rng())

    np.testing.assert_array_equal(counts(slower).sum(axis=2), counts(sample).sum(axis=2))
    means = [float(np.nanmean(one.canary.series())) for one in (sample, slower)]
    assert means[1] / means[0] == pytest.approx(1.5, rel=0.02)


def test_an_injected_slowdown_is_as_a_real_one() -> None:
    """Beside observations drawn slower in the first place, at every edge."""
    world = Latency(edges=FINE_EDGES, rates=(3000, 3000), load=0.0)
    good, slow = (samples[0] for samples in world.samples(rng(), 1, steps=100, ratio=1.3))

    injected = counts(inject(good, 1.3, rng())).sum(axis=(0, 1))
    real = counts(slow).sum(axis=(0, 1))

    shares = (np.cumsum(side) / side.sum() for side in (injected, real))
    assert np.abs(np.subtract(*shares)).max() < 0.005


def test_an_effect_of_one_moves_nothing() -> None:
    sample = a_histogram(3, 4, 5, edges=(-1.0, 1.0, INF))

    np.testing.assert_array_equal(counts(inject(sample, 1.0, rng())), counts(sample))


def test_half_of_a_bucket_moves_when_half_of_it_is_pushed_over_the_edge() -> None:
    # Evenly between 1 and 2; times 4/3 between 1.33 and 2.67: half of it above 2.
    sample = a_histogram(0, 10_000, 0, edges=(1.0, 2.0, INF))

    moved = counts(inject(sample, 4 / 3, rng()))[0, 0]

    assert moved[1] == pytest.approx(5000, abs=250)
    assert moved.sum() == 10_000


def test_observations_move_down_even_from_the_last_bucket() -> None:
    # Taken to lie evenly between 2 and 3, for the bucket below is 1 wide; halved, below 2.
    sample = a_histogram(0, 0, 100, edges=(1.0, 2.0, INF))

    assert counts(inject(sample, 0.5, rng()))[0, 0].tolist() == [0, 100, 0]


def test_a_bucket_of_a_single_value_moves_with_it() -> None:
    sample = a_histogram(7, 0, 0, edges=(-2.0, -1.0, INF))

    assert counts(inject(sample, 0.5, rng()))[0, 0].tolist() == [0, 7, 0]
    assert counts(inject(sample, 2.0, rng()))[0, 0].tolist() == [7, 0, 0]


def test_a_histogram_without_finite_edges_stays() -> None:
    sample = a_histogram(7, edges=(INF,))

    np.testing.assert_array_equal(counts(inject(sample, 2.0, rng())), counts(sample))


def test_the_sums_of_a_histogram_move_with_it() -> None:
    sample = Sample.of_histograms(
        (1.0, INF), [[5, 5]] * 2, [[5, 5]] * 2, totals=([9.0, 9.0], [8.0, 8.0])
    )
    harmed = inject(sample, 1.5, rng(), since=1).canary

    assert isinstance(harmed, Histogram)
    assert harmed.totals is not None
    assert harmed.totals.tolist() == [[8.0, 12.0]]
