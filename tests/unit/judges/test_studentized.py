"""How far a studentized effect is trusted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from judges.core.dependence import LongRuns, long_runs
from judges.core.studentized import MEANS, RANKS, Studentized, Trust, studentize, widths

PLAIN = Trust(one_look=(math.inf, 1.0), many_looks=(math.inf, 1.0))


def a_run(df: float = 30.0, n_effective: float = 20.0) -> LongRuns:
    variance, zero = np.ones(1), np.zeros(1)
    return LongRuns(
        variance=variance,
        df=np.array([df]),
        n_effective=np.array([n_effective]),
        autocorrelation=zero,
    )


def found_at(t: float, runs: LongRuns, trust: Trust) -> Studentized:
    return Studentized(
        t=np.array([t]), runs=runs, n=60, trust=trust, within=np.ones(1), seen=np.ones(1)
    )


@pytest.mark.parametrize("t", [-40.0, -3.0, -0.5, 0.0, 0.5, 3.0, 8.0])
@pytest.mark.parametrize("df", [2.0, 4.5, 30.0, 1e6])
def test_unbounded_the_p_value_is_the_tail_of_students_t(t: float, df: float) -> None:
    found = found_at(t, a_run(df), PLAIN).evidence(1, alpha=0.05, horizon=60)

    assert found.p[0] == pytest.approx(stats.t.sf(t, df), rel=1e-6)


@pytest.mark.parametrize("trust", [RANKS, MEANS], ids=["ranks", "means"])
def test_many_looks_never_trust_more_than_one(trust: Trust) -> None:
    for t in np.linspace(0.5, 40, 30):
        found = found_at(float(t), a_run(), trust)

        assert 0 < found.z_over_looks <= found.z * 1.05


def test_a_bounded_effect_never_exceeds_what_its_steps_can_show() -> None:
    huge = found_at(1e9, a_run(n_effective=8.0), RANKS)

    assert huge.z[0] < math.sqrt(20 * 8)
    assert huge.z_over_looks[0] < math.sqrt(15 * 8)


def test_the_claim_and_its_opposite_share_the_probability() -> None:
    found = found_at(1.7, a_run(), RANKS)
    above, below = (found.evidence(sign, alpha=0.05, horizon=60) for sign in (1, -1))

    assert above.p[0] + below.p[0] == pytest.approx(1)


def test_a_constant_influence_is_worth_no_more_than_one_step_of_opposite_sign() -> None:
    constant = long_runs(np.ones((1, 40)))

    assert studentize(np.ones(1), constant, 40, trust=PLAIN).t[0] == pytest.approx(20)


@pytest.mark.parametrize("trust", [RANKS, MEANS, PLAIN], ids=["ranks", "means", "plain"])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_the_critical_quotient_is_the_one_a_single_look_just_rejects(
    trust: Trust, level: float
) -> None:
    quotient = float(widths(np.ones(1), a_run(), trust, level=level)[0])

    found = found_at(quotient, a_run(), trust)
    assert stats.norm.sf(found.z[0]) == pytest.approx((1 - level) / 2)


def test_too_few_independent_steps_reject_nothing() -> None:
    few = a_run(df=1.0, n_effective=1.0)

    assert widths(np.ones(1), few, RANKS, level=0.9999)[0] == math.inf
