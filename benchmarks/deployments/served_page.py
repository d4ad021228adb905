"""Write docs/reference/deployments-served.md: outcomes through Prometheus and in memory."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from analysis.past.rows import Row
from benchmarks.deployments.faults import Fault, Grade, Kind
from benchmarks.deployments.outcome import Look
from judges import Verdict

Label = tuple[Kind, Grade] | None
Outcomes = Sequence[tuple[Verdict | None, float]]  # with the minute
VERDICTS = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)

TEMPLATE = """# Simulated deployments through a real Prometheus

Made by `make served`; do not edit. The first {count:,} [simulated deployments](deployments.md) of
seed {seed}, written as OpenMetrics text, backfilled with `promtool` and replayed from the server as
`serinus replay --looks 10m --promote end` does it: selectors as raw samples, expressions through
PromQL. Beside them the same deployments judged as the arrays they were drawn as, without text,
server, PromQL or pairing.

**{same:,} of {count:,}** have the same outcome both ways: verdict, minute of the verdict, and the
metrics that decided.{differing}

Fail / inconclusive / pass, then the median minute of the fails in memory, and of those through
Prometheus.

| fault | grade | deployments | in memory | through Prometheus | minute | minute | same |
| --- | --- | --- | --- | --- | --- | --- | --- |
{rows}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A deployment's outcome, both ways.

    Attributes:
        fault: What is wrong with it; `None` for a good one.
        row: Its replay from the server.
        look: The look that settled it in memory.
    """

    fault: Fault | None
    row: Row
    look: Look

    @property
    def is_same(self) -> bool:
        """Whether both ways say the same at the same minute for the same reason."""
        # In no order: metrics as strong as each other are told apart by the last digits.
        look, row = self.look, self.row
        theirs = (look.verdict, 60 * look.minute, sorted(look.decided_by))
        ours = (row.verdict, row.seconds_to_decision, sorted(row.decided_by))
        return row.error is None and ours == theirs

    @property
    def label(self) -> Label:
        """Fault and grade."""
        return (self.fault.kind, self.fault.grade) if self.fault else None

    def __str__(self) -> str:
        """Say how the two differ."""
        row, look = self.row, self.look
        served = f"{row.verdict} after {row.seconds_to_decision} s by {', '.join(row.decided_by)}"
        drawn = f"{look.verdict} after {60 * look.minute:g} s by {', '.join(look.decided_by)}"
        return f"{row.id}: {row.error or served} from the server, {drawn} in memory"


def document(seed: int, pairs: Sequence[Pair]) -> str:
    """Write the page."""
    different = [f"- {pair}" for pair in pairs if not pair.is_same]
    labels: list[Label] = [None, *product(Kind, Grade)]
    groups = ((label, [pair for pair in pairs if pair.label == label]) for label in labels)
    return TEMPLATE.format(
        seed=seed,
        count=len(pairs),
        same=len(pairs) - len(different),
        differing="".join(f"\n{line}" for line in ("\n", *different) if different),
        rows="\n".join(_row(label, group) for label, group in groups if group),
    )


def _row(label: Label, pairs: Sequence[Pair]) -> str:
    kind, grade = label or ("none", "")
    ways: Sequence[Outcomes] = (
        [(pair.look.verdict, pair.look.minute) for pair in pairs],
        [(pair.row.verdict, (pair.row.seconds_to_decision or 0) / 60) for pair in pairs],
    )
    same = f"{sum(pair.is_same for pair in pairs)}/{len(pairs)}"
    counts, minutes = [_counts(way) for way in ways], [_minute(way) for way in ways]
    return f"| {' | '.join((kind, grade, str(len(pairs)), *counts, *minutes, same))} |"


def _counts(outcomes: Outcomes) -> str:
    found = [verdict for verdict, _ in outcomes]
    return " / ".join(str(found.count(verdict)) for verdict in VERDICTS)


def _minute(outcomes: Outcomes) -> str:
    minutes = list(_of_fails(outcomes))
    return f"{statistics.median(minutes):g}" if minutes else ""


def _of_fails(outcomes: Outcomes) -> Iterator[float]:
    return (minute for verdict, minute in outcomes if verdict is Verdict.FAIL)
