"""What earlier looks would have shown: evidence over time, from the data of this one.

Every look recomputes from the window's start, so an earlier look is this one with fewer steps; a
scrape that was still on its way then is the only difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import judges
from judges import Evidence, Judge, Looks, Sample

Array = NDArray[np.float64]

# As many as a chart can show apart.
USUAL_LOOKS = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """Evidence over looks, each of shape (looks,).

    Attributes:
        times: Newest data of each look, epoch seconds.
        harm: Natural logarithm of the e-value of harm beyond the tolerance; NaN without one.
        safety: The same of harm being within the margin.
    """

    times: Array
    harm: Array
    safety: Array


def retrace(
    rules: Sequence[Judge], samples: Sequence[Sample], edges: Array, count: int
) -> list[Trace | None]:
    """Judge what each earlier look would have judged.

    Args:
        rules: A judge for each sample.
        samples: What they judge, all on the same steps.
        edges: Bounds of the steps, epoch seconds, shape (steps + 1,).
        count: How many looks, evenly spaced, the last of them this one.

    Returns:
        A trace for each judge whose evidence may be looked at any number of times, else `None`.
    """
    asked = [place for place, rule in enumerate(rules) if _accumulates(rule)]
    ends = _ends(len(edges) - 1, count)
    shape = (len(asked), len(ends))
    harm, safety = np.full(shape, np.nan), np.full(shape, np.nan)
    for look, end in enumerate(ends):
        parts = [samples[place].part(0, end) for place in asked]
        for row, judgment in enumerate(judges.judge_many([rules[p] for p in asked], parts)):
            harm[row, look] = _log_e(judgment.harm)
            safety[row, look] = _log_e(judgment.safety)
    found: list[Trace | None] = [None] * len(rules)
    for row, place in enumerate(asked):
        if np.isfinite(harm[row]).any():
            found[place] = Trace(times=edges[ends], harm=harm[row], safety=safety[row])
    return found


def _accumulates(rule: Judge) -> bool:
    return getattr(rule, "looks", None) is Looks.ANYTIME


def _ends(steps: int, count: int) -> list[int]:
    """Space looks evenly, each after some whole steps, the last after all."""
    places = np.linspace(0, steps, min(count, steps) + 1)[1:]
    return sorted({round(place) for place in places.tolist()})


def _log_e(evidence: Evidence | None) -> float:
    if evidence is None or evidence.log_e is None:
        return np.nan
    return evidence.log_e


def together(traces: Sequence[tuple[Trace, float]]) -> Trace | None:
    """Weigh the evidence of harm of many metrics, each with its part of the budget.

    A metric without evidence at a look counts as none at all, as the rollout's decision has it.
    """
    if not traces:
        return None
    harms = [np.log(part) + np.nan_to_num(trace.harm, nan=-np.inf) for trace, part in traces]
    mixed = np.logaddexp.reduce(harms)
    times = traces[0][0].times
    return Trace(times=times, harm=mixed, safety=np.full(len(times), np.nan))
