"""Kayenta's classification of one metric: from two cleaned bags of values to a label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from judges.core import kayenta_effects as effects
from judges.core.kayenta_cleaning import NanStrategy
from judges.core.kayenta_effects import Measure
from judges.core.kayenta_shift import Shift, TiedError, shift_between
from judges.core.parameters import Direction

Array = NDArray[np.float64]

# Fixed in Kayenta, whatever is configured: level of the bounds, and the part of the estimated
# shift (not of the baseline) that they must exceed.
CONFIDENCE, TOLERANCE = 0.98, 0.25
# Two constants have no variance to test with. Kayenta adds noise of this part of their level from a
# generator that nobody seeded; ours is seeded, so that a replay gives the same label.
NOISE, NOISE_SEED = 1e-5, 426


class Label(StrEnum):
    """What Kayenta calls a metric."""

    PASS = "Pass"  # noqa: S105  a label called Pass is no password
    HIGH = "High"
    LOW = "Low"
    NODATA = "Nodata"
    NODATA_FAIL_METRIC = "NodataFailMetric"
    ERROR = "Error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Effect sizes from which a change counts: upwards at or above, downwards at or below."""

    increase: float
    decrease: float

    def reached(self, label: Label, effect: float | None) -> bool:
        """Tell whether the effect counts; one without a size always does."""
        if effect is None:
            return True
        return effect >= self.increase if label is Label.HIGH else effect <= self.decrease


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a metric is classified.

    Attributes:
        allowed: Effect sizes from which a change is High or Low.
        severe: Effect sizes from which it is critical, if the metric is.
        direction: Which change is harm.
        measure: How effects are sized.
        nan_strategy: How unknown values were cleaned; with `replace`, no values at all pass.
        critical: Whether the metric alone can fail the canary.
        must_have_data: Whether a metric that is not critical fails without data.
        tolerance: The part of the estimated shift that its bounds must exceed.
        confidence: Two-sided level of the bounds, a fraction.
    """

    allowed: Limits
    severe: Limits
    direction: Direction = Direction.EITHER
    measure: Measure = Measure.MEAN_RATIO
    nan_strategy: NanStrategy = NanStrategy.REMOVE
    critical: bool = False
    must_have_data: bool = False
    tolerance: float = TOLERANCE
    confidence: float = CONFIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A metric's classification.

    Attributes:
        label: What Kayenta calls it.
        critical: Whether it fails the whole canary.
        deviation: The ratio Kayenta reports: of the means, 1 where nothing was compared; `None`
            where undefined.
        shift: The shift that was tested; `None` where nothing was.
        effect: Size of the effect by the rule's measure; `None` where undefined or not asked.
        is_identical: Whether both sides hold the same values.
        is_shaken: Whether noise was added to two constants.
    """

    label: Label
    critical: bool = False
    deviation: float | None = 1.0
    shift: Shift | None = None
    effect: float | None = None
    is_identical: bool = False
    is_shaken: bool = False


def classify(baseline: Array, canary: Array, rule: Rule) -> Outcome:
    """Classify a metric.

    Args:
        baseline: Cleaned values, shape (n,), in any order.
        canary: Cleaned values, shape (m,), in any order.
        rule: How.
    """
    if len(baseline) == 0 or len(canary) == 0:
        return _without_data(rule)
    with np.errstate(
        all="ignore"
    ):  # values near the largest double, and infinities, may stand here
        if np.array_equal(np.sort(baseline), np.sort(canary)):
            return Outcome(label=Label.PASS, is_identical=True)
        constant = len(np.unique(baseline)) == len(np.unique(canary)) == 1
        if constant and baseline[0] == canary[0]:
            return Outcome(label=Label.PASS)
        if constant:
            baseline, canary = _shaken(baseline, canary)
        try:
            return _compare(baseline, canary, rule, is_shaken=constant)
        except TiedError:
            return Outcome(label=Label.ERROR, deviation=None, is_shaken=constant)


def _without_data(rule: Rule) -> Outcome:
    if rule.nan_strategy is NanStrategy.REPLACE:
        return Outcome(label=Label.PASS)
    if rule.must_have_data and not rule.critical:
        return Outcome(label=Label.NODATA_FAIL_METRIC)
    return Outcome(label=Label.NODATA, critical=rule.critical)


def _shaken(baseline: Array, canary: Array) -> tuple[Array, Array]:
    rng = np.random.default_rng(NOISE_SEED)
    moved = [side + rng.standard_normal(len(side)) * NOISE * side for side in (baseline, canary)]
    return moved[0], moved[1]


def _compare(baseline: Array, canary: Array, rule: Rule, *, is_shaken: bool) -> Outcome:
    shift = shift_between(baseline, canary, confidence=rule.confidence)
    effect = effects.size(rule.measure, baseline, canary)
    label = _label(shift, effect, rule)
    return Outcome(
        label=label,
        critical=rule.critical and label is not Label.PASS and rule.severe.reached(label, effect),
        deviation=effects.mean_ratio(baseline, canary),
        shift=shift,
        effect=effect,
        is_shaken=is_shaken,
    )


def _label(shift: Shift, effect: float | None, rule: Rule) -> Label:
    """Name the change; High is tried first, for bounds may lie on both sides of each other."""
    beyond = rule.tolerance * abs(shift.estimate)
    rose = 1 in rule.direction.signs and shift.lower > beyond
    fell = -1 in rule.direction.signs and shift.upper < -beyond
    if rose and rule.allowed.reached(Label.HIGH, effect):
        return Label.HIGH
    if fell and rule.allowed.reached(Label.LOW, effect):
        return Label.LOW
    return Label.PASS


def reason(outcome: Outcome, name: str) -> str | None:
    """Give the reason in the words that Kayenta's clients show; `None` where it gives none.

    Args:
        outcome: The classification.
        name: The metric's name.
    """
    match outcome.label:
        case Label.PASS:
            return "The Canary and Baseline data are identical" if outcome.is_identical else None
        case Label.HIGH | Label.LOW:
            text = f"{name} was classified as {outcome.label}"
            return f"The metric {text} (Critical)" if outcome.critical else text
        case Label.NODATA | Label.NODATA_FAIL_METRIC:
            return f"Missing data for {name}"
        case Label.ERROR:
            return "Metric Classification Failed"
