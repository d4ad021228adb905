"""Too many samples to be read one by one: what they are estimated at, and who is summed.

The cost is asked first, of all selectors together. Above the budget the server sums what costs
most, per pod if that is affordable and per side otherwise; see `growth` for what it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.errors import SourceError
from analysis.sources.port import Answer, Answers, Request, RequestKind
from analysis.sources.prometheus_http import growth
from analysis.sources.prometheus_http.faults import ServerError
from analysis.sources.prometheus_http.growth import Facts, Form, Way
from analysis.sources.prometheus_http.sums import as_counters

# A stretch is looked at in so many places: pods that came or went in between are estimated.
PROBES = 3
PROBE_S = 300
# VictoriaMetrics takes 16 kB of query (-search.maxQueryLen).
MOST_CHARACTERS = 12_000

Ask = Callable[[Sequence[Request]], Answers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one request is read.

    Attributes:
        request: What was asked for.
        sent: What the server is asked.
        scale: What its sums are multiplied with; `None` where nothing is summed.
        note: What a reader should know; empty where nothing.
    """

    request: Request
    sent: Request
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
    costs = _costs([request for request in requests if request.summing is not None], ask)
    dear = _too_dear(costs, budget)
    left = budget - sum(cost for request, cost in costs.items() if _group(request) not in dear)
    known = _facts([request for request in costs if _group(request) in dear], form, ask)
    per_pod = _per_pod(known, left)
    summed: dict[Request, Reading] = {}
    for group, facts in known.items():
        way = growth.way_of(facts.values(), form, budget)
        for request, fact in facts.items():
            price = f"about {costs[request]:,} samples: with the others more than max_samples "
            price += f"({budget:,})"
            summed[request] = _summed(request, fact, way, price, per_pod=group in per_pod)
    return tuple(
        summed.get(request, Reading(request=request, sent=request)) for request in requests
    )


def _summed(request: Request, facts: Facts, way: Way, price: str, *, per_pod: bool) -> Reading:
    keep = request.summing.keep if request.summing is not None and per_pod else ()
    grown = growth.growth(request, facts, way)
    sent = growth.summed(request, keep, grown)
    over = f"per {' and '.join(keep)}" if keep else "over every pod"
    note = f"{price}, so the server summed them {over}, as {sent.query}; {way}"
    return Reading(request=request, sent=sent, scale=grown.scale, note=note)


# ---- what it costs


def _costs(requests: Sequence[Request], ask: Ask) -> dict[Request, int]:
    """Estimate how many samples each request brings; what cannot be told is left out."""
    found: dict[Request, int] = {}
    stretches: dict[tuple[float, float, str], list[Request]] = {}
    for request in requests:
        stretches.setdefault((request.start, request.end, request.source), []).append(request)
    for alike in stretches.values():
        for some in _batches(alike):
            found |= _costs_of(some, ask)
    return found


def _batches(requests: Iterable[Request]) -> Iterable[list[Request]]:
    batch: list[Request] = []
    for request in requests:
        if batch and sum(len(one.query) + 100 for one in [*batch, request]) > MOST_CHARACTERS:
            yield batch
            batch = []
        batch.append(request)
    yield batch


def _costs_of(requests: Sequence[Request], ask: Ask) -> dict[Request, int]:
    probe = _probe(requests)
    answer = ask([probe])[probe]
    if isinstance(answer, ServerError):
        return {}
    if isinstance(answer, SourceError):
        # One selector that the server does not take must not hide what the others cost.
        alone = requests if len(requests) > 1 else ()
        return {k: v for one in alone for k, v in _costs_of([one], ask).items()}
    found = dict.fromkeys(requests, 0)
    stretch = requests[0].end - requests[0].start
    for series in answer.series:
        request = requests[int(series.labels.get("request", "0"))]
        seen = float(series.values.sum()) / _instants(probe)
        found[request] = round(seen * max(1.0, stretch / _probe_s(request)))
    return found


def _probe(requests: Sequence[Request]) -> Request:
    """Ask, at a few instants, how many samples there were just before."""
    first = requests[0]
    length_s = _probe_s(first)
    counted = [
        f'label_replace(sum(count_over_time({one.query}[{length_s}s])), "request", "{n}", "", "")'
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
    return max(1, min(PROBE_S, int(request.end - request.start)))


def _instants(probe: Request) -> int:
    return round((probe.end - probe.start) / probe.step_s) + 1


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


def _facts(requests: Sequence[Request], form: Form, ask: Ask) -> dict[str, dict[Request, Facts]]:
    """Learn, by group, what must be known to have samples summed."""
    asked = {request: growth.questions(request, form) for request in requests}
    answers = ask(list(dict.fromkeys(one for some in asked.values() for one in some.values())))
    known: dict[str, dict[Request, Facts]] = {}
    for request, some in asked.items():
        told = _numbers(some, answers)
        known.setdefault(_group(request), {})[request] = growth.facts(request, told)
    return known


def _numbers(asked: Mapping[str, Request], answers: Answers) -> dict[str, float]:
    """Read the answers that are a number; a sum over nothing is none."""
    return {
        name: float(answer.series[0].values[-1])
        for name, one in asked.items()
        if isinstance(answer := answers[one], Answer) and answer.series
    }
