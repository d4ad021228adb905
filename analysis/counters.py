"""From raw counter samples to increases per step: reset-aware, with births, vanishings and gaps.

`rate()` and `increase()` estimate by extrapolation, overlap from step to step and never see a
series' first value. Stored samples, differenced here, give whole events, each in one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """Increases of a counter, pod by pod and step by step.

    Attributes:
        pods: Name of each row.
        values: Shape (pods, steps); NaN where the pod was not scraped in a step.
    """

    pods: tuple[str, ...]
    values: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scrapes:
    """When each target was scraped, as its series together tell, and how far back we looked.

    Attributes:
        times: By target, epoch seconds, increasing.
        since: First instant that was asked for.
        begin: First sample of anything on either side: before it nothing is known.
        interval_s: Median distance of two samples of a series; 0 where unknown.
    """

    times: dict[Target, Array]
    since: float
    begin: float
    interval_s: float

    def near(self, time: float, edge: float) -> bool:
        """Tell whether a time is within two scrapes after an edge."""
        return time - edge <= NEAR_SCRAPES * self.interval_s

    def without(self, series: Series) -> Array:
        """Give the scrapes of a series' target at which the series was not there.

        Some exporters stamp each series by itself (cAdvisor does, by container), so a scrape less
        than half an interval from a sample of the series is the scrape of that sample.
        """
        scraped = self.times[target_of(series)]
        if np.array_equal(scraped, series.times):
            return scraped[:0]
        bounds = np.concatenate(([-np.inf], series.times, [np.inf]))
        after = np.searchsorted(bounds, scraped, side="left")
        nearest = np.minimum(scraped - bounds[after - 1], bounds[after] - scraped)
        return scraped[nearest > self.interval_s / 2]


def target_of(series: Series) -> Target:
    """Name the process that exposed a series: its counters live and die together."""
    return tuple(series.labels.get(name, "") for name in ("job", "instance", "pod"))


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
    times = {target: _union(parts) for target, parts in by_target.items()}
    return Scrapes(times=times, since=since, begin=begin, interval_s=_interval(by_target))


def _union(parts: Sequence[Array]) -> Array:
    """Give all times of some series, each once; mostly they were scraped together."""
    if all(np.array_equal(part, parts[0]) for part in parts[1:]):
        return parts[0]
    return np.unique(np.concatenate(parts))


def _interval(by_target: Mapping[Target, Sequence[Array]]) -> float:
    """Give the median distance of two samples of a series."""
    distances = [np.diff(part) for parts in by_target.values() for part in parts]
    gaps = np.concatenate(distances) if distances else np.empty(0)
    if len(gaps) == 0:
        return 0.0
    # Partitioning takes longer than looking whether there is anything to be sorted.
    first = float(gaps[0])
    return first if (gaps == first).all() else float(np.median(gaps))


def increases(
    series: Sequence[Series], edges: Array, seen: Scrapes, *, pod_label: str | None
) -> Increases:
    """Difference counters onto a grid.

    Args:
        series: Raw samples of one counter on one side.
        edges: Bounds of the steps, shape (steps + 1,); an increase belongs to the step in which
            the sample that shows it was scraped.
        seen: When the side's targets were scraped.
        pod_label: Label that names the pods; without it all series make one row.

    Returns:
        The increases; a pod's step without any scrape is NaN, and what happened meanwhile counts
        in the step of the next scrape.
    """
    rows: dict[str, Array] = {}
    # An increase beyond the largest double becomes infinite, which a sample takes for unknown.
    with np.errstate(over="ignore"):
        for one in series:
            pod = pod_of(one, pod_label)
            if pod not in rows:
                rows[pod] = np.full(len(edges) - 1, np.nan)
            add_gains(rows[pod], *_gains(one, seen), edges, scraped=seen.times[target_of(one)])
    pods = tuple(sorted(rows))
    values = np.vstack([rows[pod] for pod in pods]) if pods else np.empty((0, len(edges) - 1))
    return Increases(pods=pods, values=values)


def pod_of(series: Series, pod_label: str | None) -> str:
    """Name the pod of a series; without a label for it all are one."""
    return series.labels.get(pod_label, "") if pod_label else ""


def add_gains(row: Array, times: Array, gains: Array, edges: Array, *, scraped: Array) -> None:
    """Add what a counter gained to the steps in which it was seen to.

    Args:
        row: What is known so far, shape (steps, …); NaN where nothing is. It is changed.
        times: When the gains were seen, epoch seconds, shape (n,).
        gains: Shape (n, …).
        edges: Bounds of the steps, shape (steps + 1,).
        scraped: When the counter's target was scraped: from then on its step is known.
    """
    steps = _grid(times, edges)
    if not np.array_equal(times, scraped):
        _know(row, _grid(scraped, edges))
    _know(row, steps)
    if len(steps) and steps.min() < 0:
        steps, gains = steps[steps >= 0], gains[steps >= 0]
    np.add.at(row, steps, gains)


def _grid(times: Array, edges: Array) -> NDArray[np.intp]:
    """Give the step of each time: step k covers (edge k, edge k + 1]; -1 outside."""
    step = np.searchsorted(edges, times, side="left") - 1
    step[step >= len(edges) - 1] = -1
    return step


def _know(row: Array, steps: NDArray[np.intp]) -> None:
    """Let what was unknown of steps that were seen be 0 from now on."""
    seen = np.zeros(len(row) + 1, dtype=np.bool_)
    seen[steps] = True  # -1 is the one place too many
    touched = seen[:-1]
    if row.ndim > 1:
        touched = touched[:, np.newaxis]
    np.copyto(row, 0.0, where=touched & np.isnan(row))


def _gains(series: Series, seen: Scrapes) -> tuple[Array, Array]:
    """Give the times at which a counter was seen to grow, and by how much."""
    # Below zero no counter goes: such a sample is as little of one as NaN is.
    usable = np.isfinite(series.values) & (series.values >= 0)
    times, values = series.times, series.values
    if not usable.all():
        times, values = times[usable], values[usable]
    if len(values) == 0:
        return times, values
    gains = np.diff(values, prepend=values[0])
    restarted = (gains < 0) | begins_anew(series, times, seen)
    return times, np.where(restarted, values, gains) if restarted.any() else gains


def begins_anew(series: Series, times: Array, seen: Scrapes) -> NDArray[np.bool_]:
    """Tell at which samples a series is known to come from 0, whatever their values say.

    Args:
        series: The series as scraped.
        times: Its usable samples, epoch seconds, shape (n,) with n > 0.
        seen: When its target was scraped.
    """
    without = seen.without(series)
    anew = np.empty(len(times), dtype=np.bool_)
    anew[0] = _is_born(series, without, seen)
    anew[1:] = _vanished(times, without) if len(without) else False
    return anew


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
