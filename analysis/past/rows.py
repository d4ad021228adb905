"""The result of a replay: a row a deployment, in the names of the files it is written to."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version

from analysis.errors import SourceError, TooEarlyError
from analysis.past.deployment import Deployment, Truth
from analysis.past.looks import Outcome, Schedule
from analysis.report import AnalysisReport, MetricReport
from judges import Verdict

VERSION = version("serinus")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric at the look that settled the deployment.

    Attributes:
        name: Its name in the configuration.
        group: Its group in the score.
        verdict: Of its judge.
        reason: Why, in a word of the judges' list.
        estimate: The effect that was measured; `None` where there is none.
        lower: Of its interval.
        upper: Of its interval.
        p_harm: Probability of such data without harm; small means harm.
        log_e: Evidence of harm over all looks.
        n: Steps that were compared.
        summary: One sentence with the numbers.
    """

    name: str
    group: str
    verdict: Verdict
    reason: str
    estimate: float | None
    lower: float | None
    upper: float | None
    p_harm: float | None
    log_e: float | None
    n: int
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One deployment replayed.

    Attributes:
        id: The deployment's name.
        verdict: `None` where it could not be judged at all.
        score: 0 to 100; `None` where nothing could be judged.
        decided_at: When the verdict fell: the look's time, data up to the lag before it.
        seconds_to_decision: From the deployment's start until then.
        looks: How many looks were made.
        decided_by: Names of the metrics that decided.
        reason: One sentence that says why.
        error: Why it could not be judged, or not fully; `None` where it was.
        error_code: The same in a word.
        service: What was deployed; empty where nobody said.
        truth: What is known of the canary.
        fault_start: When it began to be bad.
        start: When the deployment began.
        end: When it ended.
        metrics: Every metric, in the order of the configuration.
        schedule: When looks were made, in words.
        config_digest: SHA-256 of the configuration's meaning.
        version: Version of Serinus.
        key: Equal for equal questions: deployment, configuration, schedule and version.
    """

    id: str
    verdict: Verdict | None
    score: float | None
    decided_at: datetime | None
    seconds_to_decision: float | None
    looks: int
    decided_by: tuple[str, ...]
    reason: str
    error: str | None
    error_code: str | None
    service: str
    truth: Truth | None
    fault_start: datetime | None
    start: datetime
    end: datetime
    metrics: tuple[MetricRow, ...]
    schedule: str
    config_digest: str
    version: str
    key: str

    def labeled(self, deployment: Deployment) -> Row:
        """Give the row with what its list knows by now: labels are corrected after the fact."""
        return replace(
            self,
            service=deployment.service,
            truth=deployment.truth,
            fault_start=deployment.fault_start,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about one deployment.

    Attributes:
        deployment: Which.
        config_digest: How it is judged; empty where its configuration cannot be read.
        schedule: When it is looked at.
    """

    deployment: Deployment
    config_digest: str
    schedule: Schedule

    @property
    def key(self) -> str:
        """Digest all that the answer depends on; labels are none of it."""
        one = self.deployment
        asked = [
            *(one.id, one.start.timestamp(), one.end.timestamp(), dict(one.variables)),
            *(self.config_digest, str(self.schedule), VERSION),
        ]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def row_of(question: Question, outcome: Outcome) -> Row:
    """Write down what became of a deployment."""
    report = outcome.report
    decided_s = (outcome.decided_at - outcome.deployment.start).total_seconds()
    is_early = isinstance(outcome.error, TooEarlyError)
    row = _empty(question)
    if outcome.error is not None and not is_early:
        row = replace(row, error=str(outcome.error), error_code=code_of(outcome.error))
    if report is None and not is_early:
        return replace(row, looks=outcome.looks, reason=str(outcome.error))
    return replace(
        row,
        verdict=report.verdict if report else Verdict.INCONCLUSIVE,
        score=report.score if report else None,
        decided_at=outcome.decided_at,
        seconds_to_decision=decided_s,
        looks=outcome.looks,
        decided_by=report.decided_by if report else (),
        reason=report.summary if report else str(outcome.error),
        metrics=_metrics(report),
    )


def row_of_error(question: Question, text: str, code: str) -> Row:
    """Write down why a deployment could not be judged."""
    return replace(_empty(question), error=text, error_code=code, reason=text)


def code_of(error: Exception) -> str:
    """Name what went wrong in a word for programs."""
    return error.code if isinstance(error, SourceError) else "configuration"


def _empty(question: Question) -> Row:
    one = question.deployment
    return Row(
        id=one.id,
        verdict=None,
        score=None,
        decided_at=None,
        seconds_to_decision=None,
        looks=0,
        decided_by=(),
        reason="",
        error=None,
        error_code=None,
        service=one.service,
        truth=one.truth,
        fault_start=one.fault_start,
        start=one.start,
        end=one.end,
        metrics=(),
        schedule=str(question.schedule),
        config_digest=question.config_digest,
        version=VERSION,
        key=question.key,
    )


def _metrics(report: AnalysisReport | None) -> tuple[MetricRow, ...]:
    return () if report is None else tuple(_metric(metric) for metric in report.metrics)


def _metric(metric: MetricReport) -> MetricRow:
    judgment = metric.judgment
    estimate, harm = judgment.estimate, judgment.harm
    interval = estimate.interval if estimate else None
    return MetricRow(
        name=metric.name,
        group=metric.group,
        verdict=judgment.verdict,
        reason=str(judgment.reason),
        estimate=_finite(estimate.value if estimate else None),
        lower=_finite(interval.lower if interval else None),
        upper=_finite(interval.upper if interval else None),
        p_harm=_finite(harm.p if harm else None),
        log_e=_finite(harm.log_e if harm else None),
        n=judgment.n,
        summary=judgment.summary,
    )


def _finite(value: float | None) -> float | None:
    """Leave out what JSON has no number for; an interval may well be open to one side."""
    return None if value is None or not math.isfinite(value) else float(value)
