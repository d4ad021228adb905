"""A canary config of Kayenta's as a configuration of ours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import judges
from analysis.errors import ConfigError
from analysis.translate import kayenta_judging
from analysis.translate.kayenta_document import (
    CanaryDocument,
    ExecutionDocument,
    Metric,
    Thresholds,
    read,
)
from analysis.translate.kayenta_judging import flag
from analysis.translate.kayenta_queries import NotCarriedOverError, carried
from analysis.translate.writing import Imported, Note, nothing_left, written

JUDGES = ("kayenta", "mann_whitney")
# What the service fills from a call in Kayenta's form, of each side.
_OF_A_SIDE = ("scope", "location")
_KNOWN_JUDGE, _REMOTE_JUDGE = "NetflixACAJudge-v1.0", "RemoteJudge-v1.0"
# Kayenta's default distance of values, where the call does not say.
_STEP_S = 60
_LONGEST_MINUTES = 60


@dataclass(slots=True)
class _Move:
    """One configuration on its way: what came in, and what has become of it."""

    document: CanaryDocument
    request: ExecutionDocument
    judge: str
    root: tuple[str, ...]
    notes: list[Note] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def note(self, text: str, source: tuple[str | int, ...] = (), at: str | int = "name") -> None:
        self.notes.append(Note(text=text, source=(*self.root, *source), section=at))


def from_kayenta(text: str, *, origin: str, judge: str = JUDGES[0]) -> Imported:
    """Translate a canary config, alone or within a call that starts it.

    Args:
        text: JSON.
        origin: The file, for whoever reads the faults.
        judge: `kayenta` to be judged as before, label for label; `mann_whitney` for our own.

    Raises:
        ConfigError: The text is no canary config, or none of its metrics can be carried over.
    """
    document, request, lines = read(text, origin)
    root = ("canaryConfig",) if "canaryConfig" in lines else ()
    move = _Move(document=document, request=request, judge=judge, root=root)
    metrics = _metrics(move)
    if not metrics:
        raise nothing_left(origin, move.notes)
    config = {
        "version": 1,
        "name": document.name,
        "source": {"prometheus": {"url": "${PROMETHEUS_URL}", "step": _step(move)}},
        "variables": _variables(move),
        "window": _window(move),
        "scoring": _scoring(move, metrics),
        "metrics": metrics,
    }
    _of_the_whole(move)
    title = f"Written by serinus import kayenta, from the canary config {document.name}."
    try:
        return written(config, move.notes, lines, title=title)
    except ConfigError as error:
        raise ConfigError(error.faults, origin=f"{origin}, as a configuration of ours") from error


def _metrics(move: _Move) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for index, metric in enumerate(move.document.metrics):
        place = ("metrics", index)
        try:
            query = carried(metric.query, move.document.templates)
        except NotCarriedOverError as error:
            move.note(f"the metric {metric.name} is left out: {error}", (*place, "query"))
            continue
        at = len(found)
        for old, new in query.renamed.items():
            move.note(f"${{{old}}} is called ${{{new}}} here", (*place, "query"), at)
        move.names |= query.names
        for text in _remarks(move, metric):
            move.note(text, (*place, "analysisConfigurations", "canary"), at)
        if metric.query.group_by:
            text = "each series had a vote; here they are the pods of one metric"
            move.note(text, (*place, "query", "groupByFields"), at)
        if metric.scope != "default":
            text = f"the scope {metric.scope} is one with the others: a side has one set of values"
            move.note(text, (*place, "scopeName"), at)
        found.append(_metric(move, metric, query.promql, place, at))
    return found


def _metric(
    move: _Move, metric: Metric, promql: str, place: tuple[str | int, ...], at: int
) -> dict[str, Any]:
    settings = metric.settings.canary
    made: dict[str, Any] = {"name": metric.name}
    is_critical, is_muted = flag(settings, "critical"), flag(settings, "muted")
    if metric.groups:
        made["group"] = metric.groups[0]
        if len(metric.groups) > 1:
            text = f"counted in {', '.join(metric.groups)}; here in the first alone"
            move.note(text, (*place, "groups"), at)
    elif not is_critical and not is_muted:
        move.note("in no group it had no say in the score: it is muted", place, at)
        is_muted = True
    made |= {"critical": True} if is_critical else {}
    made |= {"muted": True} if is_muted else {}
    return made | {"query": promql, "judge": _judge(move, settings)}


def _judge(move: _Move, settings: Mapping[str, Any]) -> dict[str, Any]:
    own = move.document.judge.settings
    if move.document.judge.name == _REMOTE_JUDGE and own.get("kind") in judges.kinds():
        return dict(own)
    if move.judge == "mann_whitney":
        return kayenta_judging.mann_whitney(settings)
    return kayenta_judging.kayenta(settings)


def _remarks(move: _Move, metric: Metric) -> Iterator[str]:
    yield from kayenta_judging.remarks(metric.settings.canary)
    yield from kayenta_judging.changes(metric.settings.canary, move.judge)


def _step(move: _Move) -> str:
    found = {int(step) for step in _told(move.request, "step") if step}
    if len(found) > 1:
        move.note(f"steps of {sorted(found)} s: the finest is taken for all", (), "source")
    return f"{min(found, default=_STEP_S)}s"


def _told(request: ExecutionDocument, key: str) -> Iterator[Any]:
    """Give what the scopes of a call say, whichever of the two forms they have."""
    scopes = request.scopes
    for scope in scopes.values() if isinstance(scopes, dict) else scopes:
        for side in (scope, scope.get("controlScope"), scope.get("experimentScope")):
            if isinstance(side, dict) and key in side:
                yield side[key]


def _variables(move: _Move) -> dict[str, Any]:
    """Leave what tells the sides apart to the call, as Kayenta did."""
    given: dict[str, Any] = {}
    for params in _told(move.request, "extendedScopeParams"):
        given |= params if isinstance(params, dict) else {}
    shared = {
        name: given[name] if isinstance(given.get(name), str | int | float) else None
        for name in sorted(move.names - set(_OF_A_SIDE))
    }
    sides = {name: None for name in _OF_A_SIDE if name in move.names}
    if not sides:
        text = "no query names ${scope}, so both sides would ask the same; name what differs"
        move.note(text, ("metrics",), "variables")
    text = (
        "null means that the call gives it. A value is a label's value now: it is quoted, so "
        "that a scope that was a regular expression matches nothing else than itself"
    )
    move.note(text, ("metrics",), "variables")
    return {**shared, "baseline": dict(sides), "canary": dict(sides)}


def _window(move: _Move) -> dict[str, str]:
    request = move.request
    planned = request.lifetime
    if planned is None:
        move.note("the call said how long; here it is planned ahead", (), "window")
        planned = _LONGEST_MINUTES
    if request.lookback:
        text = f"a sliding window of {request.lookback:g}m; here a window grows from the start on"
        move.note(text, (), "window")
    if not request.begin_after:
        move.note("Kayenta leaves no warm-up out; 3m serve most services better", (), "window")
    # Kayenta's windows all begin so much later, and are as long as before.
    whole = max(planned, 1) + request.begin_after
    warmup = f"{request.begin_after:g}m" if request.begin_after else "0s"
    return {"planned": f"{whole:g}m", "warmup": warmup}


def _scoring(move: _Move, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    groups = {metric.get("group", "default") for metric in metrics}
    weights: dict[str, float] = {}
    for name, weight in move.document.classifier.weights.items():
        place = ("classifier", "groupWeights", name)
        if name not in groups:
            move.note(f"no metric is in the group {name}: its weight is left out", place, "scoring")
        elif weight <= 0:
            text = f"a weight of {weight:g} is left out: mute the metrics of {name} instead"
            move.note(text, place, "scoring")
        else:
            weights[name] = weight
    if weights and (total := sum(weights.values())) != 100:
        text = f"the weights come to {total:g}; here they are shares of the whole"
        move.note(text, ("classifier", "groupWeights"), "scoring")
    return {**_thresholds(move), **({"weights": weights} if weights else {})}


def _thresholds(move: _Move) -> dict[str, float]:
    own, called = move.document.classifier.thresholds, move.request.thresholds
    chosen = called if called.passing is not None else own
    text = (
        "the score decides nothing here: the verdict comes from the judges, and the score is "
        "moved to its side of these. One metric that fails and is not critical makes a rollout "
        "inconclusive, whatever its weight"
    )
    move.note(text, ("classifier",), "scoring")
    return _in_order(move, chosen)


def _in_order(move: _Move, chosen: Thresholds) -> dict[str, float]:
    passing = 95.0 if chosen.passing is None else chosen.passing
    marginal = 75.0 if chosen.marginal is None else chosen.marginal
    high = min(max(passing, 2.0), 100.0)
    low = min(max(marginal, 1.0), math.ceil(high) - 1.0)
    if (high, low) != (passing, marginal):
        text = (
            f"pass {passing:g} and marginal {marginal:g} leave no room between or below them; "
            f"{high:g} and {low:g} do"
        )
        move.note(text, ("classifier", "scoreThresholds"), "scoring")
    return {"pass": high, "marginal": low}


def _of_the_whole(move: _Move) -> None:
    judge = move.document.judge.name
    if judge not in {_KNOWN_JUDGE, _REMOTE_JUDGE}:
        move.note(f"the judge {judge} is not known here; {_KNOWN_JUDGE} is meant", ("judge",))
    if "applications" in (move.document.model_extra or {}):
        text = "applications are left out: a configuration is found by its name alone"
        move.note(text, ("applications",))
    for index, metric in enumerate(move.document.metrics):
        for name in sorted((metric.query.model_extra or {}).keys() - {"serviceType"}):
            move.note(f"{name} is left out: Kayenta ignores it", ("metrics", index, "query", name))
