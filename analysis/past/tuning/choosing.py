"""Choose the variant that keeps a budget of false fails and finds most.

A variant keeps the budget if the deployments *show* it (the upper bound of its false fails lies
below), or if it *states* it (its `risk.false_fail` does) and the deployments do not speak against
it. Statements are made by judges that all variants share: where one of them is contradicted, none
is believed, and a budget must be shown.

Of those that keep it, all stay that do not find significantly less than the one that finds most; of
these all that do not pass significantly fewer good deployments than the best; of these all that do
not decide significantly later. What is left differs by chance, and the one with the fewest changes
is taken. But a loss that a few deployments cannot show is no reason to accept it: what finds fewer
than the configuration as it is, is never taken for being sooner.

References:
    Deployments are met by every variant, so two are compared by the deployments on which they
    differ: McNemar, Psychometrika 12 (1947), 153-157, exact and one-sided; for times the sign test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.past.tuning.table import Table

LEVEL = 0.95
AS_IT_IS = 0  # the row of the configuration itself
Array = NDArray[np.float64]


class Keeping(StrEnum):
    """Why a variant is taken to keep the budget."""

    SHOWN = "shown"  # by the deployments
    STATED = "stated"  # by its own risk, which the deployments do not contradict
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The variant chosen on some deployments.

    Attributes:
        index: Which; 0 is the configuration as it is.
        keeping: Why it is taken to keep the budget; `BROKEN` where none keeps it.
    """

    index: int
    keeping: Keeping


@dataclass(frozen=True, slots=True, kw_only=True)
class Chooser:
    """Chooses among variants.

    Attributes:
        budget: Share of good deployments that may fail.
        stated: `risk.false_fail` of each variant.
        sizes: How many values each variant changes.
    """

    budget: float
    stated: Sequence[float]
    sizes: Sequence[int]

    def keepings(self, table: Table) -> list[Keeping]:
        """Tell of each variant whether it keeps the budget on these deployments."""
        good = table.failed[:, table.good]
        believed = self.stated if self.believes(table) else [1.0] * len(self.stated)
        return [
            self._keeping(int(row.sum()), row.size, stated)
            for row, stated in zip(good, believed, strict=True)
        ]

    def believes(self, table: Table) -> bool:
        """Tell whether no variant fails more good ones than it states, by more than chance.

        `LEVEL` holds for all variants together, after Bonferroni. The one that states least tells
        most: of judges whose rates do not hold it fails as many as the others do.
        """
        good = table.failed[:, table.good]
        p = stats.binom.sf(good.sum(axis=1) - 1, good.shape[1], np.asarray(self.stated))
        return bool(np.all(p >= (1 - LEVEL) / len(self.stated)))

    def _keeping(self, fails: int, of: int, stated: float) -> Keeping:
        if of and upper_bound(fails, of) <= self.budget:
            return Keeping.SHOWN
        # As many fails as this are to be expected of one in twenty that keep the budget.
        contradicted = of and stats.binom.sf(fails - 1, of, self.budget) < 1 - LEVEL
        if stated <= self.budget and not contradicted:
            return Keeping.STATED
        return Keeping.BROKEN

    def choose(self, table: Table) -> Choice:
        """Choose on some deployments."""
        keepings = self.keepings(table)
        kept = [index for index, keeping in enumerate(keepings) if keeping is not Keeping.BROKEN]
        if not kept:
            fails = table.failed[:, table.good].sum(axis=1)
            return Choice(index=int(np.argmin(fails)), keeping=Keeping.BROKEN)
        best = _best(table, kept)
        index = min(best, key=lambda one: (self.sizes[one], one))
        return Choice(index=index, keeping=keepings[index])


def _best(table: Table, kept: Sequence[int]) -> list[int]:
    """Leave out, aim after aim, what is significantly worse than the best."""
    aims = (
        table.detected[:, table.is_bad].astype(float),
        table.passed[:, table.good].astype(float),
        -table.decided_s[:, table.good],
    )
    for scores in aims:
        kept = _not_worse(scores, kept)
    return list(kept)


def _not_worse(scores: Array, kept: Sequence[int]) -> list[int]:
    """Keep the rows that do not lose significantly to the row that wins most.

    Nor may a row score less than the configuration as it is, or than the best where that is out:
    of 25 bad deployments four can be lost, one in six, and the loss is not significant.

    Args:
        scores: More is better, shape (variants, deployments).
        kept: Rows that are compared.
    """
    if not scores.shape[1]:
        return list(kept)
    means = scores.mean(axis=1)
    best = max(kept, key=lambda index: (float(means[index]), -index))
    least = means[AS_IT_IS if AS_IT_IS in kept else best]
    lost = (scores < scores[best]).sum(axis=1)
    won = (scores > scores[best]).sum(axis=1)
    # As many losses, or more, among the deployments that tell the two apart.
    p = stats.binom.sf(lost - 1, lost + won, 0.5)
    is_alike = (lost == 0) | (p >= 1 - LEVEL)
    return [index for index in kept if is_alike[index] and means[index] >= least]


def upper_bound(hits: int, of: int) -> float:
    """Give the one-sided upper bound of a share at `LEVEL`.

    References:
        Clopper & Pearson, Biometrika 26 (1934), 404-413.
    """
    return 1.0 if hits >= of else float(stats.beta.ppf(LEVEL, hits + 1, of - hits))


def needed_to_show(budget: float) -> int:
    """Give how many good deployments without a fail it takes to show that a budget is kept."""
    return int(np.ceil(np.log(1 - LEVEL) / np.log1p(-budget)))
