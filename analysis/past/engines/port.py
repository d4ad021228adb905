"""The port of the engines: the same work on many chunks, wherever there is room for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What became of a chunk that ended every worker it was given to.

    Attributes:
        tries: How many workers it cost.
        why: What is known of their end.
    """

    tries: int
    why: str


class Engine(AbstractContextManager["Engine"], Protocol):
    """Runs work on chunks; workers live as long as the `with` block."""

    @property
    def workers(self) -> int:
        """How many chunks run at a time."""

    def map_chunks(
        self, work: Callable[[Sequence[T]], R], chunks: Iterable[Sequence[T]]
    ) -> Iterator[R | Lost]:
        """Give the result of each chunk, in the order of the chunks.

        The chunk of a worker that is lost runs again on another one. What `work` raises is raised
        here. Leaving the iterator early, as Ctrl-C does, ends what is under way.

        Args:
            work: Picklable, and the same for every chunk: what it returns may not depend on which
                worker it runs on, nor on what ran there before.
            chunks: Taken one by one, a few ahead of the results.
        """
