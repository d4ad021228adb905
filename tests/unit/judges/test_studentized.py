"""How far a studentized effect is trusted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from judges.core.dependence import LongRun
from judges.core.studentized import MEANS, RANKS, Studentized, Trust, critical, studentize

PLAIN = Trust(one_look=(math.inf, 1.0), many_looks=(math.inf, 1.0))


def a_run(df: float = 30.0, n_effective: float = 20.0) -> LongRun:
    return LongRun(variance=1.0, df=df, n_effective=n_effective, autocorrelation=0.0)


@pytest.mark.parametrize("t", [-40.0, -3.0, -0.5, 0.0, 0.5, 3.0, 8.0])
@pytest.mark.parametrize("df", [2.0, 4.5, 30.0, 1e6])
def test_unbounded_the_p_value_is_the_tail_of_students_t(t: float, df: float) -> None:
    found = Studentized(t=t, run=a_run(df), n=60, trust=PLAIN).evidence(1, alpha=0.05, horizon=60)

    assert found.p == pytest.approx(stats.t.sf(t, df), rel=1e-6)


@pytest.mark.parametrize("trust", [RANKS, MEANS], ids=["ranks", "means"])
def test_many_looks_never_trust_more_than_one(trust: Trust) -> None:
    for t in np.linspace(0.5, 40, 30):
        found = Studentized(t=float(t), run=a_run(), n=60, trust=trust)

        assert 0 < found.z_over_looks <= found.z * 1.05


def test_a_bounded_effect_never_exceeds_what_its_steps_can_show() -> None:
    huge = Studentized(t=1e9, run=a_run(n_effective=8.0), n=60, trust=RANKS)

    assert huge.z < math.sqrt(1.5 * 8)


def test_the_claim_and_its_opposite_share_the_probability() -> None:
    found = Studentized(t=1.7, run=a_run(), n=60, trust=RANKS)
    above, below = (found.evidence(sign, alpha=0.05, horizon=60) for sign in (1, -1))

    assert above.p + below.p == pytest.approx(1)


def test_a_constant_influence_is_worth_no_more_than_one_step_of_opposite_sign() -> None:
    assert studentize(np.ones(40), 1.0, trust=PLAIN).t == pytest.approx(20)


@pytest.mark.parametrize("trust", [RANKS, MEANS, PLAIN], ids=["ranks", "means", "plain"])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_the_critical_quotient_is_the_one_a_single_look_just_rejects(
    trust: Trust, level: float
) -> None:
    quotient = critical(a_run(), trust, level=level)

    assert quotient is not None
    found = Studentized(t=quotient, run=a_run(), n=60, trust=trust)
    assert stats.norm.sf(found.z) == pytest.approx((1 - level) / 2)


def test_too_few_independent_steps_reject_nothing() -> None:
    assert critical(a_run(df=1.0, n_effective=1.0), RANKS, level=0.9999) is None
