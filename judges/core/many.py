"""Judge many metrics at once: those with as many steps, judged alike, go through together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Protocol, TypeVar

from judges.core.judgment import Judgment

# Rows times steps that go through together: a dozen arrays of 2 MB fit a processor's cache.
MOST_CELLS = 262_144


class Prepared(Protocol):
    """A metric ready to be compared."""

    @property
    def n(self) -> int:
        """Steps known on both sides."""

    @property
    def alike(self) -> Hashable:
        """What must be equal for two metrics to go through together, beside the steps."""


P = TypeVar("P", bound=Prepared)


def judge_all(
    prepared: Sequence[Judgment | P], compare: Callable[[Sequence[P]], Sequence[Judgment]]
) -> list[Judgment]:
    """Compare what is ready, together where that is possible, in the order given.

    Args:
        prepared: Metrics ready to be compared, or their judgment where there is nothing to compare.
        compare: Judges metrics of one group.
    """
    judged: dict[int, Judgment] = {}
    groups: dict[Hashable, list[tuple[int, P]]] = {}
    for place, one in enumerate(prepared):
        if isinstance(one, Judgment):
            judged[place] = one
        else:
            groups.setdefault((one.n, one.alike), []).append((place, one))
    for group in groups.values():
        for block in _blocks(group):
            found = compare([one for _, one in block])
            judged |= dict(zip((place for place, _ in block), found, strict=True))
    return [judged[place] for place in range(len(prepared))]


def _blocks(group: Sequence[tuple[int, P]]) -> Iterator[Sequence[tuple[int, P]]]:
    size = max(1, MOST_CELLS // max(group[0][1].n, 1))
    return (group[start : start + size] for start in range(0, len(group), size))
