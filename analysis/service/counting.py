"""What is counted at the edges of the service: calls that come, and queries that go out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from analysis.errors import SourceError
from analysis.service.operations import Operations
from analysis.sources.port import Answer, Answers, MetricSource, Progress, Request, no_progress

# A scan for holes must not make a series of every address it tries.
_NO_ROUTE = "none"
# What a caller that went away before the answer is counted under, as proxies do.
_GONE = 499


@dataclass(frozen=True, slots=True)
class CountedCalls:
    """Middleware that counts calls by route and status, and times them.

    Attributes:
        app: What it stands before.
        operations: Where it counts.
    """

    app: ASGIApp
    operations: Operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), _GONE

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            route = getattr(scope.get("route"), "path", _NO_ROUTE)
            self.operations.called(route, status, time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class CountedSource:
    """A source in front of another that counts its answers, and times them.

    Attributes:
        source: Who answers.
        operations: Where it counts.
    """

    source: MetricSource
    operations: Operations

    @property
    def description(self) -> str:
        """Say who answers."""
        return self.source.description

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Pass the answers on.

        Raises:
            SourceError: No request could be answered.
        """
        try:
            answers = self.source.answer(requests, progress=progress)
        except SourceError:
            self.operations.refused(len(requests))
            raise
        for answer in answers.values():
            if isinstance(answer, Answer):
                self.operations.answered(answer.seconds)
            else:
                self.operations.refused(1)
        return answers
