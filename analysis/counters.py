"""From raw counter samples to increases per step: reset-aware, with births, vanishings and gaps.

`rate()` and `increase()` estimate by extrapolation, overlap from step to step and never see a
series' first value. Stored samples, differenced here, give whole events, each in one step.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.sources.port import Series

Array = NDArray[np.float64]
Target = tuple[str, ...]

# Two scrapes: closer to an edge than this, a series cannot be told from one that was there before.
NEAR_SCRAPES = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Increases:
    """Increases of counters, pod by pod and step by step.

    Attributes:
        pods: Name of each row.
        values: Of each counter, shape (pods, steps); NaN where the pod was not scraped in a step.
    """

    pods: tuple[str, ...]
    values: tuple[Array, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scrapes:
    """When each target was scraped, as its series together tell, and how far back we looked.

    Attributes:
        times: By target, epoch seconds, increasing.
        since: First instant that was asked for.
        begin: First sample of anything on either side: before it nothing is known.
        interval_s: Median distance of two samples of a series; 0 where unknown.
        steady: Targets of which every scrape showed every series.
    """

    times: dict[Target, Array]
    since: float
    begin: float
    interval_s: float
    steady: frozenset[Target] = frozenset()

    def near(self, time: float, edge: float) -> bool:
        """Tell whether a time is within two scrapes after an edge."""
        return time - edge <= NEAR_SCRAPES * self.interval_s

    def without(self, series: Series) -> Array:
        """Give the scrapes of a series' target at which the series was not there.

        Some exporters stamp each series by itself (cAdvisor does, by container), so a scrape less
        than half an interval from a sample of the series is the scrape of that sample.
        """
        target = target_of(series)
        scraped = self.times[target]
        if target in self.steady or np.array_equal(scraped, series.times):
            return scraped[:0]
        bounds = np.concatenate(([-np.inf], series.times, [np.inf]))
        after = np.searchsorted(bounds, scraped, side="left")
        nearest = np.minimum(scraped - bounds[after - 1], bounds[after] - scraped)
        return scraped[nearest > self.interval_s / 2]


def target_of(series: Series) -> Target:
    """Name the process that exposed a series: its counters live and die together."""
    given = series.labels.get
    return given("job", ""), given("instance", ""), given("pod", "")


def scrapes(series: Iterable[Series], *, since: float, begin: float) -> Scrapes:
    """Collect when the targets of a side were scraped.

    Args:
        series: All series of the side, of every counter of the metric.
        since: First instant that was asked for, epoch seconds.
        begin: First sample on either side, epoch seconds.
    """
    by_target: dict[Target, list[Array]] = {}
    for one in series:
        by_target.setdefault(target_of(one), []).append(one.times)
    times = {target: union(parts) for target, parts in by_target.items()}
    steady = frozenset(
        target
        for target, parts in by_target.items()
        if all(len(part) == len(times[target]) for part in parts)
    )
    return Scrapes(
        times=times,
        since=since,
        begin=begin,
        interval_s=_interval(by_target, steady),
        steady=steady,
    )


def union(parts: Sequence[Array]) -> Array:
    """Give all times of some series, each once; mostly they were scraped together."""
    first = parts[0]
    if all(len(part) == len(first) and (part == first).all() for part in parts[1:]):
        return first
    return np.unique(np.concatenate(parts))


def _interval(by_target: Mapping[Target, Sequence[Array]], steady: Container[Target]) -> float:
    """Give the median distance of two samples of a series."""
    once = [p for t, parts in by_target.items() for p in (parts[:1] if t in steady else parts)]
    gaps = _gaps(once)
    if len(gaps) == 0:
        return 0.0
    # Mostly all are equal, and that is seen sooner than a median is found.
    first = float(gaps[0])
    if (gaps == first).all():
        return first
    return float(np.median(_gaps([part for parts in by_target.values() for part in parts])))


def _gaps(parts: Sequence[Array]) -> Array:
    return np.concatenate([part[1:] - part[:-1] for part in parts]) if parts else np.empty(0)


def increases(
    counters: Sequence[Sequence[Series]], edges: Array, seen: Scrapes, *, pod_label: str | None
) -> Increases:
    """Difference counters of one side onto a grid, all in one pass.

    Args:
        counters: Raw samples of each counter.
        edges: Bounds of the steps, shape (steps + 1,); an increase belongs to the step in which
            the sample that shows it was scraped.
        seen: When the side's targets were scraped.
        pod_label: Label that names the pods; without it all series make one row.

    Returns:
        The increases; a pod's step without any scrape is NaN, and what happened meanwhile counts
        in the step of the next scrape.
    """
    series = [one for counter in counters for one in counter]
    names = [pod_of(one, pod_label) for one in series]
    pods = sorted(set(names)) or [""]
    shape = len(counters), len(pods), len(edges)
    first = {pod: row * len(edges) for row, pod in enumerate(pods)}
    begins = range(0, math.prod(shape), len(pods) * len(edges))
    of_counter = [begin for begin, own in zip(begins, counters, strict=True) for _ in own]
    rows = [begin + first[name] for begin, name in zip(of_counter, names, strict=True)]
    values = _laid(series, rows, edges, seen, size=math.prod(shape)).reshape(shape)
    return Increases(pods=tuple(pods), values=tuple(values[:, :, 1:]))


def _laid(
    series: Sequence[Series], rows: Sequence[int], edges: Array, seen: Scrapes, *, size: int
) -> Array:
    """Lay what each series gained on its row, which begins with a place for what lies outside."""
    if not series:
        return np.full(size, np.nan)
    times, gains = _gains(series, seen)
    places = places_of(np.concatenate(times), edges) + np.repeat(rows, [len(own) for own in times])
    known = np.zeros(size, dtype=np.bool_)
    known[places] = True
    for one, own, row in zip(series, times, rows, strict=True):
        if len(own) < len(scraped := seen.times[target_of(one)]):
            known[row + places_of(scraped, edges)] = True
    # One after the other, in the order of the series: sums of fractions depend on it.
    sums = np.bincount(places, weights=gains, minlength=size)
    return np.where(known, sums, np.nan)


def pod_of(series: Series, pod_label: str | None) -> str:
    """Name the pod of a series; without a label for it all are one."""
    return series.labels.get(pod_label, "") if pod_label else ""


def places_of(times: Array, edges: Array) -> NDArray[np.intp]:
    """Give the place of each time in a row: k for step (edge k - 1, edge k], 0 for none."""
    places = np.searchsorted(edges, times, side="left")
    places[places == len(edges)] = 0
    return places


def _gains(series: Sequence[Series], seen: Scrapes) -> tuple[list[Array], Array]:
    """Give the times at which each counter was seen to grow, and of all by how much."""
    times, values = [one.times for one in series], np.concatenate([one.values for one in series])
    # Below zero no counter goes: such a sample is as little of one as NaN is.
    usable = (values >= 0) & (values < np.inf)
    if not usable.all():
        bounds = np.cumsum([len(own) for own in times])[:-1]
        times = [own[of] for own, of in zip(times, np.split(usable, bounds), strict=True)]
        values = values[usable]
    gains = np.zeros_like(values)
    np.subtract(values[1:], values[:-1], out=gains[1:])
    restarted, stop = gains < 0, 0
    for one, own in zip(series, times, strict=True):
        start, stop = stop, stop + len(own)
        gains[start : start + 1] = 0.0
        mark_births(restarted[start:stop], one, own, seen)
    np.copyto(gains, values, where=restarted)
    return times, gains


def mark_births(restarted: NDArray[np.bool_], series: Series, times: Array, seen: Scrapes) -> None:
    """Mark the samples at which a series is known to come from 0, whatever their values say.

    Args:
        restarted: Whether its values show that it began anew, shape (n,). It is changed.
        series: The series as scraped.
        times: Its usable samples, epoch seconds, shape (n,).
        seen: When its target was scraped.
    """
    if len(times) == 0:
        return
    without = seen.without(series)
    restarted[0] = _is_born(series, without, seen)
    if len(without):
        restarted[1:] |= _vanished(times, without)


def _vanished(times: Array, without: Array) -> NDArray[np.bool_]:
    """Tell before which samples the target was scraped without the series: it began anew at 0."""
    return np.diff(np.searchsorted(without, times)) > 0


def _is_born(series: Series, without: Array, seen: Scrapes) -> bool:
    """Tell whether a series began at 0 just before its first sample.

    It did if its target had been scraped without it, or if its whole target is new while other
    data show that the source was already looking.
    """
    first = float(series.times[0])
    if seen.near(first, seen.since):
        return False
    if len(without) and float(without[0]) < first:
        return True
    return not seen.near(first, seen.begin)
