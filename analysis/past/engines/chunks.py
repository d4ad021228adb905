"""How deployments are divided: large enough that handing out is noise, small enough to share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

# A chunk of sixteen takes about a second, of which handing it out takes a thousandth (2026-11-26);
# their recordings are in memory together, about a megabyte each.
LARGEST = 16
# Chunks for each worker at least, so that none waits long for the last one.
SHARE = 4


def chunk_size(items: int, workers: int) -> int:
    """Choose how many items go into a chunk."""
    return max(1, min(LARGEST, items // (SHARE * workers)))


def chunked(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into chunks, in order."""
    return (items[start : start + size] for start in range(0, len(items), size))
