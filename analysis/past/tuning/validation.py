"""What a choice is worth on deployments that it was not chosen on.

The best of forty variants on some deployments looks better there than it is. So the choosing is
done again without some of the services, or with the past alone, and what was chosen is held
against those that were left out.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analysis.past.evaluation import Rate
from analysis.past.tuning.choosing import Chooser
from analysis.past.tuning.table import Table

FOLDS = 5
# Of the deployments in the order of time, the part that is chosen on first.
FIRST = 0.5
Bools = NDArray[np.bool_]


class Split(StrEnum):
    """How deployments are held out."""

    SERVICE = "service"  # chosen without the services it is held against
    TIME = "time"  # chosen on what came before
    DEPLOYMENT = "deployment"  # at random, where there are fewer than two services


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What became of deployments under what was chosen without them.

    Attributes:
        split: How they were held out.
        false_fails: Good ones that failed.
        detections: Bad ones that failed, not before their fault.
        good_passed: Good ones that passed.
        chosen: The variants that were chosen, one a fold.
    """

    split: Split
    false_fails: Rate
    detections: Rate
    good_passed: Rate
    chosen: tuple[int, ...]


def validate(table: Table, chooser: Chooser) -> tuple[HeldOut, ...]:
    """Hold out by service (else by deployment) and by time."""
    by = Split.SERVICE if len(set(table.services.tolist())) > 1 else Split.DEPLOYMENT
    splits = ((by, _folds(table, by)), (Split.TIME, _in_time(table)))
    return tuple(
        found for split, tests in splits if (found := _held_out(split, list(tests), table, chooser))
    )


def _held_out(
    split: Split, tests: list[tuple[Bools, Bools]], table: Table, chooser: Chooser
) -> HeldOut | None:
    """Choose on the one part of each pair, and count on the other."""
    counts = np.zeros(5, dtype=int)
    chosen: list[int] = []
    for train, test in tests:
        if not (train & table.good).any() or not test.any():
            continue
        index = chooser.choose(table.only(train)).index
        chosen.append(index)
        counts += _counted(table.only(test), index)
    if not chosen:
        return None
    failed, passed, good, detected, bad = (int(count) for count in counts)
    return HeldOut(
        split=split,
        false_fails=Rate(hits=failed, of=good),
        detections=Rate(hits=detected, of=bad),
        good_passed=Rate(hits=passed, of=good),
        chosen=tuple(chosen),
    )


def _counted(table: Table, index: int) -> NDArray[np.int_]:
    good, bad = table.good, table.is_bad
    return np.array(
        [
            table.failed[index, good].sum(),
            table.passed[index, good].sum(),
            good.sum(),
            table.detected[index, bad].sum(),
            bad.sum(),
        ]
    )


def _folds(table: Table, by: Split) -> Iterator[tuple[Bools, Bools]]:
    """Hold out a fifth at a time; a deployment and its harmed copies are never apart."""
    names = table.services if by is Split.SERVICE else table.ids
    order = sorted(set(names.tolist()), key=lambda name: zlib.crc32(name.encode()))
    fold_of = {name: place % FOLDS for place, name in enumerate(order)}
    folds = np.array([fold_of[name] for name in names.tolist()])
    for fold in sorted(set(fold_of.values())):
        yield folds != fold, folds == fold


def _in_time(table: Table) -> Iterator[tuple[Bools, Bools]]:
    """Choose on what began before each of five moments; hold against what began until the next."""
    moments = np.unique(table.starts)
    places = {int(place) for place in np.linspace(FIRST, 1.0, FOLDS + 1)[:-1] * len(moments)}
    begins = [float(moments[place]) for place in sorted(places) if place < len(moments)]
    for begin, end in pairwise([*begins, np.inf]):
        yield table.starts < begin, (table.starts >= begin) & (table.starts < end)
