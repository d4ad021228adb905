"""A recorded deployment as a source, which can be down or slow."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from analysis.errors import SourceError
from analysis.sources import recording as recordings
from analysis.sources.port import Answers, Progress, Request, no_progress
from tests.support.corpus import RECORDINGS


@dataclass
class Tape:
    """A recorded deployment.

    Attributes:
        name: Which.
        is_down: Whether it answers nothing.
        calls: How often it was asked.
        gate: Until it is set, nobody gets an answer.
    """

    name: str
    is_down: bool = False
    calls: int = 0
    gate: threading.Event | None = None
    description: str = "a tape"
    _recording: recordings.Recording = field(init=False)

    def __post_init__(self) -> None:
        """Read the recording."""
        self._recording = recordings.load(RECORDINGS / self.name)

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer from the recording."""
        self.calls += 1
        if self.gate is not None:
            self.gate.wait(30)
        if self.is_down:
            raise SourceError("http://prometheus refused the connection", code="unreachable")
        return self._recording.answer(requests, progress=progress)
