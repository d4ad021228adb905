"""Write out what a configuration takes from presets, so that what is judged stands in it in full.

Presets are gone from what this gives: the digest of a configuration is of the queries and limits
that it came to, and changes when a later version's preset does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.errors import ConfigError
from analysis.nearest import remedy
from analysis.presets.catalogue import load
from analysis.presets.forms import configured
from analysis.presets.model import INPUTS, Preset, Separation

Document = Mapping[str, Any]
Place = tuple[str | int, ...]

_USE = ("layer", "separation", "only", "without")
# Of these a configuration may give a part, and keeps the rest of the preset's.
_MERGED = ("counts", "sums")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """A configuration without presets.

    Attributes:
        document: The configuration.
        problems: What is wrong with the use of presets, each with its place.
        broken: Places at which nothing more can be said, for they were not written out.
    """

    document: Document
    problems: tuple[tuple[Place, str], ...] = ()
    broken: frozenset[Place] = frozenset()


class _MisuseError(Exception):
    def __init__(self, place: Place, text: str) -> None:
        super().__init__(text)
        self.place, self.text = place, text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """A layer whose metrics a configuration takes."""

    preset: Preset
    separation: str | None = None
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def names(self) -> Iterator[str]:
        """Name the metrics taken: those asked for, or the recommended ones."""
        for name, metric in self.preset.metrics.items():
            asked_for = name in self.only if self.only else metric.recommended
            if asked_for and name not in self.without:
                yield name


def expand(document: Document) -> Expansion:
    """Write out `presets` and every metric's `preset`.

    What has not the shape of a configuration is left to those who check shapes.
    """
    metrics = document.get("metrics")
    written = list(metrics) if isinstance(metrics, Sequence) and not _is_text(metrics) else []
    if "presets" not in document and not any(_preset_of(one) for one in written):
        return Expansion(document=document)
    uses, problems = _uses(document.get("presets", ()))
    separations = {use.preset.name: use.separation for use in uses}
    broken: set[Place] = set()
    for index, metric in enumerate(written):
        try:
            written[index] = _written_out(metric, separations)
        except _MisuseError as fault:
            problems.append((("metrics", index, *fault.place), fault.text))
            broken.add(("metrics", index))
    taken = {_preset_of(one) for one in (metrics or ())}
    added, faults = _added(uses, taken)
    problems += faults
    rest = {key: value for key, value in document.items() if key != "presets"}
    if added or "metrics" in document:
        rest["metrics"] = [*written, *added]
    if problems and not rest.get("metrics"):
        broken.add(("metrics",))
    return Expansion(document=rest, problems=tuple(problems), broken=frozenset(broken))


def separation_of(preset: Preset, wanted: str | None) -> tuple[str, Separation]:
    """Choose how to tell the sides apart: by name, or the first that serves a controller.

    Raises:
        ConfigError: There is no such separation, or none was chosen among several.
    """
    ways = preset.separations
    if wanted is None:
        if len(ways) == 1:
            return next(iter(ways.items()))
        raise ConfigError(
            f"{preset.name} can tell the sides apart in {len(ways)} ways; "
            f"choose a separation: {', '.join(ways)}"
        )
    if wanted in ways:
        return wanted, ways[wanted]
    for name, way in ways.items():
        if wanted in way.controllers:
            return name, way
    known = [*ways, *dict.fromkeys(str(one) for way in ways.values() for one in way.controllers)]
    raise ConfigError(f"{preset.name} has no separation {wanted!r}; {remedy(wanted, known)}")


def metric_of(preset: Preset, name: str, separation: str | None) -> dict[str, Any]:
    """Write a metric of a layer as a configuration writes one.

    Raises:
        ConfigError: The separation is unknown, or none was chosen among several.
    """
    _, way = separation_of(preset, separation)
    full = f"{preset.name}/{name}"
    return {"name": full, **configured(preset.metrics[name], way, preset.pods)}


def _is_text(value: object) -> bool:
    return isinstance(value, str | bytes)


def _preset_of(metric: object) -> str | None:
    named = metric.get("preset") if isinstance(metric, Mapping) else None
    return named if isinstance(named, str) else None


def _uses(given: object) -> tuple[list[_Use], list[tuple[Place, str]]]:
    listed = isinstance(given, Sequence) and not _is_text(given)
    uses: list[_Use] = []
    problems: list[tuple[Place, str]] = []
    for index, one in enumerate(given if isinstance(given, Sequence) and listed else [given]):
        place: Place = ("presets", index) if listed else ("presets",)
        try:
            uses.append(_use(one, {use.preset.name for use in uses}))
        except _MisuseError as fault:
            problems.append(((*place, *fault.place), fault.text))
    return uses, problems


def _use(given: object, others: set[str]) -> _Use:
    """Read one layer of `presets`, as a name or as a mapping."""
    if _is_text(given):
        given = {"layer": given}
    if not isinstance(given, Mapping) or not isinstance(given.get("layer"), str):
        raise _MisuseError((), "must be a layer's name, or {layer, separation, only, without}")
    for key in given:
        if key not in _USE:
            raise _MisuseError((key,), f"is no key here; {remedy(key, _USE)}")
    if given["layer"] in others:
        raise _MisuseError(("layer",), f"{given['layer']} stands twice; name each layer once")
    preset = _loaded(given["layer"], ("layer",))
    separation = _separation(given)
    try:
        separation_of(preset, separation)
    except ConfigError as error:
        raise _MisuseError(("separation",), str(error)) from error
    chosen = {key: _metrics_named(preset, given, key) for key in ("only", "without")}
    return _Use(preset=preset, separation=separation, **chosen)


def _loaded(layer: str, place: Place) -> Preset:
    try:
        return load(layer)
    except ConfigError as error:
        raise _MisuseError(place, str(error)) from error


def _separation(given: Mapping[str, Any]) -> str | None:
    wanted = given.get("separation")
    if wanted is not None and not isinstance(wanted, str):
        raise _MisuseError(("separation",), f"must be the name of a separation, got {wanted!r}")
    return wanted


def _metrics_named(preset: Preset, given: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = given.get(key, ())
    if not isinstance(names, Sequence) or _is_text(names):
        raise _MisuseError((key,), "must be a list of metrics, with a dash before each")
    for index, name in enumerate(names):
        if name not in preset.metrics:
            known = remedy(str(name), preset.metrics)
            raise _MisuseError((key, index), f"{preset.name} has no metric {name!r}; {known}")
    return tuple(names)


def _written_out(metric: object, separations: Mapping[str, str | None]) -> object:
    """Write a metric's preset out beneath what the metric says itself."""
    if not isinstance(metric, Mapping) or "preset" not in metric:
        return metric
    named = _preset_of(metric)
    layer, _, name = (named or "").partition("/")
    if not name:
        raise _MisuseError(("preset",), f"must be layer/metric, got {metric['preset']!r}")
    preset = _loaded(layer, ("preset",))
    if name not in preset.metrics:
        raise _MisuseError(
            ("preset",), f"{layer} has no metric {name!r}; {remedy(name, preset.metrics)}"
        )
    wanted = _separation(metric) or separations.get(layer)
    try:
        full = metric_of(preset, name, wanted)
    except ConfigError as error:
        place = "separation" if "separation" in metric else "preset"
        raise _MisuseError((place,), str(error)) from error
    own = {key: value for key, value in metric.items() if key not in {"preset", "separation"}}
    return _overridden(full, own)


def _overridden(full: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a metric's own fields over those of its preset."""
    result = dict(full)
    if any(key in own and key not in full for key in INPUTS):
        # Another kind of input needs another judge.
        for key in (*INPUTS, "judge"):
            result.pop(key, None)
    for key, value in own.items():
        below = result.get(key)
        if key == "judge" and _refines(value, below):
            result[key] = {**result[key], **value}
        elif key in _MERGED and isinstance(value, Mapping) and isinstance(below, Mapping):
            result[key] = {**below, **value}
        else:
            result[key] = value
    return result


def _refines(judge: object, below: object) -> bool:
    """Tell whether a judge block changes parameters of the preset's judge, or is another judge."""
    if not isinstance(judge, Mapping) or not isinstance(below, Mapping):
        return False
    return bool(judge.get("kind", below["kind"]) == below["kind"])


def _added(
    uses: Sequence[_Use], taken: set[str | None]
) -> tuple[list[dict[str, Any]], list[tuple[Place, str]]]:
    """Write out the layers' metrics, but for those that the configuration writes itself."""
    added: list[dict[str, Any]] = []
    for use in uses:
        names = [name for name in use.names() if f"{use.preset.name}/{name}" not in taken]
        added += [metric_of(use.preset, name, use.separation) for name in names]
    if uses and not added and not taken - {None}:
        return [], [(("presets",), "leaves no metric; name one, or take less away")]
    return added, []
