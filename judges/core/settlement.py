"""What an inconclusive judgment still needs, and the sentences shared by comparative judges.

References:
    Sample size of a one-sided test, with the long-run variance in place of the variance:
    n = LRV ((z_eps + z_eta) / distance)^2. For any number of looks about twice that (measured
    2.1 to 2.2 at eps = .05, 1.8 at .01, with power .8).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from scipy import special

from judges.core import wording
from judges.core.errors import InvalidParameterError
from judges.core.judgment import Estimate, Reason, Scale, Settlement, Verdict
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks

POWER = 0.8
ANYTIME_FACTOR = 2.1
_REASONS = {
    Verdict.FAIL: Reason.BEYOND_TOLERANCE,
    Verdict.PASS: Reason.WITHIN_MARGIN,
    Verdict.INCONCLUSIVE: Reason.UNDECIDED,
}
# More of the variance than this between pods, and it is the pods that keep it open.
HALF = 0.5
# More than so many times the data at hand is no advice.
MOST_TIMES = 1000.0


class Rule(Protocol):
    """What a comparative judge decides by."""

    @property
    def tolerance(self) -> Limit: ...  # noqa: D102 - named in the judge's docstring

    @property
    def pass_margin(self) -> Limit: ...  # noqa: D102

    @property
    def direction(self) -> Direction: ...  # noqa: D102

    @property
    def alpha(self) -> float: ...  # noqa: D102

    @property
    def beta(self) -> float: ...  # noqa: D102

    @property
    def looks(self) -> Looks: ...  # noqa: D102


def check_margin(kind: str, tolerance: Limit, margin: Limit | None) -> None:
    """Refuse a margin smaller than the tolerance: a canary could then neither pass nor fail."""
    if margin is not None and not margin.covers(tolerance):
        message = f"{kind}: margin ({margin}) must be at least the tolerance ({tolerance})"
        raise InvalidParameterError((("margin", message),))


def check_ratio_only(kind: str, tolerance: Limit, margin: Limit | None) -> None:
    """Refuse absolute limits where the effect is a ratio."""
    for name, limit in (("tolerance", tolerance), ("margin", margin)):
        if limit is not None and limit.absolute > 0:
            message = f"{kind}: {name} must be a ratio such as 10%, got an absolute part"
            raise InvalidParameterError(((name, message),))


def reason_of(verdict: Verdict) -> Reason:
    """Give the reason of a verdict reached by evidence alone."""
    return _REASONS[verdict]


def summary(estimate: Estimate, rule: Rule) -> str:
    """Say what was found, and what it was held against."""
    return wording.change(estimate) + held_against(rule)


def held_against(rule: Rule) -> str:
    """Name the limits, as a summary ends."""
    return f", tolerance {rule.tolerance}, margin {rule.pass_margin}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How much a comparison of series has seen.

    Attributes:
        n: Steps.
        n_effective: Independent steps they are worth.
        step_s: Length of a step in seconds.
        least_effective: Independent steps below which nothing is decided.
        lasting: Part of the effect's variance that lies between pods, which no time reduces.
    """

    n: int
    n_effective: float
    step_s: float
    least_effective: float = 0.0
    lasting: float = 0.0


def for_series(estimate: Estimate, seen: Seen, rule: Rule) -> Settlement:
    """Say what settles a comparison of series: minutes, or the margin it could decide now."""
    if seen.n_effective < seen.least_effective:
        times = seen.least_effective / seen.n_effective
        more = seen.n * (times - 1) * seen.step_s / 60
        text = f"about {wording.duration(more)} more for {seen.least_effective:g} independent steps"
        return Settlement(minutes=more, summary=text)
    steps, now = _further_steps(estimate, seen, rule), _margin_now(estimate, rule)
    if steps is None:
        is_bounded = _standard_error(estimate) is not None
        return Settlement(summary=_not_by_time(seen, now, is_bounded=is_bounded))
    minutes = steps * seen.step_s / 60
    text = f"about {wording.duration(minutes)} more at this noise"
    return Settlement(minutes=minutes, summary=f"{text}, or {now}" if now else text)


def _not_by_time(seen: Seen, now: str, *, is_bounded: bool) -> str:
    if seen.lasting > HALF:
        text = "pods differ too much by themselves for time to settle it: more pods would"
        return f"{text}; {now}" if now else text
    if not is_bounded:
        return "more data, or a wider margin; the data so far bound nothing"
    text = "the estimate lies so near a limit that time may not settle it"
    return f"{text}; {now or 'a wider margin would'}"


def _further_steps(estimate: Estimate, seen: Seen, rule: Rule) -> float | None:
    """Give the steps still missing if the estimate is the truth; `None` if it decides nothing."""
    se = _standard_error(estimate)
    harm, limits = _harm(estimate, rule)
    if se is None or harm is None:
        return None
    tolerance, margin = limits
    if harm > tolerance:
        distance, level = harm - tolerance, rule.alpha
    else:
        distance, level = margin - harm, rule.beta
    if distance <= 0 or (tolerance < harm < margin and distance < se):
        return None
    z = -float(special.ndtri(level)) - float(special.ndtri(1 - POWER))
    factor = ANYTIME_FACTOR if rule.looks is Looks.ANYTIME else 1.0
    # A product, not a power: what is beyond a double is infinite, and so beyond what is told.
    needed = (se * z / distance) * (se * z / distance) * factor
    left = 1 - needed * seen.lasting
    times = needed * (1 - seen.lasting) / left if left > 0 else math.inf
    return max(seen.n * times - seen.n, 1.0) if times <= MOST_TIMES else None


def _standard_error(estimate: Estimate) -> float | None:
    interval = estimate.interval
    if interval is None or interval.lower is None or interval.upper is None:
        return None
    low, high = _on_scale(interval.lower, estimate), _on_scale(interval.upper, estimate)
    if low is None or high is None:
        return None
    return (high - low) / 2 / -float(special.ndtri((1 - interval.level) / 2))


def _harm(estimate: Estimate, rule: Rule) -> tuple[float | None, tuple[float, float]]:
    """Give the harm on the scale of the decision, with tolerance and margin on the same scale."""
    effect = None if estimate.value is None else _on_scale(estimate.value, estimate)
    limits = tuple(_size(limit, estimate) for limit in (rule.tolerance, rule.pass_margin))
    if effect is None:
        return None, (limits[0], limits[1])
    return max(sign * effect for sign in rule.direction.signs), (limits[0], limits[1])


def _on_scale(value: float, estimate: Estimate) -> float | None:
    if estimate.scale is not Scale.RATIO:
        return value
    return math.log(value) if value > 0 else None


def _size(limit: Limit, estimate: Estimate) -> float:
    if estimate.scale is Scale.RATIO:
        return math.log(limit.ratio)
    return max((limit.ratio - 1) * abs(estimate.baseline or 0.0), limit.absolute)


def _margin_now(estimate: Estimate, rule: Rule) -> str:
    """Name the margin with which these data would pass, where their interval tells it.

    It is the interval of one look: asked any number of times, the same data pass less.
    """
    interval = estimate.interval
    if interval is None or rule.looks is not Looks.FIXED or (1 - interval.level) / 2 > rule.beta:
        return ""
    ends = {1: interval.upper, -1: interval.lower}
    bounds = [ends[sign] for sign in rule.direction.signs]
    if any(bound is None for bound in bounds):
        return ""
    harms = [
        sign * value
        for sign, bound in zip(rule.direction.signs, bounds, strict=True)
        if bound is not None and (value := _on_scale(bound, estimate)) is not None
    ]
    if len(harms) < len(bounds) or max(harms) <= 0:
        return ""
    worst = max(harms)
    size = (
        wording.percent(math.expm1(worst))
        if estimate.scale is Scale.RATIO
        else wording.amount(worst)
    )
    return f"a margin of {size} would pass now"
