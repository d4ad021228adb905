"""Leaks: levels that wander by themselves, and one that only ever grows."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.calibration.scenarios import AR8, AR95, INDEPENDENT, Scenario, leaking, paired
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

LIMIT = 2.0  # the usual level is 1
GROWTH = 0.2  # of the limit, over the window
NOISE = 0.03


def contestants(n: int) -> tuple[Contestant, ...]:
    """List who judges a window of n steps."""
    return (
        *ours("slope", {**ONE_SIDED, "limit": LIMIT, "horizon": n}),
        *ours("mann_whitney", ONE_SIDED),
        *ours("mean_ratio", ONE_SIDED),
        textbook(ONE_SIDED),
        welch(two_sided=False),
        kayenta(direction="increase"),
        fixed(1.2),
    )


def cell(scenario: Scenario, n: int) -> Cell:
    """Measure one kind of wandering at one length."""

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        baselines, canaries = scenario.gauges(rng, (replicates, n), noise=NOISE)
        good = paired(baselines, canaries)
        leaky = paired(baselines, leaking(canaries, GROWTH * LIMIT))
        return {
            f"{one.name}: {what}": one.fails(samples)
            for one in judging
            for what, samples in (("false alarms", good), ("power", leaky))
        }

    key = (scenario.name, str(n))
    return Cell(table=TABLE.name, key=key, contestants=contestants(n), count=count)


TABLE = Table(
    module=__name__,
    name="leaks",
    title="Leaks, one look",
    text="""One-sided, nominal 5 %, noise 3 %: false alarms / power where the canary grows by 20 %
        of its limit over the window. The limit is twice the usual level; the *fixed threshold* lies
        20 % above that level.""",
    keys=("scenario", "n"),
    columns=columns(
        "slope",
        "mann_whitney",
        "mean_ratio",
        "textbook Mann-Whitney",
        "Welch",
        "kayenta",
        "fixed threshold",
        of=("false alarms", "power"),
    ),
    cells=lambda: [cell(scenario, n) for scenario in (INDEPENDENT, AR8, AR95) for n in (60, 240)],
)
