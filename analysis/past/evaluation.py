"""What a replay comes to: rates against the truth, times to a decision, who decided, the waiting.

Rows that could not be judged, or not fully, are counted and left out of every rate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from scipy import stats

from analysis.past.deployment import Truth
from analysis.past.rows import Row
from judges import Verdict

LEVEL = 0.95
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Some of many.

    Attributes:
        hits: How many.
        of: Of how many.
    """

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """Their share; `None` of none."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's score interval at `LEVEL`; `None` of none.

        References:
            E. B. Wilson, JASA 22 (1927), 209-212.
        """
        if not self.of:
            return None
        found = stats.binomtest(self.hits, self.of).proportion_ci(LEVEL, method="wilson")
        return float(found.low), float(found.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long something took, in seconds.

    Attributes:
        n: How often it was measured.
        median: `None` where it never was.
        p90: The time within which nine of ten were done; `None` where it never was.
        total: All of them together.
    """

    n: int
    median: float | None
    p90: float | None
    total: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Times:
        """Summarize times."""
        given = np.array(list(seconds), dtype=np.float64)
        if not given.size:
            return cls(n=0, median=None, p90=None, total=0.0)
        median, p90 = (float(q) for q in np.quantile(given, (0.5, 0.9)))
        return cls(n=given.size, median=median, p90=p90, total=float(given.sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """How often a metric was named as the one that decided.

    Attributes:
        metric: Its name.
        failed: Deployments it failed, alone or with others.
        failed_good: Those of them that were good.
        held_open: Deployments it kept from a pass.
    """

    metric: str
    failed: int
    failed_good: int
    held_open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a replay comes to.

    Attributes:
        deployments: How many there were.
        unread: How many could not be judged, or not fully.
        confusion: Deployments by truth (`good`, `bad`, `unknown`), then by verdict.
        false_fails: Good ones that failed.
        good_passed: Good ones that passed.
        detections: Bad ones that failed, not before their fault began.
        false_passes: Bad ones that passed.
        failed_before_fault: Bad ones that failed before their fault began: no detection.
        to_decision: From the start to a pass or a fail.
        delay: From the beginning of the fault (or the start) to the fail, of the detected ones.
        deciding: Metrics, those first that decided most.
        open_wait: Time spent on deployments that stayed inconclusive.
        exposure: Time that bad canaries served: until the fail, or to the end.
    """

    deployments: int
    unread: int
    confusion: Mapping[str, Mapping[Verdict, int]]
    false_fails: Rate
    good_passed: Rate
    detections: Rate
    false_passes: Rate
    failed_before_fault: int
    to_decision: Times
    delay: Times
    deciding: tuple[Deciding, ...]
    open_wait: Times
    exposure: Times


def evaluate(rows: Sequence[Row]) -> Evaluation:
    """Evaluate the rows of a replay."""
    judged = [row for row in rows if row.verdict is not None and row.error is None]
    good = [row for row in judged if row.truth is Truth.GOOD]
    bad = [row for row in judged if row.truth is Truth.BAD]
    detected = [row for row in bad if _is_detected(row)]
    open_ = [row for row in judged if row.verdict is Verdict.INCONCLUSIVE]
    return Evaluation(
        deployments=len(rows),
        unread=len(rows) - len(judged),
        confusion=_confusion(judged),
        false_fails=_rate(good, Verdict.FAIL),
        good_passed=_rate(good, Verdict.PASS),
        detections=Rate(hits=len(detected), of=len(bad)),
        false_passes=_rate(bad, Verdict.PASS),
        failed_before_fault=_rate(bad, Verdict.FAIL).hits - len(detected),
        to_decision=Times.of(
            _seconds(row) for row in judged if row.verdict is not Verdict.INCONCLUSIVE
        ),
        delay=Times.of(_since_fault(row, row.decided_at) for row in detected),
        deciding=_deciding(judged),
        open_wait=Times.of(_seconds(row) for row in open_),
        exposure=Times.of(_since_fault(row, _rolled_back_at(row)) for row in bad),
    )


def _rate(rows: Sequence[Row], verdict: Verdict) -> Rate:
    return Rate(hits=sum(row.verdict is verdict for row in rows), of=len(rows))


def _is_detected(row: Row) -> bool:
    if row.verdict is not Verdict.FAIL or row.decided_at is None:
        return False
    return row.fault_start is None or row.decided_at >= row.fault_start


def _seconds(row: Row) -> float:
    return row.seconds_to_decision or 0.0


def _rolled_back_at(row: Row) -> datetime:
    is_rolled_back = row.verdict is Verdict.FAIL and row.decided_at is not None
    return row.decided_at if is_rolled_back and row.decided_at else row.end


def _since_fault(row: Row, until: datetime | None) -> float:
    since = row.fault_start or row.start
    return max(0.0, ((until or row.end) - since).total_seconds())


def _confusion(rows: Sequence[Row]) -> dict[str, dict[Verdict, int]]:
    counted = Counter((str(row.truth or UNKNOWN), row.verdict) for row in rows)
    truths = [truth for truth in (*Truth, UNKNOWN) if any(t == truth for t, _ in counted)]
    return {str(t): {verdict: counted[str(t), verdict] for verdict in Verdict} for t in truths}


def _deciding(rows: Sequence[Row]) -> tuple[Deciding, ...]:
    failed, failed_good, held = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        if row.verdict is Verdict.FAIL:
            failed.update(row.decided_by)
            failed_good.update(row.decided_by if row.truth is Truth.GOOD else ())
        elif row.verdict is Verdict.INCONCLUSIVE:
            held.update(row.decided_by)
    names = sorted({*failed, *held}, key=lambda name: (-failed[name], -held[name], name))
    return tuple(
        Deciding(
            metric=name, failed=failed[name], failed_good=failed_good[name], held_open=held[name]
        )
        for name in names
    )
