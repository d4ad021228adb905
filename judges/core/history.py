"""What a history tells of the noise: its dependence, from many windows instead of one.

A window sees nothing that is slower than itself. Two groups of the stable version differ by noise
alone, so the means of all windows in their past show what a mean of that length really varies by.

Every overlapping window counts; over T steps they vary by 1 - n / T of what they would over an
endless past (the mean of all is taken from them), and that is undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judges.core.dependence import Array, LongRuns

# A history of fewer windows says too little of them: at 6 (1440 steps, windows of 240) 7 to 9 % of
# good canaries fail at a nominal 5 %, at 24 and more 1 to 5 %.
LEAST_WINDOWS = 20
# An influence is of size 1; what varies by less than 1e-14 of it is rounding.
_ROUNDING = 1e-28


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Memory:
    """The past of one metric's effect.

    Attributes:
        series: Shape (T,): each step's part in the difference between two groups of the stable
            version, on the scale of the judge's own; centred, without gaps.
    """

    series: Array

    @classmethod
    def of(cls, influence: Array) -> Memory:
        """Remember an influence series of shape (T,), T > 0, centred or not."""
        return cls(series=influence - influence.mean())

    @classmethod
    def nothing(cls) -> Memory:
        """Remember a past that cannot be used: it has no step."""
        return cls(series=np.empty(0))

    @property
    def steps(self) -> int:
        """Usable steps of the history."""
        return len(self.series)

    def inflation(self, n: int) -> float | None:
        """Give the factor by which dependence inflates the variance of a mean of n steps.

        Returns:
            At least 1; `None` where the history is shorter than 20 windows, or does not vary.
        """
        if self.steps < LEAST_WINDOWS * n:
            return None
        power = float(np.mean(self.series * self.series))
        if power <= _ROUNDING:
            return None
        sums = np.concatenate(([0.0], np.cumsum(self.series)))
        means = (sums[n:] - sums[:-n]) / n
        varied = n * float(np.mean(means * means)) / power
        return max(varied / (1 - n / self.steps), 1.0)

    def details(self, n: int) -> Mapping[str, float | int | str | None]:
        """Say how long the history is, and whether a window of n steps is judged by it."""
        used = "unused" if self.inflation(n) is None else "used"
        return {"history": used, "history_steps": self.steps}

    def remark(self, n: int) -> str | None:
        """Say why a window of n steps is judged without the history; `None` where it is not."""
        if self.inflation(n) is not None:
            return None
        if (needed := LEAST_WINDOWS * n) <= self.steps:
            return "the history does not vary, and tells nothing: judged without it"
        return (
            f"the history has {self.steps} usable steps, {needed} are needed for a window of {n}: "
            f"judged without it"
        )


Memories = Sequence[Memory | None]


def informed(runs: LongRuns, n: int, memories: Memories) -> LongRuns:
    """Take the dependence of windows of n steps from the past, where one is known.

    Args:
        runs: What the windows say themselves.
        n: Their steps.
        memories: The past of each row; none at all where nothing is remembered.
    """
    if not any(memories):
        return runs
    found = (None if memory is None else memory.inflation(n) for memory in memories)
    return runs.informed(n, np.array([np.nan if one is None else one for one in found]))
