"""Find and read the layers' files, with what they share put in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from analysis.errors import ConfigError
from analysis.nearest import remedy
from analysis.presets.model import Preset, PresetMetric

FOLDER = files("analysis.presets")
_SUFFIX = ".yaml"
_METRIC_NAME = re.compile(r"[a-zA-Z_:](?:[\w:]|\$\{\w+\})*(?=\{)")


@cache
def layers() -> tuple[str, ...]:
    """Name every layer, in alphabetical order."""
    names = (file.name for file in FOLDER.iterdir())
    return tuple(sorted(n.removesuffix(_SUFFIX) for n in names if n.endswith(_SUFFIX)))


@cache
def load(layer: str) -> Preset:
    """Read a layer.

    Raises:
        ConfigError: There is no such layer; with the nearest name.
    """
    if layer not in layers():
        raise ConfigError(f"there is no preset {layer!r}; {remedy(layer, layers())}")
    document = _read(layer)
    family = document.pop("family", None)
    metrics = _read(f"shared/{family}") if family else document.pop("metrics")
    shared = [(name, _read("shared/pods")[name]) for name in document.pop("pod_separations", ())]
    own = document.pop("separations", {}).items()
    return Preset(
        **document,
        name=layer,
        separations=dict([*shared, *own]),
        metrics={name: _judged(name, metric) for name, metric in metrics.items()},
    )


def metric_names(metric: PresetMetric) -> Iterator[str]:
    """Name the Prometheus metrics that a preset's metric reads."""
    yield from dict.fromkeys(
        name for template in metric.templates() for name in _METRIC_NAME.findall(template)
    )


def descriptions() -> Mapping[str, str]:
    """Say what each variable of a preset means."""
    return _read("shared/variables")


def _judged(name: str, metric: Mapping[str, Any]) -> PresetMetric:
    """Add what is common to all metrics of this id."""
    return PresetMetric(**{**_read("shared/judgments")[name], **metric})


@cache
def _text(name: str) -> dict[str, Any]:
    text = FOLDER.joinpath(*f"{name}{_SUFFIX}".split("/")).read_text(encoding="utf-8")
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return document


def _read(name: str) -> dict[str, Any]:
    """Read a file once; what is done to the answer changes no other."""
    return dict(_text(name))
