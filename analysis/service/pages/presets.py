"""`/presets`: what each traffic layer counts, and how it tells the sides apart."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from analysis.consumers.presets import as_yaml
from analysis.errors import ConfigError
from analysis.presets import layers, load
from analysis.presets.search import found
from analysis.service.context import Caller
from analysis.service.pages.rendering import page
from analysis.service.problems import not_found

ROUTER = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Words = Annotated[str, Query(max_length=200)]


@ROUTER.get("/presets")
def browse(_: Caller, kind: Words = "", metric: Words = "") -> HTMLResponse:
    """List the layers, or those of a kind or that read a metric."""
    wanted = metric.strip()
    try:
        matches, error = found(kind=kind or None, metric=wanted or None), ""
    except ConfigError as fault:
        matches, error = (), str(fault)
    return page(
        "presets.html.j2",
        here="/presets",
        matches=matches,
        error=error,
        kinds=sorted({load(name).kind for name in layers()}),
        asked={"kind": kind, "metric": wanted},
    )


@ROUTER.get("/presets/{layer}")
def show(
    layer: Annotated[str, Path(max_length=128)], _: Caller, separation: Words = ""
) -> HTMLResponse:
    """Show a layer, and what a configuration comes to that takes it."""
    if layer not in layers():
        raise not_found(f"preset {layer!r}", "/presets lists them")
    preset = load(layer)
    way = separation or next(iter(preset.separations))
    if way not in preset.separations:
        raise not_found(f"separation {way!r}", f"{layer} has {', '.join(preset.separations)}")
    text = as_yaml(preset, way)
    return page("preset.html.j2", here="", preset=preset, separation=way, text=text)
