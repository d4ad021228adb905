"""Processes on this machine: the default engine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from analysis.past.engines.port import Lost

T = TypeVar("T")
R = TypeVar("R")

# Chunks handed out for each worker: one under way, and one so that it need not wait for the next.
AHEAD = 2
TRIES = 3
WHY = "the process was killed each time, most likely for its use of memory"


class ProcessEngine:
    """Runs chunks in processes that are made anew, not forked: threads and locks stay behind."""

    def __init__(self, workers: int | None = None) -> None:
        """Choose how many processes; by default as many as there are processors."""
        self._workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    @property
    def workers(self) -> int:
        """How many chunks run at a time."""
        return self._workers

    def __enter__(self) -> Self:
        """Begin; the processes start with the first chunk."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End every process; at once if something went wrong."""
        self._end(at_once=kind is not None)

    def map_chunks(
        self, work: Callable[[Sequence[T]], R], chunks: Iterable[Sequence[T]]
    ) -> Iterator[R | Lost]:
        """Give the result of each chunk, in order; see `port.Engine`."""
        coming, handed_out = iter(chunks), deque[_Task[T, R]]()
        try:
            while True:
                self._hand_out(work, coming, handed_out)
                if not handed_out:
                    return
                result = self._result(work, handed_out)
                handed_out.popleft()
                yield result
        except BaseException:
            self._end(at_once=True)
            raise

    def _hand_out(
        self,
        work: Callable[[Sequence[T]], R],
        coming: Iterator[Sequence[T]],
        handed_out: deque[_Task[T, R]],
    ) -> None:
        """Keep the workers busy, unless a chunk is to run alone."""
        while len(handed_out) < AHEAD * self._workers and all(task.job for task in handed_out):
            if (chunk := next(coming, None)) is None:
                return
            handed_out.append(_Task(chunk=chunk, job=self._submit(work, chunk)))

    def _result(
        self, work: Callable[[Sequence[T]], R], handed_out: Sequence[_Task[T, R]]
    ) -> R | Lost:
        """Wait for the first chunk.

        A pool ends as a whole with the first worker it loses, and does not say whose chunk that
        worker had: all that were under way run again, one at a time.
        """
        first = handed_out[0]
        if first.job is not None:
            try:
                return first.job.result()
            except BrokenProcessPool:
                self._end(at_once=True)
                for task in handed_out:
                    task.forget_unless_done()
        return self._alone(work, first.chunk)

    def _alone(self, work: Callable[[Sequence[T]], R], chunk: Sequence[T]) -> R | Lost:
        for _ in range(TRIES):
            job = self._submit(work, chunk)
            try:
                if job is not None:
                    return job.result()
            except BrokenProcessPool:
                pass
            self._end(at_once=True)
        return Lost(tries=TRIES, why=WHY)

    def _submit(self, work: Callable[[Sequence[T]], R], chunk: Sequence[T]) -> Future[R] | None:
        """Hand out a chunk; `None` where the pool has just lost a worker."""
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self._workers, mp_context=spawn, initializer=_end_with_parent
            )
        try:
            with _interrupts_held():
                return self._pool.submit(work, chunk)
        except BrokenProcessPool:
            return None

    def _end(self, *, at_once: bool) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        if at_once:
            # Public only from Python 3.14 on, as terminate_workers().
            for process in list((pool._processes or {}).values()):  # noqa: SLF001
                process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


@dataclass(slots=True, eq=False)
class _Task(Generic[T, R]):
    """A chunk that was handed out; without a job it is to run alone."""

    chunk: Sequence[T]
    job: Future[R] | None

    def forget_unless_done(self) -> None:
        if self.job and (
            not self.job.done()
            or self.job.cancelled()
            or isinstance(self.job.exception(), BrokenProcessPool)
        ):
            self.job = None


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let workers that start meanwhile ignore Ctrl-C, which a terminal sends to them too."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """End this worker with the process that started it, however that ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
