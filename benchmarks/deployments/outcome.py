"""What became of a deployment under one rule: the first fail holds, else the last look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from judges import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The answer at one look.

    Attributes:
        minute: When.
        verdict: What.
        decided_by: Names of the metrics that decided.
    """

    minute: float
    verdict: Verdict
    decided_by: tuple[str, ...] = ()


def outcome_of(looks: Sequence[Look]) -> Look:
    """Give the look that settles a deployment: a controller rolls back at the first fail.

    A pass promotes only at the end: before it, harm that begins late would be promoted.
    """
    fails = (look for look in looks if look.verdict is Verdict.FAIL)
    return next(fails, looks[-1])
