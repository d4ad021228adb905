"""Kayenta's score: the share of passing metrics in each group, weighted, against two thresholds.

For clients that expect Kayenta's numbers; the verdict of a rollout does not come from here. What
surprises its users is reproduced with the rest:

* a group whose metrics are all muted, or that has none, takes its weight with it: all metrics
  pass, and the score is below 100; weights that sum to less than 100 do the same;
* metrics labelled Error, and up to half of them labelled Nodata, do not count: a canary on which
  nothing could be judged passes with 100, even if a metric labelled Error is critical;
* with every metric muted the score is 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from judges.core.kayenta_labels import Label

# Of the metrics that count: so many without data fail the canary. A fraction.
TOO_MANY_WITHOUT_DATA = 0.5
COUNTED = (Label.PASS, Label.HIGH, Label.LOW, Label.NODATA_FAIL_METRIC)


class Grade(StrEnum):
    """What Kayenta calls a score."""

    PASS = "Pass"  # noqa: S105  a grade called Pass is no password
    MARGINAL = "Marginal"
    FAIL = "Fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Scores from which a canary passes or is marginal; 0 to 100."""

    passing: float
    marginal: float

    def grade(self, score: float) -> Grade:
        """Name a score; one on a threshold has reached it."""
        if score >= self.passing:
            return Grade.PASS
        return Grade.MARGINAL if score >= self.marginal else Grade.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """A metric's part in the score.

    Attributes:
        label: What it was called.
        groups: The groups it counts in; none means it does not count.
        critical: Whether it alone fails the canary, unless it passed.
        muted: Whether it is left out.
        reason: Its reason, repeated where it fails the canary.
    """

    label: Label
    groups: tuple[str, ...]
    critical: bool = False
    muted: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScore:
    """A group's score.

    Attributes:
        name: The group.
        score: Percentage of its counted metrics that passed; 0 where none counts.
        has_data: Whether any of its metrics counts; a group without adds its whole weight.
    """

    name: str
    score: float
    has_data: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A canary's score.

    Attributes:
        score: 0 to 100, in hundredths; beyond that with weights that do not sum to 100.
        grade: What Kayenta calls it.
        groups: Score of each group, in order of appearance.
        reason: Why it is 0 whatever the groups say; `None` where they decided.
    """

    score: float
    grade: Grade
    groups: tuple[GroupScore, ...]
    reason: str | None = None


def score(
    results: Sequence[Classified], *, weights: Mapping[str, float], thresholds: Thresholds
) -> Score:
    """Score a canary.

    Args:
        results: Its metrics, in the order of the configuration.
        weights: Weight of each group, in percent; groups without one share what is left of 100.
        thresholds: Scores from which it passes or is marginal.
    """
    counted = [result for result in results if not result.muted]
    groups = _groups(counted)
    reason = _failure(counted)
    value = 0.0 if reason else _hundredths(_weighted(groups, weights))
    return Score(score=value, grade=thresholds.grade(value), groups=groups, reason=reason)


def _failure(counted: Sequence[Classified]) -> str | None:
    """Say why the canary fails outright, if it does."""
    critical = [one for one in counted if one.critical and one.label is not Label.PASS]
    if critical:
        return f"Canary Failed: {critical[0].reason or ''}"
    missing = sum(one.label is Label.NODATA for one in counted)
    if counted and missing / len(counted) >= TOO_MANY_WITHOUT_DATA:
        return "Canary Failed: 50% or more metrics returned NODATA"
    return None


def _groups(counted: Sequence[Classified]) -> tuple[GroupScore, ...]:
    names = dict.fromkeys(name for one in counted for name in one.groups)
    return tuple(_group(name, [one for one in counted if name in one.groups]) for name in names)


def _group(name: str, members: Sequence[Classified]) -> GroupScore:
    judged = [one for one in members if one.label in COUNTED]
    if not judged:
        return GroupScore(name=name, score=0.0, has_data=False)
    passed = sum(one.label is Label.PASS for one in judged)
    return GroupScore(name=name, score=passed / len(judged) * 100, has_data=True)


def _weighted(groups: Sequence[GroupScore], weights: Mapping[str, float]) -> float:
    """Weigh the groups; what is left of 100 may be negative, and then so is the others' share."""
    unweighted = sum(group.name not in weights for group in groups)
    rest = (100 - sum(weights.values())) / unweighted if unweighted else 0.0
    return sum(
        (group.score if group.has_data else 100.0) * weights.get(group.name, rest) / 100
        for group in groups
    )


def _hundredths(value: float) -> float:
    """Round the shortest decimal of a number half away from zero to two places."""
    exact = Fraction(repr(value)) * 100
    whole = math.floor(abs(exact) + Fraction(1, 2))
    return math.copysign(float(Fraction(whole, 100)), value)
