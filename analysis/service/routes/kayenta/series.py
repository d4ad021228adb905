"""Series: those that were judged, and those that a caller brings to be judged."""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Body

from analysis.service.context import Caller, Service, ServiceOf
from analysis.service.kayenta import execution
from analysis.service.kayenta.documents import MOST_PAIRS, MetricSetPair
from analysis.service.kayenta.pairs import pairs
from analysis.service.problems import Problem
from analysis.service.routes.kayenta.executions import record_of
from analysis.service.tokens import Token
from analysis.store import Document, Kind

ROUTER = APIRouter(prefix="/kayenta", tags=["kayenta"])

# Ids of kept series begin with it; those of executions are hex digits.
_KEPT = "kept-"
_ID = re.compile(f"{_KEPT}[0-9a-f]{{24}}")
_MOST = 1000
Pairs = Annotated[list[MetricSetPair], Body(min_length=1, max_length=MOST_PAIRS)]


@ROUTER.get("/metricSetPairList")
def list_kept(service: ServiceOf, token: Caller) -> list[dict[str, Any]]:
    """List the series that this token keeps here."""
    kept = service.documents.of(Kind.METRIC_SET_PAIRS, _MOST)
    return [
        {"id": one.id, **execution.stamps("updated", one.updated)}
        for one in kept
        if one.owner == token.name
    ]


@ROUTER.post("/metricSetPairList")
def keep(body: Pairs, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Keep series of the caller's own, to be judged by `/judges/judge`; each pair gets an id."""
    name, now = f"{_KEPT}{secrets.token_hex(12)}", service.analyses.clock()
    told = [one.model_dump(mode="json", by_alias=True) for one in body]
    named = [{**one, "id": one["id"] or f"{name}-{n}"} for n, one in enumerate(told)]
    document = Document(
        kind=Kind.METRIC_SET_PAIRS,
        id=name,
        owner=token.name,
        body=named,
        created=now,
        updated=now,
    )
    service.documents.add(document)
    return {"metricSetPairListId": name}


@ROUTER.get("/metricSetPairList/{analysis}")
def all_pairs(analysis: str, service: ServiceOf, token: Caller) -> list[dict[str, Any]]:
    """Give the levels of both sides that were judged, or that are kept to be."""
    return pairs_of(service, analysis, token)


@ROUTER.get("/metricSetPairList/{analysis}/{pair}")
def one_pair(analysis: str, pair: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Give the levels of one metric."""
    for found in pairs_of(service, analysis, token):
        if found["id"] == pair:
            return found
    raise Problem(404, "not_found", f"the execution has no metric set pair {pair[:64]!r}")


@ROUTER.delete("/metricSetPairList/{analysis}")
def remove(analysis: str, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Remove series that this token keeps here; those of an execution stay with it."""
    if not analysis.startswith(_KEPT):
        record_of(service, analysis, token)
        message = "the series of an execution stay with it, and are removed with it"
        raise Problem(400, "faulty_request", message)
    _kept(service, analysis, token)
    service.documents.remove(Kind.METRIC_SET_PAIRS, analysis)
    return {"metricSetPairListId": analysis}


def pairs_of(service: Service, name: str, token: Token) -> list[dict[str, Any]]:
    """Give series by the id of their execution, or of those that the token keeps here.

    Raises:
        Problem: There are none for this token.
    """
    if name.startswith(_KEPT):
        found: list[dict[str, Any]] = _kept(service, name, token).body
        return found
    return pairs(record_of(service, name, token))


def _kept(service: Service, name: str, token: Token) -> Document:
    is_id = _ID.fullmatch(name) is not None
    found = service.documents.get(Kind.METRIC_SET_PAIRS, name) if is_id else None
    if found is None or found.owner != token.name:
        raise Problem(404, "not_found", "there is no such metric set pair list for this token")
    return found
