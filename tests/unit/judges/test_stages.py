"""Group sequential looks: what each stage may err, and that only completed stages count."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from judges.core import stages
from tests.support.samples import a_gauge, judged

HORIZON = 48
JUDGED = {"mann_whitney": {}, "mean_ratio": {}, "threshold": {"max": 90}}


@pytest.mark.parametrize("level", [0.2, 0.05, 0.001])
def test_the_stages_together_err_at_their_level(level: float) -> None:
    paths = 200_000
    steps = np.random.default_rng(20261122).standard_normal((paths, stages.STAGES))
    z = np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, stages.STAGES + 1))

    false = int((special.ndtr(-z) <= stages.nominal_levels(level)).any(axis=1).sum())

    assert stats.binom.ppf(1e-6, paths, level) <= false <= stats.binom.isf(1e-6, paths, level)


def test_the_first_stage_spends_the_square_of_its_time() -> None:
    assert stages.nominal_levels(0.05)[0] == pytest.approx(0.05 / stages.STAGES**2)


@pytest.mark.parametrize("level", [0.05, 0.003, 1e-6])
@pytest.mark.parametrize("stage", [2, 7, 12])
def test_a_p_value_on_the_boundary_of_a_stage_rejects_at_its_level(
    level: float, stage: int
) -> None:
    nominal = stages.nominal_levels(level)[stage - 1]

    found = stages.sequential_p([np.array([nominal])], [stage * 5], 60, 1)

    assert found[0] == pytest.approx(level, rel=2e-3)


@pytest.mark.parametrize("horizon", [2, 7, 8, 11, 12, 13, 60, 1000])
def test_no_stage_ends_before_there_are_steps_enough(horizon: int) -> None:
    ends = stages.ends(horizon, horizon)

    assert all(stages.LEAST_STEPS <= end <= horizon for end in ends)
    assert ends[-1:] == ([horizon] if horizon >= stages.LEAST_STEPS else [])


@pytest.mark.parametrize(("kind", "parameters"), JUDGED.items())
@pytest.mark.parametrize("past", [1, 3, 12])
def test_steps_behind_the_last_completed_stage_do_not_count(
    kind: str, parameters: dict[str, object], past: int
) -> None:
    baseline, canary = (a_gauge(seed, n=HORIZON + past) for seed in (1, 2))
    asked = {"looks": "group_sequential", "horizon": HORIZON, **parameters}

    at_the_end = judged(kind, baseline[:HORIZON], canary[:HORIZON], **asked)
    later = judged(kind, baseline, canary, **asked)

    assert (later.harm, later.safety) == (at_the_end.harm, at_the_end.safety)
