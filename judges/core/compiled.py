"""Whether loops run compiled: with numba (extra `fast`), and where there is enough to do.

The kernels only compare, count, select and divide counts, in the same arithmetic as numpy's forms
beside them, so that results are the same to the last bit.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

import numpy as np

Loops = ModuleType | None
_asked = [0]  # values so far in this process; it changes how soon results come, and no result

# Loading numba and its compiled code takes about half a second: the work of so many values, once.
WORTH_COMPILING = 32_768
# glibc's malloc keeps freed memory up to twice the largest block ever freed, of at most 32 MB. What
# it gives back, it maps anew for the next array, page by page: a sixth of the time (2026-11-25).
KEPT = 2**25 - 2**16


def kernels(size: int) -> Loops:
    """Give the compiled loops for so many values; `None` where numpy serves better.

    Many small calls are as much work as a large one: those that came before count too.
    """
    _asked[0] = min(_asked[0] + size, 2 * WORTH_COMPILING)
    return _loaded() if _asked[0] >= WORTH_COMPILING else None


@cache
def _loaded() -> Loops:
    try:
        from judges.core import kernels as loaded
    except ImportError:
        return None
    np.empty(KEPT, dtype=np.uint8)  # freed at once, and never touched
    return loaded
