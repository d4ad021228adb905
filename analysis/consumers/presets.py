"""Presets as text, as JSON and as the lines of a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from analysis.config import SIDES
from analysis.presets.catalogue import descriptions, metric_names
from analysis.presets.expand import metric_of, separation_of
from analysis.presets.model import Preset, PresetMetric, Separation
from analysis.presets.search import Match
from analysis.query import references

SCHEMA = "v1"
# What the window gives, and what a template is filled with.
_GIVEN = frozenset({"side", "join", "step", "window", "planned"})
_WIDTH = 100


def list_lines(matches: Sequence[Match], *, total: int) -> Iterator[str]:
    """Show layers, a line each."""
    width = max(len(match.preset.name) for match in matches)
    for match in matches:
        preset = match.preset
        status = "" if preset.status == "current" else f" [{preset.status}]"
        partly = "" if preset.separable == "always" else " [sides only partly separable]"
        yield f"{preset.name:<{width}}  {preset.kind:<13}  {preset.title}{status}{partly}"
        if len(match.metrics) < len(preset.metrics):
            yield f"{'':<{width}}  {'':<13}  reads it in {', '.join(match.metrics)}"
    yield f"\n{len(matches)} of {total} layers; serinus presets show LAYER explains one."


def as_list(matches: Sequence[Match]) -> dict[str, Any]:
    """Give layers for programs."""
    listed = [
        {
            "layer": match.preset.name,
            "title": match.preset.title,
            "kind": match.preset.kind,
            "status": str(match.preset.status),
            "separable": str(match.preset.separable),
            "separations": list(match.preset.separations),
            "metrics": list(match.metrics),
        }
        for match in matches
    ]
    return {"schema": SCHEMA, "layers": listed}


def lines(preset: Preset, separation: str | None = None) -> Iterator[str]:
    """Explain a layer; with a separation, that one alone."""
    chosen = dict([separation_of(preset, separation)]) if separation else preset.separations
    yield f"{preset.name}: {preset.title}"
    yield f"{preset.kind}, {preset.status}"
    yield f"prerequisite: {preset.prerequisites}"
    yield "\nThe sides are told apart by:"
    for name, way in chosen.items():
        yield from _separation_lines(name, way)
    yield "\nMetrics (* recommended):"
    for name, metric in preset.metrics.items():
        yield from _metric_lines(name, metric)
    yield "\nPitfalls:"
    yield from (f"  - {pitfall}" for pitfall in preset.pitfalls)
    yield "\nSources:"
    yield from (f"  {source}" for source in preset.sources)


def as_document(preset: Preset) -> dict[str, Any]:
    """Give a layer for programs, with the metrics read and the variables needed."""
    document = preset.model_dump(mode="json", exclude_none=True)
    for name, metric in preset.metrics.items():
        document["metrics"][name]["reads"] = list(metric_names(metric))
    for name, way in preset.separations.items():
        document["separations"][name]["variables"] = sorted(way.variables())
    return {"schema": SCHEMA, **document}


def as_yaml(preset: Preset, separation: str | None) -> str:
    """Write the recommended metrics out, with the variables that the sides need.

    Raises:
        ConfigError: The separation is unknown, or none was chosen among several.
    """
    _, way = separation_of(preset, separation)
    metrics = [
        metric_of(preset, name, separation)
        for name, one in preset.metrics.items()
        if one.recommended
    ]
    return written({"variables": _wanted(way), "metrics": metrics})


def _wanted(way: Separation) -> dict[str, Any]:
    """Name the variables that a caller gives: those of both sides, then those of each."""
    shared: dict[str, Any] = dict.fromkeys(sorted(way.required() - set(way.differ)))
    if not way.differ:
        return shared
    return {**shared, **{side: dict.fromkeys(way.differ) for side in SIDES}}


def written(document: Mapping[str, Any]) -> str:
    """Write a document as YAML."""
    yaml = YAML(typ="rt", pure=True)
    yaml.default_flow_style = False
    yaml.width = 4096  # a query broken by hand is no query that anybody can search for
    yaml.representer.add_representer(type(None), _null)
    text = StringIO()
    yaml.dump(document, text)
    return text.getvalue()


def _null(representer: Any, _: None) -> Any:  # noqa: ANN401 - ruamel's own types are private
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _separation_lines(name: str, way: Separation) -> Iterator[str]:
    yield f"  {name} ({', '.join(way.controllers)}; {way.certainty}: {way.source})"
    if isinstance(way.selector, str):
        yield f"    {way.selector}"
    else:
        yield f"    baseline  {way.selector.baseline}"
        yield f"    canary    {way.selector.canary}"
    if way.join is not None:
        joined = way.join if isinstance(way.join, str) else way.join.canary
        yield f"    joined {joined}"
    meanings = descriptions()
    for variable in sorted(way.variables()):
        each = " (differs between the sides)" if variable in way.differ else ""
        yield f"    ${{{variable}}}{each}: {meanings[variable]}"
    if way.note:
        yield f"    {way.note}"


def _metric_lines(name: str, metric: PresetMetric) -> Iterator[str]:
    star = "*" if metric.recommended else " "
    judge = {key: value for key, value in metric.judge.items() if key != "kind"}
    told = ", ".join(f"{key} {_limit(value)}" for key, value in judge.items())
    yield f"  {star} {name}: {metric.title}"
    yield f"      {metric.group}, {metric.criticality}; {metric.judge['kind']} {told}"
    yield f"      {metric.input_key} of {', '.join(metric_names(metric))}"
    used = {one for template in metric.templates() for one in references(template)} - _GIVEN
    if used:
        yield f"      variables: {', '.join(sorted(used))}"
    if metric.requires:
        yield f"      needs {metric.requires}"
    if metric.certainty != "documented":
        yield f"      {metric.certainty}"


def _limit(value: object) -> str:
    if isinstance(value, Mapping):
        return " and ".join(f"{key} {one}" for key, one in value.items())
    return str(value)
