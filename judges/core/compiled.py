"""The loops that a compiler makes fast: counting and selecting, exact in either form.

With numba installed (extra `fast`) they are compiled; without it numpy does the same work. Both
only compare, count and select, so the results are the same to the last bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


def places(baseline: Array, canary: Array, tie: float) -> tuple[Indices, Indices]:
    """Count for each canary value the baseline values below it, and those up to it.

    Args:
        baseline: Shape (m, n), each row ascending.
        canary: Shape (m, k), each row ascending.
        tie: Values closer than this are equal.

    Returns:
        Shape (m, k) each: how many are smaller, and how many are smaller or equal.
    """
    below, up_to = np.empty(canary.shape, dtype=np.intp), np.empty(canary.shape, dtype=np.intp)
    lower, upper = canary - tie, canary + tie
    for row, values in enumerate(baseline):
        below[row] = values.searchsorted(lower[row], side="left")
        up_to[row] = values.searchsorted(upper[row], side="right")
    return below, up_to
