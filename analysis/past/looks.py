"""The looks that a controller would have made at past deployments, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from analysis.config import CanaryConfig
from analysis.config.fields import format_duration
from analysis.engine import Concluded, Prepared, conclude, prepare
from analysis.errors import ConfigError, SerinusError, SourceError, TooEarlyError
from analysis.past.deployment import Deployment
from analysis.planning import Variables
from analysis.report import AnalysisReport
from analysis.sources.port import MetricSource
from analysis.window import Window, select_window
from judges import Looks, Verdict

# How what a look judges is read: as `analysis.engine.prepare` does it.
Preparing = Callable[[CanaryConfig, MetricSource, Window, Variables], Prepared]


class Promotion(StrEnum):
    """When a pass is final; a fail is at once."""

    EARLY = "early"  # at the first pass, as the service promotes
    END = "end"  # what passed may still fail until the last look


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a deployment is looked at.

    Attributes:
        every: Time between looks, from the deployment's start; `None` for a single look at all.
        promotion: When a pass is final.
    """

    every: timedelta | None = None
    promotion: Promotion = Promotion.EARLY

    def __str__(self) -> str:
        """Name it in results: `once`, `5m`, `5m, pass at the end`."""
        if self.every is None:
            return "once"
        late = self.promotion is Promotion.END
        return format_duration(self.every) + (", pass at the end" if late else "")

    def instants(self, deployment: Deployment, config: CanaryConfig) -> Iterator[datetime]:
        """Give when looks are made; the last when all data of the deployment are there."""
        last = deployment.end + config.lag
        # Risk that is spent once allows one look, as the service holds it too.
        if self.every is not None and config.risk.looks is not Looks.FIXED:
            at = deployment.start + self.every
            while at < last:
                yield at
                at += self.every
        yield last


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A deployment to be judged.

    Attributes:
        deployment: Which.
        config: How.
        source: Its series.
    """

    deployment: Deployment
    config: CanaryConfig
    source: MetricSource


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What became of a deployment.

    Attributes:
        deployment: Which.
        report: Of the look that settled it; `None` where nothing was left to judge, or it failed.
        decided_at: When that look was made.
        looks: How many looks were made.
        error: Why it could not be judged, or not fully; a fail stands without the rest.
    """

    deployment: Deployment
    report: AnalysisReport | None
    decided_at: datetime
    looks: int
    error: SerinusError | None = None


def window_of(deployment: Deployment, config: CanaryConfig, at: datetime) -> Window:
    """Give what a look at an instant judges.

    Raises:
        TooEarlyError: No whole step is left after the warm-up.
        ConfigError: The deployment has more steps than are judged.
    """
    try:
        return select_window(
            now=at,
            start=deployment.start,
            end=deployment.end,
            lookback=None,
            planned=config.window.planned,
            warmup=config.window.warmup,
            step=config.step,
            lag=config.lag,
        )
    except ValueError as error:
        raise ConfigError(str(error), origin=deployment.id) from error


def judge_deployments(
    cases: Sequence[Case], schedule: Schedule, *, prepare: Preparing = prepare
) -> list[Outcome]:
    """Judge deployments look by look until each is settled, all that are open together.

    Each gets the outcome it would get alone, and its report is the one that `analyze` gives.

    Args:
        cases: What to judge.
        schedule: When to look.
        prepare: Reads what a look judges.
    """
    running = [_Running(case, schedule, prepare) for case in cases]
    while open_ := [one for one in running if one.outcome is None]:
        ready = [(one, look) for one in open_ if (look := one.prepare()) is not None]
        concluded = conclude([look for _, look in ready])
        for (one, _), judged in zip(ready, concluded, strict=True):
            one.take(judged)
    return [outcome for one in running if (outcome := one.outcome) is not None]


class _Running:
    """A deployment on its way through its looks."""

    def __init__(self, case: Case, schedule: Schedule, prepare: Preparing) -> None:
        self._case, self._promotion, self._prepare = case, schedule.promotion, prepare
        self._instants = list(schedule.instants(case.deployment, case.config))
        self._looks = 0
        self.outcome: Outcome | None = None

    @property
    def _at(self) -> datetime:
        return self._instants[self._looks - 1]

    @property
    def _is_last(self) -> bool:
        return self._looks == len(self._instants)

    def prepare(self) -> Prepared | None:
        """Read what the next look judges; `None` where there is nothing to judge."""
        self._looks += 1
        case = self._case
        try:
            window = window_of(case.deployment, case.config, self._at)
            return self._prepare(case.config, case.source, window, case.deployment.variables)
        except TooEarlyError as early:
            if self._is_last:
                self._end(None, early)
        except SourceError as error:
            # A controller asks again; what is missing at one look may be there at the next.
            if self._is_last:
                self._end(None, error)
        except ConfigError as error:
            self._end(None, error)
        return None

    def take(self, look: Concluded) -> None:
        """Settle the deployment, or go on to the next look."""
        if look.decision.verdict is Verdict.FAIL:
            self._end(look.report())
        elif errors := look.source_errors:
            if self._is_last:
                self._end(look.report(), SourceError("; ".join(errors), code="unanswered"))
        elif self._is_last or self._is_promoted(look):
            self._end(look.report())

    def _is_promoted(self, look: Concluded) -> bool:
        return look.decision.verdict is Verdict.PASS and self._promotion is Promotion.EARLY

    def _end(self, report: AnalysisReport | None, error: SerinusError | None = None) -> None:
        self.outcome = Outcome(
            deployment=self._case.deployment,
            report=report,
            decided_at=self._at,
            looks=self._looks,
            error=error,
        )
