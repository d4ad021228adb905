"""The standard errors that suffice, at looks before a planned end and at it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from analysis.forecast.crossing import Z_PRECISION, Claim
from judges import Looks
from judges.core import evidence
from judges.core.studentized import MEANS, RANKS, Trust

HORIZON = 60
END = evidence.planned_end(HORIZON)
SAFETY = Claim(level=0.05, looks=Looks.ANYTIME, horizon=HORIZON, ends=True)
HARM = Claim(level=0.05, looks=Looks.ANYTIME, horizon=HORIZON)


def is_enough(z: float, n: int) -> bool:
    """Tell whether the judges pass with so many standard errors before the planned end."""
    log_e = evidence.log_e_normals(np.array([z]), n, alpha=0.05, best_at=HORIZON / 2)
    return bool(evidence.with_end(log_e, None, np.array([0.05]))[0] >= -math.log(0.05))


@pytest.mark.parametrize("n", [15, 30, END - 1])
def test_before_the_planned_end_the_evidence_over_looks_decides(n: int) -> None:
    z = SAFETY.deviate(n)

    assert is_enough(z, n)
    assert not is_enough(z - 2 * Z_PRECISION, n)


def test_the_planned_end_asks_for_no_more_than_one_look_does() -> None:
    assert SAFETY.deviate(END) == pytest.approx(stats.norm.isf(evidence.END_PART * 0.05))
    assert SAFETY.deviate(END) < SAFETY.deviate(END - 1) - 0.5


@pytest.mark.parametrize("trust", [MEANS, RANKS], ids=["means", "ranks"])
def test_the_planned_end_is_as_sure_of_its_variance_as_one_look_is(trust: Trust) -> None:
    one = Claim(level=evidence.END_PART * 0.05, looks=Looks.FIXED, horizon=HORIZON)

    assert SAFETY.quotient(END, 20.0, trust) == one.quotient(END, 20.0, trust)


def test_after_the_planned_end_its_own_steps_are_those_that_count() -> None:
    assert [SAFETY.counted(n) for n in (END - 1, END, HORIZON, 2 * HORIZON)] == [
        END - 1,
        END,
        END,
        END,
    ]


def test_harm_is_looked_for_at_any_time_and_keeps_nothing_for_the_end() -> None:
    assert HARM.counted(HORIZON) == HORIZON
    assert HARM.deviate(END - 1) < SAFETY.deviate(END - 1)
    assert HARM.deviate(HORIZON) == pytest.approx(HARM.deviate(END), abs=0.05)


@pytest.mark.parametrize("looks", [Looks.FIXED, Looks.GROUP_SEQUENTIAL])
def test_only_looks_at_any_time_wait_for_an_end(looks: Looks) -> None:
    claim = Claim(level=0.05, looks=looks, horizon=HORIZON, ends=True)

    assert not claim.waits
    assert claim.counted(HORIZON) == HORIZON
