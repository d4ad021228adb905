"""Who watches the queries of a source: nobody, or the traces of the service.

A context variable, as tracing itself uses: every source between the service and the server would
else have to hand a watcher on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from analysis.sources.port import Answer, Request

Tell = Callable[[Answer], None]
# Entered before a query is asked, and left by its error if it has one; what it gives is told the
# answer.
Watch = Callable[[Request], AbstractContextManager[Tell]]


def _told_nothing(_: Answer) -> None:
    return None


def unwatched(_: Request) -> AbstractContextManager[Tell]:
    """Watch nothing."""
    return nullcontext(_told_nothing)


_WATCH: ContextVar[Watch] = ContextVar("watch", default=unwatched)


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Let the queries that are asked within the block be watched."""
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)


def watched(ask: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """Let whoever watches now see what is asked, also from threads that are begun later."""
    watch = _WATCH.get()
    if watch is unwatched:
        return ask

    def asked(request: Request) -> Answer:
        with watch(request) as tell:
            answer = ask(request)
            tell(answer)
            return answer

    return asked
