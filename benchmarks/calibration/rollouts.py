"""Whole rollouts: twelve metrics, a look every five steps, one verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import judges
from analysis import scoring
from analysis.calibration import between
from analysis.calibration.scenarios import (
    AR5,
    AR8,
    INDEPENDENT,
    Array,
    Pair,
    Pods,
    Scenario,
    paired,
)
from analysis.config import Metric, Risk, Scoring
from analysis.config.judging import JudgeSettings
from benchmarks.calibration.cells import Cell, Outcomes, Rng
from benchmarks.calibration.contestants import (
    NOMINAL,
    ONE_SIDED,
    FixedThreshold,
    Welch,
    textbook,
)
from benchmarks.calibration.tables import Column, Table, columns
from judges import Judge, Judgment, Sample, Verdict
from judges.core import kayenta_score
from judges.core.kayenta_labels import Label
from judges.core.kayenta_score import Classified, Grade, Thresholds

METRICS, CRITICAL = 12, 2
STEPS = 60
LOOKS = range(15, STEPS + 1, 5)
NOISE = 0.15
DEFAULTS = Scoring()
# A block of rollouts: of each, the samples of its metrics.
Rollouts = Sequence[Sequence[Sample]]


def first_fail(
    rollouts: Rollouts, looks: Sequence[int], rules: Sequence[Judge], fails: Fails
) -> Array:
    """Give the look, in steps, at which each rollout fails; NaN for never."""
    failed_at = np.full(len(rollouts), np.nan)
    for look in looks:
        left = np.flatnonzero(np.isnan(failed_at))
        seen = [between(sample, 0, look) for i in left for sample in rollouts[int(i)]]
        judged = judges.judge_many([*rules] * len(left), seen)
        by_rollout = [judged[i : i + METRICS] for i in range(0, len(judged), METRICS)]
        failing = np.array([fails(own) for own in by_rollout], dtype=np.bool_)
        failed_at[left[failing]] = look
    return failed_at


Fails = Callable[[Sequence[Judgment]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The engine's rule over one of our judges.

    Attributes:
        name: Heading of its column; the judge's kind.
        tolerance: The judge's tolerance.
    """

    name: str
    tolerance: str

    def first_fail(self, rollouts: Rollouts) -> Array:
        """Give the look at which each rollout fails."""
        metrics, risk = self._metrics(), Risk()
        budgets = scoring.budgets(metrics, DEFAULTS)
        weights = scoring.weights(metrics, DEFAULTS)

        def fails(judged: Sequence[Judgment]) -> bool:
            own = [
                scoring.Judged(
                    metric=metric,
                    judgment=judgment,
                    weight=weights[metric.name],
                    budget=budgets[metric.name],
                )
                for metric, judgment in zip(metrics, judged, strict=True)
            ]
            return scoring.decide(own, risk, DEFAULTS).verdict is Verdict.FAIL

        rules = [self._rule(metric, risk.false_fail * budgets[metric.name]) for metric in metrics]
        return first_fail(rollouts, LOOKS, rules, fails)

    def _metrics(self) -> list[Metric]:
        settings = JudgeSettings.model_validate({"kind": self.name, "tolerance": self.tolerance})
        return [
            Metric(name=f"metric {i}", query="up", critical=i < CRITICAL, judge=settings)
            for i in range(METRICS)
        ]

    def _rule(self, metric: Metric, alpha: float) -> Judge:
        return metric.judge.create(alpha=alpha, looks="anytime", horizon=STEPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kayenta:
    """Kayenta's judge and score: a critical High fails, as does a score below 75.

    Attributes:
        name: Heading of its column.
        looks: Steps at which it is asked.
    """

    name: str
    looks: Sequence[int] = LOOKS

    def first_fail(self, rollouts: Rollouts) -> Array:
        """Give the look at which each rollout fails."""
        rules = [
            judges.create("kayenta", direction="increase", critical=i < CRITICAL)
            for i in range(METRICS)
        ]
        return first_fail(rollouts, self.looks, rules, self._fails)

    def _fails(self, judged: Sequence[Judgment]) -> bool:
        results = [
            Classified(
                label=Label(str(judgment.details["label"])),
                groups=("all",),
                critical=bool(judgment.details["critical"]),
            )
            for judgment in judged
        ]
        bounds = Thresholds(passing=95, marginal=75)
        return kayenta_score.score(results, weights={}, thresholds=bounds).grade is Grade.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyMetric:
    """A test of one metric, asked of every metric at every look: one that fails is enough.

    Attributes:
        name: Heading of its column.
        test: Who judges a metric.
    """

    name: str
    test: Judge

    def first_fail(self, rollouts: Rollouts) -> Array:
        """Give the look at which each rollout fails."""
        return first_fail(rollouts, LOOKS, [self.test] * METRICS, _any_fails)


def _any_fails(judged: Sequence[Judgment]) -> bool:
    return any(judgment.verdict is Verdict.FAIL for judgment in judged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of a rollout: the canary's level over the baseline's, by metric.

    Attributes:
        name: What the table calls it.
        factors: Of the metrics that differ from `others`.
        others: Of all the rest.
    """

    name: str
    factors: Mapping[int, float] | None = None
    others: float = 1.0

    def ratios(self) -> Array:
        """Give the factor of each metric, shape (metrics,)."""
        return np.array([(self.factors or {}).get(i, self.others) for i in range(METRICS)])


EQUAL = Truth(name="all equal")
WITHIN = Truth(name="all +5 %", others=1.05)
AT_TOLERANCE = Truth(name="all +10 %", others=1.1)
CRITICAL_HALF = Truth(name="a critical one +50 %", factors={0: 1.5})
CRITICAL_FIFTH = Truth(name="a critical one +20 %", factors={0: 1.2})
OTHER_DOUBLE = Truth(name="one not critical × 2", factors={CRITICAL: 2.0})
Draw = Callable[[Rng, int], Pair]


def _of_scenario(scenario: Scenario) -> Draw:
    return lambda rng, count: scenario.gauges(rng, (count, METRICS, 1, STEPS), noise=NOISE)


def _of_pods(spread: float) -> Draw:
    world = Pods(baseline=3, canary=3, spread=spread)

    def draw(rng: Rng, count: int) -> Pair:
        sides = world.gauges(rng, count * METRICS, STEPS, noise=NOISE)
        baseline, canary = (side.reshape(count, METRICS, 3, STEPS) for side in sides)
        return baseline, canary

    return draw


def cell(world: str, draw: Draw, tolerance: str, truth: Truth) -> Cell:
    """Measure how often and when rollouts fail."""

    def count(rng: Rng, replicates: int, judging: Sequence[Contestant]) -> Outcomes:
        baselines, canaries = draw(rng, replicates)
        harmed = canaries * truth.ratios()[:, np.newaxis, np.newaxis]
        rollouts = [paired(*sides) for sides in zip(baselines, harmed, strict=True)]
        outcomes: dict[str, np.ndarray] = {}
        for one in judging:
            steps = one.first_fail(rollouts)
            outcomes[f"{one.name}: fails"] = np.isfinite(steps)
            outcomes[f"{one.name}: step"] = steps
        return outcomes

    key = (world, tolerance, truth.name)
    return Cell(table=TABLE.name, key=key, contestants=contestants(tolerance), count=count)


Contestant = Engine | Kayenta | AnyMetric


def contestants(tolerance: str) -> tuple[Contestant, ...]:
    """List who decides; the tests share their level among the metrics (Bonferroni)."""
    level = NOMINAL / METRICS
    test = textbook({**ONE_SIDED, "alpha": level})
    return (
        Engine(name="mann_whitney", tolerance=tolerance),
        Engine(name="mean_ratio", tolerance=tolerance),
        Kayenta(name="kayenta"),
        Kayenta(name="kayenta, at the end", looks=(STEPS,)),
        AnyMetric(name=test.name, test=test.judge),
        AnyMetric(name="Welch", test=Welch(two_sided=False, level=level)),
        AnyMetric(name="fixed threshold", test=FixedThreshold(bound=1.1)),
    )


def _cells() -> list[Cell]:
    harm = (CRITICAL_HALF, CRITICAL_FIFTH, OTHER_DOUBLE)
    good = (("10%", EQUAL), ("10%", WITHIN), ("10%", AT_TOLERANCE), ("0%", EQUAL))
    of_scenarios = [
        cell(scenario.name, _of_scenario(scenario), tolerance, truth)
        for scenario in (INDEPENDENT, AR5, AR8)
        for tolerance, truth in (*good, *(("10%", truth) for truth in harm))
    ]
    of_pods = [
        cell(f"3 + 3 pods, spread {100 * spread:g} %", _of_pods(spread), "0%", EQUAL)
        for spread in (0.02, 0.04)
    ]
    return of_scenarios + of_pods


TABLE = Table(
    module=__name__,
    name="rollouts",
    title="Whole rollouts",
    text=f"""{METRICS} metrics, {CRITICAL} of them critical, noise 15 %, a look every five steps
        from 15 to {STEPS}, nominal 1 % for the whole rollout: how often it fails / the median step
        at which it does. Our judges decide by the engine's rule; Kayenta's fails on a critical High
        or a score below 75. The textbook tests share 5 % among the metrics and none among the
        looks; the *fixed threshold* lies 10 % above the usual level of each.""",
    keys=("scenario", "tolerance", "truth"),
    columns=(
        *columns("mann_whitney", "mean_ratio", of=("fails", "step")),
        Column(heading="kayenta, any look", outcomes=("kayenta: fails", "kayenta: step")),
        *columns("kayenta, at the end", of=("fails",)),
        *columns("textbook Mann-Whitney", "Welch", "fixed threshold", of=("fails", "step")),
    ),
    cells=_cells,
)
