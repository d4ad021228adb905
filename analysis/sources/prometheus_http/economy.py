"""Too many samples to be read one by one: what they are estimated at, and who is summed.

The cost is asked first, of all selectors together. Above the budget the server sums what costs
most, per pod if that is affordable and per side otherwise; see `growth` for what it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.errors import SourceError
from analysis.sources.port import Answer, Answers, Array, Request, RequestKind, Series
from analysis.sources.prometheus_http import growth
from analysis.sources.prometheus_http.faults import ServerError
from analysis.sources.prometheus_http.growth import COUNTED, Census, Facts, Form, Way
from analysis.sources.prometheus_http.sums import as_counters

# A stretch is looked at in so many places: pods that came or went in between are estimated.
PROBES = 3
# VictoriaMetrics takes 16 kB of query (-search.maxQueryLen).
MOST_CHARACTERS = 12_000

_REQUEST = "request"  # the label by which answers to several requests are told apart

Ask = Callable[[Sequence[Request]], Answers]
Cost = Census | SourceError  # samples, or why they could not be counted in time


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one request is read.

    Attributes:
        request: What was asked for.
        sent: What the server is asked.
        fault: Why it is not asked; `None` where it is.
        scale: What its sums are multiplied with; `None` where nothing is summed.
        note: What a reader should know; empty where nothing.
    """

    request: Request
    sent: Request
    fault: SourceError | None = None
    scale: float | None = None
    note: str = ""

    def answer(self, answer: Answer | SourceError) -> Answer | SourceError:
        """Give the server's answer as one to what was asked for."""
        if self.scale is None or isinstance(answer, SourceError):
            return answer
        series = as_counters(answer.series, self.request, self.scale)
        return replace(answer, series=series, infos=(*answer.infos, self.note))


def readings(requests: Sequence[Request], budget: int, form: Form, ask: Ask) -> tuple[Reading, ...]:
    """Decide how each request is read, asking the server for the costs if any could be too high.

    Args:
        requests: All requests of one call.
        budget: Samples that may be read one by one, in all.
        form: How the server's functions treat the edges of a window.
        ask: Asks the server.

    Raises:
        SourceError: The server cannot be asked at all.
    """
    told = _costs([request for request in requests if request.summing is not None], ask)
    # A server that takes too long to count samples is not made to send them.
    faults = {one: cost for one, cost in told.items() if isinstance(cost, SourceError)}
    censuses = {one: cost for one, cost in told.items() if isinstance(cost, Census)}
    costs = {request: census.samples for request, census in censuses.items()}
    dear = _too_dear(costs, budget)
    left = budget - sum(cost for request, cost in costs.items() if _group(request) not in dear)
    known = _facts({r: one for r, one in censuses.items() if _group(r) in dear}, form, ask)
    per_pod = _per_pod(known, left)
    summed: dict[Request, Reading] = {}
    for group, facts in known.items():
        way = growth.way_of(facts.values(), form, budget)
        for request, fact in facts.items():
            price = f"about {costs[request]:,} samples: with the others more than max_samples "
            price += f"({budget:,})"
            summed[request] = _summed(request, fact, way, price, per_pod=group in per_pod)
    return tuple(
        summed.get(request, Reading(request=request, sent=request, fault=faults.get(request)))
        for request in requests
    )


def _summed(request: Request, facts: Facts, way: Way, price: str, *, per_pod: bool) -> Reading:
    keep = request.summing.keep if request.summing is not None and per_pod else ()
    grown = growth.growth(request, facts, way)
    sent = growth.summed(request, keep, grown)
    over = f"per {' and '.join(keep)}" if keep else "over every pod"
    note = f"{price}, so the server summed them {over}, as {sent.query}; {way}"
    return Reading(request=request, sent=sent, scale=grown.scale, note=note)


# ---- what it costs


def _costs(requests: Sequence[Request], ask: Ask) -> dict[Request, Cost]:
    """Estimate how many samples each request brings; what cannot be told is left out."""
    found, refused = _asked(list(_batches(requests)), ask)
    # One selector that the server does not take must not hide what the others cost.
    again, _ = _asked([[one] for one in refused], ask) if len(refused) > 1 else ({}, [])
    return {**found, **again}


def _batches(requests: Iterable[Request]) -> Iterator[list[Request]]:
    """Put together what one query can ask about."""
    stretches: dict[tuple[float, float, str], list[Request]] = {}
    for request in requests:
        stretches.setdefault((request.start, request.end, request.source), []).append(request)
    for alike in stretches.values():
        batch: list[Request] = []
        for request in alike:
            if batch and sum(len(one.query) + 100 for one in [*batch, request]) > MOST_CHARACTERS:
                yield batch
                batch = []
            batch.append(request)
        yield batch


def _asked(
    batches: Sequence[Sequence[Request]], ask: Ask
) -> tuple[dict[Request, Cost], list[Request]]:
    """Ask what batches cost; what the server refused to tell comes back beside it."""
    probes = {_probe(batch): batch for batch in batches}
    found: dict[Request, Cost] = {}
    refused: list[Request] = []
    for probe, answer in (ask(list(probes)) if probes else {}).items():
        match answer:
            case Answer():
                found |= _told(probe, answer, probes[probe])
            case ServerError(code="timeout"):
                found |= dict.fromkeys(probes[probe], answer)
            case ServerError():
                pass  # whatever it is, the samples will meet it too
            case SourceError():
                refused += probes[probe]
    return found, refused


def _told(probe: Request, answer: Answer, batch: Sequence[Request]) -> dict[Request, Cost]:
    by_request: dict[str, list[Series]] = {}
    for series in (one for one in answer.series if COUNTED in one.labels):
        by_request.setdefault(series.labels.get(_REQUEST, "0"), []).append(series)
    return {
        request: _census(probe, request, by_request.get(str(place), []))
        for place, request in enumerate(batch)
    }


def _census(probe: Request, request: Request, counted: Sequence[Series]) -> Census:
    """Read how many series there were with so many samples each, at every place looked at."""
    places = np.arange(round((probe.end - probe.start) / probe.step_s) + 1)
    each = np.array([float(one.labels[COUNTED]) for one in counted])
    many = np.zeros((len(counted), len(places)))
    for row, one in enumerate(counted):
        many[row, np.rint((one.times - probe.start) / probe.step_s).astype(int)] = one.values
    stretches = max(1.0, (request.end - request.start) / _probe_s(request))
    return Census(
        samples=round(float((each @ many).mean()) * stretches),
        series=round(float(many.sum(axis=0).max())),
        scrapes=_median(each, many[:, -1]),
    )


def _median(each: Array, many: Array) -> float:
    """Give the median of values of which there are many each; 0 of none."""
    order = np.argsort(each)
    upto = np.cumsum(many[order])
    return float(each[order][np.searchsorted(upto, upto[-1] / 2)]) if many.any() else 0.0


def _probe(requests: Sequence[Request]) -> Request:
    """Ask, at a few instants, how many samples there were just before.

    Series are counted by their number of samples, so that one pass tells of both.
    """
    first = requests[0]
    length_s = _probe_s(first)
    # Prometheus 2 counts a sample on the left end of a window, 3 does not: a millisecond less.
    length_ms = length_s * 1000 - 1
    counted = [
        f"label_replace({growth.census(f'count_over_time({one.query}[{length_ms}ms])')}, "
        f'"{_REQUEST}", "{n}", "", "")'
        for n, one in enumerate(requests)
    ]
    step_s = max(length_s, int((first.end - first.start) / PROBES))
    places = max(1, min(PROBES, int((first.end - first.start) / step_s)))
    return Request(
        kind=RequestKind.RANGE,
        query=" or ".join(counted),
        start=first.end - (places - 1) * step_s,
        end=first.end,
        step_s=step_s,
        source=first.source,
    )


def _probe_s(request: Request) -> int:
    return max(1, min(growth.RECENT_S, int(request.end - request.start)))


# ---- who is summed


def _too_dear(costs: Mapping[Request, int], budget: int) -> frozenset[str]:
    """Take groups away, the dearest first, until the rest can be afforded."""
    groups: dict[str, int] = {}
    for request, cost in costs.items():
        groups[_group(request)] = groups.get(_group(request), 0) + cost
    left = sum(groups.values())
    dear: set[str] = set()
    for group in sorted(groups, key=lambda name: (-groups[name], name)):
        if left <= budget:
            break
        dear.add(group)
        left -= groups[group]
    return frozenset(dear)


def _group(request: Request) -> str:
    return request.summing.group if request.summing is not None else ""


def _per_pod(known: Mapping[str, Mapping[Request, Facts]], left: float) -> frozenset[str]:
    """Find the groups whose sums per pod can be afforded, the cheapest first."""
    sums = {group: sum(fact.sums for fact in facts.values()) for group, facts in known.items()}
    affordable: set[str] = set()
    for group in sorted(sums, key=lambda name: (sums[name], name)):
        left -= sums[group]
        if left >= 0:
            affordable.add(group)
    return frozenset(affordable)


def _facts(
    censuses: Mapping[Request, Census], form: Form, ask: Ask
) -> dict[str, dict[Request, Facts]]:
    """Learn, by group, what must be known to have samples summed."""
    asked = {request: growth.questions(request, form) for request in censuses}
    answers = ask(list(dict.fromkeys(one for some in asked.values() for one in some.values())))
    known: dict[str, dict[Request, Facts]] = {}
    for request, some in asked.items():
        told = {
            name: answer
            for name, one in some.items()
            if isinstance(answer := answers[one], Answer) and answer.series
        }
        facts = growth.facts(request, censuses[request], told)
        known.setdefault(_group(request), {})[request] = facts
    return known
