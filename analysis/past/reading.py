"""Ask a server once for a whole deployment, and cut the looks out of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.config import CanaryConfig
from analysis.errors import SourceError
from analysis.past.deployment import Deployment
from analysis.planning import plan_all, unique_requests
from analysis.sources.keeping import Keeping
from analysis.sources.port import Answers, MetricSource, Progress, Request, no_progress
from analysis.sources.recording import Recording
from analysis.window import Window


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadOnce:
    """A source in front of a server: it asks only for what the whole deployment did not bring.

    Attributes:
        whole: What the server answered for the whole deployment.
        server: Who is asked for the rest: queries that hold `${window}` differ at each look.
    """

    whole: Recording
    server: MetricSource

    @property
    def description(self) -> str:
        """Say who is asked."""
        return self.server.description

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer from what is there, and ask for the rest.

        Raises:
            SourceError: No request could be answered, for one reason that concerns them all.
        """
        found = dict(_from(self.whole, requests))
        missing = [one for one in requests if isinstance(found[one], SourceError)]
        if missing:
            try:
                found.update(self.server.answer(missing, progress=progress))
            except SourceError as error:
                if len(missing) == len(found):
                    raise
                found.update(dict.fromkeys(missing, error))
        return found


def _from(recording: Recording, requests: Sequence[Request]) -> Answers:
    try:
        return recording.answer(requests)
    except SourceError as error:
        return dict.fromkeys(requests, error)


def read_once(
    config: CanaryConfig, server: MetricSource, deployment: Deployment, window: Window
) -> ReadOnce:
    """Ask a server for all that the look at a whole deployment needs.

    Raises:
        ConfigError: A query cannot be rendered, or both sides ask the same.
        SourceError: No request could be answered.
    """
    keeping = Keeping(server)
    variables = deployment.variables
    asks = plan_all(config, window, variables)
    keeping.answer(unique_requests(asks))
    return ReadOnce(whole=keeping.recording(window, variables), server=server)
