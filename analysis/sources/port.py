"""The port every metric source stands behind: requests in, answers out.

An analysis asks for everything it needs in one call, so a source is free to batch, to
parallelize and to show progress; a recording is nothing but the answers kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from analysis.errors import SourceError

Array = NDArray[np.float64]


class RequestKind(StrEnum):
    """How a query is to be evaluated."""

    RANGE = "range"  # an expression, evaluated at every step
    SAMPLES = "samples"  # a selector, answered with the samples as they were scraped
    BUCKETS = "buckets"  # the same of histograms; a native one is answered as a classic one


@dataclass(frozen=True, slots=True, kw_only=True)
class Summing:
    """How samples may be summed by the server where they are too many to be read one by one.

    Attributes:
        step_s: Length of the steps they will be laid on, which end at multiples of it.
        keep: Labels by which the sums are told apart beside `le`, if that can be afforded.
        group: Requests of one group are summed together or not at all, so that both sides of a
            metric are read alike.
    """

    step_s: float
    keep: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a metric source; equal requests have equal answers.

    Attributes:
        kind: How the query is evaluated.
        query: PromQL, ready to be sent.
        start: First instant, epoch seconds; included.
        end: Last instant, epoch seconds; included.
        step_s: Distance of the evaluations in seconds; 0 for all but `RANGE`.
        source: Name of the source that is asked; empty where there is but one.
        summing: How the answer may be summed if it is too large; `None` where it may not.
    """

    kind: RequestKind
    query: str
    start: float
    end: float
    step_s: float = 0.0
    source: str = ""
    summing: Summing | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One series of an answer.

    Attributes:
        labels: Its labels, `__name__` included where the source gave it.
        times: Shape (n,), epoch seconds, strictly increasing.
        values: Shape (n,); NaN and infinities as the source sent them.
        exponential: Whether it is a bucket among buckets that grow by a constant factor, as those
            of native histograms do.
    """

    labels: Mapping[str, str]
    times: Array
    values: Array
    exponential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What a source said to one request.

    Attributes:
        series: The series, in the order of their sorted labels.
        warnings: Reasons to distrust them (partial data, samples left out).
        infos: Remarks on the query that leave the values as they are.
        seconds: How long the source took; 0 where nothing was asked over a network.
    """

    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)


Answers = Mapping[Request, Answer | SourceError]
Progress = Callable[[int, int], None]  # (answered, asked)


def no_progress(answered: int, asked: int, /) -> None:
    """Show nothing."""


class MetricSource(Protocol):
    """Anything that can answer PromQL about the past."""

    @property
    def description(self) -> str:
        """Say what this source is and where, without secrets, for the provenance."""

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer every request, or say of each why it could not be answered.

        Raises:
            SourceError: No request could be answered, for one reason that concerns them all.
        """


@runtime_checkable
class LabelSource(Protocol):
    """A source that can be asked which labels there are, as those who mend a query want to know."""

    def label_values(self, label: str, *, of: str | None, start: float, end: float) -> list[str]:
        """List the values of a label between two instants, epoch seconds.

        Args:
            label: Its name; `__name__` lists the metrics.
            of: Name of the metric whose series are meant; `None` means all.
            start: First instant.
            end: Last instant.

        Raises:
            SourceError: There is no answer.
        """

    def label_names(self, *, of: str, start: float, end: float) -> list[str]:
        """List the labels that any series of a metric has between two instants, epoch seconds.

        Raises:
            SourceError: There is no answer.
        """
