"""Cost per request where a canary's pods get less traffic than the baseline's."""

from __future__ import annotations

import numpy as np
import pytest

from judges import Reason, Verdict
from judges.core import idle
from tests.support.samples import Array, judged_counts

Side = tuple[Array, Array]
IDLE, COST = 0.004, 0.001  # cores a pod, CPU seconds a request


def side(seed: int, requests: float, *, cost: float = COST, pods: int = 3) -> Side:
    """CPU seconds and requests of each pod in 60 steps of a minute."""
    rng = np.random.default_rng(seed)
    served = rng.poisson(requests, (pods, 60)).astype(float)
    spent = 60 * IDLE + cost * served * np.exp(0.05 * rng.standard_normal((pods, 60)))
    return spent, served


def test_little_traffic_looks_dear_and_the_allowance_excuses_it() -> None:
    full, tenth = side(1, 6000), side(2, 600)

    blind = judged_counts("mean_ratio", full, tenth, pods="ignore")
    excused = judged_counts("mean_ratio", full, tenth, pods="ignore", idle=0.01)

    assert blind.verdict is Verdict.FAIL
    assert excused.verdict is not Verdict.FAIL


def test_the_allowance_never_passes_what_it_cannot_explain_away() -> None:
    """Idle cost may be nothing at all: then the canary's requests are as dear as they look."""
    full, tenth = side(1, 6000), side(2, 600)

    assert judged_counts("mean_ratio", full, tenth, idle=0.01).verdict is Verdict.INCONCLUSIVE


def test_with_equal_traffic_it_changes_nothing() -> None:
    one, other = side(1, 6000), (side(2, 6000)[0], side(1, 6000)[1])

    assert judged_counts("mean_ratio", one, other, idle=0.01) == (
        judged_counts("mean_ratio", one, other)
    )


def test_real_harm_beyond_the_allowance_is_found() -> None:
    full, dear = side(1, 6000), side(2, 3000, cost=2 * COST)

    assert judged_counts("mean_ratio", full, dear, idle=0.01).verdict is Verdict.FAIL


def test_a_side_that_may_be_mostly_idle_is_not_comparable() -> None:
    judgment = judged_counts("mean_ratio", side(1, 6000), side(2, 60), idle=0.01)

    assert judgment.reason is Reason.NOT_COMPARABLE
    assert "of what the canary spent" in judgment.summary
    assert judgment.settlement is not None


@pytest.mark.parametrize(("more", "index"), [("baseline", 1), ("canary", 0)])
def test_the_side_with_less_traffic_a_pod_is_the_one_excused(more: str, index: int) -> None:
    from judges import Sample

    sides = (side(1, 6000), side(2, 3000))
    sample = Sample.of_counts(*(sides if more == "baseline" else sides[::-1]), step_s=60.0)

    shares = idle.shares(sample, 0.01)

    assert shares[index] == pytest.approx(0.01 * 0.5 * 60 / (60 * IDLE + COST * 3000), rel=0.05)
    assert shares[1 - index] == 0
