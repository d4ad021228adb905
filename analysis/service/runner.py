"""Looks, made in a bounded pool: one at a time for each analysis, over all replicas."""

from __future__ import annotations

import logging
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from analysis.service.operations import Operations
from analysis.service.outcomes import not_judged
from analysis.service.settings import Settings
from analysis.store import AnalysisStore, DocumentStore, Kind, Look, Record

LOG = logging.getLogger("serinus.runner")
TICK_S = 1.0
# What a killed process was looking at is looked at by another one after this long.
LEASE_S = 30.0
_PURGE_EVERY_S = 3600.0
_SWITCH_S = 0.001
_BUG = "Serinus failed to judge: a bug; the service's log has the details"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a runner works with.

    Attributes:
        store: Where analyses are kept.
        documents: Where callers keep series.
        look: Makes a look at an analysis as of an instant.
        clock: Gives epoch seconds.
        operations: What is counted.
        tell: Names who is to be told of a look.
    """

    store: AnalysisStore
    documents: DocumentStore
    look: Callable[[Record, float], Look]
    clock: Callable[[], float]
    operations: Operations
    tell: Callable[[Record, Look], list[str]]


class Runner:
    """Makes the looks that are due, and those that a caller waits for."""

    def __init__(self, parts: Parts, settings: Settings) -> None:
        """Prepare; `start` begins to look."""
        self._parts, self._settings = parts, settings
        self._owner = secrets.token_hex(16)
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="look")
        self._under_way: dict[str, Future[None]] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._scheduler = threading.Thread(target=self._schedule, daemon=True, name="scheduler")
        self._purged = 0.0

    def start(self) -> None:
        """Begin to make looks as they become due."""
        # A poll takes the interpreter a dozen times; each time it waits for the arithmetic of looks
        # to let it go, by default 5 ms for each look that is under way.
        sys.setswitchinterval(_SWITCH_S)
        self._scheduler.start()

    def stop(self) -> None:
        """Let the looks under way end, and begin no other."""
        self._stopped.set()
        if self._scheduler.is_alive():
            self._scheduler.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, analysis: str) -> Future[None]:
        """Make a look, or give the one that is under way."""
        with self._lock:
            known = self._under_way.get(analysis)
            if known is not None:
                return known
            # In the caller's context, so that a trace of its call shows the look it waits for.
            job = self._pool.submit(copy_context().run, self._run, analysis)
            self._under_way[analysis] = job
            self._parts.operations.under_way.set(len(self._under_way))
        job.add_done_callback(lambda _: self._forget(analysis))
        return job

    def _forget(self, analysis: str) -> None:
        with self._lock:
            self._under_way.pop(analysis, None)
            self._parts.operations.under_way.set(len(self._under_way))

    def _run(self, analysis: str) -> None:
        try:
            self._claim_and_look(analysis)
        except SQLAlchemyError as error:
            # Whoever waits for the look is told; nobody may. Its lease ends, and it is made again.
            fault = error.__class__.__name__
            LOG.warning("a look was not kept: %s", fault, extra={"analysis": analysis})
            raise

    def _claim_and_look(self, analysis: str) -> None:
        store, now = self._parts.store, self._parts.clock()
        if not store.claim(analysis, self._owner, now, now + LEASE_S):
            return  # not due, ended, or another replica's
        record = store.get(analysis, report=False)
        if record is None:
            return
        self._parts.operations.delay.observe(max(0.0, now - record.due))
        look = self._look(record, now)
        ended = self._parts.clock()
        tell = self._parts.tell(record, look)
        if store.finish(analysis, self._owner, look, ended, tell):
            self._parts.operations.looked(record, look)
            LOG.info(look.summary, extra=_about(record, look, ended - now))

    def _look(self, record: Record, now: float) -> Look:
        try:
            with self._parts.operations.seconds.time():
                return self._parts.look(record, now)
        except Exception:
            LOG.exception("a look failed", extra=_about(record))
            self._parts.operations.bugs.inc()
            return not_judged(record, self._settings, now, _BUG)

    def _schedule(self) -> None:
        while not self._stopped.wait(TICK_S):
            try:
                self._tick(self._parts.clock())
            except SQLAlchemyError as error:
                LOG.warning("the store does not answer: %s", error.__class__.__name__)

    def _tick(self, now: float) -> None:
        with self._lock:
            held = list(self._under_way)
        if held:
            self._parts.store.renew(held, self._owner, now + LEASE_S)
        if (free := self._settings.workers - len(held)) > 0:  # callers may have brought more
            for analysis in self._parts.store.due(now, free):
                self.submit(analysis)
        if now - self._purged > _PURGE_EVERY_S:
            self._purged = now
            before = now - self._settings.retention_days * 86400
            self._parts.store.purge(before)
            self._parts.documents.purge(Kind.METRIC_SET_PAIRS, before)


def _about(record: Record, look: Look | None = None, seconds: float = 0.0) -> dict[str, object]:
    """Say in the log which analysis is meant."""
    about: dict[str, object] = {
        "analysis": record.id,
        "key": record.key,
        "config": record.config,
        "namespace": record.namespace,
    }
    if look is not None:
        about |= {"result": look.verdict or "running", "seconds": round(seconds, 3)}
    return about
