"""Take the counts of a sample, so that rates can be compared, and say what they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from judges.core import pods, settlement, wording
from judges.core.counts import Array, Tally
from judges.core.judgment import Estimate, Judgment, Reason, Settlement, Verdict
from judges.core.limits import Limit
from judges.core.parameters import Pods
from judges.core.pods import Clusters
from judges.core.sample import Ratio, Sample

# Of more events than this the beta tail loses its digits (measured: from 1e16 on, here 1000 times
# what is at hand may be asked for); the squares of more requests do not fit a double.
MOST_EVENTS, MOST_REQUESTS = 1e12, 1e100
# What is smaller is no part of an event but rounding, and its reciprocal would not fit a double.
LEAST_EVENT = 1e-9


class Rule(settlement.Rule, Protocol):
    """What a judge of rates decides by."""

    @property
    def kind(self) -> str: ...  # noqa: D102 - named in the judge's docstring

    @property
    def horizon(self) -> int: ...  # noqa: D102

    @property
    def confidence(self) -> float: ...  # noqa: D102

    @property
    def pods(self) -> Pods: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ready:
    """A metric whose rates can be compared.

    Attributes:
        rule: Its judge.
        tally: Its counts, one row.
        step_s: Length of a step in seconds.
        clusters: Its pods; `None` where they have no say.
        events: What the events are, as in "4 % of requests".
        details: Further numbers for the judgment.
    """

    rule: Rule
    tally: Tally
    step_s: float
    clusters: Clusters | None
    events: str
    details: Mapping[str, float | int | str | None]

    @property
    def n(self) -> int:
        """Steps known on both sides."""
        return self.tally.n

    @property
    def alike(self) -> tuple[object, ...]:
        """What must be equal for two metrics to go through together."""
        rule = self.rule
        return rule.direction, rule.looks, rule.horizon, rule.confidence


def prepare(
    rule: Rule,
    sample: Sample,
    *,
    events: str = "requests",
    details: Mapping[str, float | int | str | None] | None = None,
) -> Judgment | Ready:
    """Take the counts of a sample, or say why they cannot be compared.

    Args:
        rule: The judge.
        sample: Quotients of both sides.
        events: What the events are: the words after a percentage.
        details: Further numbers for the judgment.
    """
    if (refused := pods.too_few(rule.kind, rule.pods, sample)) is not None:
        return refused
    baseline, canary = sample.baseline, sample.canary
    if not (isinstance(baseline, Ratio) and isinstance(canary, Ratio)):
        raise TypeError(f"{rule.kind} judges counts; build the sample with Sample.of_counts")
    tally = _tally(baseline, canary)
    if (text := _absurd(tally)) is not None:
        return _undecided(rule, Reason.NOT_COMPARABLE, text, tally.n)
    for side, total in (("baseline", tally.total_baseline), ("canary", tally.total_canary)):
        if not total.sum() > 0:
            text = f"the {side} served no requests, so its events say nothing"
            return _undecided(rule, Reason.NO_EXPOSURE, text, tally.n)
    return Ready(
        rule=rule,
        tally=tally,
        step_s=sample.step_s,
        clusters=_clusters(rule.pods, baseline, canary),
        events=events,
        details=details or {},
    )


def _undecided(rule: Rule, reason: Reason, summary: str, n: int) -> Judgment:
    remedy = "traffic: a higher weight, or synthetic requests"
    return Judgment(
        kind=rule.kind,
        verdict=Verdict.INCONCLUSIVE,
        reason=reason,
        summary=summary,
        n=n,
        settlement=Settlement(summary=remedy) if reason is Reason.NO_EXPOSURE else None,
    )


def _tally(baseline: Ratio, canary: Ratio) -> Tally:
    sides = [*baseline.sums(), *canary.sums()]
    known = ~np.isnan(np.vstack(sides)).any(axis=0)
    events_b, total_b, events_c, total_c = (
        np.where(side[known] > LEAST_EVENT, side[known], 0.0)[np.newaxis] for side in sides
    )
    return Tally(
        events_baseline=events_b,
        total_baseline=total_b,
        events_canary=events_c,
        total_canary=total_c,
    )


def _absurd(tally: Tally) -> str | None:
    """Say what no counter has ever counted."""
    largest = {
        name: float(np.max(getattr(tally, name), initial=0.0)) * tally.n
        for name in ("events_baseline", "events_canary", "total_baseline", "total_canary")
    }
    if max(largest["events_baseline"], largest["events_canary"]) > MOST_EVENTS:
        return f"more than {MOST_EVENTS:g} events are no count of events"
    if max(largest["total_baseline"], largest["total_canary"]) > MOST_REQUESTS:
        return f"more than {MOST_REQUESTS:g} requests are no count of requests"
    return None


def _clusters(mode: Pods, baseline: Ratio, canary: Ratio) -> Clusters | None:
    """Describe the pods by how much their rates vary beyond what tossing coins would.

    References:
        Method of moments for overdispersed counts: Breslow (1984), Applied Statistics 33.
    """
    events, total = baseline.by_pod()
    seen = pods.is_known(baseline.rows) & (total > LEAST_EVENT) & (total < MOST_REQUESTS)
    events, total = np.clip(events[seen], 0.0, MOST_EVENTS), total[seen]
    described = pods.clusters(mode, np.zeros(len(events)), pods.count(canary.rows))
    if described is None or len(events) < pods.LEAST_PODS or events.sum() < LEAST_EVENT:
        return described
    expected = total * (math.fsum(events) / math.fsum(total))
    # Summed exactly, so that the order of the pods is irrelevant to the last bit.
    excess = math.fsum((events - expected) ** 2 - expected) / math.fsum(expected**2)
    return replace(described, spread=max(excess, 0.0) * len(events) / (len(events) - 1))


def settle(one: Ready, times: float) -> Settlement:
    """Say what settles a comparison that so many times its data would decide."""
    if not math.isfinite(times):
        text = "the rate lies too close to tolerance and margin for time to settle it"
        return Settlement(summary=text)
    tally = one.tally
    minutes = (times - 1) * tally.n * one.step_s / 60
    more = (times - 1) * float(tally.total_canary.sum())
    return Settlement(
        minutes=minutes,
        events=(times - 1) * float(tally.in_step.sum()),
        requests=more,
        summary=f"about {more:,.0f} more canary requests "
        f"({wording.duration(minutes)} at the present traffic)",
    )


def summarize(one: Ready, estimate: Estimate) -> str:
    """Say what was counted, and what it was held against."""
    tally, rule = one.tally, one.rule
    baseline, canary = rates(tally)
    seen = (
        f"{wording.percent(canary)} of {one.events} against {wording.percent(baseline)} "
        f"({_whole(tally.events_canary)} of {_whole(tally.total_canary)} against "
        f"{_whole(tally.events_baseline)} of {_whole(tally.total_baseline)})"
    )
    moved = f", {wording.change(estimate)}" if estimate.value is not None else ""
    return f"{seen}{moved}, tolerance {_limit(rule.tolerance)}, margin {_limit(rule.pass_margin)}"


def rates(tally: Tally) -> tuple[float, float]:
    """Give baseline's and canary's share of requests, of the first metric."""
    return (
        float(tally.events_baseline.sum() / tally.total_baseline.sum()),
        float(tally.events_canary.sum() / tally.total_canary.sum()),
    )


def _whole(values: Array) -> str:
    return f"{float(values.sum()):,.0f}"


def _limit(limit: Limit) -> str:
    """Write a limit on shares of requests: the absolute part in percentage points."""
    if limit.absolute == 0:
        return str(limit)
    return f"{100 * (limit.ratio - 1):.3g} % and {100 * limit.absolute:.3g} points"
