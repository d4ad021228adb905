"""What was chosen is held against deployments that it was not chosen on."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.past.tuning.choosing import Chooser
from analysis.past.tuning.table import Table
from analysis.past.tuning.validation import Split, validate

CHOOSER = Chooser(budget=0.01, stated=[0.01, 0.01], sizes=[0, 1])


def a_table(services: list[str], starts: list[float]) -> Table:
    """Lay out good deployments of which the second variant fails those of service `odd`."""
    names = np.array(services)
    failed = np.stack([np.zeros(len(names), dtype=bool), names == "odd"])
    zeros = np.zeros((2, len(names)))
    return Table(
        failed=failed,
        passed=~failed,
        decided_s=zeros,
        detected=np.zeros_like(failed),
        delay_s=zeros,
        is_bad=np.zeros(len(names), dtype=bool),
        services=names,
        starts=np.array(starts),
        labels=np.array([""] * len(names)),
        ids=np.array([str(n) for n in range(len(names))]),
    )


def test_every_deployment_is_held_out_once_by_service() -> None:
    (by_service, _) = validate(a_table([f"s{n % 9}" for n in range(90)], [*range(90)]), CHOOSER)

    assert by_service.split is Split.SERVICE
    assert by_service.false_fails.of == 90


def test_one_service_is_held_out_by_deployment() -> None:
    (found, _) = validate(a_table(["shop"] * 40, [*range(40)]), CHOOSER)

    assert (found.split, found.false_fails.of) == (Split.DEPLOYMENT, 40)


def test_in_time_only_the_later_half_is_held_out() -> None:
    (_, in_time) = validate(a_table(["shop"] * 40, [*range(40)]), CHOOSER)

    assert (in_time.split, in_time.false_fails.of) == (Split.TIME, 20)


def test_deployments_that_began_together_are_held_out_once() -> None:
    found = validate(a_table(["shop"] * 12, [0.0] * 6 + [1.0] * 6), CHOOSER)

    assert {one.split: one.false_fails.of for one in found}[Split.TIME] == 6


def test_harmed_copies_stay_with_their_original() -> None:
    table = a_table(["shop"] * 40, [*range(40)])
    twice = table.only(np.repeat(np.arange(40), 2))

    from analysis.past.tuning.validation import _folds

    for train, test in _folds(twice, Split.DEPLOYMENT):
        assert not set(twice.ids[train]) & set(twice.ids[test])


@pytest.mark.parametrize("services", [["shop"], []])
def test_too_few_to_hold_any_out_holds_none_out(services: list[str]) -> None:
    assert validate(a_table(services, [0.0] * len(services)), CHOOSER) == ()
