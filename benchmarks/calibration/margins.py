"""The three outcomes by the true effect: below, at and above tolerance and margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from analysis.calibration.scenarios import AR5, AR8, INDEPENDENT, SEASON_AR6, Scenario, paired
from benchmarks.calibration.cells import Cell, Outcomes, Rng
from benchmarks.calibration.contestants import (
    NOMINAL,
    ONE_SIDED,
    Contestant,
    fixed,
    kayenta,
    ours,
    textbook,
    welch,
)
from benchmarks.calibration.tables import Table, columns
from judges import Judge, Judgment, Ratio, Sample, Values, Verdict

LENGTHS = (30, 60, 240)
EFFECTS = (0, 5, 10, 20)  # percent; the second is the tolerance, the third the margin
NOISE = 0.15
ASKED = {
    "tolerance": "5%", "margin": "10%", "alpha": NOMINAL, "beta": NOMINAL, "looks": "fixed"
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRejected:
    """A test as it is used where nobody asks for a margin: what is not rejected passes."""

    kind: ClassVar[str] = "not rejected"
    accepts: ClassVar[tuple[type[Any], ...]] = (Values, Ratio)

    test: Judge

    def judge(self, sample: Sample, /) -> Judgment:
        """Pass whatever does not fail."""
        judgment = self.test.judge(sample)
        passes = judgment.verdict is not Verdict.FAIL
        return replace(judgment, verdict=Verdict.PASS) if passes else judgment


def contestants() -> tuple[Contestant, ...]:
    """List who judges."""
    test = textbook(ONE_SIDED)
    return (
        *ours("mann_whitney", ASKED),
        *ours("mean_ratio", ASKED),
        replace(test, judge=NotRejected(test=test.judge)),
        welch(two_sided=False),
        kayenta(direction="increase", allowed_increase=1.05),
        fixed(1.05),
    )


def cell(scenario: Scenario, n: int, effect: int) -> Cell:
    """Measure the outcomes at one effect."""

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        sides = scenario.gauges(rng, (replicates, n), noise=NOISE)
        samples = paired(*sides, ratio=1 + effect / 100)
        found = {}
        for one in judging:
            verdicts = one.verdicts(samples)
            found[f"{one.name}: fail"] = np.array([v is Verdict.FAIL for v in verdicts])
            found[f"{one.name}: pass"] = np.array([v is Verdict.PASS for v in verdicts])
        return found

    key = (scenario.name, str(n), f"{effect:+d} %")
    return Cell(table=TABLE.name, key=key, contestants=contestants(), count=count)


TABLE = Table(
    module=__name__,
    name="margins",
    title="Three outcomes, by the true effect",
    text="""Fail / pass; the rest is inconclusive. One look, noise 15 %, tolerance 5 %, margin 10 %,
        nominal 5 % for both errors: at +5 % at most 5 % may fail, at +10 % at most 5 % may pass. Of
        the textbook tests what is not rejected passes, as where nobody asks for a margin; Kayenta's
        judge has `allowed_increase` 1.05, the *fixed threshold* lies 5 % above the usual level.""",
    keys=("scenario", "n", "true effect"),
    columns=columns(
        "mann_whitney",
        "mean_ratio",
        "textbook Mann-Whitney",
        "Welch",
        "kayenta",
        "fixed threshold",
        of=("fail", "pass"),
    ),
    cells=lambda: [
        cell(scenario, n, effect)
        for scenario in (INDEPENDENT, AR5, AR8, SEASON_AR6)
        for n in LENGTHS
        for effect in EFFECTS
    ],
)
