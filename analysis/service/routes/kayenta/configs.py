"""Canary configs: the operator's configurations, and those that clients keep here."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import ValidationError

from analysis.service.catalog import is_name
from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.kayenta import configs, execution, translation
from analysis.service.kayenta.documents import CanaryConfigDocument, KeptConfig, Plain
from analysis.service.problems import Problem
from analysis.service.tokens import Token
from analysis.store import Document, Kind

ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"])

_MOST = 1000
_STEP_S = 60.0  # what Kayenta's clients ask for; an execution says its own
Sent = Annotated[Plain, Body()]


@ROUTER.get("/canaryConfig")
def list_configs(service: ServiceOf, token: Caller) -> list[dict[str, Any]]:
    """List the configurations; their id is their name. One with faults hides no other."""
    catalog, found = service.analyses.catalog, []
    names = catalog.names()
    for name in filter(token.may_use, names):
        with suppress(Problem):  # starting an execution of it says what its faults are
            found.append(configs.listed(name, catalog.get(name).changed))
    for kept in service.documents.of(Kind.CANARY_CONFIG, _MOST):
        if token.may_use(kept.id) and kept.id not in names:
            listed = configs.listed(kept.id, kept.updated)
            found.append(listed | {"applications": kept.body["applications"]})
    return found


@ROUTER.get("/canaryConfig/{config}")
def get_config(config: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Show a configuration."""
    return config_of(service, config, token)


@ROUTER.post("/canaryConfig")
def add_config(sent: Sent, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Keep a canary config; its id is its name."""
    body, now = _checked(service, sent, token), service.analyses.clock()
    name = body["name"]
    document = Document(
        kind=Kind.CANARY_CONFIG, id=name, owner=token.name, body=body, created=now, updated=now
    )
    if not service.documents.add(document):
        message = f"there is a canary config {name!r} already; change it with PUT"
        raise Problem(400, "exists", message)
    return {"canaryConfigId": name}


@ROUTER.put("/canaryConfig/{config}")
def change_config(config: str, sent: Sent, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Change a canary config that is kept here."""
    body = _checked(service, sent, token)
    if body["name"] != config:
        message = f"the name must stay {config[:128]!r}, got {body['name']!r}; add another one"
        raise Problem(400, "faulty_request", message)
    now = service.analyses.clock()
    if not service.documents.replace(Kind.CANARY_CONFIG, config, body, now):
        raise _unknown(config)
    return {"canaryConfigId": config}


@ROUTER.delete("/canaryConfig/{config}")
def remove_config(config: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Remove a canary config that is kept here; executions of it stay."""
    service.asking.check_inline()
    _check_name(service, config, token)
    if not is_name(config) or not service.documents.remove(Kind.CANARY_CONFIG, config):
        raise _unknown(config)
    return {"canaryConfigId": config}


def config_of(service: Service, name: str, token: Token) -> dict[str, Any]:
    """Give a configuration in Kayenta's form.

    Raises:
        Problem: There is none that the token may use, or it has faults.
    """
    if not token.may_use(name):
        raise _unknown(name)
    if (kept := kept_config(service, name)) is not None:
        stamps = {
            **execution.stamps("created", kept.created),
            **execution.stamps("updated", kept.updated),
        }
        return {**kept.body, "id": kept.id, **stamps}
    entry = service.analyses.catalog.get(name)
    return configs.shown(name, entry.config, entry.changed)


def kept_config(service: Service, name: str) -> Document | None:
    """Find a canary config that a client keeps here; a file of the operator's goes before it."""
    if not is_name(name) or name in service.analyses.catalog.names():
        return None
    return service.documents.get(Kind.CANARY_CONFIG, name)


def document_of(config: Mapping[str, Any]) -> CanaryConfigDocument:
    """Read a canary config that a client brought, now or before.

    Raises:
        Problem: It is none, for this release.
    """
    try:
        return CanaryConfigDocument.model_validate(config)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("canaryConfig", *first["loc"])))
        raise Problem(400, "faulty_request", f"{where}: {first['msg']}") from error


def _checked(service: Service, sent: dict[str, Any], token: Token) -> dict[str, Any]:
    """Make sure that a canary config can be judged here, and give what is kept of it."""
    service.asking.check_inline()
    try:
        document = KeptConfig.model_validate(sent)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "body"
        message = f"{where}: {first['msg'].removeprefix('Value error, ')}"
        raise Problem(400, "faulty_request", message) from error
    _check_name(service, document.name, token)
    translation.entry(CanaryConfigDocument.model_validate(sent), step_s=_STEP_S)
    return {**sent, "id": document.name}


def _check_name(service: Service, name: str, token: Token) -> None:
    if not token.may_use(name):
        message = f"this token may not use a canary config {name[:128]!r}"
        raise Problem(403, "forbidden", message)
    if name in service.analyses.catalog.names() or not is_name(name):
        message = f"{name[:128]!r} is taken, by a file of the operator's or by us; choose another"
        raise Problem(400, "exists", message)


def _unknown(name: str) -> Problem:
    return Problem(404, "not_found", f"there is no canary config {name[:128]!r} for this token")
