"""Whether loops run compiled: with numba (extra `fast`), and where there is enough to do.

The kernels only compare, count, select and divide counts, in the same arithmetic as numpy's forms
beside them, so that results are the same to the last bit.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

# Loading numba and its compiled code takes about half a second: the work of so many values, once.
WORTH_COMPILING = 32_768


def kernels(size: int) -> ModuleType | None:
    """Give the compiled loops for arrays of so many values; `None` where numpy serves better."""
    return _loaded() if size >= WORTH_COMPILING else None


@cache
def _loaded() -> ModuleType | None:
    try:
        from judges.core import kernels as loaded
    except ImportError:
        return None
    return loaded
