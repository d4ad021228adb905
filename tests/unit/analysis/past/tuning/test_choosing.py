"""Of what keeps the budget the best is chosen, and chance is no reason to change."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike

from analysis.past.tuning.choosing import (
    Choice,
    Chooser,
    Keeping,
    needed_to_show,
    upper_bound,
)
from analysis.past.tuning.table import Table

BUDGET = 0.01


def a_table(
    good_failed: ArrayLike,
    bad_found: ArrayLike,
    *,
    good: int = 400,
    bad: int = 100,
    good_passed: ArrayLike | None = None,
    wait_s: ArrayLike = 0.0,
) -> Table:
    """Lay out variants that fail so many good deployments and find so many bad ones."""
    fails, found = np.atleast_1d(good_failed), np.atleast_1d(bad_found)
    passes = good - fails if good_passed is None else np.atleast_1d(good_passed)
    waits = np.broadcast_to(np.asarray(wait_s, dtype=float), fails.shape)
    numbers = np.arange(good + bad)
    is_bad = numbers >= good
    failed = np.where(is_bad, numbers < good + found[:, np.newaxis], numbers < fails[:, np.newaxis])
    passed = ~is_bad & (numbers >= good - passes[:, np.newaxis])
    decided = np.repeat(waits[:, np.newaxis], good + bad, axis=1)
    return Table(
        failed=failed,
        passed=passed,
        decided_s=decided,
        detected=failed & is_bad,
        delay_s=decided,
        is_bad=is_bad,
        services=np.array([f"s{n % 7}" for n in numbers]),
        starts=numbers.astype(float),
        labels=np.array([""] * len(numbers)),
        ids=np.array([str(n) for n in numbers]),
    )


def chosen(table: Table, stated: list[float], sizes: list[int] | None = None) -> Choice:
    return Chooser(budget=BUDGET, stated=stated, sizes=sizes or [*range(len(stated))]).choose(table)


def test_what_finds_clearly_more_is_chosen() -> None:
    assert chosen(a_table([0, 0], [60, 80]), [0.01, 0.01]).index == 1


def test_what_finds_a_little_more_is_not_worth_a_change() -> None:
    assert chosen(a_table([0, 0], [80, 83]), [0.01, 0.01]).index == 0


def test_what_finds_more_but_breaks_the_budget_is_not_chosen() -> None:
    assert chosen(a_table([0, 12], [60, 90]), [0.01, 0.01]).index == 0


def test_a_budget_that_is_shown_needs_no_statement() -> None:
    choice = chosen(a_table([0, 0], [60, 90]), [0.01, 0.05])

    assert choice == Choice(index=1, keeping=Keeping.SHOWN)


def test_a_budget_that_is_neither_shown_nor_stated_counts_as_broken() -> None:
    choice = chosen(a_table([0, 0], [60, 90], good=50), [0.01, 0.05])

    assert choice == Choice(index=0, keeping=Keeping.STATED)


def test_where_one_statement_is_contradicted_none_is_believed() -> None:
    """The judges are the same: what states 0.2 % and fails 3 % tells what the others are worth."""
    stated = [0.002, 0.01]

    assert chosen(a_table([0, 6], [60, 90]), stated) == Choice(index=1, keeping=Keeping.STATED)
    assert chosen(a_table([12, 6], [60, 90]), stated) == Choice(index=1, keeping=Keeping.BROKEN)


def test_where_nothing_keeps_the_budget_the_least_breach_is_named_as_one() -> None:
    assert chosen(a_table([40, 30], [60, 60]), [0.05, 0.05]) == Choice(
        index=1, keeping=Keeping.BROKEN
    )


def test_of_what_finds_as_much_the_one_that_passes_clearly_more_is_chosen() -> None:
    table = a_table([0, 0], [80, 80], good_passed=[200, 300])

    assert chosen(table, [0.01, 0.01]).index == 1


def test_of_what_passes_as_much_the_one_that_decides_clearly_sooner_is_chosen() -> None:
    assert chosen(a_table([0, 0], [80, 80], wait_s=[3600, 1800]), [0.01, 0.01]).index == 1


def test_what_is_sooner_but_finds_less_is_not_chosen_however_few_could_show_the_loss() -> None:
    table = a_table([0, 0], [18, 15], bad=25, wait_s=[3600, 1800])

    assert chosen(table, [0.01, 0.01]).index == 0


def test_what_is_sooner_but_passes_fewer_is_not_chosen_either() -> None:
    table = a_table([0, 0], [80, 80], good_passed=[300, 297], wait_s=[3600, 1800])

    assert chosen(table, [0.01, 0.01]).index == 0


def test_where_the_configuration_breaks_the_budget_what_finds_most_sets_the_measure() -> None:
    table = a_table([40, 0, 0], [25, 18, 15], bad=25, wait_s=[3600, 3600, 1800])

    assert chosen(table, [0.05, 0.01, 0.01]).index == 1


def test_of_what_is_alike_the_fewest_changes_are_chosen() -> None:
    assert chosen(a_table([0, 0, 0], [60, 80, 80]), [0.01] * 3, [0, 5, 1]).index == 2


def test_without_bad_deployments_nothing_is_said_to_find_more() -> None:
    assert chosen(a_table([0, 0], [0, 0], bad=0), [0.01, 0.01]).index == 0


@pytest.mark.parametrize(
    ("hits", "of", "bound"), [(0, 299, 0.00997), (0, 10, 0.2589), (3, 100, 0.0757)]
)
def test_the_bound_is_the_published_one(hits: int, of: int, bound: float) -> None:
    # 1 - 0.05 ** (1 / n) where there is no hit; the last is R's binom.test, alternative "less".
    assert upper_bound(hits, of) == pytest.approx(bound, rel=2e-3)


def test_nothing_but_hits_leaves_no_bound() -> None:
    assert upper_bound(5, 5) == 1.0


def test_three_hundred_good_deployments_show_one_per_cent() -> None:
    assert needed_to_show(0.01) == 299
    assert upper_bound(0, 299) <= 0.01 < upper_bound(0, 298)
