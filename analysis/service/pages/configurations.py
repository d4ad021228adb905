"""`/configs`: the configurations, what is wrong with them, and what they would ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from analysis.config import BUILT_IN, SIDES, CanaryConfig
from analysis.errors import ConfigError, Fault
from analysis.lint import lint
from analysis.planning import Ask, known_variables, plan
from analysis.service.catalog import Catalog, Entry
from analysis.service.context import Caller, ServiceOf
from analysis.service.pages import versions
from analysis.service.pages.forms import Name, in_the_form, variables
from analysis.service.pages.rendering import page
from analysis.service.problems import Problem
from analysis.window import Window

ROUTER = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Lines = Annotated[str, Query(max_length=10_000)]
Chosen = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A configuration of the catalog, checked.

    Attributes:
        name: Its name.
        config: What it says; `None` where it has faults.
        entry: How it is written, and its version; `None` where it cannot be read at all.
        faults: Why it cannot be used.
        warnings: What looks wrong although it can be used.
    """

    name: str
    config: CanaryConfig | None = None
    entry: Entry | None = None
    faults: Sequence[str] = field(default=())
    warnings: Sequence[Fault] = field(default=())


@ROUTER.get("/configs")
def configurations(service: ServiceOf, token: Caller) -> HTMLResponse:
    """List the configurations that the caller may use."""
    catalog = service.analyses.catalog
    names = [name for name in catalog.names() if token.may_use(name)]
    checked = [_checked(catalog, name) for name in names]
    return page("configurations.html.j2", here="/configs", checked=checked)


@ROUTER.get("/configs/{name}")
def configuration(  # noqa: PLR0913 - what a form sends
    *,
    name: Name,
    service: ServiceOf,
    token: Caller,
    baseline: Lines = "",
    canary: Lines = "",
    both: Lines = "",
    dry: bool = False,
    left: Chosen = "",
    right: Chosen = "",
) -> HTMLResponse:
    """Show a configuration, and on request the queries it would ask or how it has changed."""
    token.check_use(name)
    checked = _checked(service.analyses.catalog, name)
    lines = {"baseline": baseline, "canary": canary, "both": both}
    known = versions.listed(service, name, checked.entry, token)
    difference = versions.difference(known, left, right)
    asks, faults = _dry_run(checked.config, lines) if dry and checked.config else ((), ())
    return page(
        "configuration.html.j2",
        status=422 if difference.error or (dry and (faults or checked.faults)) else 200,
        here="",
        is_dry=dry,
        one=checked,
        variables=sorted(known_variables(checked.config) - {*BUILT_IN}) if checked.config else [],
        lines=lines,
        asks=asks,
        faults=faults,
        versions=known,
        difference=difference,
    )


def _checked(catalog: Catalog, name: str) -> Checked:
    try:
        entry = catalog.get(name)
    except Problem as problem:
        if problem.status == 404:
            raise
        return Checked(name=name, faults=[problem.message])
    try:
        warnings = lint(entry.config)
    except ConfigError as error:
        told = [f"{fault.path}: {fault.message}" for fault in error.faults]
        return Checked(name=name, entry=entry, faults=told)
    return Checked(name=name, config=entry.config, entry=entry, warnings=warnings)


def _dry_run(
    config: CanaryConfig, lines: dict[str, str]
) -> tuple[tuple[Ask, ...], tuple[str, ...]]:
    """Render every query for variables as they were written, over the planned time."""
    window = Window(
        start=0.0,
        end=config.window.planned.total_seconds(),
        warmup_s=config.window.warmup.total_seconds(),
        step_s=config.step.total_seconds(),
    )
    try:
        both = variables(lines["both"])
        sides = {side: {**both, **variables(lines[side])} for side in SIDES}
        return plan(config, window, sides), ()
    except ConfigError as error:
        told = (f"{fault.path}: {fault.message}".lstrip(": ") for fault in error.faults)
        return (), tuple(map(in_the_form, told))
    except Problem as problem:
        return (), (problem.message,)
