"""Every variant as a point of the trade-off between false fails and faults found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.past.evaluation import Rate, Times
from analysis.past.tuning.choosing import Keeping, upper_bound
from analysis.past.tuning.search import Variant
from analysis.past.tuning.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A variant on the trade-off.

    Attributes:
        variant: Which.
        false_fails: Good deployments that failed.
        false_fails_upper: One-sided 95 % bound of their rate.
        good_passed: Good ones that passed.
        detections: Bad ones that failed, not before their fault.
        delay: From the fault to the fail, of the detected ones.
        to_pass: From the start to the pass of good ones.
        by_harm: Detections by what was put in; empty where real faults are known.
        keeping: Whether it keeps the budget.
        on_front: Whether no other one has fewer false fails and finds more.
    """

    variant: Variant
    false_fails: Rate
    false_fails_upper: float
    good_passed: Rate
    detections: Rate
    delay: Times
    to_pass: Times
    by_harm: Mapping[str, Rate]
    keeping: Keeping
    on_front: bool = False


def point_of(table: Table, index: int, variant: Variant, keeping: Keeping) -> Point:
    """Count what became of the deployments under one variant."""
    good, bad = table.good, table.is_bad
    failed, detected = table.failed[index], table.detected[index]
    fails, of = int(failed[good].sum()), int(good.sum())
    names = sorted({label for label in table.labels.tolist() if label})
    return Point(
        variant=variant,
        false_fails=Rate(hits=fails, of=of),
        false_fails_upper=upper_bound(fails, of),
        good_passed=Rate(hits=int(table.passed[index, good].sum()), of=of),
        detections=Rate(hits=int(detected[bad].sum()), of=int(bad.sum())),
        delay=Times.of(table.delay_s[index, bad & detected].tolist()),
        to_pass=Times.of(table.decided_s[index, good & table.passed[index]].tolist()),
        by_harm={
            name: Rate(hits=int(detected[at].sum()), of=int(at.sum()))
            for name in names
            for at in [table.labels == name]
        },
        keeping=keeping,
    )


def on_front(points: Sequence[Point]) -> list[Point]:
    """Mark the variants than which no other has fewer false fails and finds more."""
    fails = np.array([point.false_fails.hits for point in points])
    found = np.array([point.detections.hits for point in points])
    better = (fails <= fails[:, np.newaxis]) & (found >= found[:, np.newaxis])
    strictly = (fails < fails[:, np.newaxis]) | (found > found[:, np.newaxis])
    beaten = np.any(better & strictly, axis=1).tolist()
    return [replace(point, on_front=not lost) for point, lost in zip(points, beaten, strict=True)]
