"""What replayed deployments tell of a fleet: when it erred, who cannot decide, what is noisy.

Deployments whose truth nobody knows count as good only where that is said.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np

from analysis.past.deployment import Truth
from analysis.past.evaluation import Rate, Times
from analysis.past.rows import MetricRow, Row
from judges import Verdict

T = TypeVar("T")
K = TypeVar("K")

# A metric that decides less than one deployment in twenty is of no use to a gate.
HARDLY_EVER = 0.05
# Below so many deployments, "never decides" is said of chance.
LEAST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month of deployments.

    Attributes:
        first: Its first day.
        false_fails: Good deployments that failed.
        inconclusive: Deployments that stayed open.
    """

    first: date
    false_fails: Rate
    inconclusive: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The deployments of a service.

    Attributes:
        name: What was deployed; empty where nobody said.
        inconclusive: Deployments that stayed open.
        false_fails: Good deployments that failed.
        to_decision: From the start to a pass or a fail.
        held_open_by: Names of the metrics that kept most deployments open, the first most often.
    """

    name: str
    inconclusive: Rate
    false_fails: Rate
    to_decision: Times
    held_open_by: tuple[str, ...]

    @property
    def cannot_decide(self) -> bool:
        """Whether more than half of its deployments stay open."""
        return self.inconclusive.of >= LEAST and 2 * self.inconclusive.hits > self.inconclusive.of

    @property
    def suggested_wait_s(self) -> float | None:
        """Within how long nine of ten that were decided had been, in whole minutes up."""
        p90 = self.to_decision.p90
        return None if p90 is None else 60.0 * math.ceil(p90 / 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usefulness:
    """A metric over all deployments.

    Attributes:
        name: Its name.
        decided: Deployments in which its judge passed or failed it.
        noise: Half the width of its interval, as a share of the level, in the median; `None`
            where it has no interval, or one without an end.
    """

    name: str
    decided: Rate
    noise: float | None

    @property
    def hardly_decides(self) -> bool:
        """Whether it hardly ever comes to a verdict."""
        share = self.decided.value
        return share is not None and self.decided.of >= LEAST and share < HARDLY_EVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What replayed deployments tell of the whole fleet.

    Attributes:
        deployments: How many were judged.
        unread: How many could not be judged, or not fully.
        months: In their order.
        services: Those that stay open most first.
        metrics: The noisiest first.
    """

    deployments: int
    unread: int
    months: tuple[Month, ...]
    services: tuple[Service, ...]
    metrics: tuple[Usefulness, ...]


def fleet(rows: Sequence[Row], *, unknown_is_good: bool = False) -> Fleet:
    """Summarize the rows of a replay.

    Args:
        rows: One for each deployment.
        unknown_is_good: Whether deployments whose truth nobody knows count as good ones.
    """
    judged = [row for row in rows if row.verdict is not None and row.error is None]

    def is_good(row: Row) -> bool:
        return row.truth is Truth.GOOD or (row.truth is None and unknown_is_good)

    return Fleet(
        deployments=len(judged),
        unread=len(rows) - len(judged),
        months=tuple(_months(judged, is_good)),
        services=tuple(_services(judged, is_good)),
        metrics=tuple(_metrics(judged)),
    )


def _months(rows: Sequence[Row], is_good: Callable[[Row], bool]) -> Iterable[Month]:
    by_month = _grouped(rows, lambda row: row.start.date().replace(day=1))
    for first in sorted(by_month):
        found = by_month[first]
        good = [row for row in found if is_good(row)]
        yield Month(
            first=first,
            false_fails=_share(good, Verdict.FAIL),
            inconclusive=_share(found, Verdict.INCONCLUSIVE),
        )


def _services(rows: Sequence[Row], is_good: Callable[[Row], bool]) -> list[Service]:
    found = [
        _service(name, of_service, is_good)
        for name, of_service in _grouped(rows, lambda row: row.service).items()
    ]
    return sorted(found, key=lambda one: (-(one.inconclusive.value or 0.0), one.name))


def _service(name: str, rows: Sequence[Row], is_good: Callable[[Row], bool]) -> Service:
    open_ = [row for row in rows if row.verdict is Verdict.INCONCLUSIVE]
    decided = [row for row in rows if row.verdict is not Verdict.INCONCLUSIVE]
    held = _grouped([one for row in open_ for one in row.decided_by], lambda metric: metric)
    return Service(
        name=name,
        inconclusive=Rate(hits=len(open_), of=len(rows)),
        false_fails=_share([row for row in rows if is_good(row)], Verdict.FAIL),
        to_decision=Times.of(row.seconds_to_decision or 0.0 for row in decided),
        held_open_by=tuple(sorted(held, key=lambda metric: (-len(held[metric]), metric))),
    )


def _metrics(rows: Sequence[Row]) -> list[Usefulness]:
    by_name = _grouped([metric for row in rows for metric in row.metrics], lambda one: one.name)
    found = [_usefulness(name, metrics) for name, metrics in by_name.items()]
    return sorted(found, key=lambda one: (-(one.noise or 0.0), one.name))


def _usefulness(name: str, metrics: Sequence[MetricRow]) -> Usefulness:
    open_ = sum(metric.verdict is Verdict.INCONCLUSIVE for metric in metrics)
    widths = [width for metric in metrics if (width := _half_width(metric)) is not None]
    return Usefulness(
        name=name,
        decided=Rate(hits=len(metrics) - open_, of=len(metrics)),
        noise=float(np.median(widths)) if widths else None,
    )


def _half_width(metric: MetricRow) -> float | None:
    """Give half an interval of a ratio, as a share; `None` where it is none."""
    if metric.lower is None or metric.upper is None or not 0 < metric.lower <= metric.upper:
        return None
    return math.sqrt(metric.upper / metric.lower) - 1


def _share(rows: Sequence[Row], verdict: Verdict) -> Rate:
    return Rate(hits=sum(row.verdict is verdict for row in rows), of=len(rows))


def _grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    found: dict[K, list[T]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return dict(found)
