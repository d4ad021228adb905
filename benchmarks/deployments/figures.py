"""Count what became of deployments under a rule."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.calibration import Rate
from benchmarks.deployments.oracle import CLEAR
from benchmarks.deployments.outcome import Look
from benchmarks.deployments.run import Row
from judges import Verdict

# With fewer requests on a side, no errors at all do not exclude a rise of a tenth of a point.
ENOUGH_REQUESTS = 2700.0


def failed(row: Row, look: Look) -> bool:
    """Whether it was rolled back; for harm that begins late, after it began."""
    return look.verdict is Verdict.FAIL and look.minute > row.onset


def failed_early(row: Row, look: Look) -> bool:
    """Whether it was rolled back before anything was wrong."""
    return look.verdict is Verdict.FAIL and look.minute <= row.onset


def passed(_row: Row, look: Look) -> bool:
    """Whether it was promoted."""
    return look.verdict is Verdict.PASS


def left_open(_row: Row, look: Look) -> bool:
    """Whether the hour did not suffice to decide."""
    return look.verdict is Verdict.INCONCLUSIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A share of some deployments that had some outcome.

    Attributes:
        name: What the tables call it.
        of: Which deployments.
        outcome: Which outcome.
        goal: The share it should not exceed, or should reach; `None` where there is no goal.
        at_most: Whether the goal bounds it from above.
    """

    name: str
    of: Callable[[Row], bool]
    outcome: Callable[[Row, Look], bool]
    goal: float | None = None
    at_most: bool = False

    def rate(self, rows: Sequence[Row], rule: str) -> Rate:
        """Count."""
        outcomes = [self.outcome(row, row.outcomes[rule]) for row in rows if self.of(row)]
        return Rate(hits=sum(outcomes), of=len(outcomes))

    def is_met(self, rate: Rate) -> bool:
        """Tell whether a rate meets the goal."""
        if self.goal is None:
            return True
        share = rate.hits / rate.of
        return share <= self.goal if self.at_most else share >= self.goal


def is_good(row: Row) -> bool:
    """Whether nothing is wrong with it."""
    return row.kind is None


def is_bad(row: Row) -> bool:
    """Whether something is."""
    return row.kind is not None


def is_busy(row: Row) -> bool:
    """Whether it is good and both sides have requests enough to show it."""
    return is_good(row) and row.requests >= ENOUGH_REQUESTS


def is_visible(row: Row) -> bool:
    """Whether its fault stands out of the noise."""
    return is_bad(row) and row.z >= CLEAR


def is_clear(row: Row) -> bool:
    """Whether nobody should miss its fault."""
    return row.clear


FIGURES = (
    Figure(name="good, failed", of=is_good, outcome=failed, goal=0.01, at_most=True),
    Figure(name="good, passed", of=is_good, outcome=passed, goal=0.75),
    Figure(name="good, passed, 2,700 requests", of=is_busy, outcome=passed, goal=0.86),
    Figure(name="good, inconclusive", of=is_good, outcome=left_open),
    Figure(name="bad, failed", of=is_bad, outcome=failed),
    Figure(name="z ≥ 8, failed", of=is_visible, outcome=failed, goal=0.86),
    Figure(name="clear, failed", of=is_clear, outcome=failed, goal=0.93),
    Figure(name="clear, passed", of=is_clear, outcome=passed, goal=0.0, at_most=True),
    Figure(name="bad, passed", of=is_bad, outcome=passed),
    Figure(name="bad, failed before the onset", of=is_bad, outcome=failed_early),
)
# From a fault's onset to the fail, median.
DELAY_GOAL = 15.0


def delays(rows: Sequence[Row], rule: str) -> list[float]:
    """Give the minutes from onset to fail, of the faults that failed."""
    return [
        row.outcomes[rule].minute - row.onset
        for row in rows
        if is_bad(row) and failed(row, row.outcomes[rule])
    ]


def median_delay(rows: Sequence[Row], rule: str) -> float:
    """Give the median of the delays; infinite where nothing failed."""
    return statistics.median(delays(rows, rule) or [math.inf])


def undecided_by(rows: Sequence[Row], rule: str) -> Counter[str]:
    """Count the metrics that kept good deployments from a pass, together where several did."""
    looks = [row.outcomes[rule] for row in rows if is_good(row)]
    return Counter(
        ", ".join(sorted(look.decided_by)) for look in looks if look.verdict is not Verdict.PASS
    )
