"""A recording: the answers to one deployment's questions, as a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import SourceError
from analysis.sources.port import (
    Answer,
    Answers,
    Progress,
    Request,
    RequestKind,
    Series,
    no_progress,
)
from analysis.window import Window

# In steps: rounding of epoch seconds where a step is a fraction; anything more is another grid.
OFF_GRID = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """One deployment's answers, with the window and variables they belong to.

    Attributes:
        window: The recorded window.
        variables: Values of each side, by side.
        source: Where the answers came from.
        answers: What was asked, and answered.
    """

    window: Window
    variables: Mapping[str, Mapping[str, str]]
    source: str
    answers: Mapping[Request, Answer]
    _alike: Mapping[tuple[RequestKind, str, float], Sequence[Request]] = field(
        init=False, repr=False
    )

    def __post_init__(self) -> None:
        """Find, for each question, over which stretches it was asked."""
        alike: dict[tuple[RequestKind, str, float], list[Request]] = {}
        for request in self.answers:
            alike.setdefault(_question(request), []).append(request)
        object.__setattr__(self, "_alike", alike)

    @property
    def description(self) -> str:
        """Say where the answers came from."""
        return f"recording of {self.source}"

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer from what was recorded; a shorter stretch of a recorded request is cut out."""
        found: dict[Request, Answer | SourceError] = {}
        for request in dict.fromkeys(requests):
            found[request] = self._find(request)
            progress(len(found), len(requests))
        if found and all(isinstance(answer, SourceError) for answer in found.values()):
            raise next(a for a in found.values() if isinstance(a, SourceError))
        return found

    def _find(self, request: Request) -> Answer | SourceError:
        if exact := self.answers.get(request):
            return exact
        for recorded in self._alike.get(_question(request), ()):
            if _covers(recorded, request):
                return _cut(self.answers[recorded], request)
        return SourceError(
            f"the recording holds no answer to {request.query!r}; it was made with another "
            f"configuration, other variables or a shorter window",
            code="not_recorded",
            query=request.query,
        )


def _question(request: Request) -> tuple[RequestKind, str, float]:
    return request.kind, request.query, request.step_s


def _covers(recorded: Request, asked: Request) -> bool:
    """Tell whether a recorded answer to the same question holds all of a shorter stretch."""
    # A recording of one source may be judged by a configuration that has given it a name since.
    if recorded.source not in ("", asked.source):
        return False
    if asked.start < recorded.start or asked.end > recorded.end:
        return False
    if asked.kind is not RequestKind.RANGE:
        return True
    steps = (asked.start - recorded.start) / asked.step_s
    return abs(steps - round(steps)) < OFF_GRID


def _cut(answer: Answer, request: Request) -> Answer:
    cut = []
    for series in answer.series:
        first = int(np.searchsorted(series.times, request.start, side="left"))
        stop = int(np.searchsorted(series.times, request.end, side="right"))
        if stop > first:
            times, values = series.times[first:stop], series.values[first:stop]
            exponential = series.exponential
            cut.append(
                Series(labels=series.labels, times=times, values=values, exponential=exponential)
            )
    return Answer(series=tuple(cut), warnings=answer.warnings, infos=answer.infos)
