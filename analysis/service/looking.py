"""One look at one analysis: what is judged now, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analysis.config import CanaryConfig
from analysis.engine import analyze
from analysis.errors import ConfigError, SourceError, TooEarlyError
from analysis.service.catalog import INLINE
from analysis.service.outcomes import Standing, configuration, not_judged, why_unreadable
from analysis.service.settings import Settings
from analysis.sources import recording as recordings
from analysis.sources.keeping import Keeping
from analysis.sources.port import MetricSource
from analysis.store import Look, Record
from analysis.window import as_datetime

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
        if why := why_unreadable(record):
            return not_judged(record, self.settings, now, why)
        config = configuration(record)
        standing = Standing(config=config, record=record, settings=self.settings, now=now)
        if not standing.is_last and config.risk.looks.value == "fixed":
            return standing.wait("is judged once, at its planned end", due=standing.last_look)
        if not standing.has_begun:
            begins = f"{as_datetime(record.request['start']):%Y-%m-%d %H:%M:%S} UTC"
            return standing.undecided(f"{config.name} begins at {begins}: no data are there yet")
        try:
            return self._judge(record, config, standing)
        except TooEarlyError as early:
            return standing.undecided(str(early))
        except (SourceError, ConfigError) as error:
            # Checked when the analysis began; what is wrong now is for the operator to mend.
            return standing.unanswered(str(error))

    def _judge(self, record: Record, config: CanaryConfig, standing: Standing) -> Look:
        # Again at each look: what was permitted when the analysis began may be so no more.
        self.settings.permits.check(config, by_caller=record.config == INLINE)
        source = Keeping(self.connect(config))
        sides = {side: record.request[side] for side in ("baseline", "canary")}
        report = analyze(config, source, standing.window, sides)
        packed = recordings.pack(source.recording(standing.window, sides))
        return standing.outcome(report, packed)
