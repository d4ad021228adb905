"""What callers do with analyses, whatever protocol they speak."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from datetime import timedelta

from analysis.service.asking import Asking
from analysis.service.catalog import Catalog, Entry
from analysis.service.outcomes import lag_s
from analysis.service.problems import not_found
from analysis.service.requests import Mode, StartRequest
from analysis.service.runner import Runner
from analysis.service.settings import Settings
from analysis.service.tokens import Token
from analysis.store import AnalysisStore, Record, Status

_POLL_S = 0.1  # while another replica makes the look that a caller waits for


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyses:
    """Start, find and cancel analyses.

    Attributes:
        store: Where they are kept.
        runner: Who looks at them.
        asking: What makes an analysis of a request.
        settings: How long callers wait.
        clock: Gives epoch seconds.
    """

    store: AnalysisStore
    runner: Runner
    asking: Asking
    settings: Settings
    clock: Callable[[], float]

    @property
    def catalog(self) -> Catalog:
        """Give the operator's configurations."""
        return self.asking.catalog

    def start(
        self, key: str, request: StartRequest, token: Token, entry: Entry | None = None
    ) -> Record:
        """Begin an analysis or fetch it; a synchronous call waits for a look that is due.

        Args:
            key: The caller's name for it.
            request: What it sent.
            token: Who it is.
            entry: The configuration, where a caller has kept it here; else the request says it.

        Raises:
            Problem: The request cannot be meant, or the token does not allow it.
        """
        now = self.clock()
        record = self.store.begin(self.asking.new(key, request, token, now, entry), now)
        if request.final and record.status is Status.RUNNING:
            record = self.store.shorten(record, now - lag_s(record), due=now)
        # The clock again: another call may have begun the analysis since.
        if request.mode is Mode.SYNC and record.is_due(self.clock()):
            record = self._wait(record, request.budget)
        return record

    def _wait(self, record: Record, budget: timedelta | None) -> Record:
        """Wait for a look, ours or another replica's, as long as the caller does."""
        seconds = min(budget.total_seconds() if budget else self.settings.budget_s, 300.0)
        ends = time.monotonic() + seconds
        try:
            self.runner.submit(record.id).result(seconds)
        except FutureTimeout:
            return record
        found = self.get(record.id)
        while found.looks == record.looks and found.status is Status.RUNNING:
            if time.monotonic() >= ends:
                break
            time.sleep(_POLL_S)
            found = self.get(record.id)
        return found

    def get(self, analysis: str, *, report: bool = True) -> Record:
        """Find an analysis, with its report or without.

        Raises:
            Problem: There is none.
        """
        found = self.store.get(analysis, report=report)
        if found is None:
            raise not_found(
                f"analysis {analysis[:64]!r}", "it was never begun, or has been removed"
            )
        return found
