"""The versions of a configuration, and what differs between two of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.config.load import short
from analysis.service.catalog import Entry
from analysis.service.context import Service
from analysis.service.tokens import Token
from analysis.store import Filter, Version

MOST_LISTED = 50
_KINDS = {"+": "added", "-": "removed", "@": "place"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A version as the page lists it.

    Attributes:
        digest: Which version it is.
        text: What the configuration said.
        first_used: When an analysis was begun with it, epoch seconds; `None` where none was yet.
        last_used: When the latest one was.
        analyses: Analyses that are kept here and were begun with it.
        is_current: Whether it is what the configuration says now.
    """

    digest: str
    text: str
    first_used: float | None = None
    last_used: float | None = None
    analyses: int = 0
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs between two versions.

    Attributes:
        left: Digest that was chosen as the older one; empty where none was.
        right: Digest that was chosen as the newer one.
        lines: Lines of a unified diff, each with its kind: `added`, `removed`, `place` or nothing.
        error: Why there is none.
    """

    left: str = ""
    right: str = ""
    lines: Sequence[tuple[str, str]] = ()
    error: str = ""


def listed(service: Service, name: str, entry: Entry | None, token: Token) -> list[Listed]:
    """List what analyses were begun with, the one that was used last first, and what it is now.

    Args:
        service: Whose versions.
        name: Of the configuration.
        entry: What it says now; `None` where it has faults.
        token: Whose analyses are counted.
    """
    now = entry.version if entry else ""
    uses = service.versions.uses(name, token.seen(Filter()).namespaces)
    used = [
        _listed(one, uses.get(one.version, 0), is_current=one.version == now)
        for one in service.versions.of(name, MOST_LISTED)
    ]
    if entry is None or any(one.is_current for one in used):
        return used
    return [Listed(digest=now, text=entry.text, is_current=True), *used]


def _listed(version: Version, analyses: int, *, is_current: bool) -> Listed:
    return Listed(
        digest=version.version,
        text=version.text,
        first_used=version.first_used,
        last_used=version.last_used,
        analyses=analyses,
        is_current=is_current,
    )


def difference(versions: Sequence[Listed], left: str, right: str) -> Difference:
    """Compare two of the versions; without a choice, propose the two newest and compare nothing."""
    digests = [one.digest for one in versions]
    if not (left or right):
        newer, older = (*digests, "", "")[:2]
        return Difference(left=older, right=newer)
    chosen = Difference(left=left, right=right)
    for digest in (left, right):
        if digest not in digests:
            what = f"there is no version {short(digest)!r}" if digest else "one version is missing"
            return _refused(chosen, f"{what}; choose two of those below")
    if left == right:
        return _refused(chosen, f"both are the version {short(left)}; choose another for one")
    texts = {one.digest: one.text for one in versions}
    lines = list(_compared(texts[left], texts[right], short(left), short(right)))
    return Difference(left=left, right=right, lines=lines)


def _refused(chosen: Difference, error: str) -> Difference:
    return Difference(left=chosen.left, right=chosen.right, error=error)


def _compared(left: str, right: str, was: str, becomes: str) -> Iterator[tuple[str, str]]:
    sides = left.splitlines(), right.splitlines()
    for place, line in enumerate(difflib.unified_diff(*sides, was, becomes, lineterm="")):
        # The first two lines name the sides; a line that was taken out may look like them.
        yield line, "" if place < 2 else _KINDS.get(line[:1], "")
