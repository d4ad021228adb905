"""Inline series as a metric source: selectors are answered here, expressions by promtool.

Time starts at 1970-01-01T00:00:00Z, as in promtool's tests: sample i of a series lies i intervals
after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from analysis.errors import SourceError
from analysis.sources.matching import selection
from analysis.sources.port import Answer, Answers, Progress, Request, no_progress
from analysis.sources.scraped import ScrapedSeries, answer_from
from analysis.testing.notation import STALE, Value


def laid_out(
    labels: Mapping[str, str], values: Sequence[Value], interval_s: float
) -> ScrapedSeries:
    """Lay values out in time, one an interval."""
    there = [(i, value) for i, value in enumerate(values) if value is not None]
    numbers = [np.nan if isinstance(value, str) else value for _, value in there]
    return ScrapedSeries(
        labels=labels,
        times=np.array([i * interval_s for i, _ in there], dtype=np.float64),
        values=np.array(numbers, dtype=np.float64),
        ends=np.array([value == STALE for _, value in there], dtype=np.bool_),
    )


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

    series: tuple[ScrapedSeries, ...]
    given: Mapping[Request, tuple[ScrapedSeries, ...]]
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
                found[request] = answer_from(selected, request)
        if expressions:
            found |= self._evaluated(expressions)
        progress(len(found), len(requests))
        return found

    def _selected(self, request: Request) -> Iterable[ScrapedSeries] | None:
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
