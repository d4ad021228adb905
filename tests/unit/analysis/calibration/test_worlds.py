"""The simulated worlds are what they say they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.calibration.scenarios import (
    AR8,
    GAUGES,
    INDEPENDENT,
    NOISE,
    ORACLE,
    Pods,
    Scenario,
    autoregressive,
    begun,
    leaking,
    missing,
)
from analysis.calibration.traffic import (
    DEFAULT_EDGES,
    ERROR_RATIO,
    ERRORS,
    FINE_EDGES,
    Errors,
    Latency,
)
from judges.core.sample import Histogram

Array = NDArray[np.float64]


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


# Of the others the oracle's variance is that of a part (spikes), or there is none (two df).
WITH_VARIANCE = [s for s in GAUGES if not s.name.startswith(("heavy", "spikes"))]


@pytest.mark.parametrize("scenario", WITH_VARIANCE, ids=[s.name for s in WITH_VARIANCE])
def test_the_oracle_knows_the_variance_of_the_difference(scenario: Scenario) -> None:
    baseline, canary = scenario.draw(rng(), (20_000, 60))

    differences = np.nanmean(canary, axis=1) - np.nanmean(baseline, axis=1)

    # The relative standard error of a variance of 20,000 is 1 %.
    assert differences.var() == pytest.approx(2 * scenario.variance(60), rel=0.05)


@pytest.mark.parametrize("scenario", GAUGES, ids=[s.name for s in GAUGES])
def test_a_scenario_draws_any_shape_with_time_last(scenario: Scenario) -> None:
    for shape in ((7,), (3, 7), (2, 3, 7)):
        assert [side.shape for side in scenario.draw(rng(), shape)] == [shape, shape]


def test_the_oracle_finds_its_effect_in_85_percent() -> None:
    n = 30
    baseline, canary = AR8.draw(rng(), (4000, n))
    se = math.sqrt(2 * AR8.variance(n))

    shown = (canary.mean(axis=1) + AR8.oracle(n) - baseline.mean(axis=1)) / se > 1.96

    assert shown.mean() == pytest.approx(0.85, abs=0.03)
    assert AR8.oracle(n) / se == pytest.approx(ORACLE)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.95])
def test_autoregression_has_its_variance_from_the_first_step_on(phi: float) -> None:
    drawn = autoregressive(rng(), (20_000, 5), phi)

    np.testing.assert_allclose(drawn.var(axis=0), 1.0, rtol=0.05)
    assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(phi, abs=0.04)


def test_a_ratio_is_the_canarys_level_over_the_baselines() -> None:
    samples = INDEPENDENT.samples(rng(), 200, steps=50, ratio=1.3)

    logs = [np.log(s.canary.series() / s.baseline.series()).mean() for s in samples]

    assert math.exp(np.mean(logs)) == pytest.approx(1.3, abs=5 * NOISE * math.sqrt(2 / 10_000))


def test_missing_scrapes_are_as_many_as_was_said() -> None:
    lost = np.isnan(missing(rng(), np.ones(10_000), 0.2))

    assert lost.mean() == pytest.approx(0.2, abs=0.02)


def test_harm_begins_at_its_step_and_a_leak_grows_to_its_size() -> None:
    canary = np.ones((2, 4))

    assert begun(canary, 2, 1.5).tolist() == [[1, 1, 1.5, 1.5]] * 2
    assert leaking(canary, 2.0).tolist() == [[1.5, 2, 2.5, 3]] * 2
    assert canary.tolist() == [[1] * 4] * 2


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_pods_differ_by_as_much_as_was_said(spread: float) -> None:
    baseline, canary = Pods(baseline=5, canary=1, spread=spread).gauges(rng(), 2000, 10)

    levels = np.log(baseline).mean(axis=2)
    assert (baseline.shape, canary.shape) == ((2000, 5, 10), (2000, 1, 10))
    assert levels.var() == pytest.approx(spread**2 + NOISE**2 / 10, rel=0.1)


@pytest.mark.parametrize("world", ERRORS, ids=[world.name for world in ERRORS])
def test_errors_come_at_their_rate_and_traffic_at_its_ratio(world: Errors) -> None:
    baseline, canary = world.draw(rng(), (400, 60), rate=20.0, ratio=2.0, exposure=4.0)

    (k_b, n_b), (k_c, n_c) = baseline, canary
    assert n_b.mean() / n_c.mean() == pytest.approx(4.0, rel=0.02)
    assert k_b.sum() / n_b.sum() == pytest.approx(ERROR_RATIO, rel=0.08)
    assert k_c.sum() / n_c.sum() == pytest.approx(2 * ERROR_RATIO, rel=0.08)


@pytest.mark.parametrize("edges", [DEFAULT_EDGES, FINE_EDGES], ids=["default", "fine"])
def test_latencies_are_lognormal_and_slower_by_their_ratio(edges: tuple[float, ...]) -> None:
    world = Latency(edges=edges, rates=(2000, 500), load=0.0)
    good, slow = world.samples(rng(), 1, steps=200, ratio=1.25)

    def share_above(side: object, edge: float) -> float:
        assert isinstance(side, Histogram)
        above = side.above(edge)
        return float(above.numerator.sum() / above.denominator.sum())

    edge = edges[len(edges) // 2]
    expected = [0.5 * math.erfc(math.log(edge / (0.1 * r)) / 0.8 / 2**0.5) for r in (1, 1.25)]
    assert share_above(good[0].baseline, edge) == pytest.approx(expected[0], rel=0.03)
    assert share_above(slow[0].canary, edge) == pytest.approx(expected[1], rel=0.05)
