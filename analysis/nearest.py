"""What is said of an unknown name: the nearest one that is known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# More names than this are no help to anybody who mistyped one.
MOST_LISTED = 30


def remedy(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest known name, or list them.

    Examples:
        >>> remedy("isto", ["istio", "kong"]), remedy("x", ["istio", "kong"])
        ("did you mean 'istio'?", 'known are istio, kong')
    """
    names = list(known)
    if near := difflib.get_close_matches(name, names, n=1):
        return f"did you mean '{near[0]}'?"
    listed = names[:MOST_LISTED]
    return f"known are {', '.join(listed)}{' …' if len(listed) < len(names) else ''}"
