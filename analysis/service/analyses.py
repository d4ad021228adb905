"""What callers do with analyses, whatever protocol they speak."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analysis.config import CanaryConfig
from analysis.config.load import parse_config
from analysis.errors import ConfigError
from analysis.planning import plan
from analysis.service.catalog import INLINE, Catalog
from analysis.service.looking import configuration
from analysis.service.problems import Problem, not_found
from analysis.service.requests import Mode, StartRequest
from analysis.service.runner import Runner
from analysis.service.settings import Settings
from analysis.service.tokens import Token
from analysis.store import AnalysisStore, New, Record, Status
from analysis.window import Window

_POLL_S = 0.1  # while another replica makes the look that a caller waits for


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyses:
    """Start, find and cancel analyses.

    Attributes:
        store: Where they are kept.
        runner: Who looks at them.
        catalog: The configurations.
        settings: How long callers wait.
        clock: Gives epoch seconds.
    """

    store: AnalysisStore
    runner: Runner
    catalog: Catalog
    settings: Settings
    clock: Callable[[], float]

    def start(self, key: str, request: StartRequest, token: Token) -> Record:
        """Begin an analysis or fetch it; a synchronous call waits for a look that is due.

        Raises:
            Problem: The request cannot be meant, or the token does not allow it.
        """
        now = self.clock()
        record = self.store.begin(self._new(key, request, token, now), now)
        if request.final and record.status is Status.RUNNING:
            lag = configuration(record).source.prometheus.lag.total_seconds()
            record = self.store.shorten(record, now - lag, due=now)
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

    def get(self, analysis: str) -> Record:
        """Find an analysis.

        Raises:
            Problem: There is none.
        """
        found = self.store.get(analysis)
        if found is None:
            raise not_found(
                f"analysis {analysis[:64]!r}", "it was never begun, or has been removed"
            )
        return found

    def _new(self, key: str, request: StartRequest, token: Token, now: float) -> New:
        name, text, config = self._configuration(request)
        namespace = _namespace(request)
        if not token.allows(config=name, namespace=namespace):
            message = f"this token may not judge {name!r} in namespace {namespace!r}"
            raise Problem(403, "forbidden", message)
        begins, ends = _span(config, request, now)
        _check(config, request, begins, ends)
        return New(
            key=key,
            identity=_identity(name, request),
            config=name,
            config_text=text,
            namespace=namespace,
            request={
                **request.sides(),
                "start": begins,
                "end": ends,
                "planned_s": request.planned.total_seconds() if request.planned else None,
                "mode": request.mode.value,
            },
            due=now,
            again_after_s=None if request.start or request.end else self.settings.again_s,
        )

    def _configuration(self, request: StartRequest) -> tuple[str, str, CanaryConfig]:
        if request.inline is None:
            entry = self.catalog.get(request.config)
            self._permit(entry.config, by_caller=False)
            return request.config, entry.text, entry.config
        if not self.settings.inline:
            message = (
                "this service takes no configuration from callers; name one of its own, or let "
                "the operator serve with --inline"
            )
            raise Problem(403, "inline_refused", message)
        try:
            config = parse_config(request.inline, origin=INLINE)
        except ConfigError as error:
            raise Problem(422, "faulty_configuration", str(error)) from error
        self._permit(config, by_caller=True)
        return INLINE, request.inline, config

    def _permit(self, config: CanaryConfig, *, by_caller: bool) -> None:
        try:
            self.settings.permits.check(config.source.prometheus, by_caller=by_caller)
        except ConfigError as error:
            raise Problem(403, "source_refused", str(error)) from error


def _namespace(request: StartRequest) -> str:
    """Give the one namespace both sides are in."""
    named = {side.get("namespace", "") for side in request.sides().values()}
    if len(named) > 1:
        message = f"baseline and canary are in different namespaces: {', '.join(sorted(named))}"
        raise Problem(422, "faulty_request", message)
    return named.pop()


def _span(config: CanaryConfig, request: StartRequest, now: float) -> tuple[float, float]:
    """Give start and end of the whole analysis, epoch seconds."""
    newest = now - config.source.prometheus.lag.total_seconds()
    if request.lookback is not None:
        ends = _seconds(request.end, newest)
        return ends - request.lookback.total_seconds(), ends
    begins = _seconds(request.start, now)
    planned = (request.planned or config.window.planned).total_seconds()
    ends = newest if request.final and request.end is None else begins + planned
    return begins, _seconds(request.end, ends)


def _seconds(given: datetime | None, otherwise: float) -> float:
    return given.timestamp() if given is not None else otherwise


def _check(config: CanaryConfig, request: StartRequest, begins: float, ends: float) -> None:
    """Find out now what would else be found out at night: render every query once."""
    prometheus, warmup = config.source.prometheus, config.window.warmup
    if ends - begins < (warmup + prometheus.step).total_seconds():
        message = (
            f"from start to end are {ends - begins:g} s, less than the warm-up of "
            f"{warmup.total_seconds():g} s and one step; choose a longer stretch"
        )
        raise Problem(422, "faulty_request", message)
    window = Window(
        start=begins,
        end=ends,
        warmup_s=warmup.total_seconds(),
        step_s=prometheus.step.total_seconds(),
    )
    try:
        plan(config, window, request.sides())
    except ConfigError as error:
        raise Problem(422, "faulty_request", str(error)) from error


def _identity(name: str, request: StartRequest) -> str:
    """Digest what is judged; how long the caller waits for it is no part of that."""
    told: dict[str, Any] = request.model_dump(
        mode="json", exclude={"mode", "final", "budget"}, exclude_none=True
    )
    text = json.dumps([name, told], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
