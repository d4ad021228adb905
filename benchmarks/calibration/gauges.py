"""Gauges, one look: false alarms, and power where an oracle has 85 %."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.calibration.scenarios import GAUGES, HIDDEN, NOISE, Scenario, paired
from benchmarks.calibration.cells import Cell, Outcomes, Rng
from benchmarks.calibration.contestants import (
    TWO_SIDED,
    Contestant,
    fixed,
    kayenta,
    ours,
    textbook,
    welch,
)
from benchmarks.calibration.tables import Column, Table, columns
from judges import Reason, Sample

LENGTHS = (15, 30, 60, 120, 240)
# A day of minutes before the window, and the windows that it can tell of.
DAY, TOLD = 1440, (30, 60)


def contestants() -> tuple[Contestant, ...]:
    """List who judges."""
    return (
        *ours("mann_whitney", TWO_SIDED),
        *ours("mean_ratio", TWO_SIDED),
        textbook(TWO_SIDED),
        welch(),
        kayenta(),
        fixed(1.1),
    )


def cell(scenario: Scenario, n: int, *, past: int = 0) -> Cell:
    """Measure one scenario at one length, after `past` steps of two groups of the stable pods."""
    ratio = math.exp(NOISE * scenario.oracle(n))

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        sides = scenario.gauges(rng, (replicates, n))
        good, harmed = paired(*sides), paired(*sides, ratio=ratio)
        if past:
            before = paired(*scenario.gauges(rng, (replicates, past)))
            good, harmed = _after(before, good), _after(before, harmed)
        found = {}
        for one in judging:
            judged = one.judgments(good)
            reasons = [judgment.reason for judgment in judged]
            found[f"{one.name}: false alarms"] = np.array([j.verdict == "fail" for j in judged])
            found[f"{one.name}: power"] = one.fails(harmed)
            found[f"{one.name}: undecided"] = np.array([r in UNDECIDED for r in reasons])
        return found

    name = f"{scenario.name}, {past} steps of history" if past else scenario.name
    return Cell(table=TABLE.name, key=(name, str(n)), contestants=contestants(), count=count)


def _after(before: Sequence[Sample], samples: Sequence[Sample]) -> list[Sample]:
    return [replace(one, history=past) for past, one in zip(before, samples, strict=True)]


def cells() -> list[Cell]:
    """List the rows: every scenario by itself, and what a history makes of the one it is for."""
    return [
        *(cell(scenario, n) for scenario in GAUGES for n in LENGTHS),
        *(cell(HIDDEN, n, past=DAY) for n in TOLD),
    ]


UNDECIDED = (Reason.TOO_FEW_EFFECTIVE_SAMPLES, Reason.TOO_FEW_SAMPLES)

TABLE = Table(
    module=__name__,
    name="gauges",
    title="Gauges, one look",
    text="""Two-sided, nominal 5 %: false alarms / power where an oracle that knows the variance has
        85 % (heavy tails: twice that effect). *Undecided* had fewer than six independent steps; it
        counts as no alarm. The *fixed threshold* is a bound 10 % above the usual level, one-sided;
        Kayenta's judge has no level to set. Before the last rows lies a day of minutes of two
        groups of the stable version, from which `mann_whitney` and `mean_ratio` learn the noise;
        three independent steps then suffice.""",
    keys=("scenario", "n"),
    columns=(
        *columns("mann_whitney", of=("false alarms", "power")),
        Column(heading="undecided", outcomes=("mann_whitney: undecided",), brief=True),
        *columns(
            "mean_ratio",
            "textbook Mann-Whitney",
            "Welch",
            "kayenta",
            "fixed threshold",
            of=("false alarms", "power"),
        ),
    ),
    cells=cells,
)
