"""Everything in this process, one chunk after the other: for debuggers and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialEngine:
    """Runs chunks where it is called."""

    @property
    def workers(self) -> int:
        """One chunk runs at a time."""
        return 1

    def __enter__(self) -> Self:
        """Begin; there is nothing to start."""
        return self

    def __exit__(self, *_: object) -> None:
        """End; there is nothing to stop."""

    def map_chunks(
        self, work: Callable[[Sequence[T]], R], chunks: Iterable[Sequence[T]]
    ) -> Iterator[R]:
        """Give the result of each chunk, in order."""
        return map(work, chunks)
