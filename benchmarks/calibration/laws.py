"""Laws that hold for each sample by itself: a larger effect, another unit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.calibration.scenarios import AR5, AR8, INDEPENDENT, SEASON_AR6, Scenario, paired
from benchmarks.calibration.cells import Cell, Outcomes, Rng
from benchmarks.calibration.contestants import Contestant, kayenta, ours, textbook
from benchmarks.calibration.margins import ASKED, NOISE
from benchmarks.calibration.tables import Table, columns
from judges import Verdict

RATIOS = (1.0, 1.05, 1.1, 1.2, 1.35, 1.6, 2.0, 5.0)
UNITS = (1e-9, 3.7e6)
RANK = {Verdict.PASS: 0, Verdict.INCONCLUSIVE: 1, Verdict.FAIL: 2}


def contestants() -> tuple[Contestant, ...]:
    """List who judges."""
    return (
        *ours("mann_whitney", ASKED),
        *ours("mean_ratio", ASKED),
        textbook(ASKED),
        kayenta(direction="increase", allowed_increase=1.05),
    )


def cell(scenario: Scenario, n: int) -> Cell:
    """Measure how often a law is broken in one scenario."""

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        baselines, canaries = scenario.gauges(rng, (replicates, n), noise=NOISE)
        found: dict[str, NDArray[np.bool_]] = {}
        for one in judging:
            by_effect = [_ranks(one, baselines, ratio * canaries) for ratio in RATIOS]
            harmed = RATIOS[3]
            by_unit = [_ranks(one, unit * baselines, unit * harmed * canaries) for unit in UNITS]
            milder, other = np.diff(by_effect, axis=0) < 0, np.array(by_unit) != by_effect[3]
            found[f"{one.name}: milder"] = np.any(milder, axis=0)
            found[f"{one.name}: other"] = np.any(other, axis=0)
        return found

    key = (scenario.name, str(n))
    return Cell(table=TABLE.name, key=key, contestants=contestants(), count=count)


def _ranks(
    one: Contestant, baselines: NDArray[np.float64], canaries: NDArray[np.float64]
) -> NDArray[np.int_]:
    return np.array([RANK[verdict] for verdict in one.verdicts(paired(baselines, canaries))])


TABLE = Table(
    module=__name__,
    name="laws",
    title="Larger effects, other units",
    text="""How often, on the same data, one of eight growing effects (0 to 400 %) gets a milder
        verdict than the effect before it / how often a verdict changes when both sides are
        measured in another unit (10⁻⁹ and 3.7 × 10⁶ times as large).""",
    keys=("scenario", "n"),
    columns=columns(
        "mann_whitney", "mean_ratio", "textbook Mann-Whitney", "kayenta", of=("milder", "other")
    ),
    cells=lambda: [
        cell(scenario, n) for scenario in (INDEPENDENT, AR5, AR8, SEASON_AR6) for n in (30, 60)
    ],
)
