"""A look every five steps: what one look promises, and what is left of it after fifty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.calibration.scenarios import (
    AR5,
    AR8,
    AR95,
    GAUGES,
    INDEPENDENT,
    SEASON_AR6,
    Scenario,
    paired,
)
from analysis.calibration.traffic import ERROR_RATIO, ERRORS, POISSON, Errors
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
from benchmarks.calibration.tables import Table, columns
from judges import Sample

PLANNED = 240
LOOKS = range(15, PLANNED + 1, 5)
# Errors are looked at from the first five minutes on; gauges need fifteen steps.
ERROR_LOOKS = range(5, PLANNED + 1, 5)
ANYTIME = {"tolerance": 0, "alpha": NOMINAL, "looks": "anytime", "horizon": PLANNED}
STAGED = {**ANYTIME, "looks": "group_sequential"}
EXPOSURE = 4  # the canary has a fifth of all traffic
OVERLAP = next(scenario for scenario in GAUGES if scenario.name.startswith("rate[5m]"))


def gauge_contestants() -> tuple[Contestant, ...]:
    """List who judges gauges."""
    return (
        *ours("mann_whitney", ANYTIME),
        *ours("mean_ratio", ANYTIME),
        *ours("mann_whitney", STAGED, name="mann_whitney, looks: group_sequential"),
        *ours("mann_whitney", ONE_SIDED, name="mann_whitney, looks: fixed"),
        textbook(ONE_SIDED),
        welch(two_sided=False),
        kayenta(direction="increase"),
        fixed(1.1),
    )


def error_contestants() -> tuple[Contestant, ...]:
    """List who judges errors."""
    return (
        *ours("error_ratio", ANYTIME),
        *ours("error_ratio", ONE_SIDED, name="error_ratio, looks: fixed"),
        binomial(),
        textbook(ONE_SIDED),
        welch(logarithms=False, two_sided=False),
        kayenta(direction="increase"),
        fixed(1.5 * ERROR_RATIO),
    )


def found(judging: Sequence[Contestant], samples: list[Sample], looks: Sequence[int]) -> Outcomes:
    """Give whether and when each contestant fails each sample."""
    outcomes: dict[str, np.ndarray] = {}
    for one in judging:
        steps = one.first_fail(samples, looks)
        outcomes[f"{one.name}: fails"] = np.isfinite(steps)
        outcomes[f"{one.name}: step"] = steps
    return outcomes


def gauge_cell(scenario: Scenario) -> Cell:
    """Measure how often some look fails a metric exactly at its tolerance."""

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        samples = paired(*scenario.gauges(rng, (replicates, PLANNED)))
        return found(judging, samples, LOOKS)

    key = (scenario.name,)
    return Cell(table=TABLE.name, key=key, contestants=gauge_contestants(), count=count)


def error_cell(world: Errors, rate: float, ratio: float) -> Cell:
    """Measure how often and how soon some look fails a canary with `ratio` times the errors."""

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        samples = world.samples(
            rng, replicates, steps=PLANNED, rate=rate, ratio=ratio, exposure=EXPOSURE
        )
        return found(judging, samples, ERROR_LOOKS)

    key = (world.name, f"{rate:g}", f"× {ratio:g}")
    return Cell(table=ERROR_TABLE.name, key=key, contestants=error_contestants(), count=count)


TABLE = Table(
    module=__name__,
    name="looks",
    title="46 looks at a gauge exactly at its tolerance",
    text=f"""One-sided, nominal 5 %, a look every five steps from 15 to {PLANNED}: how often some
        look fails. *looks: fixed* is what a test that knows one look does when it is asked 46
        times; so are the comparators. The *fixed threshold* lies 10 % above the usual level.""",
    keys=("scenario",),
    columns=columns(
        "mann_whitney",
        "mean_ratio",
        "mann_whitney, looks: group_sequential",
        "mann_whitney, looks: fixed",
        "textbook Mann-Whitney",
        "Welch",
        "kayenta",
        "fixed threshold",
        of=("fails",),
    ),
    cells=lambda: [
        gauge_cell(scenario) for scenario in (INDEPENDENT, AR5, AR8, AR95, SEASON_AR6, OVERLAP)
    ],
)
ERROR_TABLE = Table(
    module=__name__,
    name="error-looks",
    title="48 looks at errors among requests",
    text=f"""One-sided, nominal 5 %, a look every five steps to {PLANNED}, the canary with a fifth
        of the traffic: how often some look fails / the median step at which it does. *Rate* is the
        baseline's errors a step, × 1 a good canary. The *fixed threshold* is 1.5 times the usual
        ratio.""",
    keys=("world", "rate", "errors"),
    columns=columns(
        "error_ratio",
        "error_ratio, looks: fixed",
        "exact binomial",
        "textbook Mann-Whitney",
        "Welch",
        "kayenta",
        "fixed threshold",
        of=("fails", "step"),
    ),
    cells=lambda: [
        *(error_cell(world, rate, 1.0) for world in ERRORS for rate in (0.2, 2.0, 20.0)),
        *(error_cell(POISSON, rate, ratio) for rate in (0.2, 2.0) for ratio in (2.0, 5.0)),
        *(error_cell(world, 2.0, 2.0) for world in ERRORS[1:]),
    ],
)
