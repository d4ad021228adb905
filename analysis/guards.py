"""Is this comparison valid? Guards never say whether the canary is good.

Each finding has a code, a sentence with its numbers, and a remedy; one finding is enough to make
the metric inconclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.sources.port import Series
from judges import Histogram, Ratio, Sample
from judges.core.sample import Side

# Below this many requests on a side one client's behavior decides, whatever the statistics say.
LEAST_REQUESTS = 30
# What a side counts, by its type; gauges count nothing.
UNITS: Mapping[type[Side], str] = {Ratio: "requests", Histogram: "observations"}
# Expressions drop labels, so sides are told apart by values; fewer equal ones may be chance.
LEAST_EQUAL_STEPS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that makes a comparison worthless.

    Attributes:
        code: A stable word for programs.
        summary: What was found, with its numbers.
        remedy: What to do about it.
    """

    code: str
    summary: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """What the guards look at.

    Attributes:
        sample: Both sides on the grid.
        baseline: The baseline's series as answered.
        canary: The canary's series as answered.
        warnings: What the source said about them.
        edges: Why the sides could not be laid on the same bucket edges.
        needs_baseline: Whether the judge compares at all.
        is_paired: Whether both sides are of the same time; else one series may well be both.
    """

    sample: Sample
    baseline: tuple[Series, ...]
    canary: tuple[Series, ...]
    warnings: tuple[str, ...] = ()
    edges: Finding | None = None
    needs_baseline: bool = True
    is_paired: bool = True


def inspect(comparison: Comparison) -> tuple[Finding, ...]:
    """Apply every guard; an empty result means the comparison is valid."""
    # What is beyond the largest double is infinite, and as good as any large number here.
    with np.errstate(over="ignore"):
        found = [guard(comparison) for guard in GUARDS]
    return tuple(finding for finding in found if finding is not None)


def _partial(comparison: Comparison) -> Finding | None:
    if not comparison.warnings:
        return None
    return Finding(
        code="partial_answer",
        summary=f"the source warned: {'; '.join(comparison.warnings)}",
        remedy="a partial answer is never judged; mend the source, or ask it for less",
    )


def _missing(comparison: Comparison) -> Finding | None:
    sides = [("canary", comparison.sample.canary, comparison.canary)]
    if comparison.needs_baseline:
        sides.insert(0, ("baseline", comparison.sample.baseline, comparison.baseline))
    missing = [(name, series) for name, side, series in sides if not _has_data(side)]
    if not missing:
        return None
    names = " and ".join(name for name, _ in missing)
    if any(series for _, series in missing):
        if comparison.edges is not None:
            return None
        summary = f"{names}: series exist, but none has a value in the judged steps"
        remedy = "check that the window, less its warmup, covers the time the pods were running"
    else:
        summary = f"{names}: the query matched no series"
        remedy = "check the labels and the variables of this side, and that its pods are scraped"
    return Finding(code="side_missing", summary=summary, remedy=remedy)


def _has_data(side: Side) -> bool:
    return bool(np.isfinite(side.rows).any())


def _same(comparison: Comparison) -> Finding | None:
    if not comparison.needs_baseline or not (comparison.baseline and comparison.canary):
        return None
    same_labels = comparison.is_paired and _same_labels(comparison)
    if not (same_labels or _same_values(comparison)):
        return None
    return Finding(
        code="same_series",
        summary="baseline and canary are the same series",
        remedy="the labels do not tell the sides apart at this layer; use one that does, "
        "or the pods' own metrics",
    )


def _same_labels(comparison: Comparison) -> bool:
    sides = [
        {tuple(sorted(one.labels.items())) for one in side}
        for side in (comparison.baseline, comparison.canary)
    ]
    # An aggregate keeps no metric name, and may well have the same labels on both sides.
    stored = all(any(name == "__name__" for name, _ in labels) for labels in sides[0])
    return stored and sides[0] == sides[1]


def _same_values(comparison: Comparison) -> bool:
    if comparison.edges is not None:
        return False  # counts on edges that do not fit may well come out equal
    baseline, canary = comparison.sample.paired()
    changes = int(np.count_nonzero(baseline[1:] != baseline[:-1]))
    return changes >= LEAST_EQUAL_STEPS and bool(np.array_equal(baseline, canary))


def _edges(comparison: Comparison) -> Finding | None:
    return comparison.edges


def _exposure(comparison: Comparison) -> Finding | None:
    sample = comparison.sample
    counted = UNITS.get(type(sample.canary))
    if counted is None or comparison.edges is not None or _missing(comparison):
        return None
    totals = {"canary": _requests(sample.canary)}
    if comparison.needs_baseline:
        totals["baseline"] = _requests(sample.baseline)
    name, least = min(totals.items(), key=lambda item: item[1])
    if least >= LEAST_REQUESTS:
        return None
    return Finding(
        code="little_exposure",
        summary=f"{name}: {least:.0f} {counted} in the judged steps, {LEAST_REQUESTS} are needed",
        remedy="wait longer, raise the canary's weight, or send it synthetic traffic",
    )


def _requests(side: Side) -> float:
    """Count a side's requests, as far as the guard cares: no step counts more than enough."""
    return float(np.nansum(np.clip(side.rows, 0, LEAST_REQUESTS)))


GUARDS: tuple[Callable[[Comparison], Finding | None], ...] = (
    *(_partial, _missing, _edges, _same),
    _exposure,
)
