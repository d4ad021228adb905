"""A Ray cluster, the extra `ray`: one that runs already, or processes on this machine."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar

from analysis.errors import ConfigError, SourceError
from analysis.past.engines.port import Lost

T = TypeVar("T")
R = TypeVar("R")

MISSING = "the engine ray needs Ray; install it with: pip install 'serinus[ray]'"
AHEAD = 2
RETRIES = 3


class RayEngine:
    """Runs chunks as Ray's tasks, whose workers import Serinus and read deployments themselves."""

    def __init__(self, *, address: str | None = None, workers: int | None = None) -> None:
        """Choose the cluster.

        Args:
            address: Of one that runs, such as `ray://head:10001` or `auto`; without it processes
                are started on this machine.
            workers: How many; by default as many as there are processors.
        """
        self._address = address
        self._wanted = workers or os.cpu_count() or 1
        self._ray: Any = None

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            ConfigError: Ray is not installed.
            SourceError: The cluster does not answer.
        """
        try:
            import ray
        except ImportError as error:
            raise ConfigError(MISSING) from error
        place: dict[str, Any] = (
            {"address": self._address}
            if self._address
            else {"address": "local", "num_cpus": self._wanted, "include_dashboard": False}
        )
        try:
            ray.init(**place, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError) as error:
            where = self._address or "on this machine"
            message = f"Ray {where} does not answer: {error}; start it, or name another --scheduler"
            raise SourceError(message, code="unreachable") from error
        self._ray = ray
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect, and end what was started."""
        if self._ray is not None:
            self._ray.shutdown()

    @property
    def workers(self) -> int:
        """How many chunks run at a time."""
        resources = self._ray.cluster_resources() if self._ray else {}
        return max(1, int(resources.get("CPU", 1)))

    def map_chunks(
        self, work: Callable[[Sequence[T]], R], chunks: Iterable[Sequence[T]]
    ) -> Iterator[R | Lost]:
        """Give the result of each chunk, in order; see `port.Engine`."""
        if self._ray is None:
            raise ValueError("chunks are mapped within the `with` block")
        run = self._ray.remote(max_retries=RETRIES)(_run)
        shared, waiting, coming = self._ray.put(work), deque[Any](), iter(chunks)
        most = AHEAD * self.workers
        try:
            while True:
                while len(waiting) < most and (chunk := next(coming, None)):
                    waiting.append(run.remote(shared, chunk))
                if not waiting:
                    return
                yield self._result(waiting.popleft())
        finally:
            for reference in waiting:
                self._ray.cancel(reference, force=True)

    def _result(self, reference: Any) -> Any:  # noqa: ANN401 - Ray's references are not generic
        """Wait for a chunk: Ray itself runs it again where a worker is lost."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except (errors.WorkerCrashedError, errors.OutOfMemoryError, errors.NodeDiedError) as error:
            return Lost(tries=RETRIES + 1, why=f"its worker was lost each time: {error}")


def _run(work: Callable[[Sequence[T]], R], chunk: Sequence[T]) -> R:
    return work(chunk)
