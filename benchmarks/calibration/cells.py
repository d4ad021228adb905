"""A cell: a world, those who judge it, and how often each of their answers came."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.calibration import Rate

Rng = np.random.Generator
# By name: of each replicate whether it happened, or the step at which it did (NaN: never).
Outcomes = Mapping[str, NDArray[np.bool_] | NDArray[np.float64]]

# Constants of the judges are tuned on the first seeds, and reported on the last alone.
TUNING_SEEDS = range(1, 8)
REPORTED_SEED = 20_261_122
# Replicates drawn and judged together: few enough to fit in memory, many enough to share the work.
BLOCK = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The step at which something happened; never is later than any step.

    Attributes:
        median: Median over all replicates; infinite if most never got there.
        low: Lower end of the 95 % interval of the median.
        high: Upper end.
        of: Replicates.
    """

    median: float
    low: float
    high: float
    of: int

    @classmethod
    def of_steps(cls, steps: NDArray[np.float64]) -> Delay:
        """Take the median and its interval by order statistics."""
        n = len(steps)
        ordered = np.sort(np.where(np.isnan(steps), np.inf, steps))
        reach = 0.98 * math.sqrt(n)  # half of 1.96 standard deviations of a fair coin
        low, middle, high = n / 2 - reach, (n - 1) / 2, n / 2 + reach
        places = (max(math.floor(low), 0), math.floor(middle), min(math.ceil(high), n - 1))
        return cls(
            low=float(ordered[places[0]]),
            median=float(ordered[places[1]]),
            high=float(ordered[places[2]]),
            of=n,
        )

    def __str__(self) -> str:
        """Write the median: `35`, or `never`."""
        return f"{self.median:g}" if math.isfinite(self.median) else "never"


class Named(Protocol):
    """Who judges, one metric or whole rollouts: the cell that asks knows how."""

    @property
    def name(self) -> str:
        """Heading of the column."""


Count = Callable[[Rng, int, Sequence[Any]], Outcomes]
Measured = Rate | Delay
Results = Mapping[str, Measured]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A row of a table.

    Attributes:
        table: The table's name.
        key: What the row is about; no two rows of a table have the same.
        contestants: Who judges.
        count: Draws a block of replicates, lets them judge it, and gives what happened.
    """

    table: str
    key: tuple[str, ...]
    contestants: tuple[Named, ...]
    count: Count

    @property
    def name(self) -> str:
        """The cell's name, for people and for files."""
        return "/".join((self.table, *self.key))

    def only(self, *names: str) -> Cell:
        """Give the same cell with some of the contestants; their results stay the same."""
        kept = tuple(one for one in self.contestants if one.name in names)
        return replace(self, contestants=kept)


def outcomes(cell: Cell, *, seed: int, replicates: int) -> Outcomes:
    """Draw the replicates of a cell, block by block, and give what happened in each.

    Each cell has its own stream, so that no figure depends on which other cells were measured.
    """
    rng = np.random.default_rng([seed, zlib.crc32(cell.name.encode())])
    sizes = [min(BLOCK, replicates - start) for start in range(0, replicates, BLOCK)]
    blocks = [cell.count(rng, size, cell.contestants) for size in sizes]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def measure(cell: Cell, *, seed: int, replicates: int) -> dict[str, Measured]:
    """Sum up what happened in the replicates of a cell."""
    found = outcomes(cell, seed=seed, replicates=replicates)
    return {name: _measured(happened) for name, happened in found.items()}


def _measured(happened: NDArray[np.bool_] | NDArray[np.float64]) -> Measured:
    if happened.dtype == np.bool_:
        return Rate(hits=int(happened.sum()), of=len(happened))
    return Delay.of_steps(happened.astype(np.float64))
