"""`/v1/analyses`: start, fetch, list, cancel and judge again."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from analysis.config import CanaryConfig, parse_config
from analysis.config.load import short
from analysis.consumers.json import to_document
from analysis.engine import analyze
from analysis.errors import ConfigError, SourceError
from analysis.service import answers
from analysis.service.context import BaseUrl, Caller, Service, ServiceOf
from analysis.service.problems import Problem, not_found
from analysis.service.requests import StartRequest
from analysis.service.routes.configs import version_of
from analysis.service.tokens import Token
from analysis.sources import recording as recordings
from analysis.store import Filter, Record, Status

ROUTER = APIRouter(prefix="/v1", tags=["analyses"])

KEY = r"^[A-Za-z0-9][A-Za-z0-9._:~-]*$"
Key = Annotated[str, Path(max_length=512, pattern=KEY)]
Id = Annotated[str, Path(max_length=32, pattern="^[0-9a-f]+$")]


@ROUTER.put("/analyses/{key}", responses={202: {"description": "still running"}})
def start(
    key: Key,
    body: StartRequest,
    service: ServiceOf,
    token: Caller,
    url: BaseUrl,
    response: Response,
) -> dict[str, Any]:
    """Start an analysis, or fetch it: the same key and body are the same analysis."""
    record = service.analyses.start(key, body, token)
    response.status_code = 202 if answers.said(record) == "running" else 200
    return answers.answer(record, url)


@ROUTER.post("/analyses", responses={202: {"description": "still running"}})
def begin(
    body: StartRequest, service: ServiceOf, token: Caller, url: BaseUrl, response: Response
) -> dict[str, Any]:
    """Start an analysis under a key of its own; sent again it starts another one."""
    key = f"posted.{secrets.token_hex(12)}"
    return start(key, body, service, token, url, response)


@ROUTER.get("/analyses")
def find(  # noqa: PLR0913 - what a route is given
    *,
    service: ServiceOf,
    token: Caller,
    url: BaseUrl,
    key: str | None = None,
    config: str | None = None,
    namespace: str | None = None,
    status: Status | None = None,
    verdict: Annotated[str | None, Query(pattern="^(pass|fail|inconclusive)$")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=32, pattern="^[0-9a-f]+$")] = None,
) -> dict[str, Any]:
    """List analyses, newest first; `next` is the cursor of the following page."""
    wanted = Filter(
        key=key,
        config=config,
        namespace=namespace,
        status=status.value if status else None,
        verdict=verdict,
        before=cursor,
    )
    found = service.analyses.store.find(token.seen(wanted), limit)
    return {
        "analyses": [answers.brief(record, url) for record in found],
        "next": found[-1].id if len(found) == limit else None,
    }


@ROUTER.get("/analyses/{analysis}")
def get(analysis: Id, service: ServiceOf, token: Caller, url: BaseUrl) -> dict[str, Any]:
    """Fetch an analysis."""
    return answers.answer(_visible(service, analysis, token), url)


@ROUTER.delete("/analyses/{analysis}")
def cancel(analysis: Id, service: ServiceOf, token: Caller, url: BaseUrl) -> dict[str, Any]:
    """Cancel an analysis that is running; one that has ended stays as it is."""
    record = _visible(service, analysis, token)
    service.analyses.store.cancel(record.id, service.analyses.clock())
    return answers.answer(service.analyses.get(record.id), url)


@ROUTER.get("/analyses/{analysis}/series")
def series(analysis: Id, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Fetch the levels of both sides that the newest look was judged by."""
    return answers.series(_visible(service, analysis, token))


class Rejudge(BaseModel):
    """Which configuration to judge by; it may ask only for what was recorded.

    Attributes:
        config: Its name; default: that of the analysis.
        version: One of its versions; default: the one of today.
    """

    model_config = ConfigDict(extra="forbid")

    config: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    version: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


@ROUTER.post("/analyses/{analysis}/rejudge")
def rejudge(analysis: Id, body: Rejudge, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """Judge the recorded series again, by another configuration; nothing is kept of it."""
    record = _visible(service, analysis, token)
    name = body.config or record.config
    if not token.allows(config=name, namespace=record.namespace):
        raise Problem(403, "forbidden", f"this token may not judge by {name!r}")
    packed = service.analyses.store.recording(record.id)
    if packed is None:
        raise not_found("recording of this analysis", "no look at it had an answer")
    config, recording = _chosen(service, name, body.version), recordings.unpack(packed)
    try:
        report = analyze(config, recording, recording.window, recording.variables)
    except (ConfigError, SourceError) as error:
        raise Problem(422, "not_recorded", str(error)) from error
    return to_document(report)


def _chosen(service: Service, name: str, version: str | None) -> CanaryConfig:
    if version is None:
        return service.analyses.catalog.get(name).config
    try:
        return parse_config(version_of(service, name, version).text, origin=name)
    except ConfigError as error:
        message = f"this Serinus refuses version {short(version)} of {name!r}: {error}"
        raise Problem(422, "faulty_configuration", message) from error


def _visible(service: Service, analysis: str, token: Token) -> Record:
    return service.visible(service.analyses.get(analysis), token)
