"""From judgments to one verdict and a score.

The verdict comes from evidence, never from the score: harm anywhere is weighed against the
rollout's budget of false fails, safety is asked of every critical metric. The score shows the same
in a shape Kayenta's users know, and always stands on the verdict's side of its thresholds.

References:
    Vovk & Wang (2021), Annals of Statistics 49: a weighted mean of e-values is an e-value under any
    dependence. Berger (1982): an intersection-union test needs no correction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import special

from analysis.config import Metric, Risk, Scoring
from judges import Judgment, Looks, Verdict
from judges.core.evidence import suffices

# While a metric looks harmful by a plain test at this level nobody should promote, be the harm
# within the margin or the metric not critical (measured: removes a quarter of the false passes).
WARNING_LEVEL = 0.05
# Of the metrics named beside the one that failed the rollout, so many may be named in error.
FALSE_DISCOVERIES = 0.1
POINTS = {Verdict.PASS: 100.0, Verdict.INCONCLUSIVE: 50.0, Verdict.FAIL: 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A metric with its judgment and its weights.

    Attributes:
        metric: The metric as configured.
        judgment: What its judge said.
        weight: Its part of the score; 0 if muted.
        budget: Its part of the budget of false fails; 0 if muted.
    """

    metric: Metric
    judgment: Judgment
    weight: float
    budget: float

    @property
    def lost(self) -> float:
        """Points that this metric costs the score."""
        return self.weight * (100 - POINTS[self.judgment.verdict])

    @property
    def is_harmed(self) -> bool:
        """Whether it stands beyond its tolerance by a plain test, or by evidence over looks."""
        harm = self.judgment.harm
        return harm is not None and any(
            suffices(harm, level=WARNING_LEVEL, looks=looks) for looks in Looks
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of metrics in the score."""

    name: str
    weight: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The rollout's verdict.

    Attributes:
        verdict: Pass, fail or inconclusive.
        score: 0 to 100, in whole points, on the verdict's side of the thresholds.
        summary: One sentence: which metric decided, with its numbers.
        decided_by: Names of the metrics that decided, the strongest first.
        groups: Score of each group, before it was bounded by the verdict.
        log_e: Weighted mean of the e-values of harm, as a natural logarithm; `None` at fixed looks.
    """

    verdict: Verdict
    score: float
    summary: str
    decided_by: tuple[str, ...]
    groups: tuple[Group, ...]
    log_e: float | None


def weights(metrics: Sequence[Metric], scoring: Scoring) -> dict[str, float]:
    """Give each metric's part of the score: its group's weight, shared equally; they sum to 1."""
    counted = [metric for metric in metrics if not metric.muted]
    groups = _group_weights(counted, scoring.weights)
    sizes = {group: sum(metric.group == group for metric in counted) for group in groups}
    shares = {m.name: groups[m.group] / sizes[m.group] for m in counted}
    return {metric.name: shares.get(metric.name, 0.0) for metric in metrics}


def _group_weights(metrics: Sequence[Metric], given: Mapping[str, float]) -> dict[str, float]:
    """Let groups without a weight share what is left of 100; if nothing is, give the smallest."""
    names = sorted({metric.group for metric in metrics})
    unnamed = [name for name in names if name not in given]
    named = {name: given[name] for name in names if name in given}
    left = 100 - sum(named.values())
    share = left / len(unnamed) if unnamed and left > 0 else min(named.values())
    raw = {**named, **dict.fromkeys(unnamed, share)}
    total = sum(raw.values())
    return {name: weight / total for name, weight in raw.items()}


def budgets(metrics: Sequence[Metric], scoring: Scoring) -> dict[str, float]:
    """Give each metric's part of the budget of false fails; they sum to 1.

    Half belongs to the critical metrics alone, half to all by their weight.
    """
    by_score = weights(metrics, scoring)
    critical = [metric.name for metric in metrics if metric.critical and not metric.muted]
    if not critical:
        return by_score
    own = {name: 0.5 / len(critical) for name in critical}
    return {name: weight / 2 + own.get(name, 0.0) for name, weight in by_score.items()}


def decide(judged: Sequence[Judged], risk: Risk, scoring: Scoring) -> Decision:
    """Decide the rollout."""
    counted = [one for one in judged if not one.metric.muted]
    log_e = _mean_log_e(counted) if risk.looks is Looks.ANYTIME else None
    failing = _failing(counted, risk, log_e)
    blocking = [] if failing else _blocking(counted)
    verdict = Verdict.FAIL if failing else Verdict.INCONCLUSIVE if blocking else Verdict.PASS
    groups = _groups(counted)
    return Decision(
        verdict=verdict,
        score=_score(_raw_score(groups, failing), verdict, scoring),
        summary=_summary(verdict, failing or blocking, len(counted)),
        decided_by=tuple(one.metric.name for one in failing or blocking),
        groups=groups,
        log_e=log_e,
    )


def _mean_log_e(judged: Sequence[Judged]) -> float | None:
    parts = [
        math.log(one.budget) + harm.log_e
        for one in judged
        if one.budget > 0 and (harm := one.judgment.harm) and harm.log_e is not None
    ]
    return float(special.logsumexp(parts)) if parts else None


def _failing(judged: Sequence[Judged], risk: Risk, log_e: float | None) -> list[Judged]:
    """Name the metrics that fail the rollout, the strongest evidence first."""
    alone = [one for one in judged if _fails_alone(one, risk)]
    together = log_e is not None and log_e >= -math.log(risk.false_fail)
    if not alone and not together:
        return []
    blamed = _blamed(judged) if log_e is not None else []
    named = [one for one in judged if one in alone or one in blamed]
    return sorted(named or [max(judged, key=_strength)], key=_strength, reverse=True)


def _blamed(judged: Sequence[Judged]) -> list[Judged]:
    """Name the metrics whose harm is shown, of which a tenth may be named in error.

    References:
        Wang & Ramdas (2022), JRSS B 84: the e-BH procedure, valid under any dependence.
    """
    found = [one for one in judged if one.judgment.harm and one.judgment.harm.log_e is not None]
    ordered = sorted(found, key=_log_e, reverse=True)
    least = [math.log(len(found) / (k * FALSE_DISCOVERIES)) for k in range(1, len(found) + 1)]
    count = max((k for k, one in enumerate(ordered, 1) if _log_e(one) >= least[k - 1]), default=0)
    return ordered[:count]


def _log_e(one: Judged) -> float:
    harm = one.judgment.harm
    return -math.inf if harm is None or harm.log_e is None else harm.log_e


def _fails_alone(one: Judged, risk: Risk) -> bool:
    """Tell whether one metric spends its own part of the budget, or a bound it was given failed."""
    harm = one.judgment.harm
    if harm is None:
        return one.judgment.verdict is Verdict.FAIL and one.metric.critical
    if one.budget <= 0:
        return False
    return suffices(harm, level=risk.false_fail * one.budget, looks=risk.looks)


def _strength(one: Judged) -> float:
    """Order metrics by their evidence of harm; a bound that was broken as seen comes first."""
    harm = one.judgment.harm
    if harm is None:
        return math.inf if one.judgment.verdict is Verdict.FAIL else 0.0
    return max(-math.log(max(harm.p, 1e-300)), harm.log_e or 0.0)


def _blocking(judged: Sequence[Judged]) -> list[Judged]:
    """Name the metrics without which a good canary could not be passed, the worst first."""
    critical = [one for one in judged if one.metric.critical] or list(judged)
    open_ = [one for one in critical if one.judgment.verdict is not Verdict.PASS]
    suspect = [
        one
        for one in judged
        if one not in open_ and (one.is_harmed or one.judgment.verdict is Verdict.FAIL)
    ]
    return sorted(open_ + suspect, key=_strength, reverse=True)


def _groups(judged: Sequence[Judged]) -> tuple[Group, ...]:
    names = sorted({one.metric.group for one in judged})
    members = {name: [one for one in judged if one.metric.group == name] for name in names}
    return tuple(
        Group(
            name=name,
            weight=sum(one.weight for one in ones),
            score=sum(POINTS[one.judgment.verdict] for one in ones) / len(ones),
        )
        for name, ones in members.items()
    )


def _raw_score(groups: Sequence[Group], failing: Sequence[Judged]) -> float:
    """Weigh the groups; a failing critical metric leaves nothing, whatever else is well."""
    if any(one.metric.critical for one in failing):
        return 0.0
    return sum(group.weight * group.score for group in groups)


def _score(raw: float, verdict: Verdict, scoring: Scoring) -> float:
    """Bound a score to the verdict's side, in whole points: some clients read integers."""
    low, high = {
        Verdict.PASS: (math.ceil(scoring.pass_), 100),
        Verdict.INCONCLUSIVE: (math.ceil(scoring.marginal), math.ceil(scoring.pass_) - 1),
        Verdict.FAIL: (0, math.ceil(scoring.marginal) - 1),
    }[verdict]
    return float(max(min(math.floor(raw + 1e-9), high), min(low, high), 0))


def _summary(verdict: Verdict, deciding: Sequence[Judged], counted: int) -> str:
    if verdict is Verdict.PASS:
        return f"no harm beyond any margin on {counted} metric{'s' if counted != 1 else ''}"
    first, text = deciding[0], deciding[0].judgment.summary
    if first.judgment.verdict is Verdict.PASS:
        text += "; within its margin, but beyond its tolerance by a plain 5 % test"
    more = f" (and {len(deciding) - 1} more)" if len(deciding) > 1 else ""
    return f"{first.metric.name}: {text}{more}"
