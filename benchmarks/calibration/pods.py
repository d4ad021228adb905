"""Pods that differ by themselves, one look: what no number of steps averages away."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.calibration.scenarios import Pods, paired
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
from benchmarks.calibration.tables import Table, columns

STEPS = 60
SIZES = ((3, 3), (5, 1), (5, 5))
SPREADS = (0.0, 0.02, 0.05)
HARM = 1.15


def contestants() -> tuple[Contestant, ...]:
    """List who judges."""
    return (
        *ours("mean_ratio", TWO_SIDED),
        *ours("mann_whitney", TWO_SIDED),
        *ours("mean_ratio", {**TWO_SIDED, "pods": "ignore"}, name="mean_ratio, pods: ignore"),
        textbook(TWO_SIDED),
        welch(),
        kayenta(),
        fixed(1.1),
    )


def cell(size: tuple[int, int], spread: float) -> Cell:
    """Measure one number of pods with one spread between them."""
    world = Pods(baseline=size[0], canary=size[1], spread=spread)

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        sides = world.gauges(rng, replicates, STEPS)
        good, harmed = paired(*sides), paired(*sides, ratio=HARM)
        return {
            f"{one.name}: {what}": one.fails(samples)
            for one in judging
            for what, samples in (("false alarms", good), ("power", harmed))
        }

    key = (f"{size[0]} + {size[1]}", f"{100 * spread:g} %")
    return Cell(table=TABLE.name, key=key, contestants=contestants(), count=count)


TABLE = Table(
    module=__name__,
    name="pods",
    title="Pods, one look",
    text=f"""Two-sided, nominal 5 %, {STEPS} steps, noise 10 % in each pod: false alarms / power at
        +15 %. *Spread* is the standard deviation between the levels of equal pods. The last four
        look at the pods' mean in each step (Kayenta's judge at all values).""",
    keys=("pods", "spread"),
    columns=columns(
        "mean_ratio",
        "mann_whitney",
        "mean_ratio, pods: ignore",
        "textbook Mann-Whitney",
        "Welch",
        "kayenta",
        "fixed threshold",
        of=("false alarms", "power"),
    ),
    cells=lambda: [cell(size, spread) for size in SIZES for spread in SPREADS],
)
