"""Series held in memory as they were scraped; selectors are answered as Prometheus does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.errors import SourceError
from analysis.planning import LOOKBACK_S
from analysis.sources.matching import Selector, selector_of
from analysis.sources.port import (
    Answer,
    Answers,
    Array,
    Progress,
    Request,
    RequestKind,
    Series,
    no_progress,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScrapedSeries:
    """A series as it was scraped, with the instants at which it ends.

    Attributes:
        labels: Its labels, the name among them.
        times: Shape (n,), seconds, strictly increasing.
        values: Shape (n,); NaN where it ends.
        ends: Shape (n,): where it is marked as stale.
    """

    labels: Mapping[str, str]
    times: Array
    values: Array
    ends: NDArray[np.bool_]

    def scraped(self, start: float, end: float) -> Series:
        """Give the samples as they were scraped, both bounds included."""
        inside = (self.times >= start) & (self.times <= end) & ~self.ends
        return Series(labels=self.labels, times=self.times[inside], values=self.values[inside])

    def at(self, instants: Array) -> Series:
        """Give what a selector answers at each instant: the newest sample of five minutes.

        As in Prometheus 3, one exactly so old is too old.
        """
        newest = np.searchsorted(self.times, instants, side="right") - 1
        known = newest >= 0
        known[known] = (self.times[newest[known]] > instants[known] - LOOKBACK_S) & ~self.ends[
            newest[known]
        ]
        return Series(labels=self.labels, times=instants[known], values=self.values[newest[known]])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScrapedSource:
    """A file of series as a source; it has no engine for expressions.

    Attributes:
        series: As they were scraped.
        origin: The file, for people.
    """

    series: tuple[ScrapedSeries, ...]
    origin: str
    _by_name: Mapping[str, Sequence[ScrapedSeries]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Sort the series by name: most of them are of another metric than is asked for."""
        by_name: dict[str, list[ScrapedSeries]] = {}
        for one in self.series:
            by_name.setdefault(one.labels.get("__name__", ""), []).append(one)
        object.__setattr__(self, "_by_name", by_name)

    @property
    def description(self) -> str:
        """Say which file it is."""
        return self.origin

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer selectors from the series, and refuse expressions by name."""
        found: dict[Request, Answer | SourceError] = {}
        for request in dict.fromkeys(requests):
            found[request] = self._answer(request)
            progress(len(found), len(requests))
        return found

    def _answer(self, request: Request) -> Answer | SourceError:
        try:
            selector = selector_of(request.query)
        except ValueError as error:
            return SourceError(str(error), code="refused", query=request.query)
        if selector is None:
            text = f"{request.query!r} is an expression, {self.origin} are bare series; {REMEDY}"
            return SourceError(text, code="not_recorded", query=request.query)
        return answer_from(self._selected(selector), request)

    def _selected(self, selector: Selector) -> Iterable[ScrapedSeries]:
        named = self.series if selector.name is None else self._by_name.get(selector.name, ())
        return [one for one in named if selector.selects(one.labels)]


REMEDY = (
    "load the series into a Prometheus (promtool tsdb create-blocks-from openmetrics) and "
    "`serinus record` from there, or save what a server answers to it"
)


def answer_from(selected: Iterable[ScrapedSeries], request: Request) -> Answer:
    """Answer a request with what was selected for it."""
    if request.kind is RequestKind.RANGE:
        instants = instants_of(request)
        found = [one.at(instants) for one in selected]
    else:
        found = [one.scraped(request.start, request.end) for one in selected]
    some = [one for one in found if len(one.times)]
    return Answer(series=tuple(sorted(some, key=lambda one: sorted(one.labels.items()))))


def instants_of(request: Request) -> Array:
    """Give the instants at which an expression is evaluated, epoch seconds."""
    count = round((request.end - request.start) / request.step_s) + 1
    instants: Array = request.start + np.arange(count, dtype=np.float64) * request.step_s
    return instants
