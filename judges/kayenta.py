"""Kayenta: what would the judge of the canary tool Kayenta call this metric?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from judges.core import kayenta_effects as effects
from judges.core import kayenta_labels as labels
from judges.core import parameters, wording
from judges.core.judgment import Estimate, Interval, Judgment, Reason, Scale, Verdict
from judges.core.kayenta_cleaning import Cleaning, NanStrategy, Outliers
from judges.core.kayenta_effects import Description, Measure
from judges.core.kayenta_labels import Label, Limits, Outcome, Rule
from judges.core.parameters import Direction
from judges.core.sample import Array, Ratio, Sample, Side, Values

ANSWERS = {
    Label.PASS: (Verdict.PASS, Reason.WITHIN_BOUNDS),
    Label.HIGH: (Verdict.FAIL, Reason.OUT_OF_BOUNDS),
    Label.LOW: (Verdict.FAIL, Reason.OUT_OF_BOUNDS),
    Label.NODATA: (Verdict.INCONCLUSIVE, Reason.NO_DATA),
    Label.NODATA_FAIL_METRIC: (Verdict.FAIL, Reason.NO_DATA),
    Label.ERROR: (Verdict.INCONCLUSIVE, Reason.NOT_COMPARABLE),
}
MEASURES = {Measure.MEAN_RATIO: "mean ratio", Measure.CLES: "P(canary > baseline)"}
NOISE_ADDED = (
    "both sides are constant and differ; Kayenta adds random noise to such data, here it is the "
    "same noise each time, but with few values a side the label is chance all the same"
)
PASSED_WITHOUT_DATA = "a side without any data passes with nan_strategy replace"


def _flag(doc: str) -> bool:
    """Declare a parameter that is true or false, false by default."""

    def parse(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, got {value!r}")
        return value

    declared: bool = parameters.parameter(False, parse, doc, {"type": "boolean"})
    return declared


def _factor(default: float, doc: str) -> float:
    """Declare a finite factor above 0."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"expected a number, got {value!r}")
        if not 0 < value < math.inf:
            raise ValueError(f"must be above 0, got {value!r}; Kayenta's default is {default:g}")
        return float(value)

    schema = {"type": "number", "exclusiveMinimum": 0}
    declared: float = parameters.parameter(default, parse, doc, schema)
    return declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Kayenta:
    """Give the label of Kayenta's judge NetflixACAJudge-v1.0; for migration, without error rates.

    Both sides are bags of values: time, pairing and pods play no part. `details` holds the label,
    the critical flag and the ratio that Kayenta reports.

    Attributes:
        direction: Which change is harm.
        nan_strategy: What becomes of unknown values.
        critical: Whether the label may be critical.
        must_have_data: Whether a metric that is not critical fails without data.
        outliers: What becomes of values far from the others of their side.
        outlier_factor: How many interquartile ranges beyond the quartiles "far" is.
        effect_size: How effects are sized.
        allowed_increase: Effect size from which an increase is High.
        allowed_decrease: Effect size down to which a decrease is Low.
        critical_increase: Effect size from which High is critical.
        critical_decrease: Effect size down to which Low is critical.
    """

    kind: ClassVar[str] = "kayenta"
    accepts: ClassVar[tuple[type[Any], ...]] = (Values, Ratio)

    direction: Direction = parameters.direction(Direction.EITHER)
    nan_strategy: NanStrategy = parameters.choice(
        NanStrategy.REMOVE, "remove unknown values, or replace them by 0"
    )
    critical: bool = _flag("whether the label may be critical, and lacking data then is")
    must_have_data: bool = _flag("whether a metric that is not critical fails without data")
    outliers: Outliers = parameters.choice(
        Outliers.KEEP, "keep values far from the others of their side, or remove them"
    )
    outlier_factor: float = _factor(
        3.0, "with outliers: remove, interquartile ranges beyond the quartiles that are far"
    )
    effect_size: Measure = parameters.choice(
        Measure.MEAN_RATIO, "mean_ratio, or cles: the chance that a canary value is the larger"
    )
    allowed_increase: float | None = parameters.number(
        None, "effect size from which an increase counts; default no effect, 1 or (cles) 0.5"
    )
    allowed_decrease: float | None = parameters.number(
        None, "effect size down to which a decrease counts; default no effect, 1 or (cles) 0.5"
    )
    critical_increase: float | None = parameters.number(
        None, "effect size from which an increase is critical; default no effect"
    )
    critical_decrease: float | None = parameters.number(
        None, "effect size down to which a decrease is critical; default no effect"
    )

    def judge(self, sample: Sample, /) -> Judgment:
        """Label the metric as Kayenta would; `INCONCLUSIVE` for its labels Nodata and Error."""
        cleaning = self.cleaning
        with np.errstate(all="ignore"):  # values near the largest double overflow, as in Kayenta
            baseline, canary = (cleaning.apply(_bag(s)) for s in (sample.baseline, sample.canary))
            outcome = labels.classify(baseline, canary, self.rule)
            sides = effects.describe(baseline), effects.describe(canary)
        verdict, reason = ANSWERS[outcome.label]
        count = min(side.count for side in sides)
        return Judgment(
            kind=self.kind,
            verdict=verdict,
            reason=reason if count else Reason.NO_DATA,
            summary=f"{outcome.label}: {self._why(outcome, sides)}",
            estimate=_estimate(outcome, sides),
            n=count,
            warnings=_warnings(outcome, count),
            details=self._details(outcome, sides),
        )

    @property
    def rule(self) -> Rule:
        """The same parameters, with the limits that stand for no limit filled in."""
        neutral = self.effect_size.neutral

        def limits(increase: float | None, decrease: float | None) -> Limits:
            given = (neutral if limit is None else limit for limit in (increase, decrease))
            return Limits(increase=next(given), decrease=next(given))

        return Rule(
            allowed=limits(self.allowed_increase, self.allowed_decrease),
            severe=limits(self.critical_increase, self.critical_decrease),
            direction=self.direction,
            measure=self.effect_size,
            nan_strategy=self.nan_strategy,
            critical=self.critical,
            must_have_data=self.must_have_data,
        )

    @property
    def cleaning(self) -> Cleaning:
        """How each side is cleaned."""
        return Cleaning(
            nan_strategy=self.nan_strategy,
            outliers=self.outliers,
            outlier_factor=self.outlier_factor,
        )

    def _why(self, outcome: Outcome, sides: tuple[Description, Description]) -> str:
        if missing := [
            name for name, side in zip(("baseline", "canary"), sides, strict=True) if not side.count
        ]:
            return f"no data of the {' and the '.join(missing)}"
        if outcome.is_identical:
            return "both sides hold the same values"
        if outcome.label is Label.ERROR:
            return "a side moved onto the other ties every value, which leaves nothing to test"
        if (shift := outcome.shift) is None:
            return "both sides are constant and equal"
        lower, upper, beyond = (
            _amount(x) for x in (shift.lower, shift.upper, labels.TOLERANCE * abs(shift.estimate))
        )
        level = f"{100 * labels.CONFIDENCE:g} %"
        return (
            f"shift {_amount(shift.estimate)} ({level} bounds {lower} to {upper}, "
            f"{beyond} from 0 needed), {MEASURES[self.effect_size]} {_amount(outcome.effect)}, "
            f"which counts {self._counts(outcome.effect)}"
        )

    def _counts(self, effect: float | None) -> str:
        """Say from which effect size on a change counts; one that is undefined always does."""
        if effect is None:
            return "always"
        allowed = self.rule.allowed
        words = {1: f"from {allowed.increase:g} up", -1: f"from {allowed.decrease:g} down"}
        return " and ".join(words[sign] for sign in self.direction.signs)

    def _details(
        self, outcome: Outcome, sides: tuple[Description, Description]
    ) -> Mapping[str, float | int | str | None]:
        shift = outcome.shift
        numbers = (shift.estimate, shift.lower, shift.upper) if shift else (None, None, None)
        found: dict[str, float | int | str | None] = {
            "label": str(outcome.label),
            "critical": outcome.critical,
            "deviation": _finite(outcome.deviation),
            "effect_size": _finite(outcome.effect),
            "shift": _finite(numbers[0]),
            "shift_lower": _finite(numbers[1]),
            "shift_upper": _finite(numbers[2]),
        }
        for name, side in zip(("baseline", "canary"), sides, strict=True):
            found[f"{name}_count"] = side.count
            found[f"{name}_min"] = _finite(side.minimum)
            found[f"{name}_max"] = _finite(side.maximum)
            found[f"{name}_mean"] = _finite(side.mean)
            found[f"{name}_std"] = _finite(side.deviation)
        return MappingProxyType(found)


def _bag(side: Side) -> Array:
    """Give a side's values without their order: every pod's, or the quotient of each step."""
    return side.values.ravel() if isinstance(side, Values) else side.series()


def _estimate(outcome: Outcome, sides: tuple[Description, Description]) -> Estimate | None:
    """Give the shift; without an interval where Kayenta's bounds are none."""
    if (shift := outcome.shift) is None or _finite(shift.estimate) is None:
        return None
    lower, upper = _finite(shift.lower), _finite(shift.upper)
    in_order = shift.lower <= shift.estimate <= shift.upper
    return Estimate(
        value=shift.estimate,
        scale=Scale.DIFFERENCE,
        interval=Interval(lower=lower, upper=upper, level=labels.CONFIDENCE) if in_order else None,
        baseline=_finite(sides[0].mean),
        canary=_finite(sides[1].mean),
    )


def _warnings(outcome: Outcome, count: int) -> tuple[str, ...]:
    if outcome.is_shaken:
        return (NOISE_ADDED,)
    return (PASSED_WITHOUT_DATA,) if outcome.label is Label.PASS and not count else ()


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _amount(value: float | None) -> str:
    known = _finite(value)
    return "undefined" if known is None else wording.amount(known)
