"""Pods as replicates: what their differences do to the evidence."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from judges import Evidence
from judges.core.parameters import Pods
from judges.core.pods import ONE_LOOK, Clusters, Prior, between, clusters, is_known, levels
from judges.core.sample import Ratio, Values
from tests.support.samples import Array, a_gauge, judged

RATIOS = (1.0, 1.1, 1.2, 1.5, 2.0, 5.0, 50.0)


def three_pods(seed: int, noise: float) -> Array:
    return np.array([a_gauge(seed + pod, n=40, noise=noise, phi=0.3) for pod in (0, 100, 200)])


def harm_of(kind: str, baseline: Array, canary: Array) -> Evidence:
    harm = judged(kind, baseline, canary, looks="anytime").harm
    assert harm is not None
    return harm


@pytest.mark.parametrize("kind", ["mann_whitney", "mean_ratio"])
@pytest.mark.parametrize("noise", [0.003, 0.03, 0.1])
def test_more_harm_is_never_weaker_evidence(kind: str, noise: float) -> None:
    for seed in range(20):
        baseline, canary = three_pods(seed, noise), three_pods(seed + 1000, noise)
        found = [harm_of(kind, baseline, ratio * canary) for ratio in RATIOS]

        for less, more in pairwise(found):
            assert more.p <= less.p * (1 + 1e-9)


# ---- the variance between pods


def test_the_variance_between_pods_is_pooled_with_what_is_usual() -> None:
    """By hand: (8 x .03^2 + 2 x .0016) / 10 for each pod, three and two of them."""
    pods_ = Clusters(baseline=3, canary=2, spread=0.0016)

    variance, df = pods_.between(Prior(spread=0.03, df=8.0))

    assert variance == pytest.approx((8 * 0.0009 + 2 * 0.0016) / 10 * (1 / 3 + 1 / 2))
    assert df == 10


def test_of_one_baseline_pod_only_what_is_usual_is_known() -> None:
    variance, df = Clusters(baseline=1, canary=1, spread=0.0).between(ONE_LOOK)

    assert variance == pytest.approx(2 * ONE_LOOK.spread**2)
    assert df == ONE_LOOK.df


def test_what_is_usual_is_a_share_of_the_level() -> None:
    of_logs = Clusters(baseline=3, canary=3, spread=0.0).between(ONE_LOOK)
    of_values = Clusters(baseline=3, canary=3, spread=0.0, size=50.0).between(ONE_LOOK)

    assert of_values[0] == pytest.approx(50**2 * of_logs[0])
    assert of_values[1] == of_logs[1]


def test_a_metric_without_pods_has_no_variance_between_them() -> None:
    known = Clusters(baseline=3, canary=1, spread=0.01)

    found = between([None, known], ONE_LOOK)

    assert found.variance.tolist() == [0, known.between(ONE_LOOK)[0]]
    assert between([], ONE_LOOK).variance.shape == (0,)


def test_the_spread_is_that_of_the_baselines_levels() -> None:
    found = clusters(Pods.AUTO, np.array([0.3, 0.1, 0.2]), 1)

    assert found is not None
    assert (found.baseline, found.canary) == (3, 1)
    assert found.spread == pytest.approx(0.01)


NO_SAY = {
    "they are ignored": (Pods.IGNORE, [0.1, 0.2], 2),
    "there is one on each side": (Pods.AUTO, [0.1], 1),
    "none of the baseline's was seen enough": (Pods.AUTO, [], 3),
    "none of the canary's was": (Pods.AUTO, [0.1, 0.2], 0),
}


@pytest.mark.parametrize(("mode", "logs", "canary"), NO_SAY.values(), ids=NO_SAY)
def test_pods_have_no_say_where(mode: Pods, logs: list[float], canary: int) -> None:
    assert clusters(mode, np.array(logs), canary) is None


def test_the_level_of_a_pod_is_its_median_or_the_quotient_of_its_sums() -> None:
    steps = np.array([[1.0, 2.0, 9.0], [4.0, 8.0, np.nan]])

    assert levels(Values(values=steps)).tolist() == [2, 6]
    assert levels(Ratio(numerator=steps, denominator=np.full((2, 3), 2.0))).tolist() == [2, 12 / 6]


def test_a_level_without_exposure_is_left_out() -> None:
    served = np.array([[1.0, 1.0], [0.0, 0.0]])

    assert levels(Ratio(numerator=np.ones((2, 2)), denominator=served)).tolist() == [1]


@pytest.mark.parametrize(("seen", "known"), [(20, False), (21, True)])
def test_a_pod_is_known_where_more_than_half_of_the_steps_saw_it(seen: int, known: bool) -> None:
    rows = np.ones((2, 40))
    rows[1, seen:] = np.nan

    assert is_known(rows).tolist() == [True, known]
