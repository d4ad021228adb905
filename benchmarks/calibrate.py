"""Measure the judges' error rates and write the table: `make calibrate`.

The judges run as users run them. Constants were tuned on other seeds (the prototype's 1 to 7) than
those of this table; a cell that is lost stays in it.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy import special

import judges
from benchmarks.scenarios import ERRORS, GAUGES, Scenario, gauge
from judges import Sample, Verdict

REPORTED_SEED = 20_261_122
TABLE = Path(__file__).parents[1] / "docs" / "reference" / "error-rates.md"
LENGTHS = (30, 60, 240)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often something happened."""

    hits: int
    of: int

    @property
    def percent(self) -> float:
        """The rate in per cent."""
        return 100 * self.hits / self.of

    def __str__(self) -> str:
        """Write percent with the Wilson interval: `4.2 (3.4 to 5.2)`."""
        low, high = (abs(100 * bound) for bound in self.wilson())
        return f"{self.percent:.1f} ({low:.1f} to {high:.1f})"

    def wilson(self, z: float = 1.96) -> tuple[float, float]:
        """Give the 95 % interval of Wilson (1927)."""
        p, n = self.hits / self.of, self.of
        centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A row of a table: its key, and what is counted in it."""

    table: str
    key: tuple[str, ...]
    count: Callable[[np.random.Generator], Sequence[bool]]
    replicates: int


def rng_of(cell: Cell, seed: int) -> np.random.Generator:
    """Give each cell its own stream, so that no cell depends on which others were run."""
    return np.random.default_rng([seed, zlib.crc32("/".join((cell.table, *cell.key)).encode())])


def measure(cell: Cell, seed: int) -> list[Rate]:
    """Run the replicates of a cell and count each outcome."""
    rng = rng_of(cell, seed)
    outcomes = np.array([cell.count(rng) for _ in range(cell.replicates)], dtype=bool)
    return [Rate(hits=int(column.sum()), of=cell.replicates) for column in outcomes.T]


# ---- gauges, one look


NOMINAL = 0.05


@cache
def two_sided(kind: str, **parameters: object) -> judges.Judge:
    """Make a judge that asks "any difference?" at a nominal 5 %, so that it can be compared."""
    asked = {"tolerance": 0, "direction": "either", "alpha": NOMINAL, "looks": "fixed"}
    return judges.create(kind, **{**asked, **parameters})


@cache
def one_sided(kind: str, looks: str) -> judges.Judge:
    """Make a judge that asks "any increase?" at a nominal 5 %."""
    return judges.create(kind, tolerance=0, alpha=NOMINAL, looks=looks, horizon=120)


def welch(baseline: np.ndarray, canary: np.ndarray) -> float:
    """Give Welch's two-sided p-value; scipy's takes eight times as long to say the same."""
    variances = [side.var(ddof=1) / len(side) for side in (baseline, canary)]
    total = sum(variances)
    df = total**2 / sum(v**2 / (len(baseline) - 1) for v in variances)
    t = abs(canary.mean() - baseline.mean()) / math.sqrt(total)
    return 2 * float(special.stdtr(df, -t))


def rejections(baseline: np.ndarray, canary: np.ndarray) -> list[bool]:
    """Ask every judge and comparator about the same data."""
    sample = Sample.of_values(baseline, canary)
    ranks = two_sided("mann_whitney").judge(sample)
    mean = two_sided("mean_ratio").judge(sample)
    classic = two_sided("mann_whitney", variance="classic").judge(sample)
    return [
        ranks.verdict is Verdict.FAIL,
        ranks.reason is judges.Reason.TOO_FEW_EFFECTIVE_SAMPLES,
        mean.verdict is Verdict.FAIL,
        classic.verdict is Verdict.FAIL,
        welch(np.log(baseline), np.log(canary)) <= NOMINAL,
    ]


def gauge_cell(scenario: Scenario, n: int, replicates: int) -> Cell:
    """Measure false alarms and power of one scenario at one length."""
    effect = scenario.oracle(n)

    def count(rng: np.random.Generator) -> list[bool]:
        null = rejections(*gauge(scenario, rng, n, 0.0))
        harmed = rejections(*gauge(scenario, rng, n, effect))
        return null + harmed

    return Cell(table="gauges", key=(scenario.name, str(n)), count=count, replicates=replicates)


# ---- errors among requests, one look


def error_cell(world: int, n: int, rate: float, replicates: int) -> Cell:
    """Measure one-sided false alarms at 5 % and power at twice the errors."""

    def fails(rng: np.random.Generator, ratio: float) -> bool:
        sample = Sample.of_counts(*ERRORS[world].draw(rng, n, rate, ratio))
        return one_sided("error_ratio", "fixed").judge(sample).verdict is Verdict.FAIL

    key = (ERRORS[world].name, str(n), f"{rate:g}")
    return Cell(
        table="errors",
        key=key,
        count=lambda rng: [fails(rng, 1.0), fails(rng, 2.0)],
        replicates=replicates,
    )


# ---- repeated looks


def look_cell(kind: str, scenario: Scenario, replicates: int) -> Cell:
    """Measure how often 46 looks at 15 to 240 steps fail a metric exactly at its tolerance."""

    def count(rng: np.random.Generator) -> list[bool]:
        baseline, canary = gauge(scenario, rng, 240, 0.0)
        return any_look_fails(kind, lambda n: Sample.of_values(baseline[:n], canary[:n]))

    return Cell(table="looks", key=(kind, scenario.name), count=count, replicates=replicates)


def any_look_fails(kind: str, sample_of: Callable[[int], Sample]) -> list[bool]:
    """Look again every 5 steps, as a controller would: by e-values, and naively by p-values.

    The p-value is the same whichever looks are asked for, so one judge answers for both.
    """
    judge = one_sided(kind, "anytime")
    anytime = fixed = False
    for n in range(15, 241, 5):
        judgment = judge.judge(sample_of(n))
        anytime |= judgment.verdict is Verdict.FAIL
        fixed |= judgment.harm is not None and judgment.harm.p <= NOMINAL
        if anytime and fixed:
            break
    return [anytime, fixed]


def error_look_cell(world: int, replicates: int) -> Cell:
    """Measure the same for errors, two a step."""

    def count(rng: np.random.Generator) -> list[bool]:
        (k_b, n_b), (k_c, n_c) = ERRORS[world].draw(rng, 240, 2.0, 1.0)
        return any_look_fails(
            "error_ratio", lambda n: Sample.of_counts((k_b[:n], n_b[:n]), (k_c[:n], n_c[:n]))
        )

    key = ("error_ratio", ERRORS[world].name)
    return Cell(table="looks", key=key, count=count, replicates=replicates)


# ---- the whole rollout


METRICS, CRITICAL = 12, 2


def rollout_cell(phi_index: int, tolerance: str, effect: float, replicates: int) -> Cell:
    """Measure a rollout of 12 metrics, 2 of them critical, looks every 5 steps to 60.

    The scenario's noise is scaled to 15 %; `effect` multiplies the first, critical metric.
    """
    scenario = GAUGES[phi_index]
    share = 0.5 / METRICS
    budgets = [0.5 / CRITICAL + share] * CRITICAL + [share] * (METRICS - CRITICAL)

    def count(rng: np.random.Generator) -> list[bool]:
        drawn = [scenario.draw(rng, 60) for _ in budgets]
        sides = [(np.exp(0.15 * b), np.exp(0.15 * c)) for b, c in drawn]
        sides[0] = (sides[0][0], sides[0][1] * effect)
        return [
            rollout_fails(kind, tolerance, sides, budgets)
            for kind in ("mann_whitney", "mean_ratio")
        ]

    key = (scenario.name, tolerance, f"{100 * (effect - 1):+.0f} %")
    return Cell(table="rollouts", key=key, count=count, replicates=replicates)


def rollout_fails(
    kind: str,
    tolerance: str,
    sides: list[tuple[np.ndarray, np.ndarray]],
    budgets: list[float],
) -> bool:
    """Weigh the metrics at every look as the engine does: the mean of e-values against 1/1 %."""
    asked = [
        judges.create(kind, tolerance=tolerance, looks="anytime", alpha=0.01 * budget, horizon=60)
        for budget in budgets
    ]
    for n in range(15, 61, 5):
        total = 0.0
        for budget, judge, (baseline, canary) in zip(budgets, asked, sides, strict=True):
            harm = judge.judge(Sample.of_values(baseline[:n], canary[:n])).harm
            if harm is not None and harm.log_e is not None:
                total += budget * math.exp(min(harm.log_e, 50.0))
        if total >= 100:
            return True
    return False


# ---- the tables


def cells(scale: float) -> list[Cell]:
    """List every cell; `scale` shortens them all for a quick look."""
    many, some, few = (max(20, round(scale * number)) for number in (2000, 300, 100))
    return [
        *(gauge_cell(scenario, n, many) for scenario in GAUGES for n in LENGTHS),
        *(
            error_cell(world, n, rate, many)
            for world in range(len(ERRORS))
            for n, rate in ((30, 0.2), (60, 2.0), (240, 0.2), (60, 20.0))
        ),
        *(
            look_cell(kind, GAUGES[i], some)
            for kind in ("mann_whitney", "mean_ratio")
            for i in range(3)
        ),
        *(error_look_cell(world, some) for world in range(len(ERRORS))),
        *(rollout_cell(i, tolerance, 1.0, few) for i in range(3) for tolerance in ("0%", "10%")),
        *(rollout_cell(i, "10%", 1.5, few) for i in range(2)),
    ]


HEADINGS = {
    "gauges": (
        "Gauges, one look",
        """Two-sided, nominal 5 %: false alarms / power where an oracle that knows the variance has
85 %. *Undecided* had fewer than six independent steps; it counts as no alarm.""",
        "| scenario | n | mann_whitney | undecided | mean_ratio | textbook Mann-Whitney | Welch |",
    ),
    "errors": (
        "Errors among requests, one look",
        """`error_ratio`, one-sided, nominal 5 %, the canary with a quarter of the traffic: false
alarms at equal rates, power at twice the errors. *rate* is the baseline's errors a step.""",
        "| world | n | rate | false alarms | power at twice the errors |",
    ),
    "looks": (
        "46 looks, one metric exactly at its tolerance",
        """One-sided, nominal 5 %, looks at 15 to 240 steps, every 5; planned length 120 steps.
*fixed* is what a test that knows one look does when it is asked 46 times.""",
        "| judge | scenario | looks: anytime | looks: fixed |",
    ),
    "rollouts": (
        "Whole rollouts: 12 metrics, 2 critical, looks every 5 steps to 60",
        """How often the rollout fails, nominal 1 %; noise 15 %; the effect is on one critical
metric.""",
        "| scenario | tolerance | effect | mann_whitney | mean_ratio |",
    ),
}


def row(cell: Cell, rates: list[Rate]) -> str:
    """Write a cell as a row of its table."""
    if cell.table == "gauges":
        half = len(rates) // 2
        pairs = [f"{rates[i]} / {rates[half + i].percent:.0f}" for i in (0, 2, 3, 4)]
        columns = [pairs[0], f"{rates[1].percent:.0f}", *pairs[1:]]
    else:
        columns = [str(rate) for rate in rates]
    return f"| {' | '.join((*cell.key, *columns))} |"


def document(results: list[tuple[Cell, list[Rate]]], seed: int) -> str:
    """Write all tables."""
    lines = [
        "# Error rates",
        "",
        "Made by `make calibrate`; do not edit. Per cent, with 95 % Wilson intervals; constants",
        "were tuned on other seeds. Cells that we lose are in the table like all others.",
        f"Seed {seed}, numpy {version('numpy')}, scipy {version('scipy')}.",
    ]
    for table, (title, text, heading) in HEADINGS.items():
        own = [(cell, rates) for cell, rates in results if cell.table == table]
        if own:
            rule = "|" + " --- |" * (heading.count("|") - 1)
            lines += ["", f"## {title}", "", f"{text} {own[0][0].replicates} replicates a row.", ""]
            lines += [heading, rule, *(row(cell, rates) for cell, rates in own)]
    return "\n".join(lines) + "\n"


_CELLS: list[Cell] = []


def _measure_at(index: int, seed: int, scale: float) -> list[Rate]:
    """Measure a cell by its place: workers build the list anew, for closures do not travel."""
    if not _CELLS:
        _CELLS.extend(cells(scale))
    return measure(_CELLS[index], seed)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=REPORTED_SEED)
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the replicates")
    parser.add_argument("--output", type=Path, default=TABLE)
    chosen = parser.parse_args(arguments)
    todo = cells(chosen.scale)
    results: list[tuple[Cell, list[Rate]]] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(_measure_at, i, chosen.seed, chosen.scale) for i in range(len(todo))]
        for cell, job in zip(todo, jobs, strict=True):
            results.append((cell, job.result()))
            print(f"{len(results)}/{len(todo)} {row(*results[-1])}", file=sys.stderr, flush=True)
    chosen.output.write_text(document(results, chosen.seed), encoding="utf-8")


if __name__ == "__main__":
    main()
