"""What a judge is given: pods and steps, known and unknown."""

from __future__ import annotations

import math

import numpy as np
import pytest

from judges import InvalidSampleError, Ratio, Sample, Values

NAN = math.nan


def test_a_series_is_one_pod() -> None:
    assert Values(values=np.array([1.0, 2.0])).values.shape == (1, 2)


def test_infinities_are_unknown() -> None:
    np.testing.assert_array_equal(
        Values(values=np.array([1.0, math.inf, -math.inf])).series(), [1, NAN, NAN]
    )


def test_arrays_are_copied_and_read_only() -> None:
    given = np.array([1.0, 2.0])
    kept = Values(values=given).values
    given[0] = 9

    assert kept[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 9


def test_the_level_is_the_mean_of_the_pods_known_at_the_step() -> None:
    pods = Values(values=np.array([[1.0, NAN, NAN], [3.0, 4.0, NAN]]))

    np.testing.assert_array_equal(pods.series(), [2, 4, NAN])


def test_the_mean_of_pods_does_not_overflow() -> None:
    assert Values(values=np.full((3, 1), 1.7e308)).series()[0] == pytest.approx(1.7e308)


def test_counters_are_summed_over_pods_before_they_are_divided() -> None:
    side = Ratio(numerator=np.array([[1.0], [9.0]]), denominator=np.array([[10.0], [990.0]]))

    np.testing.assert_allclose(side.series(), [0.01])


def test_an_error_series_that_does_not_exist_yet_counts_none() -> None:
    side = Ratio(numerator=np.array([NAN, 1.0]), denominator=np.array([10.0, 10.0]))

    np.testing.assert_array_equal(side.sums()[0], [0, 1])


def test_a_step_without_exposure_is_unknown() -> None:
    side = Ratio(numerator=np.array([1.0, 0.0, 1.0]), denominator=np.array([NAN, 0.0, 4.0]))

    np.testing.assert_array_equal(side.series(), [NAN, NAN, 0.25])
    np.testing.assert_array_equal(side.sums()[0], [NAN, 0, 1])


def test_only_steps_known_on_both_sides_are_paired() -> None:
    baseline, canary = Sample.of_values([1, NAN, 3, 4], [5, 6, NAN, 8]).paired()

    np.testing.assert_array_equal(baseline, [1, 4])
    np.testing.assert_array_equal(canary, [5, 8])


def test_sides_may_have_different_numbers_of_pods() -> None:
    baseline, canary = Sample.of_values([[1, 2], [3, 4]], [5, 6]).paired()

    np.testing.assert_array_equal(baseline, [2, 3])
    np.testing.assert_array_equal(canary, [5, 6])


@pytest.mark.parametrize(
    ("baseline", "canary", "step", "message"),
    [
        ([1, 2], [1, 2, 3], 60, "same steps, got 2 and 3; pair them first"),
        ([[[1]]], [1], 60, "got 3 dimensions"),
        ([1], [1], 0, "step_s must be positive, got 0"),
        ([1], [1], NAN, "step_s must be positive"),
    ],
    ids=["different steps", "too many dimensions", "no length", "an unknown length"],
)
def test_sides_that_cannot_be_compared_are_refused(
    baseline: list[float], canary: list[float], step: float, message: str
) -> None:
    with pytest.raises(InvalidSampleError, match=message):
        Sample.of_values(baseline, canary, step_s=step)


def test_values_are_not_compared_with_counts() -> None:
    values, ratio = Values(values=np.ones(2)), Ratio(numerator=np.ones(2), denominator=np.ones(2))

    with pytest.raises(InvalidSampleError, match="same kind of data"):
        Sample(baseline=values, canary=ratio)


def test_a_quotient_needs_the_same_steps_above_and_below() -> None:
    with pytest.raises(InvalidSampleError, match="got 1 and 2"):
        Ratio(numerator=np.ones(1), denominator=np.ones(2))
