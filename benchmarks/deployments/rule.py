"""Judge deployments with a careful user's configuration, look by look, as the engine does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import judges
from analysis import guards, scoring
from analysis.config import CanaryConfig, Metric, load_config
from analysis.guards import Comparison
from benchmarks.deployments.draw import Deployment
from benchmarks.deployments.outcome import Look
from benchmarks.deployments.scraped import STEP_S, Reading
from judges import Judge, Judgment, Reason, Sample, Verdict

CONFIGURATION = Path(__file__).parent / "canary.yaml"
# The usual quantile of durations whose nearest edge tells slow requests.
SLOW = 0.95


@cache
def configuration() -> CanaryConfig:
    """Read the careful user's configuration."""
    return load_config(CONFIGURATION)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """A metric at one look: its judge, and the sample unless a guard refuses it."""

    metric: Metric
    judge: Judge
    sample: Sample
    refused: str | None


def looks_of(
    config: CanaryConfig,
    deployments: Sequence[Deployment],
    minutes: Sequence[float],
) -> list[list[Look]]:
    """Judge every deployment at every look.

    Args:
        config: The configuration.
        deployments: What to judge.
        minutes: When to look.
    """
    asked = [
        [asked_at(config, reading, minute) for minute in minutes]
        for reading in map(Reading.of, deployments)
    ]
    flat = [one for looks in asked for metrics in looks for one in metrics]
    judged = iter(judgments(flat))
    return [
        [
            _decided(config, minute, metrics, [next(judged) for _ in metrics])
            for minute, metrics in zip(minutes, looks, strict=True)
        ]
        for looks in asked
    ]


def asked_at(config: CanaryConfig, reading: Reading, minute: float) -> list[Asked]:
    """Give what a look asks: each metric with its judge and its sample."""
    samples = reading.samples(minute)
    service = known_of(reading.deployment)
    return [
        Asked(
            metric=metric,
            judge=_judge(config, metric, service.get(metric.name, {})),
            sample=samples[metric.name],
            refused=_refused(samples[metric.name]),
        )
        for metric in config.metrics
    ]


def known_of(deployment: Deployment) -> Mapping[str, Mapping[str, object]]:
    """Give what a user knows of the service, by metric: its usual p95."""
    return {"slow requests": {"edge": deployment.world.latency.quantile(SLOW)}}


def _judge(config: CanaryConfig, metric: Metric, service: Mapping[str, object]) -> Judge:
    """Make a metric's judge with its part of the risk, as the engine does."""
    budget = scoring.budgets(config.metrics, config.scoring)[metric.name] or 1.0
    planned = config.window.planned - config.window.warmup
    risk = {
        "alpha": config.risk.false_fail * budget,
        "beta": config.risk.false_pass,
        "looks": config.risk.looks.value,
        "horizon": round(planned.total_seconds() / STEP_S),
    }
    settings = metric.judge.model_copy(update=service)
    return settings.create(**risk)


def _refused(sample: Sample) -> str | None:
    """Say why the engine's guards would not have the sample judged."""
    findings = guards.inspect(Comparison(sample=sample, baseline=(), canary=()))
    return "; ".join(finding.summary for finding in findings) or None


def judgments(asked: Sequence[Asked]) -> Iterator[Judgment]:
    """Judge what no guard refused: here, and only here, the bench meets the judges."""
    open_ = [one for one in asked if one.refused is None]
    judged = iter(judges.judge_many([one.judge for one in open_], [one.sample for one in open_]))
    for one in asked:
        yield next(judged) if one.refused is None else _without_judgment(one, one.refused)


def _without_judgment(asked: Asked, refused: str) -> Judgment:
    return Judgment(
        kind=asked.metric.judge.kind,
        verdict=Verdict.INCONCLUSIVE,
        reason=Reason.GUARD,
        summary=refused,
    )


def _decided(
    config: CanaryConfig, minute: float, asked: Sequence[Asked], found: Sequence[Judgment]
) -> Look:
    weights = scoring.weights(config.metrics, config.scoring)
    budgets = scoring.budgets(config.metrics, config.scoring)
    judged = [
        scoring.Judged(
            metric=one.metric,
            judgment=judgment,
            weight=weights[one.metric.name],
            budget=budgets[one.metric.name],
        )
        for one, judgment in zip(asked, found, strict=True)
    ]
    decision = scoring.decide(judged, config.risk, config.scoring)
    return Look(minute=minute, verdict=decision.verdict, decided_by=decision.decided_by)
