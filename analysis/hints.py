"""Why a query may have matched nothing: which name or value of it the server has never heard of."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from analysis.errors import SourceError
from analysis.selectors import NAME, Matcher, Selector, selectors_in
from analysis.sources.port import LabelSource

# So many names are enough to recognize one's own among them.
MOST_SHOWN = 5
# A query of more selectors than this is explained by the first of them.
MOST_SELECTORS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guide:
    """What a server knows by name, between two instants; each thing is asked for once.

    Attributes:
        source: The server.
        start: First instant, epoch seconds.
        end: Last instant, epoch seconds.
    """

    source: LabelSource
    start: float
    end: float
    _known: dict[tuple[str, ...], list[str]] = field(default_factory=dict, init=False, repr=False)

    def hints(self, query: str, *, names_only: bool = False) -> tuple[str, ...]:
        """Say of each selector of a query what it names that is not there.

        Args:
            query: What matched nothing.
            names_only: Whether nothing but a wrong name of a metric would be strange.
        """
        selectors = selectors_in(query)[:MOST_SELECTORS]
        try:
            return tuple(
                hint for one in selectors if (hint := self._hint(one, names_only=names_only))
            )
        except SourceError:
            return ()  # a courtesy: what matters has been said by the queries themselves

    def _hint(self, selector: Selector, *, names_only: bool) -> str | None:
        metrics = self._ask((NAME,), lambda: self._values(NAME, of=None))
        if selector.name not in metrics:
            return f"no metric is called {selector.name}{_near(selector.name, metrics, all_=False)}"
        if names_only:
            return None
        return next(self._strange(selector), None) or (
            f"{selector.name} exists, but no series of it meets all conditions at once"
            if selector.matchers
            else None
        )

    def _strange(self, selector: Selector) -> Iterator[str]:
        name = selector.name
        labels = self._ask((NAME, name), lambda: self._labels(name))
        for matcher in selector.matchers:
            if matcher.fits(""):
                continue  # what is not there has the empty value
            if matcher.label not in labels:
                yield f"{name} has no label {matcher.label}{_near(matcher.label, labels)}"
                continue
            values = self._values_of(matcher, name)
            if not any(matcher.fits(value) for value in values):
                yield f"{name} has no {matcher}{_near(matcher.value, values)}"

    def _values_of(self, matcher: Matcher, name: str) -> list[str]:
        label = matcher.label
        return self._ask((name, label), lambda: self._values(label, of=name))

    def _values(self, label: str, *, of: str | None) -> list[str]:
        return self.source.label_values(label, of=of, start=self.start, end=self.end)

    def _labels(self, name: str) -> list[str]:
        found = self.source.label_names(of=name, start=self.start, end=self.end)
        return [label for label in found if label != NAME]

    def _ask(self, key: tuple[str, ...], ask: Callable[[], list[str]]) -> list[str]:
        if key not in self._known:
            self._known[key] = ask()
        return self._known[key]


def _near(wanted: str, known: Sequence[str], *, all_: bool = True) -> str:
    """Name what is nearest, or what else there is."""
    near = difflib.get_close_matches(wanted, known, n=MOST_SHOWN)
    shown = near or (list(known[:MOST_SHOWN]) if all_ else [])
    if not shown:
        return ""
    more = ", …" if not near and len(known) > len(shown) else ""
    return f"; {'did you mean' if near else 'it has'} {', '.join(shown)}{more}" + "?" * bool(near)
