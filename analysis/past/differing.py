"""Two configurations at the same deployments: which verdicts flip, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.past.deployment import Truth
from analysis.past.evaluation import Evaluation, evaluate
from analysis.past.rows import MetricRow, Row
from judges import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricChange:
    """A metric that is judged otherwise, is new, or is gone.

    Attributes:
        name: Its name.
        before: What its judge said; `None` where it was not judged.
        after: What it says; `None` where it is not judged.
    """

    name: str
    before: MetricRow | None
    after: MetricRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A deployment whose verdict is another one.

    Attributes:
        before: What became of it.
        after: What becomes of it.
        metrics: The metrics that are judged otherwise.
    """

    before: Row
    after: Row
    metrics: tuple[MetricChange, ...]

    @property
    def is_better(self) -> bool | None:
        """Tell whether the verdict fits the truth better; `None` where nobody knows."""
        truth = self.after.truth
        if truth is None:
            return None
        worth = _WORTH[truth]
        return worth[self.after.verdict] > worth[self.before.verdict]


# How well a verdict fits what is known.
_WORTH: Mapping[Truth, Mapping[Verdict | None, int]] = {
    Truth.GOOD: {Verdict.PASS: 2, Verdict.INCONCLUSIVE: 1, None: 1, Verdict.FAIL: 0},
    Truth.BAD: {Verdict.FAIL: 2, Verdict.INCONCLUSIVE: 1, None: 1, Verdict.PASS: 0},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changes between two configurations.

    Attributes:
        flips: Deployments with another verdict, worse ones first.
        counts: How many went from which verdict to which, those that stayed included.
        sooner: Deployments of the same verdict that are decided sooner.
        later: Deployments of the same verdict that are decided later.
        before: What the one comes to.
        after: What the other comes to.
    """

    flips: tuple[Flip, ...]
    counts: Mapping[tuple[Verdict | None, Verdict | None], int]
    sooner: int
    later: int
    before: Evaluation
    after: Evaluation


def difference(before: Sequence[Row], after: Sequence[Row]) -> Difference:
    """Compare the rows of two replays of the same deployments, in the same order."""
    pairs = list(zip(before, after, strict=True))
    flips = [
        Flip(before=old, after=new, metrics=_changes(old, new))
        for old, new in pairs
        if old.verdict is not new.verdict
    ]
    same = [(_waited(old), _waited(new)) for old, new in pairs if old.verdict is new.verdict]
    return Difference(
        flips=tuple(sorted(flips, key=_worst_first)),
        counts=Counter((old.verdict, new.verdict) for old, new in pairs),
        sooner=sum(new < old for old, new in same),
        later=sum(new > old for old, new in same),
        before=evaluate(before),
        after=evaluate(after),
    )


def _waited(row: Row) -> float:
    return row.seconds_to_decision or 0.0


def _worst_first(flip: Flip) -> tuple[int, str]:
    order = {False: 0, None: 1, True: 2}
    return order[flip.is_better], flip.after.id


def _changes(old: Row, new: Row) -> tuple[MetricChange, ...]:
    before, after = ({metric.name: metric for metric in row.metrics} for row in (old, new))
    names = dict.fromkeys([*after, *before])
    found = [MetricChange(name=n, before=before.get(n), after=after.get(n)) for n in names]
    return tuple(one for one in found if _verdict(one.before) is not _verdict(one.after))


def _verdict(metric: MetricRow | None) -> Verdict | None:
    return metric.verdict if metric else None
