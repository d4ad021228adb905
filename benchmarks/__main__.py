"""Measure speed as ratios within one run: `make bench`.

The peer does as much as `mann_whitney` reports: scipy's Mann-Whitney test, and the median of all
differences. Repetitions alternate, so that a machine that speeds up or slows down does so for both.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from scipy import stats

import judges
from judges import Sample

LENGTHS = {60: 40, 360: 20, 1440: 8, 4320: 4}  # steps, repetitions
SEED = 1


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_mb(work: Callable[[], object]) -> float:
    """Give the peak of memory allocated during one call, in MB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def peer(baseline: np.ndarray, canary: np.ndarray) -> float:
    """Test and estimate as a notebook would."""
    stats.mannwhitneyu(canary, baseline)
    return float(np.median(np.subtract.outer(canary, baseline)))


def main() -> None:
    """Print the table."""
    print("mann_whitney (estimate, interval, test) against scipy.stats.mannwhitneyu")
    print("and the median of numpy.subtract.outer; medians of alternating repetitions\n")
    print("     n   judge ms    peer ms  judge/peer  judge MB  peer MB")
    judge = judges.create("mann_whitney")
    for n, repetitions in LENGTHS.items():
        rng = np.random.default_rng([SEED, n])
        baseline, canary = np.exp(0.15 * rng.standard_normal((2, n)))
        sample = Sample.of_values(baseline, canary)
        works: list[Callable[[], object]] = [
            lambda sample=sample: judge.judge(sample),  # type: ignore[misc]  # bound at once
            lambda b=baseline, c=canary: peer(b, c),  # type: ignore[misc]
        ]
        for work in works:
            work()
        times = [[seconds(work) for work in works] for _ in range(repetitions)]
        ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
        ratio = statistics.median(a / b for a, b in times)
        memory = [peak_mb(work) for work in works]
        print(
            f"{n:>6} {1e3 * ours:>10.2f} {1e3 * theirs:>10.2f} {ratio:>11.2f} "
            f"{memory[0]:>9.1f} {memory[1]:>8.1f}"
        )


if __name__ == "__main__":
    main()
