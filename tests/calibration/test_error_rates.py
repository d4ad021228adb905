"""The goals, on short runs: a judge that reaches a goal breaks its bound once in a million.

The long table is made by `make calibrate`; it has the same cells, goals and judges.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import stats

import judges
from benchmarks.calibration import cells, goals
from benchmarks.calibration.__main__ import TABLES
from benchmarks.calibration.cells import Outcomes
from benchmarks.calibration.contestants import Contestant
from benchmarks.calibration.goals import Goal

pytestmark = [pytest.mark.calibration, pytest.mark.timeout(300)]

CHANCE = 1e-6
# Replicates of a cell: a rollout of twelve metrics costs a hundred times as much as one look.
REPLICATES = {
    "error-looks": 20,
    "histograms": 100,
    "late": 40,
    "laws": 20,
    "looks": 50,
    "rollouts": 20,
}
OTHERS = 200
CELLS = {cell.name: cell for table in TABLES for cell in table.cells()}
GOALS = [goal for goal in goals.goals() if goal.judge.partition(" ")[0] in judges.kinds()]


@cache
def measured(cell: str, contestant: str) -> Outcomes:
    """Run a cell with one of its contestants."""
    alone = CELLS[cell].only(contestant)
    replicates = REPLICATES.get(alone.table, OTHERS)
    return cells.outcomes(alone, seed=cells.REPORTED_SEED, replicates=replicates)


def at_most(goal: float, replicates: int) -> int:
    """Give the most hits that a rate within the goal may show."""
    return int(stats.binom.isf(CHANCE, replicates, goal))


def at_least(goal: float, replicates: int) -> int:
    """Give the fewest hits that a rate within the goal may show."""
    return int(stats.binom.ppf(CHANCE, replicates, goal))


def is_within_chance(goal: Goal, cell: str, contestant: str) -> bool:
    """Tell whether what a cell shows could come from a judge that reaches the goal."""
    happened = measured(cell, contestant)[f"{contestant}: {goal.outcome}"]
    if goal.most is None:
        return int(happened.sum()) >= at_least(goal.least or 0.0, len(happened))
    if happened.dtype != np.bool_:  # half of them must be there by the median that is wanted
        return int((happened <= goal.most).sum()) >= at_least(0.5, len(happened))
    return int(happened.sum()) <= at_most(goal.most, len(happened))


@pytest.mark.parametrize("goal", GOALS, ids=[f"{goal.judge}: {goal.text}" for goal in GOALS])
def test_a_goal_is_reached(goal: Goal) -> None:
    missed = [cell for cell in goal.cells if not is_within_chance(goal, cell, goal.judge)]

    assert missed == []


COMPARATORS = {
    "false alarms at 5 %, .8 and .95, n ≥ 30": "textbook Mann-Whitney",
    "46 looks at a metric at its tolerance, nominal 5 %, AR(0.8)": "kayenta",
    "power where an oracle has 85 %, shared season, n = 30": "kayenta",
    "one of ten metrics that are not critical doubles, independent: found": "kayenta, at the end",
    "equal errors fail at some look, also in bursts": "exact binomial",
    "false alarms at 5 %, pods differ by 5 %": "Welch",
    "another unit changes the verdict": "kayenta",
}


@pytest.mark.parametrize(("text", "contestant"), COMPARATORS.items(), ids=COMPARATORS)
def test_the_goal_can_be_missed_and_others_miss_it(text: str, contestant: str) -> None:
    goal = next(goal for goal in GOALS if goal.text == text)

    assert any(not is_within_chance(goal, cell, contestant) for cell in goal.cells)


def test_every_goal_is_about_rows_that_exist() -> None:
    for goal in goals.goals():
        assert set(goal.cells) <= set(CELLS), goal.text


def test_every_judge_that_tests_is_in_some_table() -> None:
    entered = {
        one.judge.kind
        for cell in CELLS.values()
        for one in cell.contestants
        if isinstance(one, Contestant)
    }

    # A static bound is no test: what it does is what it says.
    assert set(judges.kinds()) - entered <= {"threshold"}
