"""What to ask: every query of a configuration, rendered for both sides, as requests to a source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import judges
from analysis.config import BUILT_IN, SIDES, CanaryConfig, Metric
from analysis.errors import ConfigError, Fault
from analysis.expressions import select_alike
from analysis.query import MissingVariableError, references, render
from analysis.sources.port import Request, RequestKind, Summing
from analysis.window import MOST_STEPS, Window

# Raw counters are read from this long before the window, so that the first step has a sample to
# start from: Prometheus itself calls a series stale after five minutes.
LOOKBACK_S = 300.0
# Before the role of what is asked of the baseline's past.
HISTORY = "history_"
# The role of a counter that need not exist: where nothing failed, nothing has counted it.
EVENTS = "events"

# The role, and the place, of what is asked for the canary's part of the traffic.
WEIGHT = "weight"
WEIGHT_PLACE = "traffic.observed"

Variables = Mapping[str, Mapping[str, object]]  # by side, then by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request of a plan, and what its answer is for."""

    metric: str
    side: str
    role: str
    request: Request

    @property
    def is_history(self) -> bool:
        """Whether it asks for the past before the window, which is not judged."""
        return self.role.startswith(HISTORY)


def plan_all(config: CanaryConfig, window: Window, variables: Variables) -> tuple[Ask, ...]:
    """Render all that a look asks for: both sides, the canary's weight, and the baseline's past.

    Raises:
        ConfigError: As `plan`, `plan_weight` and `plan_history`.
    """
    return (
        *plan(config, window, variables),
        *plan_weight(config, window, variables),
        *plan_history(config, window, variables),
    )


def unique_requests(asks: Sequence[Ask]) -> list[Request]:
    """Give the requests of a plan, each once, in the order of the plan."""
    alike: dict[Request, list[Summing]] = {}
    for ask in asks:
        summing = [ask.request.summing] if ask.request.summing is not None else []
        alike.setdefault(ask.request, []).extend(summing)
    together = _together([{one.group for one in some} for some in alike.values()])
    return [_summed(request, some, together) for request, some in alike.items()]


def _summed(request: Request, some: Sequence[Summing], together: Mapping[str, str]) -> Request:
    """Keep, of an answer that several metrics use, the labels that any wants to tell apart."""
    if not some or (len(some) == 1 and together[some[0].group] == some[0].group):
        return request
    keep = tuple(sorted({label for one in some for label in one.keep}))
    summing = replace(some[0], keep=keep, group=together[some[0].group])
    return replace(request, summing=summing)


def _together(shared: Sequence[set[str]]) -> dict[str, str]:
    """Give every group the name of those it shares a request with, however far around."""
    names = {group: group for groups in shared for group in groups}
    for groups in shared:
        joined = {names[group] for group in groups}
        if len(joined) < 2:
            continue
        first = min(joined)
        names = {group: first if name in joined else name for group, name in names.items()}
    return names


def plan(config: CanaryConfig, window: Window, variables: Variables) -> tuple[Ask, ...]:
    """Render every query of every metric for both sides.

    Raises:
        ConfigError: With every query that cannot be rendered, every metric whose sides ask the
            same, and every variable that the window gives.
    """
    asks: list[Ask] = []
    faults = [*_taken(variables), *_reaching_over(config, window)]
    values = {side: _values(config, window, variables, side) for side in SIDES}
    windows = {SIDES[0]: window.earlier(baseline_offset_s(config)), SIDES[1]: window}
    for index, metric in enumerate(config.metrics):
        of_metric: list[Ask] = []
        for side in SIDES:
            rendered, failed = _rendered(
                index, metric, side, values[side], windows[side], config.source_name(metric)
            )
            of_metric += rendered
            faults += failed
        if compares(metric) and _sides_ask_the_same(of_metric):
            message = _same(metric, of_metric)
            faults.append(Fault(path=f"metrics[{index}] ({metric.name})", message=message))
        asks += of_metric
    if faults:
        raise ConfigError(tuple(dict.fromkeys(faults)), origin=config.name)
    return tuple(asks)


def plan_baseline(config: CanaryConfig, window: Window, variables: Variables) -> tuple[Ask, ...]:
    """Render every query of every metric for the baseline alone.

    Raises:
        ConfigError: With every query that cannot be rendered, and every variable that the window
            gives.
    """
    side = SIDES[0]
    asks: list[Ask] = []
    faults = _taken(variables)
    values = _values(config, window, variables, side)
    for index, metric in enumerate(config.metrics):
        rendered, failed = _rendered(
            index, metric, side, values, window, config.source_name(metric)
        )
        asks += rendered
        faults += failed
    if faults:
        raise ConfigError(tuple(dict.fromkeys(faults)), origin=config.name)
    return tuple(asks)


def plan_weight(config: CanaryConfig, window: Window, variables: Variables) -> tuple[Ask, ...]:
    """Render what is asked for the canary's part of the traffic, at every step; often nothing.

    Raises:
        ConfigError: The query cannot be rendered.
    """
    if config.traffic is None or config.traffic.observed is None:
        return ()
    side = SIDES[1]
    try:
        query = render(config.traffic.observed, _values(config, window, variables, side))
    except MissingVariableError as error:
        raise ConfigError((_missing(error.name, side),), origin=config.name) from error
    except ConfigError as error:
        raise ConfigError(error.faults[0].message, origin=WEIGHT_PLACE) from error
    source = config.traffic.source or next(iter(config.sources), "")
    request = _evaluated(query, window, source)
    return (Ask(metric=WEIGHT_PLACE, side=side, role=WEIGHT, request=request),)


def plan_history(config: CanaryConfig, window: Window, variables: Variables) -> tuple[Ask, ...]:
    """Render what is asked of the baseline's past, of metrics whose judge learns the noise from it.

    They come after all that is judged, so that a slow past delays nothing that is needed.

    Raises:
        ConfigError: The past has too many steps, or a query cannot be rendered.
    """
    if (past := past_of(config, window)) is None:
        return ()
    side = SIDES[0]
    values = _values(config, window, variables, side)
    asks: list[Ask] = []
    faults = _too_long(past)
    for index, metric in enumerate(config.metrics):
        if learns(metric) and tells_pods(metric):
            rendered, failed = _rendered(
                index, metric, side, values, past, config.source_name(metric)
            )
            asks += [_of_history(ask) for ask in rendered]
            faults += failed
    if faults:
        raise ConfigError(tuple(dict.fromkeys(faults)), origin=config.name)
    return tuple(asks)


def _of_history(ask: Ask) -> Ask:
    """Mark what is asked of the past, which is summed or not for itself: it is much longer."""
    request = ask.request
    if request.summing is not None:
        summing = replace(request.summing, group=HISTORY + request.summing.group)
        request = replace(request, summing=summing)
    return replace(ask, role=HISTORY + ask.role, request=request)


def past_of(config: CanaryConfig, window: Window) -> Window | None:
    """Give the stretch before the window that is asked for; `None` where none is, or no step."""
    if config.window.history is None:
        return None
    baselines = window.earlier(baseline_offset_s(config))
    past = baselines.before(config.window.history.total_seconds())
    return past if past.steps else None


def known_variables(config: CanaryConfig) -> frozenset[str]:
    """Name every variable that a query refers to or that the configuration declares."""
    templates = [
        template
        for metric in config.metrics
        for side in SIDES
        for _, template in metric.templates(side)
    ]
    if config.traffic is not None:
        templates.append(config.traffic.observed or "")
    declared = {name for side in SIDES for name in config.side_variables(side)}
    return frozenset().union(declared, *(references(template) for template in templates))


def baseline_offset_s(config: CanaryConfig) -> float:
    """Give by how many seconds the baseline is read earlier than the canary; 0 side by side."""
    offset = config.window.baseline_offset
    return offset.total_seconds() if offset is not None else 0.0


def learns(metric: Metric) -> bool:
    """Tell whether the metric's judge can learn the noise from a history."""
    return bool(getattr(judges.judge_class(metric.judge.kind), "uses_history", False))


def tells_pods(metric: Metric) -> bool:
    """Tell whether the metric's series can be told apart by pod."""
    return metric.query is not None or metric.pods is not None


def _reaching_over(config: CanaryConfig, window: Window) -> list[Fault]:
    """Refuse a window so long that the baseline would be read after the canary began."""
    offset_s, length_s = baseline_offset_s(config), window.end - window.start
    if not offset_s or length_s <= offset_s + window.step_s:
        return []
    text = (
        f"is {offset_s:.0f} s and the window {length_s:.0f} s long, so the baseline would be read "
        f"after the canary began; choose a longer offset or a shorter window"
    )
    return [Fault(path="window.baseline_offset", message=text)]


def _too_long(past: Window) -> list[Fault]:
    if past.steps <= MOST_STEPS:
        return []
    text = f"holds {past.steps:,} steps, {MOST_STEPS:,} at most are read; choose a shorter one"
    return [Fault(path="window.history", message=text)]


def _rendered(
    index: int,
    metric: Metric,
    side: str,
    values: Mapping[str, object],
    window: Window,
    source: str,
) -> tuple[list[Ask], list[Fault]]:
    """Render a metric's queries for one side, with what is wrong with them."""
    asks: list[Ask] = []
    faults: list[Fault] = []
    for role, template in metric.templates(side):
        try:
            query = render(template, values)
        except MissingVariableError as error:
            faults.append(_missing(error.name, side))  # once, however many queries need it
            continue
        except ConfigError as error:
            place = f"metrics[{index}] ({metric.name}), {side}"
            faults.append(Fault(path=place, message=error.faults[0].message))
            continue
        request = _request(metric, query, window, source)
        asks.append(Ask(metric=metric.name, side=side, role=role, request=request))
    return asks, faults


def _taken(variables: Variables) -> list[Fault]:
    message = "is given by the window; choose another name"
    return [
        Fault(path=f"variables.{side}.{name}", message=message)
        for side in SIDES
        for name in BUILT_IN
        if variables.get(side, {}).get(name) is not None
    ]


def _values(
    config: CanaryConfig, window: Window, variables: Variables, side: str
) -> dict[str, object]:
    built_in = {
        "step": _promql_duration(window.step_s),
        "window": _promql_duration(window.judged_s),
        "planned": _promql_duration(config.window.planned.total_seconds()),
    }
    given = {name: value for name, value in variables.get(side, {}).items() if value is not None}
    return {**config.side_variables(side), **given, **built_in}


def _promql_duration(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"


def _request(metric: Metric, query: str, window: Window, source: str) -> Request:
    if metric.query is not None:
        return _evaluated(query, window, source)
    return Request(
        kind=RequestKind.SAMPLES if metric.histogram is None else RequestKind.BUCKETS,
        query=query,
        start=asked_from(window),
        end=float(window.edges[-1]),
        source=source,
        summing=Summing(
            step_s=window.step_s, keep=(metric.pods,) if metric.pods else (), group=metric.name
        ),
    )


def _evaluated(query: str, window: Window, source: str) -> Request:
    edges = window.edges
    return Request(
        kind=RequestKind.RANGE,
        query=query,
        start=float(edges[1]),
        end=float(edges[-1]),
        step_s=window.step_s,
        source=source,
    )


def asked_from(window: Window) -> float:
    """Give the first instant that raw samples are asked for, epoch seconds."""
    return math.floor(window.start - LOOKBACK_S)


def compares(metric: Metric) -> bool:
    """Tell whether the metric's judge holds the canary against the baseline."""
    judge = metric.judge
    return judge.kind != "threshold" or judge.parameters.get("relative", "value") != "value"


def _sides_ask_the_same(asks: Sequence[Ask]) -> bool:
    baseline, canary = ([ask.request for ask in asks if ask.side == side] for side in SIDES)
    both = zip_longest(baseline, canary)
    return bool(baseline) and all(_are_the_same(one, other) for one, other in both)


def _are_the_same(one: Request | None, other: Request | None) -> bool:
    if one is None or other is None or replace(one, query="") != replace(other, query=""):
        return False
    return one.query == other.query or select_alike(one.query, other.query)


def _same(metric: Metric, asks: Sequence[Ask]) -> str:
    templates = (template for side in SIDES for _, template in metric.templates(side))
    names = sorted(set().union(*(references(template) for template in templates)))
    used = f"it uses {', '.join(names)}" if names else "it uses no variable"
    by_side = [[ask.request.query for ask in asks if ask.side == side] for side in SIDES]
    what = (
        "ask the same query"
        if by_side[0] == by_side[1]
        else ("select the same series, for what differs between their queries selects nothing")
    )
    return (
        f"both sides {what} ({used}); use a variable that differs between baseline and "
        f"canary, such as --baseline hash=… --canary hash=…"
    )


def _missing(name: str, side: str) -> Fault:
    message = f"the variable '{name}' has no value; give --{side} {name}=… or --set {name}=…"
    return Fault(path=f"variables.{side}.{name}", message=message)
