"""What a judgment was held against, on the scale of its estimate, so that both can be drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from judges import Estimate, Judge, Judgment, Limit, Scale
from judges.core.kayenta_effects import Measure
from judges.core.settlement import Rule
from judges.kayenta import Kayenta
from judges.slope import Slope
from judges.spike import Spike
from judges.threshold import OBSERVED, Relative, Threshold

# By side: -1 below no change, +1 above.
Ends = Mapping[int, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Levels that are allowed; `None` where a side has no end."""

    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a metric is held against.

    Attributes:
        tolerance: Estimates that are tolerated; beyond lies harm that fails once it is shown.
        margin: Estimates that allow a pass once all others are excluded; `None` where one bound
            serves for both.
        fail_level: Error rate of a fail that this metric may spend; `None` for a judge without.
        pass_level: Error rate of a pass.
        of_level: Whether they hold for the canary's own level, not for a comparison or a share.
    """

    tolerance: Range
    margin: Range | None = None
    fail_level: float | None = None
    pass_level: float | None = None
    of_level: bool = False


def limits_of(rule: Judge, judgment: Judgment) -> Limits | None:
    """Give the limits of a judge on the scale of its estimate.

    Args:
        rule: The judge.
        judgment: What it said.

    Returns:
        The limits; `None` where there is no estimate, or where it knows no limits.
    """
    return None if judgment.estimate is None else _limits(rule, judgment.estimate)


def _limits(rule: Judge, estimate: Estimate) -> Limits | None:
    match rule:
        case Threshold():
            return _bounds(rule)
        case Spike():
            ends = {sign: rule.ratio**sign for sign in rule.direction.signs}
            return Limits(tolerance=Range(lower=ends.get(-1), upper=ends.get(1)))
        case Kayenta():
            return _kayenta(rule)
        case Slope():
            return _growth(rule, estimate)
        case _ if hasattr(rule, "pass_margin"):
            return _comparison(cast(Rule, rule), estimate)
        case _:
            return None


def _bounds(rule: Threshold) -> Limits:
    observed = rule.statistic in OBSERVED
    share = Range(upper=rule.share) if rule.statistic == "share" else None
    return Limits(
        tolerance=share or Range(lower=rule.min, upper=rule.max),
        fail_level=None if observed else rule.alpha,
        pass_level=None if observed else rule.beta,
        of_level=share is None and rule.relative is Relative.VALUE,
    )


def _kayenta(rule: Kayenta) -> Limits | None:
    if rule.effect_size is not Measure.MEAN_RATIO:
        return None
    signs, allowed = rule.direction.signs, rule.rule.allowed
    return Limits(
        tolerance=Range(
            lower=allowed.decrease if -1 in signs else None,
            upper=allowed.increase if 1 in signs else None,
        )
    )


def _comparison(rule: Rule, estimate: Estimate) -> Limits:
    signs = rule.direction.signs
    return _of_rule(
        rule,
        *(
            {sign: _end(limit, sign, estimate) for sign in signs}
            for limit in (rule.tolerance, rule.pass_margin)
        ),
    )


def _growth(rule: Slope, estimate: Estimate) -> Limits:
    """Give limits of growth: shares of the limit that must not be reached, or of the level."""
    reference = abs(rule.limit if rule.limit is not None else estimate.baseline or 0.0)
    sizes = (
        max((limit.ratio - 1) * reference, limit.absolute)
        for limit in (rule.tolerance, rule.pass_margin)
    )
    return _of_rule(rule, *({sign: sign * size for sign in rule.direction.signs} for size in sizes))


def _of_rule(rule: Rule, tolerance: Ends, margin: Ends) -> Limits:
    return Limits(
        tolerance=Range(lower=tolerance.get(-1), upper=tolerance.get(1)),
        margin=Range(lower=margin.get(-1), upper=margin.get(1)),
        fail_level=rule.alpha,
        pass_level=rule.beta,
    )


def _end(limit: Limit, sign: int, estimate: Estimate) -> float | None:
    """Give the place of a limit; `None` where the baseline's level leaves it undefined."""
    is_ratio, reference = estimate.scale is Scale.RATIO, estimate.baseline
    if is_ratio and limit.absolute == 0:
        return float(limit.ratio**sign)
    if reference is None or (is_ratio and reference <= 0):
        return None
    moved = float(limit.apply(np.array([reference]), sign)[0])
    place = moved / reference if is_ratio else moved - reference
    return place if math.isfinite(place) and (place > 0 or not is_ratio) else None
