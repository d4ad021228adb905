"""Errors among requests, one look: sparse or many, in bursts or not, with little traffic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis import counters
from analysis.calibration.scenarios import Array
from analysis.calibration.traffic import ERROR_RATIO, ERRORS, Errors
from analysis.sources.port import Series
from benchmarks.calibration.cells import Cell, Outcomes, Rng
from benchmarks.calibration.contestants import (
    NOMINAL,
    ONE_SIDED,
    Contestant,
    binomial,
    fixed,
    kayenta,
    ours,
    textbook,
    welch,
)
from benchmarks.calibration.tables import Column, Table, columns
from judges import Sample, Verdict

EXPOSURES = (1, 4, 10)
SIZES = ((30, 0.2), (60, 2.0), (240, 0.2), (60, 20.0))  # steps, errors of the baseline a step
MARGIN = 1.5
AT_THE_MARGIN = "at the margin"


def contestants() -> tuple[Contestant, ...]:
    """List who judges."""
    margin = {"tolerance": 1.25, "margin": MARGIN, "beta": NOMINAL, "looks": "fixed"}
    return (
        *ours("error_ratio", ONE_SIDED),
        *ours("error_ratio", margin, name=AT_THE_MARGIN),
        binomial(),
        textbook(ONE_SIDED),
        welch(logarithms=False, two_sided=False),
        kayenta(direction="increase"),
        fixed(1.5 * ERROR_RATIO),
    )


def cell(world: Errors, exposure: int, n: int, rate: float) -> Cell:
    """Measure one world at one ratio of traffic, length and number of errors."""

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        good, double, at_margin = (
            world.samples(rng, replicates, steps=n, rate=rate, exposure=exposure, ratio=ratio)
            for ratio in (1.0, 2.0, MARGIN)
        )
        return _outcomes(judging, good, double, at_margin)

    key = (world.name, f"{exposure}:1", str(n), f"{rate:g}")
    return Cell(table=TABLE.name, key=key, contestants=contestants(), count=count)


def _outcomes(
    judging: Sequence[Contestant], good: list[Sample], double: list[Sample], at_margin: list[Sample]
) -> Outcomes:
    found = {}
    for one in judging:
        if one.name == AT_THE_MARGIN:
            verdicts = one.verdicts(at_margin)
            found["error_ratio: false pass"] = np.array([v is Verdict.PASS for v in verdicts])
        else:
            found[f"{one.name}: false alarms"] = one.fails(good)
            found[f"{one.name}: power"] = one.fails(double)
    return found


# ---- counters read raw, with all that happens to them

SCRAPES = 4  # a step
PODS = 3
RESTARTS = 1 / 40  # of a pod, a scrape: every ten steps
LOST = 0.05  # of the scrapes


def restarting_cell(n: int, rate: float) -> Cell:
    """Measure Poisson errors whose counters restart and whose scrapes go missing."""

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        drawn = (
            [_read_raw(rng, n, rate, ratio) for _ in range(replicates)]
            for ratio in (1.0, 2.0, MARGIN)
        )
        return _outcomes(judging, *drawn)

    key = ("Poisson, counters restart, scrapes missing", "1:1", str(n), f"{rate:g}")
    return Cell(table=TABLE.name, key=key, contestants=contestants(), count=count)


def _read_raw(rng: Rng, n: int, rate: float, ratio: float) -> Sample:
    sides = [_side(rng, n, rate, share) for share in (ERROR_RATIO, ratio * ERROR_RATIO)]
    return Sample.of_counts(*sides)


def _side(rng: Rng, n: int, rate: float, share: float) -> tuple[Array, Array]:
    """Give (events, total) of a side's pods as the engine reads them from raw counters."""
    edges = np.arange(0, 60.0 * n + 1, 60.0)
    times = np.arange(0, 60.0 * n + 1, 60.0 / SCRAPES)
    requests = rate / ERROR_RATIO / SCRAPES / PODS
    events: list[Series] = []
    total: list[Series] = []
    for pod in range(PODS):
        grown = rng.poisson(requests, len(times))
        failed = rng.binomial(grown, share)
        restarted = rng.random(len(times)) < RESTARTS
        seen = rng.random(len(times)) >= LOST
        labels = {"pod": str(pod)}
        for increments, series in ((failed, events), (grown, total)):
            values = _counter(increments, restarted)
            series.append(Series(labels=labels, times=times[seen], values=values[seen]))
    scrapes = counters.scrapes([*events, *total], since=0.0, begin=0.0)
    read = counters.increases([events, total], edges, scrapes, pod_label="pod")
    return read.values[0], read.values[1]


def _counter(increments: NDArray[np.int64], restarted: NDArray[np.bool_]) -> Array:
    """Add up increments, beginning anew at each restart; what the last scrape missed is lost."""
    total = np.cumsum(increments).astype(np.float64)
    value: Array = total - np.maximum.accumulate(np.where(restarted, total, 0.0))
    return value


TABLE = Table(
    module=__name__,
    name="errors",
    title="Errors among requests, one look",
    text="""One-sided, nominal 5 %: false alarms at equal rates / power at twice the errors.
        *Traffic* is the baseline's to the canary's, *rate* the baseline's errors a step. *False
        pass*: passes at a nominal 5 % where the canary's rate lies exactly at the margin, 1.5
        times. The *exact binomial* is the conditional test of two Poisson rates; the last four
        look at the ratio of each step, the *fixed threshold* at that of the window, against 1.5
        times the usual one. In the last rows three pods' counters are read raw every 15 s, each
        restarts every ten steps and one scrape in twenty is missing.""",
    keys=("world", "traffic", "n", "rate"),
    columns=(
        *columns("error_ratio", of=("false alarms", "power")),
        Column(heading="false pass", outcomes=("error_ratio: false pass",)),
        *columns(
            "exact binomial",
            "textbook Mann-Whitney",
            "Welch",
            "kayenta",
            "fixed threshold",
            of=("false alarms", "power"),
        ),
    ),
    cells=lambda: [
        *(
            cell(world, exposure, n, rate)
            for world in ERRORS
            for exposure in EXPOSURES
            for n, rate in SIZES
        ),
        *(restarting_cell(n, rate) for n, rate in ((60, 2.0), (60, 20.0))),
    ],
)
