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
R = TypeVar("R")
T = TypeVar("T")


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


def together(lengths: Sequence[int]) -> Iterator[Sequence[int]]:
    """Give places of equal length, few enough to go through together."""
    groups: dict[int, list[int]] = {}
    for place, n in enumerate(lengths):
        groups.setdefault(n, []).append(place)
    for n, places in groups.items():
        yield from _parts(places, n)


def of_each(rules: Sequence[R], give: Callable[[R], T]) -> list[T]:
    """Give something of each rule, found once for a rule that many metrics share."""
    found = {key: give(rule) for key, rule in {id(rule): rule for rule in rules}.items()}
    return [found[id(rule)] for rule in rules]


def _blocks(group: Sequence[tuple[int, P]]) -> Iterator[Sequence[tuple[int, P]]]:
    return _parts(group, group[0][1].n)


def _parts(group: Sequence[T], n: int) -> Iterator[Sequence[T]]:
    size = max(1, MOST_CELLS // max(n, 1))
    return (group[start : start + size] for start in range(0, len(group), size))
