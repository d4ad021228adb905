"""Inline series as a metric source: selectors are answered here, expressions by promtool.

Time starts at 1970-01-01T00:00:00Z, as in promtool's tests: sample i of a series lies i intervals
after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from analysis.errors import SourceError
from analysis.planning import LOOKBACK_S
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
from analysis.testing.matching import selection
from analysis.testing.notation import STALE, Value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InlineSeries:
    """A series with the instants at which it ends.

    Attributes:
        labels: Its labels, the name among them.
        times: Shape (n,), seconds since the start of time, strictly increasing.
        values: Shape (n,); NaN where it ends.
        ends: Shape (n,): where it is marked as stale.
    """

    labels: Mapping[str, str]
    times: Array
    values: Array
    ends: NDArray[np.bool_]

    @classmethod
    def of(cls, labels: Mapping[str, str], values: Sequence[Value], interval_s: float) -> Self:
        """Lay values out in time, one an interval."""
        there = [(i, value) for i, value in enumerate(values) if value is not None]
        numbers = [np.nan if isinstance(value, str) else value for _, value in there]
        return cls(
            labels=labels,
            times=np.array([i * interval_s for i, _ in there], dtype=np.float64),
            values=np.array(numbers, dtype=np.float64),
            ends=np.array([value == STALE for _, value in there], dtype=np.bool_),
        )

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


class Evaluator(Protocol):
    """Whoever can answer expressions about inline series."""

    def evaluate(self, requests: Sequence[Request]) -> Answers:
        """Answer every request, or say of each why it could not be answered."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InlineSource:
    """Series that stand in a file of tests.

    Attributes:
        series: As they would have been scraped.
        given: Answers that stand in the file, by the request they answer.
        evaluator: Who answers expressions; `None` where nobody can.
    """

    series: tuple[InlineSeries, ...]
    given: Mapping[Request, tuple[InlineSeries, ...]]
    evaluator: Evaluator | None

    @property
    def description(self) -> str:
        """Say what this source is."""
        return "inline series"

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer selectors from the series, and have expressions evaluated."""
        found: dict[Request, Answer | SourceError] = {}
        expressions = []
        for request in dict.fromkeys(requests):
            selected = self._selected(request)
            if selected is None:
                expressions.append(request)
            else:
                found[request] = _answer(selected, request)
        if expressions:
            found |= self._evaluated(expressions)
        progress(len(found), len(requests))
        return found

    def _selected(self, request: Request) -> Iterable[InlineSeries] | None:
        if request in self.given:
            return self.given[request]
        selects = selection(request.query)
        return None if selects is None else [one for one in self.series if selects(one.labels)]

    def _evaluated(self, requests: Sequence[Request]) -> Answers:
        if self.evaluator is not None:
            return self.evaluator.evaluate(requests)
        return {one: SourceError(NOBODY, code="not_recorded", query=one.query) for one in requests}


NOBODY = (
    "an expression needs an engine: put promtool on the PATH, or write what it would answer "
    "under answers"
)


def _answer(selected: Iterable[InlineSeries], request: Request) -> Answer:
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
