"""One side's selector takes in some of the other's series: the harm is diluted."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.guards.core.comparison import Comparison
from analysis.guards.core.finding import Finding, Severity
from analysis.sources.port import Series

Labels = tuple[tuple[str, str], ...]
# A series with all its labels may fill a screen; so much of one tells which it is.
LONGEST = 100


def inspect(comparison: Comparison) -> Finding | None:
    """Find series that belong to both sides, as stored; an aggregate does not show its parts."""
    if not (comparison.needs_baseline and comparison.is_paired):
        return None
    baseline, canary = _stored(comparison.baseline), _stored(comparison.canary)
    shared = baseline & canary
    if not shared or baseline == canary:  # the same on both sides is another guard's
        return None
    return Finding(
        code="shared_series",
        severity=Severity.WITHHELD,
        summary=f"{len(shared)} of the canary's {len(canary)} series are also among the "
        f"baseline's {len(baseline)}, such as {_written(min(shared))}, so what differs is diluted",
        remedy="select each side by a label that only it has, in every selector of the metric",
    )


def _stored(series: Iterable[Series]) -> frozenset[Labels]:
    return frozenset(
        tuple(sorted(one.labels.items())) for one in series if "__name__" in one.labels
    )


def _written(labels: Labels) -> str:
    named = dict(labels)
    inner = ", ".join(f'{name}="{value}"' for name, value in labels if name != "__name__")
    text = f"{named['__name__']}{{{inner}}}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
