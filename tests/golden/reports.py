"""Three reports that between them show everything a rendering can show."""

from __future__ import annotations

import math

import numpy as np

from analysis.guards import Finding, Severity
from analysis.limits import Limits, Range
from analysis.report import AnalysisReport, AskedQuery, MetricReport
from analysis.retrospect import Trace
from analysis.scoring import Group
from analysis.sides import Distribution, PodSeries
from judges import Estimate, Evidence, Interval, Reason, Scale, Verdict
from tests.support.builders import (
    SIDES,
    START,
    a_judgment,
    a_metric_report,
    a_report,
    a_settlement,
    a_window,
    an_estimate,
)

STEPS = 40
TIMES = START + 60 * np.arange(1.0, STEPS + 1)
WAVE = 0.42 + 0.01 * (np.arange(STEPS) % 8)
WINDOW = a_window(minutes=STEPS)
SELECTOR = 'http_request_duration_seconds_sum{namespace="shop", hash="%s"}'


def _asked(role: str, template: str, *, kind: str = "samples") -> tuple[AskedQuery, ...]:
    return tuple(
        AskedQuery(side=side, role=role, kind=kind, query=template % digest, series=3)
        for side, digest in zip(SIDES, ("5d4c", "7f9b"), strict=True)
    )


def latency() -> MetricReport:
    """Show a metric that fails: everything a comparison has."""
    judgment = a_judgment(
        Verdict.FAIL,
        kind="mean_ratio",
        summary="rose 14 % (95 % CI 9.2 % to 19 %), tolerance 5 %, margin 15 %",
        estimate=an_estimate(),
        harm=Evidence(p=3.2e-7, log_e=9.87),
        safety=Evidence(p=0.31, log_e=-2.5),
        n=STEPS,
        n_effective=22.4,
        autocorrelation=0.31,
        details={"method": "signed_rank", "dispersion": 1.25, "restarts": 3, "unknown": None},
    )
    canary = np.where(TIMES < START + 700, WAVE, WAVE * 1.3)
    return a_metric_report(
        judgment,
        name="mean latency",
        group="latency",
        critical=True,
        weight=0.3,
        lost=30.0,
        queries=_asked("numerator", SELECTOR),
        times=TIMES,
        findings=(
            Finding(
                code="coverage",
                severity=Severity.WITHHELD,
                summary="the canary is known in 30 of 40 steps, the last until 08:30:00; the "
                "baseline in 40",
                remedy="see whether its pods ended or were not scraped",
            ),
        ),
        baseline=WAVE,
        canary=canary,
        pods={"baseline": 3, "canary": 2},
        by_pod={
            "baseline": _pods("checkout-5d4c", (0.45, 0.46, 0.455)),
            "canary": _pods("checkout-7f9b", (0.46, 0.65)),
        },
        limits=Limits(
            tolerance=Range(upper=1.05),
            margin=Range(upper=1.15),
            fail_level=0.003,
            pass_level=0.05,
        ),
        trace=Trace(
            times=TIMES[9::10],
            harm=np.array([math.nan, 1.2, 6.5, 9.87]),
            safety=np.array([math.nan, 0.4, -1.0, -2.5]),
        ),
    )


def _pods(name: str, levels: tuple[float, ...]) -> PodSeries:
    return PodSeries(
        names=tuple(f"{name}-{place}" for place in range(len(levels))),
        levels=np.array(levels),
        series=np.outer(levels, WAVE / WAVE.mean()),
    )


def tail() -> MetricReport:
    """Show a metric whose histograms were compared, in seconds."""
    edges = np.array([0.05, 0.1, 0.25, 0.5, 1.0, math.inf])
    judgment = a_judgment(
        kind="quantile_ratio",
        summary="p95 fell 1.2 % (95 % CI -4 % to 1.7 %), tolerance 5 %, margin 10 %",
        estimate=Estimate(
            value=0.988,
            scale=Scale.RATIO,
            interval=Interval(lower=0.96, upper=1.017, level=0.95),
            baseline=0.41,
            canary=0.405,
        ),
        n=STEPS,
        n_effective=38.2,
        autocorrelation=0.01,
        details={"quantile": 0.95},
    )
    return a_metric_report(
        judgment,
        name="p95 latency",
        group="latency",
        weight=0.0,
        muted=True,
        queries=_asked(
            "buckets", 'http_request_duration_seconds_bucket{hash="%s"}', kind="buckets"
        ),
        times=TIMES,
        baseline=WAVE / 4,
        canary=WAVE / 4,
        distribution=Distribution(
            edges=edges,
            baseline=np.array([900.0, 4000.0, 3000.0, 900.0, 150.0, 50.0]),
            canary=np.array([850.0, 4100.0, 2950.0, 880.0, 170.0, 50.0]),
        ),
        limits=Limits(
            tolerance=Range(upper=1.05), margin=Range(upper=1.1), fail_level=0.001, pass_level=0.05
        ),
    )


def errors() -> MetricReport:
    """Show a metric that is open, and what would settle it."""
    judgment = a_judgment(
        Verdict.INCONCLUSIVE,
        kind="error_ratio",
        p=0.08,
        log_e=0.4,
        summary="0.11 % of requests against 0.08 % (11 of 10,012 against 40 of 50,377), rose 38 % "
        "(95 % CI -32 % to 172 %), tolerance 25 % and 0.02 points, margin 50 % and 0.2 points",
        estimate=Estimate(
            value=1.38,
            scale=Scale.RATIO,
            interval=Interval(lower=0.68, upper=None, level=0.95),
            baseline=0.0008,
            canary=0.0011,
        ),
        n=STEPS,
        settlement=a_settlement(
            summary="about 12,400 more canary requests (50 minutes at the present traffic)",
            minutes=49.6,
            events=63.2,
            requests=12_400.0,
        ),
        warnings=("the step of 15 s is shorter than the scrape interval of 30 s",),
    )
    gaps = np.where(np.arange(STEPS) % 10 == 3, math.nan, WAVE / 400)
    return a_metric_report(
        judgment,
        name="error ratio",
        group="errors",
        critical=True,
        weight=0.5,
        lost=25.0,
        queries=_asked("events", 'http_requests_total{hash="%s", code=~"5.."}')
        + _asked("total", 'http_requests_total{hash="%s"}'),
        times=TIMES,
        baseline=WAVE / 500,
        canary=gaps,
        pods={"baseline": 3, "canary": 1},
    )


def saturation() -> MetricReport:
    """Show a metric that cannot be judged: the canary has no series."""
    return a_metric_report(
        a_judgment(
            Verdict.INCONCLUSIVE,
            p=None,
            reason=Reason.GUARD,
            summary="canary: the query matched no series",
        ),
        name="queue length",
        weight=0.1,
        lost=5.0,
        findings=(
            Finding(
                code="side_missing",
                summary="canary: the query matched no series",
                remedy="check the labels and the variables of this side, and that its pods are "
                "scraped",
            ),
        ),
        queries=_asked("query", 'max by (pod) (queue_length{hash=~"%s-.*"})', kind="range"),
        times=TIMES,
        baseline=WAVE * 100,
        canary=np.full(STEPS, math.nan),
        pods={"baseline": 3, "canary": 0},
    )


def unanswered() -> MetricReport:
    """Show a muted metric whose query had no answer."""
    error = (
        'Prometheus at http://prometheus:9090 refused the query: 1:5: parse error: unexpected ")"'
    )
    query = AskedQuery(
        side="canary", role="query", kind="range", query="sum)", series=None, error=error
    )
    return a_metric_report(
        a_judgment(
            Verdict.INCONCLUSIVE,
            p=None,
            reason=Reason.SOURCE,
            summary=f"no answer from the source: {error}",
        ),
        name="cost per request",
        muted=True,
        weight=0.0,
        queries=(query,),
        times=TIMES,
        baseline=np.empty(0),
        canary=np.empty(0),
        pods={},
    )


def passing() -> AnalysisReport:
    """Show a rollout that passes on one metric."""
    judgment = a_judgment(
        kind="mann_whitney",
        summary="did not move (95 % CI -1.1 % to 1.3 %), tolerance 10 %, margin 20 %",
        estimate=an_estimate(1.001),
        harm=Evidence(p=0.999, log_e=-7.2),
        safety=Evidence(p=1e-9, log_e=12.0),
        n=STEPS,
        n_effective=35.9,
        autocorrelation=-0.04,
    )
    memory = a_metric_report(
        judgment,
        name="memory per pod",
        critical=True,
        queries=_asked("query", 'process_resident_memory_bytes{hash="%s"}', kind="range"),
        times=TIMES,
        baseline=WAVE * 1e9,
        canary=WAVE[::-1] * 1e9,
    )
    return a_report(memory, window=WINDOW, name="checkout", log_e=-7.2)


def failing() -> AnalysisReport:
    """Show a rollout that fails on one metric of several."""
    return a_report(
        errors(),
        latency(),
        saturation(),
        unanswered(),
        tail(),
        name="checkout",
        window=WINDOW,
        verdict=Verdict.FAIL,
        score=0.0,
        summary="mean latency: rose 14 % (95 % CI 9.2 % to 19 %), tolerance 5 %, margin 15 %",
        decided_by=("mean latency",),
        groups=(
            Group(name="errors", weight=0.5, score=50.0),
            Group(name="latency", weight=0.3, score=0.0),
            Group(name="resources", weight=0.2, score=75.0),
        ),
        log_e=8.1,
        trace=Trace(
            times=TIMES[9::10],
            harm=np.array([-math.inf, 0.3, 5.1, 8.1]),
            safety=np.full(4, math.nan),
        ),
        findings=(
            Finding(
                code="weight_changed",
                severity=Severity.NOTE,
                summary="the canary's part of the requests went from 10 % to 50 % at 08:20:00",
                remedy="divide whatever grows with traffic by the requests",
            ),
        ),
        warnings=("the window is longer than window.planned (30m); evidence is tuned for that",),
    )


def inconclusive() -> AnalysisReport:
    """Show a rollout that is open, judged at one look."""
    return a_report(
        errors(),
        name="checkout",
        window=WINDOW,
        verdict=Verdict.INCONCLUSIVE,
        score=75.0,
        summary=f"error ratio: {errors().judgment.summary}",
        decided_by=("error ratio",),
        groups=(Group(name="errors", weight=1.0, score=50.0),),
        looks="fixed",
        log_e=None,
        marginal_score=60.0,
    )
