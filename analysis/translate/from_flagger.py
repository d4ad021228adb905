"""A Canary of Flagger's, with its MetricTemplates, as a configuration of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from analysis.config.fields import format_duration, parse_duration
from analysis.errors import ConfigError
from analysis.translate.flagger_document import (
    Canary,
    Check,
    MetricTemplate,
    Resources,
    read,
)
from analysis.translate.flagger_queries import (
    DURATION,
    SUCCESS_RATE,
    TARGET,
    Names,
    NotCarriedOverError,
    duration,
    filled,
    layer_of,
    success_rate,
)
from analysis.translate.writing import Imported, Note, nothing_left, written

Place = tuple[str | int, ...]
ANALYSIS: Place = ("spec", "analysis")
# Percent with so many decimals is what anybody means by it.
_DECIMALS = 10
_SHORTEST = timedelta(minutes=5)
LEAST_STEPS, SHORTEST_STEP = 20, timedelta(seconds=15)


@dataclass(slots=True)
class _Move:
    """One Canary on its way: what came in, and what has become of it."""

    resources: Resources
    provider: str | None
    notes: list[Note] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    @property
    def canary(self) -> Canary:
        return self.resources.canary

    def note(self, text: str, source: Place = (), at: str | int = "name") -> None:
        self.notes.append(Note(text=text, source=source, section=at))


def from_flagger(
    text: str, *, origin: str, name: str | None = None, provider: str | None = None
) -> Imported:
    """Translate a Canary.

    Args:
        text: YAML with the Canary and the MetricTemplates it names.
        origin: The file, for whoever reads the faults.
        name: Which Canary, where there are several.
        provider: Flagger's mesh provider, where the Canary names none.

    Raises:
        ConfigError: There is no such Canary, or none of its metrics can be carried over.
    """
    resources = read(text, origin, name)
    move = _Move(resources=resources, provider=resources.canary.spec.provider or provider)
    metrics = _metrics(move)
    if not metrics:
        raise nothing_left(origin, move.notes)
    planned = _planned(move)
    config = {
        "version": 1,
        "name": move.canary.metadata.name,
        "source": {"prometheus": _source(move, planned)},
        "variables": _variables(move, metrics),
        "window": {"planned": format_duration(planned), "warmup": "0s"},
        "metrics": metrics,
    }
    _stays_in_flagger(move)
    title = f"Written by serinus import flagger, from the Canary {move.canary.metadata.name}."
    try:
        return written(config, move.notes, resources.lines, title=title)
    except ConfigError as error:
        raise ConfigError(error.faults, origin=f"{origin}, as a configuration of ours") from error


def _metrics(move: _Move) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for index, check in enumerate(move.canary.spec.analysis.metrics):
        place = (*ANALYSIS, "metrics", index)
        before = len(move.notes)
        try:
            found.append(_metric(move, check, place, len(found)))
        except NotCarriedOverError as error:
            del move.notes[before:]
            move.note(f"the metric {check.name} is left out: {error}", place)
    return found


def _metric(move: _Move, check: Check, place: Place, at: int) -> dict[str, Any]:
    made: dict[str, Any] = {"name": check.name, "critical": True}
    if check.template is None and check.query is None and check.name == SUCCESS_RATE:
        made |= {"counts": success_rate(layer_of(move.provider))}
        bounds = _as_failures(_bounds(check, lower=True))
        move.note(
            "failures among requests, from the raw counters; Flagger read successes in percent. "
            "{kind: error_ratio} would hold the canary against the primary instead of a bound",
            place,
            at,
        )
    elif check.template is None and check.query is None and check.name == DURATION:
        made |= {"query": duration(layer_of(move.provider), check.interval)}
        bounds = _bounds(check, lower=False)
    else:
        made |= {"query": _query(move, check, place, at)}
        bounds = _bounds(check, lower=False)
    move.note(
        f"the mean over the window is held against the bound, with confidence; Flagger gave up "
        f"after {move.canary.spec.analysis.threshold} failed checks in all",
        place,
        at,
    )
    return made | {"judge": {"kind": "threshold", **bounds}}


def _bounds(check: Check, *, lower: bool) -> dict[str, float]:
    """Give the bounds; the deprecated one is the lower of a success rate, else the upper."""
    if check.range is not None:
        given = {"min": check.range.min, "max": check.range.max}
        bounds = {name: value for name, value in given.items() if value is not None}
    elif check.threshold is not None:
        bounds = {"min" if lower else "max": check.threshold}
    else:
        bounds = {}
    if not bounds:
        raise NotCarriedOverError("it has no thresholdRange, so Flagger fails it whatever it is")
    return bounds


def _as_failures(bounds: dict[str, float]) -> dict[str, float]:
    """Turn percent of successes into a fraction of failures."""
    other = {"min": "max", "max": "min"}
    return {other[name]: round(1 - value / 100, _DECIMALS) for name, value in bounds.items()}


def _query(move: _Move, check: Check, place: Place, at: int) -> str:
    spec = move.canary.spec
    names = Names(
        fixed={
            "service": spec.service.name or spec.target.name,
            "ingress": (spec.ingress or spec.target).name,
            "route": (spec.route or spec.target).name,
        },
        interval=check.interval,
        variables=check.variables,
    )
    query = check.query
    if check.template is not None:
        template = _template(move, check)
        query = template.spec.query
        _note_provider(move, template, place, at)
    promql = filled(query or "", names)
    if "${workload}" not in promql:
        text = "the query is the same for both sides, which a bound can live with; a comparison"
        move.note(f"{text} would need ${{workload}} in it", place, at)
    return promql


def _template(move: _Move, check: Check) -> MetricTemplate:
    reference = check.template
    if reference is None:
        raise NotCarriedOverError("it names no template")
    namespace = reference.namespace or move.canary.metadata.namespace
    found = move.resources.templates.get((namespace, reference.name))
    if found is None:
        raise NotCarriedOverError(
            f"its MetricTemplate {namespace}/{reference.name} is not in the file"
        )
    if found.spec.provider.type != "prometheus":
        raise NotCarriedOverError(
            f"its MetricTemplate asks {found.spec.provider.type}, and only Prometheus is asked"
        )
    return found


def _note_provider(move: _Move, template: MetricTemplate, place: Place, at: int) -> None:
    provider = template.spec.provider
    if provider.address and provider.address not in move.addresses:
        move.addresses.append(provider.address)
    if provider.address != move.addresses[0] and provider.address:
        text = f"it was asked of {provider.address}; here one server is asked for all"
        move.note(text, (*place, "templateRef"), at)
    for what, is_there in (
        (f"the secret {provider.secret.name}" if provider.secret else "", provider.secret),
        ("headers", provider.headers),
        ("insecureSkipVerify", provider.insecure),
    ):
        if is_there:
            text = f"{what} of its provider is left out; see source.prometheus for credentials"
            move.note(text, (*place, "templateRef"), "source")


def _source(move: _Move, planned: timedelta) -> dict[str, str]:
    own = move.canary.spec.metrics_server
    first = next(iter(move.addresses), None)
    if own is None and first is None:
        text = "Flagger's own -metrics-server is not in the Canary; PROMETHEUS_URL names it"
        move.note(text, (), "source")
    if own and first and own != first:
        text = f"{own} was asked for the built-in metrics; here one server is asked for all"
        move.note(text, ("spec", "metricsServer"), "source")
    # A step a check, as in Flagger, unless that leaves too few to decide by.
    step = max(min(_interval(move), planned / LEAST_STEPS), SHORTEST_STEP)
    whole = timedelta(seconds=int(step.total_seconds()))
    return {"url": first or own or "${PROMETHEUS_URL}", "step": format_duration(whole)}


def _variables(move: _Move, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    target, meta = move.canary.spec.target.name, move.canary.metadata
    move.note(
        "Flagger's hooks tell namespace, name and workload at each rollout; these stand for "
        "whoever judges by hand",
        ("spec", "targetRef"),
        "variables",
    )
    shared = {"namespace": meta.namespace, "name": meta.name, TARGET: target}
    return {
        **{name: value for name, value in shared.items() if f"${{{name}}}" in str(metrics)},
        "baseline": {"workload": f"{target}-primary"},
        "canary": {"workload": target},
    }


def _interval(move: _Move) -> timedelta:
    text = move.canary.spec.analysis.interval
    try:
        return max(parse_duration(text), timedelta(seconds=10))  # Flagger's own floor
    except ValueError as error:
        raise ConfigError(str(error), origin="spec.analysis.interval") from error


def _planned(move: _Move) -> timedelta:
    """Plan as long as Flagger would take if nothing held it."""
    analysis = move.canary.spec.analysis
    weights = len(analysis.step_weights) or (
        -(-(analysis.max_weight or 100) // analysis.step_weight) if analysis.step_weight else 0
    )
    checks = analysis.iterations or weights or 1
    planned = max(checks * _interval(move), _SHORTEST)
    move.note(
        f"{checks} checks, one each {analysis.interval}: Flagger takes so long if nothing holds "
        f"it. Flagger leaves no warm-up out; its primary is older and warmer than the canary",
        (*ANALYSIS, "interval"),
        "window",
    )
    return planned


def _stays_in_flagger(move: _Move) -> None:
    analysis = move.canary.spec.analysis
    for index, hook in enumerate(analysis.webhooks):
        text = f"the webhook {hook.get('name')} stays in the Canary"
        move.note(f"{text}; serinus export flagger writes ours", (*ANALYSIS, "webhooks", index))
    if analysis.alerts:
        move.note("the alerts stay in the Canary", (*ANALYSIS, "alerts"))
    if analysis.match:
        text = "A/B: the canary has the users that match, so compare ratios only, never counts"
        move.note(text, (*ANALYSIS, "match"))
    if analysis.mirror:
        text = "mirrored: both sides see the same requests, and the primary's answers count"
        move.note(text, (*ANALYSIS, "mirror"))
    if analysis.affinity is not None:
        text = "session affinity: the canary's share grows, so never compare counts"
        move.note(text, (*ANALYSIS, "sessionAffinity"))
