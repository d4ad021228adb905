"""How much counters grew within a step, worded so that a server can sum it.

Three ways, from the most exact to the cheapest:

`matched`: the last sample of the step less the last one before it, series by series, as reading raw
has it: what begins counts from zero, what fell began anew (of a step with a restart, what came
before it is lost). Matching series with themselves takes
Prometheus about 5 microseconds a series and step (measured 2026-11-26, 2.42), seven times what
`delta()` takes, so it is for what has few series.

`windowed`: `increase()` and `delta()` extrapolate over their window. Over a step and one scrape
more, less a millisecond, a window of a counter scraped regularly holds one sample more than a step
does, so its first and last lie one step apart; the extrapolation is a known factor, which is
divided out here. Adjacent windows share one sample, so no event is lost or counted twice. `delta()`
is exact as long as no counter began or restarted; `increase()` understands restarts but guesses
where a counter comes near zero, and neither knows what a new series began with.

VictoriaMetrics' `increase()` takes the last sample before its window along and does not
extrapolate: a window of one step is exact, and as cheap as any.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from analysis.sources.port import Answer, Request, RequestKind, Series

# The scrape interval is estimated from a count; true ones are whole seconds, or shorter than one.
RECENT_S = 300
_WHOLE_FROM_S = 1.0
# A selector without anything that would make it harder to add a matcher to it.
_SELECTOR = re.compile(
    r'(?P<name>[\w:]*)\s*(?:\{(?P<matchers>(?:\s*\w+\s*[=!]~?\s*"(?:\\.|[^"\\])*"\s*,?)*)\s*\})?'
)
# The label under which values are counted.
COUNTED = "serinus_counted"


class Form(StrEnum):
    """How a server's functions treat the edges of a window."""

    EXTRAPOLATED = "extrapolated"
    EXACT = "exact"


class Way(StrEnum):
    """How growth is asked for; both sides of a metric, and its counters, in the same way."""

    MATCHED = "its sums are exact, but for a step in which a counter restarts"
    INCREASE = "its sums are exact, as this server's increase() is"
    QUIET = "no counter began or restarted, so its sums are exact where no scrape was missed"
    LIVELY = "counters began or restarted, so what they gained just then is an estimate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the samples of a request.

    Attributes:
        series_steps: Series times steps; infinite where unknown.
        sums: How many values sums per pod would be; infinite where unknown.
        is_quiet: Whether no counter began or restarted, as far as is known.
        interval_s: Seconds from scrape to scrape.
    """

    series_steps: float
    sums: float
    is_quiet: bool
    interval_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How much each series grew within a step.

    Attributes:
        text: PromQL.
        scale: What its value is multiplied with.
    """

    text: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What a look at a few places tells of the samples of a request.

    Attributes:
        samples: How many there are in all, estimated.
        series: How many series had samples at one of the places, at most.
        scrapes: How many samples most series had in the last five minutes; 0 where there was none.
    """

    samples: int
    series: int
    scrapes: float


def census(vector: str) -> str:
    """Word how many series of a vector have which value; a pass over many series is what costs."""
    return f'count_values("{COUNTED}", {vector})'


def questions(request: Request, form: Form) -> dict[str, Request]:
    """Say what to ask about the samples of a request, by the name that `facts` knows it by.

    The buckets of a histogram begin and restart together, so one of them is asked about.
    """
    query, length_s = _one_bucket(request), _length_s(request)
    recent_s = min(RECENT_S, length_s)
    begun = f"count_over_time({query}[{recent_s}s] offset {length_s - recent_s}s)"
    texts = {"resets": census(f"resets({query}[{length_s}s])")}
    if form is Form.EXTRAPOLATED:
        texts["begun"] = f"count({begun})"
    if keep := _keep(request):
        texts["groups"] = f"count(count by ({', '.join((*keep, 'le'))}) ({query}))"
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


def _one_bucket(request: Request) -> str:
    """Select the series of a request, of a histogram those of its last bucket."""
    query = request.query.strip()
    if request.kind is not RequestKind.BUCKETS or not (found := _SELECTOR.fullmatch(query)):
        return query
    matchers = (found["matchers"] or "").strip().removesuffix(",")
    inner = f"{matchers}, " if matchers else ""
    return f'{found["name"]}{{{inner}le="+Inf"}}'


def facts(request: Request, known: Census, told: Mapping[str, Answer]) -> Facts:
    """Read the answers to `questions`, as far as there were any."""
    steps = _length_s(request) / step_s(request)
    resets = [one for one in _series(told, "resets") if COUNTED in one.labels]
    asked_about = sum(_last(one) for one in resets)
    # Pods that are gone by the end are not counted: where none is left, sums per pod may be many.
    groups = sum(_last(one) for one in _series(told, "groups")) or math.inf
    buckets = max(1.0, known.series / asked_about) if asked_about else math.inf
    begun = sum(_last(one) for one in _series(told, "begun"))
    # Series of the first five minutes are among those of the whole stretch: more began later.
    is_quiet = 0 < asked_about <= begun and all(float(one.labels[COUNTED]) == 0 for one in resets)
    return Facts(
        series_steps=(known.series or math.inf) * steps,
        sums=groups * buckets * steps if _keep(request) else 0.0,
        is_quiet=is_quiet,
        interval_s=_interval_s(request, known.scrapes),
    )


def _series(told: Mapping[str, Answer], name: str) -> Sequence[Series]:
    return told[name].series if name in told else ()


def _last(series: Series) -> float:
    return float(series.values[-1])


def _interval_s(request: Request, scrapes: float) -> float:
    interval_s = min(RECENT_S, _length_s(request)) / scrapes if scrapes else step_s(request)
    return float(round(interval_s)) if interval_s >= _WHOLE_FROM_S else interval_s


def way_of(group: Iterable[Facts], form: Form, budget: int) -> Way:
    """Choose how a group is asked for its growth."""
    known = list(group)
    if form is Form.EXACT:
        return Way.INCREASE
    # With the default budget of two million, both sides take about ten seconds of a processor.
    if sum(one.series_steps for one in known) <= budget:
        return Way.MATCHED
    return Way.QUIET if all(one.is_quiet for one in known) else Way.LIVELY


def growth(request: Request, facts: Facts, way: Way) -> Growth:
    """Word how much the series of a request grew within a step."""
    query, step_ms = request.query, _step_ms(request)
    # Prometheus 2 counts a sample on the left end of a window, 3 does not: a millisecond less.
    window_ms = step_ms + round(facts.interval_s * 1000) - 1
    match way:
        case Way.MATCHED:
            last = f"last_over_time({query}[{step_ms}ms])"
            before = f"last_over_time({query}[{_length_s(request)}s] offset {step_ms}ms)"
            return Growth(text=f"({last} - {before}) >= 0 or {last}")
        case Way.INCREASE:
            return Growth(text=f"increase({query}[{step_ms}ms])")
        case Way.QUIET:
            return Growth(text=f"delta({query}[{window_ms}ms])", scale=step_ms / window_ms)
        case Way.LIVELY:
            return Growth(text=f"increase({query}[{window_ms}ms])", scale=step_ms / window_ms)
        case _:
            assert_never(way)


def summed(request: Request, keep: Iterable[str], growth: Growth) -> Request:
    """Say what the server is asked instead of the samples."""
    by = ", ".join((*keep, *(("le",) if request.kind is RequestKind.BUCKETS else ())))
    first = math.ceil(request.start / step_s(request) + 1) * step_s(request)
    return Request(
        kind=RequestKind.RANGE,
        query=f"sum by ({by}) ({growth.text})" if by else f"sum({growth.text})",
        start=min(first, request.end),
        end=request.end,
        step_s=step_s(request),
        source=request.source,
    )


def step_s(request: Request) -> float:
    """Give the length of the steps onto which the samples of a request will be laid.

    Raises:
        ValueError: They may not be summed.
    """
    if request.summing is None:
        raise ValueError("a request without `summing` is never summed")
    return request.summing.step_s


def _step_ms(request: Request) -> int:
    return round(step_s(request) * 1000)


def _length_s(request: Request) -> int:
    return max(1, int(request.end - request.start))


def _keep(request: Request) -> tuple[str, ...]:
    return request.summing.keep if request.summing is not None else ()
