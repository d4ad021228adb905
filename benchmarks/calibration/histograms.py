"""Latency histograms, one look: coarse and fine buckets, equal and unequal traffic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.calibration.traffic import DEFAULT_EDGES, FINE_EDGES, Latency
from benchmarks.calibration.cells import Cell, Outcomes, Rng
from benchmarks.calibration.contestants import (
    TWO_SIDED,
    Contestant,
    fixed,
    kayenta,
    ours,
    quantile_of_each_step,
    textbook,
    welch,
)
from benchmarks.calibration.tables import Table, columns
from judges import Sample, Verdict
from judges.core.sample import Histogram

STEPS = 30
SLOWER = 1.25
EDGE = 0.25  # seconds: an edge of both kinds of buckets, near the 87th percentile
BUCKETS = {"default": DEFAULT_EDGES, "1.19 apart": FINE_EDGES}
RATES = ((600, 600), (600, 60), (60, 6))  # requests a step of baseline and canary
P99 = quantile_of_each_step(0.99)


def means(sample: Sample) -> Sample:
    """Show the mean latency."""
    sides = [s.means() for s in (sample.baseline, sample.canary) if isinstance(s, Histogram)]
    return Sample(baseline=sides[0], canary=sides[1], step_s=sample.step_s)


def contestants() -> tuple[Contestant, ...]:
    """List who judges."""
    return (
        *ours("quantile_ratio", {**TWO_SIDED, "quantile": 0.5}, name="quantile_ratio p50"),
        *ours("quantile_ratio", {**TWO_SIDED, "quantile": 0.99}, name="quantile_ratio p99"),
        *ours("exceedance", {**TWO_SIDED, "edge": EDGE}),
        *ours("mean_ratio", TWO_SIDED, view=means),
        textbook(TWO_SIDED, view=P99),
        welch(view=P99),
        kayenta(view=P99),
        fixed(0.8, view=P99),
    )


def cell(buckets: str, rates: tuple[int, int]) -> Cell:
    """Measure one kind of buckets at one traffic."""
    world = Latency(edges=BUCKETS[buckets], rates=rates)

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        good, slow = world.samples(rng, replicates, steps=STEPS, ratio=SLOWER)
        found = {}
        for one in judging:
            verdicts = one.verdicts(good)
            found[f"{one.name}: false alarms"] = np.array([v is Verdict.FAIL for v in verdicts])
            found[f"{one.name}: power"] = one.fails(slow)
        return found

    key = (buckets, f"{rates[0]} and {rates[1]}")
    return Cell(table=TABLE.name, key=key, contestants=contestants(), count=count)


TABLE = Table(
    module=__name__,
    name="histograms",
    title="Latency histograms, one look",
    text=f"""Two-sided, nominal 5 %, {STEPS} steps: false alarms / power where the canary is 25 %
        slower. Latencies are lognormal (median 0.1 s, standard deviation of the logarithm 0.8),
        under a load that both sides share (15 %, autocorrelation .8). *Default* buckets are those
        of Prometheus' client libraries. `exceedance` looks at the share above {EDGE} s,
        `mean_ratio` at the mean that the buckets show; the last four look at the p99 of each step,
        the *fixed threshold* at their mean, against 0.8 s (the usual p99 is 0.64 s).""",
    keys=("buckets", "requests a step"),
    columns=columns(
        "quantile_ratio p50",
        "quantile_ratio p99",
        "exceedance",
        "mean_ratio",
        "textbook Mann-Whitney",
        "Welch",
        "kayenta",
        "fixed threshold",
        of=("false alarms", "power"),
    ),
    cells=lambda: [cell(buckets, rates) for buckets in BUCKETS for rates in RATES],
)
