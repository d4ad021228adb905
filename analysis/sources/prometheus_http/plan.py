"""Which HTTP queries a request takes, and how their replies make one answer.

All times are whole milliseconds here, as they are in Prometheus, so that nothing is rounded
on the way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.sources.port import Array, Request, RequestKind, Series

# Prometheus refuses a range of more than 11,000 steps, that is from 11,002 points on.
# https://github.com/prometheus/prometheus/blob/main/web/api/v1/api.go
MAX_POINTS = 11_000

# A double holds today's epoch in milliseconds to 0.0002; what is nearer than this is whole.
_WHOLE = 1e-3

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One HTTP query.

    Attributes:
        text: PromQL.
        start_ms: First evaluation, or the first sample wanted.
        end_ms: Last evaluation, or the last sample wanted.
        params: What to send beside the text, exact to the millisecond.
    """

    text: str
    start_ms: int
    end_ms: int
    params: Mapping[str, str]


def check(request: Request) -> None:
    """Refuse a request that cannot be meant.

    Raises:
        ValueError: Its times are in the wrong order or not finite, or its step does not fit.
    """
    if not -math.inf < request.start <= request.end < math.inf:
        raise ValueError(f"start must not be after end, got {request.start} and {request.end}")
    step_ms = request.step_s * 1000
    is_whole = math.isfinite(step_ms) and abs(step_ms - round(step_ms)) < _WHOLE
    if request.kind is RequestKind.RANGE and not (is_whole and round(step_ms) >= 1):
        raise ValueError(
            f"step_s must be a positive number of whole milliseconds, got {request.step_s}"
        )


def queries(request: Request) -> Iterator[Query]:
    """Say what to send for `request`, in order of time."""
    match request.kind:
        case RequestKind.RANGE:
            yield from _ranges(request)
        case RequestKind.SAMPLES | RequestKind.BUCKETS:
            yield _samples(request)


def join(request: Request, parts: Iterable[Iterable[Series]]) -> tuple[Series, ...]:
    """Make one series of the parts with equal labels: within the window, in order of time."""
    found: dict[Labels, list[Series]] = {}
    for series in (series for part in parts for series in part):
        found.setdefault(tuple(sorted(series.labels.items())), []).append(series)
    window_ms = _window_ms(request)
    joined = (_joined(labels, found[labels], window_ms) for labels in sorted(found))
    return tuple(series for series in joined if series.times.size)


def _ranges(request: Request) -> Iterator[Query]:
    step_ms = round(request.step_s * 1000)
    start_ms = round(request.start * 1000)
    last = (round(request.end * 1000) - start_ms) // step_ms
    for first in range(0, last + 1, MAX_POINTS):
        begin_ms = start_ms + first * step_ms
        end_ms = start_ms + min(first + MAX_POINTS - 1, last) * step_ms
        params = {
            "start": _seconds(begin_ms),
            "end": _seconds(end_ms),
            "step": _seconds(step_ms),
        }
        yield Query(text=request.query, start_ms=begin_ms, end_ms=end_ms, params=params)


def _samples(request: Request) -> Query:
    start_ms, end_ms = _window_ms(request)
    # Prometheus 3 leaves the left end of a range out, 2 does not: ask for a millisecond more.
    length_ms = max(0, end_ms - start_ms) + 1
    text = f"{request.query}[{length_ms}ms]"
    return Query(text=text, start_ms=start_ms, end_ms=end_ms, params={"time": _seconds(end_ms)})


def _window_ms(request: Request) -> tuple[int, int]:
    if request.kind is RequestKind.RANGE:
        return round(request.start * 1000), round(request.end * 1000)
    return math.ceil(request.start * 1000 - _WHOLE), math.floor(request.end * 1000 + _WHOLE)


def _seconds(ms: int) -> str:
    return f"{'-' if ms < 0 else ''}{abs(ms) // 1000}.{abs(ms) % 1000:03d}"


def _joined(labels: Labels, parts: list[Series], window_ms: tuple[int, int]) -> Series:
    times = np.concatenate([part.times for part in parts])
    values = np.concatenate([part.values for part in parts])
    kept = _kept(np.rint(times * 1000), *window_ms)
    return Series(
        labels=dict(labels),
        times=_read_only(times[kept]),
        values=_read_only(values[kept]),
        exponential=all(part.exponential for part in parts),
    )


def _kept(times_ms: Array, start_ms: int, end_ms: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    order = np.argsort(times_ms, kind="stable")
    ordered = times_ms[order]
    is_last = np.append(ordered[1:] != ordered[:-1], True)  # of equal times the last sent counts
    return order[is_last & (ordered >= start_ms) & (ordered <= end_ms)]


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array
