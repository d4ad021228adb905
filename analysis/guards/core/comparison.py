"""What guards look at: the comparison of one metric, and those of a whole rollout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from analysis.guards.core.finding import Finding
from analysis.sources.port import Series
from judges import Histogram, Ratio, Sample
from judges.core.sample import Side

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# What a side counts, by its type; gauges count nothing.
UNITS: Mapping[type[Side], str] = {Ratio: "requests", Histogram: "observations"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weight:
    """The part of the traffic that the canary is to have.

    Attributes:
        shares: A fraction for each step, shape (steps,), or one for all of them, shape (1,); NaN
            where it is not known, and where it just changed.
        tolerance: By how much the odds may be off without harm, a fraction: no traffic layer
            keeps a weight exactly.
        is_observed: Whether a source gave it, step by step.
        unseen: Why a source did not; empty where it did, or nobody asked.
        last: The latest fraction known.
        changed: When it changed by most, epoch seconds, and what it was before and after; `None`
            where it did not.
    """

    shares: Array
    tolerance: float
    is_observed: bool = False
    unseen: str = ""
    last: float | None = None
    changed: tuple[float, float, float] | None = None

    @classmethod
    def constant(cls, share: float, *, tolerance: float) -> Self:
        """Make the weight that is the same all the time."""
        return cls(shares=np.array([share]), tolerance=tolerance, last=share)


class Seen(NamedTuple):
    """One side.

    Attributes:
        name: Its name.
        side: What it is on the grid.
        known: In which steps anything is known of it, shape (steps,).
        series: Its series as answered.
    """

    name: str
    side: Side
    known: Mask
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """One metric.

    Attributes:
        sample: Both sides on the grid.
        baseline: The baseline's series as answered.
        canary: The canary's series as answered.
        warnings: What the source said about them.
        edges: Why the sides could not be laid on the same bucket edges.
        needs_baseline: Whether the judge compares at all.
        weight: The canary's part of the traffic; `None` where nobody said.
        absent: Sides and roles of queries that matched no series though there must be some.
        begin: When the first step begins, epoch seconds.
        is_paired: Whether both sides are of the same time; else one series may well be both, and
            neither shares nor ages compare.
        shows_series: Whether both answers have every label of series of the same metrics, so that
            equal labels are equal series.
        rate_s: Over how many seconds both sides' rates of counters are taken, where the values are
            nothing but such rates added up; `None` elsewhere.
        baseline_known: In which steps anything is known of the baseline, shape (steps,).
        canary_known: The same of the canary.
    """

    sample: Sample
    baseline: tuple[Series, ...]
    canary: tuple[Series, ...]
    warnings: tuple[str, ...] = ()
    edges: Finding | None = None
    needs_baseline: bool = True
    weight: Weight | None = None
    absent: tuple[tuple[str, str], ...] = ()
    begin: float = 0.0
    is_paired: bool = True
    shows_series: bool = False
    rate_s: float | None = None
    baseline_known: Mask = field(init=False, repr=False)
    canary_known: Mask = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """See once what most guards ask for."""
        object.__setattr__(self, "baseline_known", _known(self.sample.baseline))
        object.__setattr__(self, "canary_known", _known(self.sample.canary))

    def sides(self) -> Iterator[Seen]:
        """Give the sides that the judge needs."""
        sample = self.sample
        if self.needs_baseline:
            yield Seen("baseline", sample.baseline, self.baseline_known, self.baseline)
        yield Seen("canary", sample.canary, self.canary_known, self.canary)

    @property
    def counted(self) -> str | None:
        """What the sides count: requests, observations; `None` where they count nothing."""
        return UNITS.get(type(self.sample.canary)) if self.edges is None else None

    def exposures(self) -> tuple[Array, Array]:
        """Give what both sides counted in the steps known of both, shape (n,) each."""
        baseline, canary = _total(self.sample.baseline), _total(self.sample.canary)
        both = self.baseline_known & self.canary_known
        return baseline[both], canary[both]

    def shares(self) -> Array:
        """Give the canary's weight in the steps known of both sides, shape (n,)."""
        both = self.baseline_known & self.canary_known
        given = self.weight.shares if self.weight is not None else np.array([np.nan])
        shares: Array = np.broadcast_to(given, both.shape)[both]
        return shares

    def ends(self) -> Array:
        """Give the end of each step known of both sides, epoch seconds, shape (n,)."""
        both = self.baseline_known & self.canary_known
        places = np.flatnonzero(both).astype(np.float64)
        return self.begin + self.sample.step_s * (places + 1)


def _total(side: Side) -> Array:
    total: Array = np.nansum(side.rows, axis=0)
    return total


def _known(side: Side) -> Mask:
    return np.asarray(np.isfinite(side.rows).any(axis=0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rollout:
    """All comparisons of a rollout.

    Attributes:
        comparisons: Those of the metrics that had answers, by name.
        since: First instant that raw samples were asked for, epoch seconds.
        begin: When the first step begins, epoch seconds.
    """

    comparisons: Mapping[str, Comparison]
    since: float
    begin: float
