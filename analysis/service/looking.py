"""One look at one analysis: what is judged now, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from analysis.config import CanaryConfig
from analysis.config.load import parse_config
from analysis.consumers.json import to_document
from analysis.engine import analyze
from analysis.errors import ConfigError, SourceError, TooEarlyError
from analysis.report import AnalysisReport
from analysis.service.catalog import INLINE
from analysis.service.settings import Settings
from analysis.sources import recording as recordings
from analysis.sources.keeping import Keeping
from analysis.sources.port import MetricSource
from analysis.store import Look, Record, Status
from analysis.window import Window, as_datetime, select_window
from judges import Verdict

# A source that failed is asked again soon: it is what the rollout waits for.
RETRY_S = 10.0
Connect = Callable[[CanaryConfig], MetricSource]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """Makes looks.

    Attributes:
        settings: How often, and how long a failing source is waited for.
        connect: Makes the source that a configuration describes.
    """

    settings: Settings
    connect: Connect

    def look(self, record: Record, now: float) -> Look:
        """Judge an analysis as of `now`, epoch seconds; whatever fails has its defined result."""
        config = configuration(record)
        plan = _Plan(config=config, record=record, settings=self.settings, now=now)
        if not plan.is_last and config.risk.looks.value == "fixed":
            return plan.wait("is judged once, at its planned end", due=plan.last_look)
        try:
            return self._judge(record, config, plan)
        except TooEarlyError as early:
            return plan.undecided(str(early))
        except (SourceError, ConfigError) as error:
            # Checked when the analysis began; what is wrong now is for the operator to mend.
            return plan.unanswered(str(error))

    def _judge(self, record: Record, config: CanaryConfig, plan: _Plan) -> Look:
        # Again at each look: what was permitted when the analysis began may be so no more.
        prometheus = config.source.prometheus
        self.settings.permits.check(prometheus, by_caller=record.config == INLINE)
        source = Keeping(self.connect(config))
        sides = {side: record.request[side] for side in ("baseline", "canary")}
        report = analyze(config, source, plan.window, sides)
        packed = recordings.pack(source.recording(plan.window, sides))
        return plan.outcome(report, packed)


def configuration(record: Record) -> CanaryConfig:
    """Give the configuration of an analysis, with the length that its caller planned."""
    config = parse_config(record.config_text, origin=record.config)
    planned_s = record.request.get("planned_s")
    if planned_s is None:
        return config
    window = config.window.model_copy(update={"planned": timedelta(seconds=planned_s)})
    return config.model_copy(update={"window": window})


def is_lost(record: Record, settings: Settings, now: float) -> bool:
    """Tell whether an analysis has waited for an answer long enough after all were due."""
    lag_s = configuration(record).source.prometheus.lag.total_seconds()
    waits_from = max(float(record.request["end"]) + lag_s, record.created)
    return now >= waits_from + settings.patience_s


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Where in its analysis a look stands, and what each result means there."""

    config: CanaryConfig
    record: Record
    settings: Settings
    now: float

    @property
    def request(self) -> Mapping[str, Any]:
        return self.record.request

    @property
    def last_look(self) -> float:
        """When the data up to the analysis' end are there, epoch seconds."""
        return float(self.request["end"]) + self.config.source.prometheus.lag.total_seconds()

    @property
    def is_last(self) -> bool:
        return self.now >= self.last_look

    @property
    def window(self) -> Window:
        prometheus = self.config.source.prometheus
        return select_window(
            now=as_datetime(self.now),
            start=as_datetime(self.request["start"]),
            end=as_datetime(self.request["end"]),
            lookback=None,
            planned=self.config.window.planned,
            warmup=self.config.window.warmup,
            step=prometheus.step,
            lag=prometheus.lag,
        )

    def outcome(self, report: AnalysisReport, packed: bytes) -> Look:
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
        every = max(self.settings.look_every_s, self.config.source.prometheus.step.total_seconds())
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
