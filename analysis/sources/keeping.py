"""A source that keeps what another one answered, so that it can be recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from analysis.planning import Variables
from analysis.sources.port import (
    Answer,
    Answers,
    MetricSource,
    Progress,
    Request,
    no_progress,
)
from analysis.sources.recording import Recording
from analysis.window import Window


@dataclass(frozen=True, slots=True, eq=False)
class Keeping:
    """A source in front of another.

    Attributes:
        source: Who answers.
        kept: What was answered so far; questions without an answer are not among them.
    """

    source: MetricSource
    kept: dict[Request, Answer] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """Say who answers."""
        return self.source.description

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Pass the answers on, and keep them."""
        answers = self.source.answer(requests, progress=progress)
        self.kept.update({key: a for key, a in answers.items() if isinstance(a, Answer)})
        return answers

    def recording(self, window: Window, variables: Variables) -> Recording:
        """Give what was kept as the recording of one deployment."""
        return Recording(
            window=window,
            variables={
                side: {name: str(value) for name, value in values.items()}
                for side, values in variables.items()
            },
            source=self.description,
            answers=self.kept,
        )
