"""What we set out to reach, and whether the other tables show that we did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.calibration import Rate
from analysis.calibration.scenarios import (
    AR5,
    AR8,
    AR95,
    INDEPENDENT,
    SEASON,
    Scenario,
)
from analysis.calibration.traffic import NEGATIVE_BINOMIAL, POISSON, SHARED_BURSTS
from benchmarks.calibration import histograms, late, laws, margins, pods
from benchmarks.calibration.cells import Cell, Measured, Results
from benchmarks.calibration.rollouts import (
    AT_TOLERANCE,
    CRITICAL_HALF,
    EQUAL,
    OTHER_DOUBLE,
    Truth,
)
from benchmarks.calibration.tables import NOTHING, grid

SERIES = ("mann_whitney", "mean_ratio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A bound on what is measured in some cells: in each of them, so the worst counts.

    Attributes:
        text: What is bounded.
        judge: Whose result.
        outcome: Which of its results.
        cells: Names of the cells.
        most: Largest value wanted, a fraction or a step; `None` for a lower bound.
        least: Smallest fraction wanted; `None` for an upper bound.
    """

    text: str
    judge: str
    outcome: str
    cells: tuple[str, ...]
    most: float | None = None
    least: float | None = None

    @property
    def name(self) -> str:
        """The result's name within a cell."""
        return f"{self.judge}: {self.outcome}"

    def applies_to(self, cell: Cell) -> bool:
        """Tell whether the goal is about a cell, and its judge is registered."""
        return cell.name in self.cells and self.judge in {one.name for one in cell.contestants}

    def worst(self, measured: Mapping[str, Results]) -> Measured | None:
        """Give the result that is farthest from the goal; `None` if any is missing."""
        results = [measured.get(cell, {}).get(self.name) for cell in self.cells]
        known = [result for result in results if result is not None]
        if len(known) < len(results):
            return None
        sign = 1 if self.least is None else -1
        return max(known, key=lambda result: sign * _value(result))

    def keeps(self, value: float) -> bool:
        """Tell whether a value is on the right side of the goal."""
        return value <= self.most if self.most is not None else value >= (self.least or 0.0)

    def row(self, measured: Mapping[str, Results]) -> list[str]:
        """Write the goal's row."""
        worst = self.worst(measured)
        if worst is None:
            return [self.text, self.judge, self._wanted(), NOTHING, NOTHING, "not measured"]
        low, high = worst.wilson() if isinstance(worst, Rate) else (worst.low, worst.high)
        bound = high if self.most is not None else low
        met = (
            "yes"
            if self.keeps(bound)
            else "within chance"
            if self.keeps(_value(worst))
            else "**no**"
        )
        shown = [self._write(worst, _value(worst)), self._write(worst, bound)]
        return [self.text, self.judge, self._wanted(), *shown, met]

    def _wanted(self) -> str:
        if self.least is not None:
            return f"at least {100 * self.least:g} %"
        most = self.most or 0.0
        return f"at most {most:g} steps" if most > 1 else f"at most {100 * most:g} %"

    @staticmethod
    def _write(measured: Measured, value: float) -> str:
        return f"{100 * value:.1f} %" if isinstance(measured, Rate) else f"{value:g} steps"


def _value(measured: Measured) -> float:
    return measured.value if isinstance(measured, Rate) else measured.median


def _of(
    kinds: Sequence[str],
    text: str,
    outcome: str,
    cells: Sequence[str],
    *,
    most: float | None = None,
    least: float | None = None,
) -> list[Goal]:
    """Set the same goal for several judges."""
    return [
        Goal(text=text, judge=kind, outcome=outcome, cells=tuple(cells), most=most, least=least)
        for kind in kinds
    ]


def _rollouts(tolerance: str, truth: Truth, *worlds: str) -> list[str]:
    return [f"rollouts/{world}/{tolerance}/{truth.name}" for world in worlds]


def _rows(table: str, scenarios: Sequence[Scenario], lengths: Sequence[int]) -> list[str]:
    return [f"{table}/{scenario.name}/{n}" for scenario in scenarios for n in lengths]


IID, HALF, EIGHT = INDEPENDENT.name, AR5.name, AR8.name
LONG = (30, 60, 120, 240)
LATE = "harm from step 180 of 240"


def _good_rollouts() -> list[Goal]:
    """Good rollouts of twelve metrics."""
    pods_spread = [f"3 + 3 pods, spread {spread}" for spread in ("2 %", "4 %")]
    tight = [*_rollouts("0%", EQUAL, IID, HALF), *_rollouts("10%", AT_TOLERANCE, IID, HALF)]
    tight8 = [*_rollouts("0%", EQUAL, EIGHT), *_rollouts("10%", AT_TOLERANCE, EIGHT)]
    text = "good rollout of 12 metrics fails"
    return [
        *_of(
            SERIES,
            f"{text}, tolerance 10 %, autocorrelation 0 to .8",
            "fails",
            _rollouts("10%", EQUAL, IID, HALF, EIGHT),
            most=0.01,
        ),
        *_of(SERIES, f"{text}, all at their tolerance, 0 to .5", "fails", tight, most=0.025),
        *_of(SERIES, f"{text}, all at their tolerance, .8", "fails", tight8, most=0.05),
        *_of(
            SERIES,
            f"{text}, tolerance 0, pods differ by 2 and 4 %",
            "fails",
            _rollouts("0%", EQUAL, *pods_spread),
            most=0.025,
        ),
    ]


def _harmed_rollouts() -> list[Goal]:
    """Rollouts with one bad metric."""
    goals = []
    for world, least, steps in ((IID, 0.97, 20), (HALF, 0.85, 40)):
        cells = _rollouts("10%", CRITICAL_HALF, world)
        text = f"critical metric +50 %, {world}"
        goals += _of(SERIES, f"{text}: found in 60 steps", "fails", cells, least=least)
        goals += _of(SERIES, f"{text}: median step", "step", cells, most=steps)
    text = "one of ten metrics that are not critical doubles"
    for world in (IID, HALF):
        cells = _rollouts("10%", OTHER_DOUBLE, world)
        goals += _of(SERIES, f"{text}, {world}: found", "fails", cells, least=0.97)
    return goals


def _looks() -> list[Goal]:
    """Any number of looks at one metric, and harm that begins late."""
    at_tolerance = [
        goal
        for scenario, most in ((INDEPENDENT, 0.03), (AR5, 0.06), (AR8, 0.09))
        for goal in _of(
            SERIES,
            f"46 looks at a metric at its tolerance, nominal 5 %, {scenario.name}",
            "fails",
            [f"looks/{scenario.name}"],
            most=most,
        )
    ]
    late_harm = [
        goal
        for cell in late.TABLE.cells()
        if cell.key[0] in (IID, HALF) and cell.key[1] == "180"
        for goal in (
            *_of(SERIES, f"{LATE}, {cell.key[0]}: found", "found", [cell.name], least=0.95),
            *_of(SERIES, f"{LATE}, {cell.key[0]}: median delay", "delay", [cell.name], most=35),
        )
    ]
    return [*at_tolerance, *late_harm]


def _one_look() -> list[Goal]:
    """False alarms, false passes and power of one look."""
    up_to_half = _rows("gauges", (INDEPENDENT, AR5, SEASON), LONG)
    beyond = _rows("gauges", (AR8, AR95), LONG)
    at_margin, at_margin8 = (
        [f"{row}/+10 %" for row in _rows("margins", scenarios, margins.LENGTHS)]
        for scenarios in ((INDEPENDENT, AR5), (AR8,))
    )
    powers = ((INDEPENDENT, 30, 0.7), (AR5, 60, 0.78), (AR8, 240, 0.78), (SEASON, 30, 0.7))
    return [
        *_of(SERIES, "false alarms at 5 %, autocorrelation 0 to .5, n ≥ 30", "false alarms",
             up_to_half, most=0.075),
        *_of(SERIES, "false alarms at 5 %, .8 and .95, n ≥ 30", "false alarms", beyond, most=0.11),
        *_of(SERIES, "false pass at the margin, nominal 5 %, 0 and .5", "pass", at_margin,
             most=0.06),
        *_of(SERIES, "false pass at the margin, nominal 5 %, .8", "pass", at_margin8, most=0.1),
        *(
            goal
            for scenario, n, least in powers
            for goal in _of(
                SERIES,
                f"power where an oracle has 85 %, {scenario.name}, n = {n}",
                "power",
                _rows("gauges", (scenario,), (n,)),
                least=least,
            )
        ),
    ]  # fmt: skip


def _errors() -> list[Goal]:
    """Errors among requests, the canary with a fifth of the traffic."""
    worlds = (POISSON, SHARED_BURSTS, NEGATIVE_BINOMIAL)
    good = [f"error-looks/{world.name}/{rate}/× 1" for world in worlds for rate in ("0.2", "2")]
    double, fivefold = (f"error-looks/{POISSON.name}/2/× {ratio}" for ratio in (2, 5))
    judge = ("error_ratio",)
    return [
        *_of(judge, "errors × 2, 2 a step: found in 240 steps", "fails", [double], least=0.99),
        *_of(judge, "errors × 2, 2 a step: median step", "step", [double], most=40),
        *_of(judge, "errors × 5, 2 a step: median step", "step", [fivefold], most=15),
        *_of(judge, "equal errors fail at some look, also in bursts", "fails", good, most=0.02),
    ]


def _shapes() -> list[Goal]:
    """Histograms, pods, and what must hold sample by sample."""
    unequal = [
        f"histograms/{buckets}/{b} and {c}"
        for buckets in histograms.BUCKETS
        for b, c in histograms.RATES[1:]
    ]
    differing = [f"pods/{b} + {c}/5 %" for b, c in pods.SIZES]
    everywhere = [cell.name for cell in laws.TABLE.cells()]
    latency = ("quantile_ratio p50", "quantile_ratio p99", "exceedance")
    return [
        *_of(latency, "false alarms at 5 %, traffic 10 : 1", "false alarms", unequal, most=0.06),
        *_of(SERIES, "false alarms at 5 %, pods differ by 5 %", "false alarms", differing,
             most=0.07),
        *_of(SERIES, "a larger effect gets a milder verdict", "milder", everywhere, most=0.0),
        *_of(SERIES, "another unit changes the verdict", "other", everywhere, most=0.0),
    ]  # fmt: skip


def goals() -> list[Goal]:
    """List the goals, the whole rollout first."""
    return [
        *_good_rollouts(),
        *_harmed_rollouts(),
        *_looks(),
        *_one_look(),
        *_errors(),
        *_shapes(),
    ]


TITLE = "Goals"
TEXT = """What we set out to reach, against the tables below. A goal about several rows is measured
by the worst of them. *Bound*: the end of the 95 % interval (Wilson's; for medians that of order
statistics) on the goal's other side. *Met*: `yes` if even the bound keeps the goal, `within chance`
if only the measured value does."""


def section(measured: Mapping[str, Results]) -> str:
    """Write the goals' section."""
    headings = ["goal", "judge", "wanted", "measured", "bound", "met"]
    rows = [goal.row(measured) for goal in goals()]
    lines = [f"## {TITLE}", "", " ".join(TEXT.split()), "", *grid(headings, rows)]
    return "\n".join(lines) + "\n"
