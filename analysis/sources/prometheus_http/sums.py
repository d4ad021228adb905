"""Samples summed by the server: what it is asked, and its sums told as counters.

Prometheus has no function that gives the increase between two instants: `increase()` and `delta()`
extrapolate over their window. Over a step and one scrape more, less a millisecond, a window of a
counter scraped regularly holds one sample more than a step does, so first and last lie one step
apart; the extrapolation is a known factor, which is divided out here. Adjacent windows share one
sample, so no event is lost or counted twice. `delta()` is exact where no counter restarted;
`increase()` understands restarts, but guesses where a counter comes near zero (measured: first
errors of young pods come out 10 to 25 % too small).

VictoriaMetrics' `increase()` takes the last sample before its window along and does not
extrapolate: a window of one step is exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis.sources.port import Array, Request, RequestKind, Series

# The scrape interval is estimated from a count; true ones are whole seconds, or shorter than one.
_RECENT_S = 300
_WHOLE_FROM_S = 1.0
# In steps: what lies further apart has a step without any sum between.
_GAP = 1.5

_UNBROKEN = "no counter restarted, so they are exact but for the first scrape of a new pod"
_RESTARTED = "counters restarted, so increases near a restart or a start are estimates"

Labels = tuple[tuple[str, str], ...]


class Form(StrEnum):
    """How a server's functions treat the edges of a window."""

    EXTRAPOLATED = "extrapolated"
    EXACT = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the samples of a request.

    Attributes:
        function: PromQL function that tells how much a counter grew within a window.
        window_ms: Length of that window in milliseconds.
        scale: What the function's value is multiplied with to give the growth in a step.
        exactness: A clause that says how exact the sums are.
        sums: How many values sums per pod would be.
    """

    function: str
    window_ms: int
    scale: float
    exactness: str
    sums: int


def questions(request: Request, form: Form) -> dict[str, Request]:
    """Say what to ask about the samples of a request, by the name that `facts` knows it by."""
    length_s = _length_s(request)
    texts: dict[str, str] = {}
    if keep := _keep(request):
        texts["groups"] = f"count(count by ({', '.join((*keep, 'le'))}) ({request.query}))"
    if form is Form.EXTRAPOLATED:
        recent_s = min(_RECENT_S, length_s)
        texts["scrapes"] = f"quantile(0.5, count_over_time({request.query}[{recent_s}s]))"
        texts["restarts"] = f"sum(resets({request.query}[{length_s}s]))"
    return {
        name: Request(
            kind=RequestKind.RANGE,
            query=text,
            start=request.end,
            end=request.end,
            step_s=1,
            source=request.source,
        )
        for name, text in texts.items()
    }


def facts(request: Request, told: Mapping[str, float], form: Form) -> Facts:
    """Read the answers to `questions`, as far as there were any."""
    step_s = _step_s(request)
    step_ms = round(step_s * 1000)
    values = round(told.get("groups", 0) * _length_s(request) / step_s)
    if form is Form.EXACT:
        exactness = "its sums are exact"
        return Facts(
            function="increase", window_ms=step_ms, scale=1.0, exactness=exactness, sums=values
        )
    # Prometheus 2 counts a sample on the left end of a window, 3 does not: a millisecond less.
    window_ms = step_ms + round(_interval_s(request, told.get("scrapes", 0)) * 1000) - 1
    restarted = told.get("restarts", 1) > 0
    return Facts(
        function="increase" if restarted else "delta",
        window_ms=window_ms,
        scale=step_ms / window_ms,
        exactness=_RESTARTED if restarted else _UNBROKEN,
        sums=values,
    )


def _interval_s(request: Request, scrapes: float) -> float:
    interval_s = min(_RECENT_S, _length_s(request)) / scrapes if scrapes else _step_s(request)
    return float(round(interval_s)) if interval_s >= _WHOLE_FROM_S else interval_s


def summed(request: Request, keep: Iterable[str], facts: Facts) -> Request:
    """Say what the server is asked instead of the samples."""
    step_s = _step_s(request)
    by = ", ".join((*keep, *(("le",) if request.kind is RequestKind.BUCKETS else ())))
    function = f"{facts.function}({request.query}[{facts.window_ms}ms])"
    first = math.ceil(request.start / step_s + 1) * step_s
    return Request(
        kind=RequestKind.RANGE,
        query=f"sum by ({by}) ({function})" if by else f"sum({function})",
        start=min(first, request.end),
        end=request.end,
        step_s=step_s,
        source=request.source,
    )


def as_counters(series: Sequence[Series], request: Request, facts: Facts) -> tuple[Series, ...]:
    """Tell sums per step as counters that grow by them, as if they had been scraped each step.

    After a gap a counter begins anew at zero, half a step before its first sum.
    """
    told: list[Series] = []
    for group in _groups(series):
        times = np.unique(np.concatenate([one.times for one in group]))
        told += [_as_counter(one, times, request, facts.scale) for one in group]
    return tuple(told)


def _groups(series: Sequence[Series]) -> Iterator[list[Series]]:
    """Put together the buckets of one histogram: they were scraped together."""
    found: dict[Labels, list[Series]] = {}
    for one in series:
        labels = {name: value for name, value in one.labels.items() if name != "le"}
        found.setdefault(tuple(sorted(labels.items())), []).append(one)
    yield from found.values()


def _as_counter(one: Series, times: Array, request: Request, scale: float) -> Series:
    step_s = _step_s(request)
    gains = np.zeros(len(times))
    gains[np.searchsorted(times, one.times)] = np.nan_to_num(one.values) * scale
    places = np.flatnonzero(np.append(True, np.diff(times) > _GAP * step_s))
    runs = np.split(gains, places[1:])
    return Series(
        labels=_labels(one, request),
        times=np.insert(times, places, times[places] - step_s / 2),
        values=np.concatenate([np.concatenate(([0.0], np.cumsum(run))) for run in runs]),
    )


def _labels(one: Series, request: Request) -> dict[str, str]:
    """Name the sum of a histogram, which is what has no edge among its buckets."""
    is_sum = request.kind is RequestKind.BUCKETS and "le" not in one.labels
    return {**one.labels, "__name__": "_sum"} if is_sum else dict(one.labels)


def _length_s(request: Request) -> int:
    return max(1, int(request.end - request.start))


def _keep(request: Request) -> tuple[str, ...]:
    return request.summing.keep if request.summing is not None else ()


def _step_s(request: Request) -> float:
    if request.summing is None:
        raise ValueError("a request without `summing` is never summed")
    return request.summing.step_s
