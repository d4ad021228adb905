"""Harm that begins late: the longer all was well, the less the whole window shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from analysis.calibration.scenarios import AR5, AR8, INDEPENDENT, NOISE, Scenario, begun, paired
from benchmarks.calibration.cells import Cell, Outcomes, Rng
from benchmarks.calibration.contestants import Contestant
from benchmarks.calibration.looks import LOOKS, PLANNED, gauge_contestants
from benchmarks.calibration.tables import Table, columns

# Evidence starts anew at quarters of the plan: 100 and 150 lie between, 120 and 180 on them.
ONSETS = (0, 100, 120, 150, 180)
# Times the effect that an oracle finds within 100 steps.
STRONG = 2.8


def cell(scenario: Scenario, onset: int) -> Cell:
    """Measure how often and how soon harm is found that begins at a step."""
    ratio = math.exp(NOISE * STRONG * scenario.oracle(100))

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        baselines, canaries = scenario.gauges(rng, (replicates, PLANNED))
        samples = paired(baselines, begun(canaries, onset, ratio))
        outcomes: dict[str, np.ndarray] = {}
        for one in judging:
            steps = one.first_fail(samples, LOOKS)
            outcomes[f"{one.name}: too early"] = steps <= onset
            outcomes[f"{one.name}: found"] = steps > onset
            outcomes[f"{one.name}: delay"] = np.where(steps > onset, steps - onset, np.nan)
        return outcomes

    key = (scenario.name, str(onset), f"{100 * (ratio - 1):+.0f} %")
    return Cell(table=TABLE.name, key=key, contestants=gauge_contestants(), count=count)


TABLE = Table(
    module=__name__,
    name="late",
    title="Harm that begins late",
    text=f"""One-sided, nominal 5 %, looks as above, planned {PLANNED} steps: how often some look
        after the onset fails / the median delay in steps / how often a look failed before it. The
        effect is {STRONG:g} times what an oracle finds within 100 steps.""",
    keys=("scenario", "onset", "effect"),
    columns=columns(
        "mann_whitney",
        "mean_ratio",
        "mann_whitney, looks: group_sequential",
        "mann_whitney, looks: fixed",
        "textbook Mann-Whitney",
        "Welch",
        "kayenta",
        "fixed threshold",
        of=("found", "delay", "too early"),
    ),
    cells=lambda: [
        cell(scenario, onset) for scenario in (INDEPENDENT, AR5, AR8) for onset in ONSETS
    ],
)
