"""What past deployments cannot tell, said rather than guessed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from scipy import stats

from analysis.past.evaluation import Rate
from analysis.past.tuning.choosing import LEVEL, Choice, Keeping, needed_to_show
from analysis.past.tuning.validation import HeldOut


class Doubt(StrEnum):
    """What the deployments cannot tell."""

    FEW_GOOD = "few_good"  # too few to show that the budget is kept
    NO_BAD = "no_bad"  # what real faults look like is unknown; injected harm stands for them
    STATEMENT_BROKEN = "statement_broken"  # more good ones fail than the configuration states
    BUDGET_BROKEN = "budget_broken"  # no variant keeps the budget
    PROMISE_BROKEN = "promise_broken"  # on deployments held out the choice breaks it
    NOTHING_BETTER = (
        "nothing_better"  # no variant is better than the configuration by more than chance
    )


def doubts(
    choice: Choice,
    good: int,
    held_out: Sequence[HeldOut],
    budget: float,
    *,
    is_harmed: bool,
    is_believed: bool,
) -> Iterator[Doubt]:
    """Give what the deployments cannot tell.

    Args:
        choice: The variant chosen on all of them.
        good: How many good ones there are.
        held_out: What such choices were worth elsewhere.
        budget: Share of good deployments that may fail.
        is_harmed: Whether bad deployments are harmed copies of good ones.
        is_believed: Whether the deployments bear out what the variants state.
    """
    if good < needed_to_show(budget):
        yield Doubt.FEW_GOOD
    if is_harmed:
        yield Doubt.NO_BAD
    if not is_believed:
        yield Doubt.STATEMENT_BROKEN
    if choice.keeping is Keeping.BROKEN:
        yield Doubt.BUDGET_BROKEN
    elif any(_is_beyond(one.false_fails, budget) for one in held_out):
        yield Doubt.PROMISE_BROKEN
    if choice.index == 0:
        yield Doubt.NOTHING_BETTER


def _is_beyond(fails: Rate, budget: float) -> bool:
    """Tell whether so many fails are more than chance within the budget."""
    return bool(fails.of and stats.binom.sf(fails.hits - 1, fails.of, budget) < 1 - LEVEL)
