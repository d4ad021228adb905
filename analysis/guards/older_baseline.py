"""The baseline has been running for long, the canary has just begun: it is the colder one."""

from __future__ import annotations

from collections.abc import Sequence

from analysis import counters, pairing
from analysis.guards.core.comparison import Rollout
from analysis.guards.core.finding import Finding, Severity
from analysis.sources.port import Series
from judges.core import wording

# By then caches are warm and hot code is compiled, as a rule; what takes longer is a leak.
WARM_AFTER_S = 900.0


def inspect_rollout(rollout: Rollout) -> Finding | None:
    """Find a canary whose pods all began after the samples asked for, and a baseline's that ran.

    Raw samples alone tell: an expression does not show when its pods began.
    """
    raw = [one for one in rollout.comparisons.values() if one.counted is not None and one.is_paired]
    baseline = _begins([series for one in raw for series in one.baseline], rollout.since)
    canary = _begins([series for one in raw for series in one.canary], rollout.since)
    if not (baseline and canary) or None in canary or any(baseline):
        return None
    age_s = rollout.begin - max(begin for begin in canary if begin is not None)
    if age_s > WARM_AFTER_S:
        return None
    asked_s = rollout.begin - rollout.since
    return Finding(
        code="older_baseline",
        severity=Severity.NOTE,
        summary=f"when judging begins, the baseline's pods have been running for "
        f"{wording.duration(asked_s / 60)} or more, the canary's newest {_for(age_s)}",
        remedy="its caches are colder: compare with baseline pods as new as it (an experiment), or "
        "choose a longer window.warmup",
    )


def _begins(series: Sequence[Series], since: float) -> list[float | None]:
    """Give when each target began, epoch seconds; `None` for those that were there before."""
    seen = counters.scrapes(
        (one for one in series if len(one.times)), since=since, begin=pairing.first_sample(series)
    )
    firsts = [float(times[0]) for times in seen.times.values()]
    return [None if seen.near(first, since) else first for first in firsts]


def _for(age_s: float) -> str:
    return f"for {wording.duration(age_s / 60)}" if age_s > 0 else "not yet"
