"""What others would have said of the same deployments, at the same looks.

Each gets the series of each step that its users give it, in the units they would use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

import judges
from benchmarks.deployments.draw import Deployment
from benchmarks.deployments.outcome import Look
from benchmarks.deployments.scraped import STEP_S, STEPS, Reading, Steps, judged
from judges import Sample, Verdict
from judges.core import kayenta_score
from judges.core.kayenta_labels import Label
from judges.core.kayenta_score import Classified, Grade, Thresholds

Array = NDArray[np.float64]
Rule = Callable[[Sequence[Deployment], Sequence[float]], list[list[Look]]]


# ---- the series they look at


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """A metric as one series a side, shape (steps,) each; NaN where unknown."""

    baseline: Array
    canary: Array
    sign: int = 1


def series_of(reading: Reading) -> dict[str, Series]:
    """Give each metric step by step: percent, milliseconds, megabytes, requests per second."""
    sides = [
        _levels(side, share, reading.deployment.world.latency.edges)
        for side, share in (
            (reading.baseline, 1 - reading.weights),
            (reading.canary, reading.weights),
        )
    ]
    return {
        name: Series(
            baseline=sides[0][name],
            canary=sides[1][name],
            sign=-1 if name == "throughput" else 1,
        )
        for name in sides[0]
    }


def _levels(side: Steps, share: Array, edges: Array) -> dict[str, Array]:
    requests = np.nansum(side.requests, axis=0)
    counts = np.nansum(side.buckets, axis=0)
    known = np.maximum(np.isfinite(side.memory).sum(axis=0), 1)
    return {
        "errors": 100 * _over(np.nansum(side.errors, axis=0), requests),
        "latency mean": 1000 * _over(np.nansum(side.seconds, axis=0), requests),
        "latency p90": 1000 * histogram_quantile(0.9, edges, counts),
        "latency p99": 1000 * histogram_quantile(0.99, edges, counts),
        "cpu per request": 1000 * _over(np.nansum(side.cpu, axis=0), requests),
        "memory": _over(np.nansum(side.memory, axis=0), known * 1e6),
        "throughput": requests / STEP_S / share,
    }


def _over(numerator: Array, denominator: Array) -> Array:
    quotient = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def histogram_quantile(p: float, edges: Array, counts: Array) -> Array:
    """Give a quantile of each row of counts, shape (n, buckets), as PromQL interpolates it.

    Rows without observations are NaN; in the infinite bucket it is the largest finite edge.
    """
    below = np.cumsum(counts, axis=1)
    total = below[:, -1]
    bucket = np.minimum((below < p * total[:, np.newaxis]).sum(axis=1), len(edges) - 1)
    rows = np.arange(len(counts))
    lower = np.concatenate([[0.0], edges[:-1]])
    upper = np.where(np.isfinite(edges), edges, lower)
    under = below[rows, bucket] - counts[rows, bucket]
    inside = _over(p * total - under, counts[rows, bucket])
    found: Array = lower[bucket] + np.nan_to_num(inside) * (upper - lower)[bucket]
    found[total <= 0] = np.nan
    return found


# ---- Kayenta


WEIGHTS = {"errors": 35.0, "latency": 35.0, "resources": 20.0, "traffic": 10.0}
GROUPS = {
    "errors": "errors",
    "latency mean": "latency",
    "latency p90": "latency",
    "latency p99": "latency",
    "cpu per request": "resources",
    "memory": "resources",
    "throughput": "traffic",
}
CRITICAL = ("errors",)
THRESHOLDS = Thresholds(passing=95, marginal=75)
GRADES = {
    Grade.PASS: Verdict.PASS,
    Grade.MARGINAL: Verdict.INCONCLUSIVE,
    Grade.FAIL: Verdict.FAIL,
}


def kayenta(deployments: Sequence[Deployment], minutes: Sequence[float]) -> list[list[Look]]:
    """Score each look by Kayenta's judge, changes beyond 10 % counting."""
    return [
        [_kayenta_look(series, minute) for minute in minutes]
        for series in (series_of(Reading.of(deployment)) for deployment in deployments)
    ]


def _kayenta_look(series: Mapping[str, Series], minute: float) -> Look:
    window = judged(minute)
    results = []
    for name, one in series.items():
        rule = judges.create(
            "kayenta",
            direction="increase" if one.sign > 0 else "decrease",
            critical=name in CRITICAL,
            **({"allowed_increase": 1.1} if one.sign > 0 else {"allowed_decrease": 0.9}),
        )
        found = rule.judge(Sample.of_values(one.baseline[window], one.canary[window]))
        results.append(
            Classified(
                label=Label(str(found.details["label"])),
                groups=(GROUPS[name],),
                critical=bool(found.details["critical"]),
            )
        )
    scored = kayenta_score.score(results, weights=WEIGHTS, thresholds=THRESHOLDS)
    return Look(minute=minute, verdict=GRADES[scored.grade])


# ---- fixed limits


# Errors: 1 % or twice what is usual, whichever is more; p99: twice what is usual.
LEAST_ERRORS, TIMES = 0.01, 2.0
# Checks a minute apart that may fail before the canary is rolled back, however far apart.
FAILED_CHECKS = 5


def fixed_limits(deployments: Sequence[Deployment], minutes: Sequence[float]) -> list[list[Look]]:
    """Roll back after five failed checks of the last minute against limits known beforehand."""
    return [_checked(Reading.of(deployment), minutes[-1]) for deployment in deployments]


def _checked(reading: Reading, end: float) -> list[Look]:
    world = reading.deployment.world
    limits = max(LEAST_ERRORS, TIMES * world.errors.base), TIMES * world.latency.quantile(0.99)
    in_minute = round(60 / STEP_S)
    canary = reading.canary
    requests, errors, counts = (
        np.nansum(part, axis=0).reshape(STEPS // in_minute, in_minute, -1).sum(axis=1)
        for part in (canary.requests, canary.errors, canary.buckets)
    )
    slow = histogram_quantile(0.99, world.latency.edges, counts)
    broken = (_over(errors[:, 0], requests[:, 0]) > limits[0]) | (slow > limits[1])
    window = judged(end)
    broken[: window.start // in_minute] = False
    failed = np.cumsum(broken) >= FAILED_CHECKS
    return [
        Look(minute=float(minute + 1), verdict=Verdict.FAIL if fails else Verdict.PASS)
        for minute, fails in enumerate(failed)
    ]


# ---- the textbook


TEXTBOOK_LEVEL = 0.05


def textbook(deployments: Sequence[Deployment], minutes: Sequence[float]) -> list[list[Look]]:
    """Fail where any metric is significant at 5 % by the Mann-Whitney test, at any look."""
    return [
        [_tested(series, minute) for minute in minutes]
        for series in (series_of(Reading.of(deployment)) for deployment in deployments)
    ]


def textbook_once(deployments: Sequence[Deployment], minutes: Sequence[float]) -> list[list[Look]]:
    """Do the same once, at the end."""
    return textbook(deployments, minutes[-1:])


def _tested(series: Mapping[str, Series], minute: float) -> Look:
    window = judged(minute)
    harmed = tuple(name for name, one in series.items() if _is_significant(one, window))
    return Look(minute=minute, verdict=Verdict.FAIL if harmed else Verdict.PASS, decided_by=harmed)


def _is_significant(one: Series, window: slice) -> bool:
    baseline, canary = (side[window] for side in (one.baseline, one.canary))
    baseline, canary = (side[np.isfinite(side)] for side in (baseline, canary))
    if not (len(baseline) and len(canary)) or len(np.unique([*baseline, *canary])) == 1:
        return False
    tested = stats.mannwhitneyu(
        one.sign * canary, one.sign * baseline, alternative="greater", method="asymptotic"
    )
    return bool(tested.pvalue <= TEXTBOOK_LEVEL)
