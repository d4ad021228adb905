"""Record deployments as `serinus record` does, from the series they expose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.config import CanaryConfig
from analysis.errors import SourceError
from analysis.past.deployment import Deployment as Past
from analysis.past.looks import Schedule
from analysis.past.recording import record
from analysis.sources.port import (
    Answer,
    Answers,
    MetricSource,
    Progress,
    Request,
    Series,
    no_progress,
)
from analysis.sources.recording import Recording
from benchmarks.deployments.exposed import Recorded

SUM = "sum("


@dataclass(frozen=True, slots=True, kw_only=True)
class Summing:
    """A source of bare series that can also add up a selector: `sum(…)` and nothing more.

    Attributes:
        series: Who answers selectors.
    """

    series: MetricSource

    @property
    def description(self) -> str:
        """Say whose series they are."""
        return self.series.description

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer selectors, and sums of them."""
        bare = {one: _bare(one) for one in requests}
        found = self.series.answer(list(bare.values()), progress=progress)
        return {
            one: found[asked] if asked is one else _sum_of(found[asked])
            for one, asked in bare.items()
        }


def _bare(request: Request) -> Request:
    if not request.query.startswith(SUM):
        return request
    selector = request.query.removeprefix(SUM).removesuffix(")")
    return replace(request, query=selector)


def _sum_of(answer: Answer | SourceError) -> Answer | SourceError:
    if isinstance(answer, SourceError) or not answer.series:
        return answer
    times, place = np.unique(
        np.concatenate([one.times for one in answer.series]), return_inverse=True
    )
    values = np.concatenate([one.values for one in answer.series])
    total = np.bincount(place, weights=values).astype(np.float64)
    return Answer(series=(Series(labels={}, times=times, values=total),))


def recording_of(one: Recorded, past: Past, config: CanaryConfig) -> Recording:
    """Record all that any look at a deployment needs."""
    return record(config, Summing(series=one.source()), past, Schedule())
