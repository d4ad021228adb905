"""Find layers by their kind, or by a metric that they read."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from analysis.errors import ConfigError
from analysis.nearest import remedy
from analysis.presets.catalogue import layers, load, metric_names
from analysis.presets.model import Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A layer that was looked for.

    Attributes:
        preset: The layer.
        metrics: Its metrics that read what was asked for; all where nothing was.
    """

    preset: Preset
    metrics: tuple[str, ...]


def found(*, kind: str | None = None, metric: str | None = None) -> tuple[Match, ...]:
    """Find layers.

    Args:
        kind: What sort of layer.
        metric: Name of a Prometheus metric that the layer reads, or part of one.

    Raises:
        ConfigError: There is no such kind, or no layer reads such a metric.
    """
    presets = [load(layer) for layer in layers()]
    kinds = sorted({preset.kind for preset in presets})
    if kind is not None and kind not in kinds:
        raise ConfigError(f"there are no presets of the kind {kind!r}; {remedy(kind, kinds)}")
    of_kind = [preset for preset in presets if kind in (None, preset.kind)]
    matches = [Match(preset=one, metrics=_reading(one, metric)) for one in of_kind]
    if hits := tuple(match for match in matches if match.metrics):
        return hits
    raise ConfigError(
        f"no preset reads a metric like {metric!r}; {_nearest(of_kind, metric or '')}"
    )


def _reading(preset: Preset, metric: str | None) -> tuple[str, ...]:
    return tuple(
        name
        for name, one in preset.metrics.items()
        if metric is None or any(metric in read for read in metric_names(one))
    )


def _nearest(presets: list[Preset], metric: str) -> str:
    read = {name for one in presets for m in one.metrics.values() for name in metric_names(m)}
    near = get_close_matches(metric, sorted(read), n=1)
    return f"did you mean '{near[0]}'?" if near else "look for a shorter part of its name"
