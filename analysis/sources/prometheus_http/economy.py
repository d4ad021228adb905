"""Too many samples to be read one by one: what they are estimated at, and who is summed.

The cost is asked first, of all selectors together. Above the budget the server sums what costs
most, per pod if that is affordable and per side otherwise; see `sums` for what it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.errors import SourceError
from analysis.sources.port import Answer, Answers, Request, RequestKind
from analysis.sources.prometheus_http import sums
from analysis.sources.prometheus_http.faults import ServerError
from analysis.sources.prometheus_http.sums import Facts, Form

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
        facts: What is known of its samples if they are summed; `None` where they are not.
        note: What a reader should know; empty where nothing.
    """

    request: Request
    sent: Request
    facts: Facts | None = None
    note: str = ""

    def answer(self, answer: Answer | SourceError) -> Answer | SourceError:
        """Give the server's answer as one to what was asked for."""
        if self.facts is None or isinstance(answer, SourceError):
            return answer
        series = sums.as_counters(answer.series, self.request, self.facts)
        return replace(answer, series=series, infos=(*answer.infos, self.note))


def readings(requests: Sequence[Request], budget: int, form: Form, ask: Ask) -> tuple[Reading, ...]:
    """Decide how each request is read, asking the server for the costs if any could be too high.

    Args:
        requests: All requests of one call.
        budget: Samples that may be read one by one, in all.
        form: How the server sums.
        ask: Asks the server.

    Raises:
        SourceError: The server cannot be asked at all.
    """
    costs = _costs([request for request in requests if request.summing is not None], ask)
    dear = _too_dear(costs, budget)
    if not dear:
        return tuple(Reading(request=request, sent=request) for request in requests)
    facts = _facts(dear, form, ask)
    room = budget - sum(cost for request, cost in costs.items() if request not in facts)
    by_group = _by_pod(facts, room)
    return tuple(
        _reading(request, facts[request], costs[request], budget, by_pod=request in by_group)
        if request in facts
        else Reading(request=request, sent=request)
        for request in requests
    )


def _reading(request: Request, facts: Facts, cost: int, budget: int, *, by_pod: bool) -> Reading:
    keep = request.summing.keep if request.summing is not None and by_pod else ()
    sent = sums.summed(request, keep, facts)
    note = (
        f"about {cost:,} samples: with the others more than max_samples ({budget:,}), so the "
        f"server summed them {'per' if keep else 'over every'} {' and '.join(keep) or 'pod'}, "
        f"as {sent.query}; {facts.exactness}"
    )
    return Reading(request=request, sent=sent, facts=facts, note=note)


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


def _too_dear(costs: Mapping[Request, int], budget: int) -> tuple[Request, ...]:
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
    return tuple(request for request in costs if _group(request) in dear)


def _group(request: Request) -> str:
    return request.summing.group if request.summing is not None else ""


def _by_pod(facts: Mapping[Request, Facts], room: int) -> frozenset[Request]:
    """Find the groups whose sums per pod can be afforded, the cheapest first."""
    groups: dict[str, int] = {}
    for request, known in facts.items():
        groups[_group(request)] = groups.get(_group(request), 0) + known.sums
    affordable: set[str] = set()
    for group in sorted(groups, key=lambda name: (groups[name], name)):
        room -= groups[group]
        if room >= 0:
            affordable.add(group)
    return frozenset(request for request in facts if _group(request) in affordable)


def _facts(requests: Sequence[Request], form: Form, ask: Ask) -> dict[Request, Facts]:
    """Learn what must be known to have the samples summed."""
    asked = {request: sums.questions(request, form) for request in requests}
    answers = ask(list(dict.fromkeys(one for some in asked.values() for one in some.values())))
    return {
        request: sums.facts(request, _numbers(some, answers), form)
        for request, some in asked.items()
    }


def _numbers(asked: Mapping[str, Request], answers: Answers) -> dict[str, float]:
    """Read the answers that are a number; a sum over nothing is none."""
    return {
        name: float(answer.series[0].values[-1])
        for name, one in asked.items()
        if isinstance(answer := answers[one], Answer) and answer.series
    }
