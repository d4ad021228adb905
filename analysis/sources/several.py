"""Several sources behind one: every request goes to the source that it names."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from analysis.errors import SourceError
from analysis.sources.port import Answer, Answers, MetricSource, Progress, Request, no_progress

Outcome = Answers | Exception


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Several:
    """Sources by name, asked at the same time: the slowest decides how long it takes.

    Attributes:
        sources: Each source by its name.
    """

    sources: Mapping[str, MetricSource]

    @property
    def description(self) -> str:
        """Say what each of them is."""
        return "; ".join(f"{name}: {one.description}" for name, one in self.sources.items())

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer every request, or say of each why it could not be answered.

        Raises:
            SourceError: No source could answer any request.
        """
        shares: dict[str, list[Request]] = {}
        for request in dict.fromkeys(requests):
            shares.setdefault(request.source, []).append(request)
        outcomes = self._outcomes(shares, _Together(progress, sum(map(len, shares.values()))))
        faults = [one for one in outcomes.values() if isinstance(one, SourceError)]
        if faults and len(faults) == len(shares):
            raise faults[0]
        answers: dict[Request, Answer | SourceError] = {}
        for name, outcome in outcomes.items():
            if isinstance(outcome, SourceError):
                answers |= dict.fromkeys(shares[name], outcome)
            elif isinstance(outcome, Exception):
                raise outcome
            else:
                answers |= outcome
        return answers

    def _outcomes(
        self, shares: Mapping[str, Sequence[Request]], together: _Together
    ) -> dict[str, Outcome]:
        """Ask every source on a thread of its own, which never holds up the end of the program."""
        done: SimpleQueue[tuple[str, Outcome]] = SimpleQueue()

        def ask(name: str) -> None:
            try:
                source, progress = self.sources[name], together.of(name)
                outcome: Outcome = source.answer(shares[name], progress=progress)
            except Exception as error:  # noqa: BLE001 - the thread that asked raises it
                outcome = error
            done.put((name, outcome))

        for name in shares:
            threading.Thread(target=ask, args=(name,), daemon=True, name="source").start()
        found = dict(done.get() for _ in shares)
        return {name: found[name] for name in shares}


class _Together:
    """The progress of all sources, told as that of one."""

    def __init__(self, progress: Progress, asked: int) -> None:
        self._progress = progress
        self._asked = asked
        self._answered: dict[str, int] = {}
        self._one_by_one = threading.Lock()

    def of(self, name: str) -> Progress:
        """Make the progress of one source."""

        def tell(answered: int, _: int) -> None:
            with self._one_by_one:
                self._answered[name] = answered
                self._progress(sum(self._answered.values()), self._asked)

        return tell
