"""A yardstick: by how much a busy machine stretches processor time.

Benchmarks are run on machines that others use too. What they measure, over the yardstick measured
at the same time, is what an idle machine of this kind would need.
"""

from __future__ import annotations

import time

import numpy as np
from scipy import stats

# Of scipy's Mann-Whitney test at 360 steps on this kind of machine with nothing else to do
# (docs/reference/speed.md, 2026-11-25).
ALONE_S, CALLS = 276e-6, 200


def stretched(calls: int = CALLS) -> float:
    """Give the processor time of some tests over what they take on an idle machine."""
    baseline, canary = np.random.default_rng(1).standard_normal((2, 360))
    stats.mannwhitneyu(baseline, canary)
    # Of this thread alone: what is measured may be going on in others.
    start = time.thread_time()
    for _ in range(calls):
        stats.mannwhitneyu(baseline, canary)
    return (time.thread_time() - start) / calls / ALONE_S
