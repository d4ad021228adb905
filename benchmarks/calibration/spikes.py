"""Extreme effects in few steps: when there is no time for statistics."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.calibration.scenarios import (
    AR5,
    AR8,
    GAUGES,
    INDEPENDENT,
    Scenario,
    begun,
    paired,
)
from benchmarks.calibration.cells import Cell, Outcomes, Rng
from benchmarks.calibration.contestants import (
    ONE_SIDED,
    Contestant,
    fixed,
    kayenta,
    ours,
    textbook,
    welch,
)
from benchmarks.calibration.tables import Table, columns

STEPS = 12
BAD = 3
HARM = 4.0
WORLDS = (INDEPENDENT, AR5, AR8, *(s for s in GAUGES if s.name.startswith(("heavy", "spikes"))))


def contestants() -> tuple[Contestant, ...]:
    """List who judges."""
    return (
        *ours("spike", {}),
        *ours("mann_whitney", {**ONE_SIDED, "min_samples": 4}),
        textbook(ONE_SIDED),
        welch(two_sided=False),
        kayenta(direction="increase"),
        fixed(1.5),
    )


def cell(scenario: Scenario) -> Cell:
    """Measure one kind of noise."""

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        baselines, canaries = scenario.gauges(rng, (replicates, STEPS))
        good = paired(baselines, canaries)
        harmed = paired(baselines, begun(canaries, STEPS - BAD, HARM))
        return {
            f"{one.name}: {what}": one.fails(samples)
            for one in judging
            for what, samples in (("false alarms", good), ("power", harmed))
        }

    return Cell(table=TABLE.name, key=(scenario.name,), contestants=contestants(), count=count)


TABLE = Table(
    module=__name__,
    name="spikes",
    title="Extreme effects, one look",
    text=f"""{STEPS} steps: false alarms / power where the canary is {HARM:g} times as high in the
        last {BAD}. `spike` with its defaults; the others one-sided at a nominal 5 %, and the
        *fixed threshold* 50 % above the usual level.""",
    keys=("scenario",),
    columns=columns(
        "spike",
        "mann_whitney",
        "textbook Mann-Whitney",
        "Welch",
        "kayenta",
        "fixed threshold",
        of=("false alarms", "power"),
    ),
    cells=lambda: [cell(scenario) for scenario in WORLDS],
)
