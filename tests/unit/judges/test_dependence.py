"""Long-run variance, held to a second implementation and to processes whose variance is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft

from judges.core.dependence import ar1_inflation, long_run, long_runs, magnitude
from tests.support.samples import Array, a_gauge


def reference(psi: Array) -> tuple[float, float, float, float]:
    """Write the estimator down once more, straight from its definition."""
    n = len(psi)
    u = psi - np.mean(psi)
    raw = sum(u[1:] * u[:-1]) / sum(u * u)
    p = np.clip(raw + (1 + 3 * raw) / n, 0, 0.97)
    v = (1 + p) / (1 - p) - 2 * p * (1 - p**n) / (n * (1 - p) ** 2)
    gamma = sum(u * u) / (n - 1)
    ar = gamma / max(1 - (v - 1) / (n - 1), 0.05) * v
    b = max(4, round(0.4 * n ** (2 / 3)))
    t = np.arange(n) + 0.5
    waves = [np.sqrt(2 / n) * sum(u * np.cos(np.pi * k * t / n)) for k in range(1, b + 1)]
    cosines = np.mean(np.square(waves))
    df = n / v - 1
    if cosines > ar:
        df = max(df * (ar / cosines) ** 2, min(df, 2 * b))
    lrv = max(ar, cosines)
    return lrv, max(df, 1), n * gamma / lrv, p


SERIES = {
    **{f"phi {phi}, n {n}": np.log(a_gauge(n, n=n, phi=phi))
       for phi in (0.0, 0.5, 0.8, 0.95) for n in (15, 30, 60, 240, 2000)},
    "a season": np.sin(np.arange(60) / 10),
    "an alternation": np.tile([0.0, 1.0], 30),
    "a trend": np.arange(60.0),
    "a slow season under noise": np.sin(np.arange(60) / 10) + 3 * np.log(a_gauge(1, n=60, noise=1)),
}  # fmt: skip


@pytest.mark.parametrize("series", SERIES.values(), ids=SERIES.keys())
def test_the_estimate_is_that_of_the_definition(series: Array) -> None:
    run = long_run(series)

    assert (run.variance, run.df, run.n_effective, run.autocorrelation) == pytest.approx(
        reference(series), rel=1e-9
    )


def test_either_estimator_may_be_the_larger() -> None:
    """Each branch is met by the series above; a test that misses one proves little."""
    met = set()
    for series in SERIES.values():
        n, run = len(series), long_run(series)
        whole = n / ar1_inflation(np.array([run.autocorrelation]), n)[0] - 1
        fewest = 2 * max(4, round(0.4 * n ** (2 / 3)))
        met.add("ar1" if run.df == max(whole, 1) else "cosines" if run.df == fewest else "both")

    assert met == {"ar1", "cosines", "both"}


def test_two_series_that_share_their_dependence_are_worth_twice_the_degrees() -> None:
    first, second = (np.log(a_gauge(seed, n=60, phi=0.5))[np.newaxis] for seed in (1, 2))

    both, twice = long_runs(first, second), long_runs(first, first)

    assert twice.variance[0] == pytest.approx(2 * long_run(first[0]).variance)
    assert twice.df[0] == pytest.approx(2 * long_run(first[0]).df)
    assert both.variance[0] == pytest.approx(
        long_run(first[0]).variance + long_run(second[0]).variance, rel=0.5
    )


def test_many_steps_are_transformed_as_few_are() -> None:
    series = np.log(a_gauge(3, n=3000, phi=0.5))
    cosines = round(0.4 * 3000 ** (2 / 3))
    weights = fft.dct(series - series.mean(), norm="ortho")[1 : cosines + 1]

    assert long_run(series).variance >= np.mean(weights**2) * (1 - 1e-12)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_the_inflation_is_the_variance_of_a_mean(phi: float) -> None:
    n = 30
    lags = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    covariance = phi**lags

    assert ar1_inflation(np.array([phi]), n)[0] == pytest.approx(covariance.sum() / n)


def test_independent_steps_are_worth_about_themselves() -> None:
    worths = [long_run(np.log(a_gauge(seed, n=240))).n_effective / 240 for seed in range(50)]

    assert 0.7 < np.median(worths) <= 1.05


@pytest.mark.parametrize(("phi", "worth"), [(0.5, 1 / 3), (0.8, 1 / 9)])
def test_autocorrelated_steps_are_worth_fewer(phi: float, worth: float) -> None:
    worths = [
        long_run(np.log(a_gauge(seed, n=500, phi=phi))).n_effective / 500 for seed in range(50)
    ]

    assert np.median(worths) == pytest.approx(worth, rel=0.25)


@pytest.mark.parametrize("level", [0.0, 0.1, 1e15, 1e-15, -7.3])
def test_a_constant_series_has_no_variance_and_loses_no_steps(level: float) -> None:
    run = long_run(np.full(7, level))

    assert (run.variance, run.n_effective, run.autocorrelation) == (0, 7, 0)


def test_alternation_is_never_used_to_gain_steps() -> None:
    assert long_run(np.tile([0.0, 1.0], 30)).autocorrelation == 0


def test_the_unit_scales_the_variance_and_nothing_else() -> None:
    series = np.log(a_gauge(1, n=60, phi=0.5))
    once, twice = long_run(series), long_run(1024 * series)

    assert twice.variance == 1024**2 * once.variance
    assert (twice.df, twice.n_effective) == (once.df, once.n_effective)


@pytest.mark.parametrize("largest", [1.0, 3.0, 1e-9, 1e18, 1e300, 1.7e308, 5e-324, -1e300])
def test_a_series_over_its_magnitude_has_squares(largest: float) -> None:
    unit = magnitude(np.array([largest, 0.0]))

    assert abs(largest / unit) <= 2
    assert unit == 2.0 ** round(np.log2(unit))


def test_the_magnitude_of_nothing_is_one() -> None:
    assert magnitude(np.zeros(3)) == magnitude(np.array([])) == 1


@pytest.mark.parametrize("n", [15, 60, 61, 240, 1700])
def test_a_series_is_worth_the_same_whatever_stands_beside_it(n: int) -> None:
    block = np.random.default_rng(n).standard_normal((9, n))
    together = long_runs(block)

    for rows in (1, 2, 7):
        some = long_runs(block[:rows])
        np.testing.assert_array_equal(some.variance, together.variance[:rows])
        np.testing.assert_array_equal(some.df, together.df[:rows])
    assert long_run(block[4]) == together[4]


@pytest.mark.parametrize("size", [1e-120, 1e-90, 1.0, 1e140])
def test_a_series_whose_squares_barely_fit_is_worth_the_same(size: float) -> None:
    series = np.log(a_gauge(1, n=60))

    with np.errstate(divide="raise", over="raise", invalid="raise"):
        assert long_run(size * series).df == pytest.approx(long_run(series).df)
