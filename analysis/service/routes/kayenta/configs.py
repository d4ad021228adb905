"""Canary configs: the operator's configurations."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from fastapi import APIRouter

from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.kayenta import configs
from analysis.service.problems import Problem
from analysis.service.tokens import Token

ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"])


@ROUTER.get("/canaryConfig")
def list_configs(service: ServiceOf, token: Caller) -> list[dict[str, Any]]:
    """List the configurations; their id is their name. One with faults hides no other."""
    catalog, found = service.analyses.catalog, []
    for name in filter(token.may_use, catalog.names()):
        with suppress(Problem):  # starting an execution of it says what its faults are
            found.append(configs.listed(name, catalog.get(name).changed))
    return found


@ROUTER.get("/canaryConfig/{config}")
def get_config(config: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Show a configuration."""
    return config_of(service, config, token)


@ROUTER.post("/canaryConfig", include_in_schema=False)
@ROUTER.put("/canaryConfig/{config}", include_in_schema=False)
@ROUTER.delete("/canaryConfig/{config}", include_in_schema=False)
def write_config(token: Caller) -> None:
    """Refuse to write a configuration."""
    del token
    message = "canary configs are the operator's files here, and are changed there"
    raise Problem(405, "not_offered", message, headers={"Allow": "GET"})


def config_of(service: Service, name: str, token: Token) -> dict[str, Any]:
    """Give a configuration in Kayenta's form.

    Raises:
        Problem: There is none that the token may use, or it has faults.
    """
    if not token.may_use(name):
        raise Problem(404, "not_found", f"there is no canary config {name[:128]!r} for this token")
    entry = service.analyses.catalog.get(name)
    return configs.shown(name, entry.config, entry.changed)
