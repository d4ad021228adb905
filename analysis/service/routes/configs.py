"""`/v1/configs`: the configurations, and the versions that analyses were begun with."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from analysis.config.load import short
from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.problems import not_found
from analysis.store import Version
from analysis.window import as_datetime

ROUTER = APIRouter(prefix="/v1/configs", tags=["configurations"])

Name = Annotated[str, Path(max_length=128)]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@ROUTER.get("")
def names(service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Name the configurations that this token may use."""
    known = service.analyses.catalog.names()
    return {"configs": [name for name in known if token.may_use(name)]}


@ROUTER.get("/{name}")
def show(name: Name, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Show a configuration as it is now."""
    token.check_use(name)
    entry = service.analyses.catalog.get(name)
    return {
        "name": name,
        "version": entry.version,
        "changed": _time(entry.changed),
        "metrics": [metric.name for metric in entry.config.metrics],
        "text": entry.text,
    }


@ROUTER.get("/{name}/versions")
def versions(
    name: Name,
    service: ServiceOf,
    token: Caller,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """List the versions that analyses were begun with, the one that was used last first."""
    token.check_use(name)
    found = service.versions.of(name, limit)
    if not found:
        service.analyses.catalog.get(name)  # no such name is a mistake; not used yet is none
    return {"name": name, "versions": [_brief(one) for one in found]}


@ROUTER.get("/{name}/versions/{version}")
def version(name: Name, version: Digest, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Show a version."""
    token.check_use(name)
    found = version_of(service, name, version)
    return {"name": name, **_brief(found), "text": found.text}


def version_of(service: Service, name: str, digest: str) -> Version:
    """Find a version of a configuration.

    Raises:
        Problem: No analysis was ever begun with it.
    """
    found = service.versions.get(name, digest)
    if found is None:
        where = f"GET /v1/configs/{name[:128]}/versions lists what analyses were begun with"
        raise not_found(f"version {short(digest)} of {name[:128]!r}", where)
    return found


def _brief(found: Version) -> dict[str, Any]:
    return {
        "version": found.version,
        "first_used": _time(found.first_used),
        "last_used": _time(found.last_used),
    }


def _time(epoch_s: float) -> str:
    return as_datetime(epoch_s).isoformat().replace("+00:00", "Z")
