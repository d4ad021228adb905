"""Where in its analysis a look stands, and what each result means there."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from analysis.config import CanaryConfig
from analysis.config.load import parse_config
from analysis.consumers.json import to_document
from analysis.errors import ConfigError
from analysis.report import AnalysisReport
from analysis.service.settings import Settings
from analysis.store import Look, Record, Status
from analysis.window import Window, as_datetime, select_window
from judges import Verdict

# A source that failed is asked again soon: it is what the rollout waits for.
RETRY_S = 10.0
# What fails within Serinus fails again; another release may be on its way.
AFTER_A_BUG_S = 60.0


def configuration(record: Record) -> CanaryConfig:
    """Give the configuration of an analysis, with the length that its caller planned.

    Raises:
        ConfigError: An earlier release took it, and this one does not.
    """
    config = _parsed(record.config_text, record.config)
    if isinstance(config, ConfigError):
        raise ConfigError(config.faults, origin=config.origin)
    planned_s = record.request.get("planned_s")
    return config if planned_s is None else config.lasting(timedelta(seconds=planned_s))


# Each poll and each look needs the configuration, and reading YAML takes longer than all the rest
# of a poll; what is read is frozen, so that threads may share it.
@functools.lru_cache(maxsize=256)
def _parsed(text: str, name: str) -> CanaryConfig | ConfigError:
    try:
        return parse_config(text, origin=name)
    except ConfigError as error:
        return error


def why_unreadable(record: Record) -> str:
    """Say why this release cannot read the configuration of an analysis; empty if it can."""
    try:
        configuration(record)
    except ConfigError as error:
        told = "; ".join(str(error).splitlines())
        return f"this Serinus refuses the configuration that the analysis began with: {told}"
    return ""


def lag_s(record: Record) -> float:
    """Give how long data take to arrive, seconds; 0 where the configuration cannot be read."""
    return 0.0 if why_unreadable(record) else configuration(record).lag.total_seconds()


def is_lost(record: Record, settings: Settings, now: float) -> bool:
    """Tell whether an analysis has waited for an answer long enough after all were due."""
    waits_from = max(float(record.request["end"]) + lag_s(record), record.created)
    return now >= waits_from + settings.patience_s


def not_judged(record: Record, settings: Settings, now: float, why: str) -> Look:
    """Give a look that could not be made: neither pass nor fail may come of it."""
    return Look(
        status=Status.COMPLETED if is_lost(record, settings, now) else Status.RUNNING,
        verdict="inconclusive",
        score=None,
        summary=why,
        report=None,
        recording=None,
        due=now + AFTER_A_BUG_S,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A look at an analysis as of `now`, epoch seconds."""

    config: CanaryConfig
    record: Record
    settings: Settings
    now: float

    @property
    def request(self) -> Mapping[str, Any]:
        """Give what the caller sent, resolved."""
        return self.record.request

    @property
    def last_look(self) -> float:
        """When the data up to the analysis' end are there, epoch seconds."""
        return float(self.request["end"]) + self.config.lag.total_seconds()

    @property
    def is_last(self) -> bool:
        """Tell whether all data are there, so that nothing later would say more."""
        return self.now >= self.last_look

    @property
    def has_begun(self) -> bool:
        """Tell whether any data can be there: an analysis begins before its first do."""
        lag_s = self.config.lag.total_seconds()
        return self.now - lag_s > float(self.request["start"])

    @property
    def window(self) -> Window:
        """Give the time that this look judges."""
        return select_window(
            now=as_datetime(self.now),
            start=as_datetime(self.request["start"]),
            end=as_datetime(self.request["end"]),
            lookback=None,
            planned=self.config.window.planned,
            warmup=self.config.window.warmup,
            step=self.config.step,
            lag=self.config.lag,
        )

    def outcome(self, report: AnalysisReport, packed: bytes) -> Look:
        """Keep what was judged; an answer that is missing is asked for again, unless it failed."""
        if report.source_errors and report.verdict is not Verdict.FAIL:
            return self.unanswered("; ".join(report.source_errors), report, packed)
        if report.verdict is Verdict.INCONCLUSIVE:
            return self.undecided(report.summary, report, packed)
        return self._look(Status.COMPLETED, str(report.verdict), report.summary, report, packed)

    def undecided(
        self, summary: str, report: AnalysisReport | None = None, packed: bytes | None = None
    ) -> Look:
        """End at the planned end, look again before it."""
        if self.is_last:
            return self._look(Status.COMPLETED, "inconclusive", summary, report, packed)
        return self._look(Status.RUNNING, None, summary, report, packed)

    def unanswered(
        self, summary: str, report: AnalysisReport | None = None, packed: bytes | None = None
    ) -> Look:
        """Ask again, and give up only long after the planned end: data may still come."""
        lost = is_lost(self.record, self.settings, self.now)
        status = Status.COMPLETED if lost else Status.RUNNING
        due = self.now + RETRY_S
        return self._look(status, "inconclusive", summary, report, packed, due=due)

    def wait(self, why: str, *, due: float) -> Look:
        """Look at nothing until `due`."""
        return self._look(Status.RUNNING, None, f"{self.config.name} {why}", None, None, due=due)

    def _look(
        self,
        status: Status,
        verdict: str | None,
        summary: str,
        report: AnalysisReport | None,
        packed: bytes | None,
        *,
        due: float | None = None,
    ) -> Look:
        every = max(self.settings.look_every_s, self.config.step.total_seconds())
        return Look(
            status=status,
            verdict=verdict,
            score=report.score if report else None,
            summary=summary,
            report=to_document(report) if report else None,
            recording=packed,
            due=due
            if due is not None
            else max(self.now + 1, min(self.now + every, self.last_look)),
        )
