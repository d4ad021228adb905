"""A Dask cluster, the extra `dask`: one that runs already, or processes on this machine."""

from __future__ import annotations

import importlib
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Self, TypeVar

from analysis.errors import ConfigError, SourceError
from analysis.past.engines.port import Lost

T = TypeVar("T")
R = TypeVar("R")

MISSING = "the engine dask needs distributed; install it with: pip install 'serinus[dask]'"
AHEAD = 2
CONNECTS_WITHIN_S = 10


class DaskEngine:
    """Runs chunks on Dask's workers, which import Serinus and read deployments by themselves."""

    def __init__(self, *, scheduler: str | None = None, workers: int | None = None) -> None:
        """Choose the cluster.

        Args:
            scheduler: Address of one that runs, such as `tcp://scheduler:8786`; without it
                processes are started on this machine.
            workers: How many; by default as many as there are processors.
        """
        self._scheduler = scheduler
        self._wanted = workers or os.cpu_count() or 1
        self._exits = ExitStack()
        self._client: Any = None  # distributed is not typed

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            ConfigError: Dask is not installed.
            SourceError: The scheduler does not answer.
        """
        try:
            distributed = importlib.import_module("distributed")
        except ImportError as error:
            raise ConfigError(MISSING) from error
        with ExitStack() as exits:
            place = self._scheduler or exits.enter_context(self._started(distributed))
            try:
                client = distributed.Client(place, timeout=CONNECTS_WITHIN_S)
            except (OSError, ValueError) as error:
                raise self._unreachable(error) from error
            self._client = exits.enter_context(client)
            self._exits = exits.pop_all()
        return self

    def _started(self, distributed: Any) -> Any:  # noqa: ANN401 - distributed is not typed
        """Start a scheduler and its workers, as processes on this machine."""
        from dask import config

        # One chunk at a time for each worker: those that wait are not blamed for its death.
        with config.set({"distributed.scheduler.worker-saturation": 1.0}):
            return distributed.LocalCluster(
                n_workers=self._wanted,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",  # any free port: two runs may share a machine
                silence_logs=logging.ERROR,
                config={"distributed.worker.profile.enabled": False},
                memory_limit=None,  # what a chunk holds is bounded, and the machine is ours
            )

    def __exit__(self, *_: object) -> None:
        """Disconnect, and end what was started."""
        self._exits.close()

    @property
    def workers(self) -> int:
        """How many chunks run at a time, as far as the cluster has grown."""
        threads = self._client.nthreads() if self._client else {}
        return max(1, int(sum(threads.values())))

    def map_chunks(
        self, work: Callable[[Sequence[T]], R], chunks: Iterable[Sequence[T]]
    ) -> Iterator[R | Lost]:
        """Give the result of each chunk, in order; see `port.Engine`.

        Raises:
            SourceError: The scheduler is gone.
        """
        if self._client is None:
            raise ValueError("chunks are mapped within the `with` block")
        waiting, coming = deque[Any](), iter(chunks)
        try:
            while True:
                while len(waiting) < AHEAD * self.workers and (chunk := next(coming, None)):
                    waiting.append(self._client.submit(work, chunk, pure=False))
                if not waiting:
                    return
                yield self._result(waiting.popleft())
        finally:
            self._client.cancel(list(waiting))

    def _result(self, future: Any) -> Any:  # noqa: ANN401 - distributed's Future is not generic
        """Wait for a chunk: Dask itself runs it again where a worker is lost."""
        from distributed import CancelledError, KilledWorker
        from distributed.comm.core import CommClosedError

        try:
            return future.result()
        except KilledWorker as error:
            return Lost(tries=3, why=f"its worker was killed each time: {error.args[0]}")
        except (CancelledError, CommClosedError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> SourceError:
        where = self._scheduler or "on this machine"
        return SourceError(
            f"the Dask scheduler {where} does not answer: {error}; start it, and give the same "
            f"command again",
            code="unreachable",
        )
