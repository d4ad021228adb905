"""`/flagger`: the hooks of a Flagger Canary.

Flagger knows no third outcome and throws away the body of a 5xx, so a verdict is a 200 or a 403
with the reason. Each hook is asked under its own name:

    pre-rollout               /flagger/start      begins the analysis of this revision
    confirm-traffic-increase  /flagger/gate       200: go on; 403: hold the weight
    confirm-promotion         /flagger/promote    200: promote; 403: wait
    rollback                  /flagger/rollback   200: roll back now; 403: do not
    post-rollout              /flagger/end        ends the analysis
    event                     /flagger/event      is logged
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from analysis.service import answers
from analysis.service.context import BaseUrl, Caller, Service, ServiceOf
from analysis.service.problems import Problem
from analysis.service.requests import Mode, StartRequest
from analysis.service.tokens import Token
from analysis.store import Record, Status

LOG = logging.getLogger("serinus.flagger")
ROUTER = APIRouter(prefix="/flagger", tags=["flagger"])

# A DNS name and a hash, as Kubernetes and Flagger write them: they become part of a key.
Word = Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")]
# Kept with an analysis: whether its gate may no longer open without a verdict.
OPENED = "opened"


class Hook(BaseModel):
    """What Flagger sends to every hook.

    Attributes:
        name: The Canary, and the Deployment that is the canary; the baseline is NAME-primary.
        namespace: Where both are.
        phase: Flagger's own word for how far it is.
        checksum: Tells one revision from another.
        metadata: From the hook's specification: `config`, and variables, those of one side
            as `baseline.NAME` or `canary.NAME`.
    """

    model_config = ConfigDict(extra="ignore")

    name: Word
    namespace: Word
    phase: str = Field(default="", max_length=64)
    checksum: Word = "none"
    metadata: dict[str, str] = Field(default_factory=dict, max_length=64)

    @property
    def key(self) -> str:
        """Name the analysis of this revision."""
        return f"flagger.{self.namespace}.{self.name}.{self.checksum}"


@ROUTER.post("/start")
def start(hook: Hook, service: ServiceOf, token: Caller, url: BaseUrl) -> dict[str, Any]:
    """Begin the analysis of a revision."""
    record = service.analyses.start(hook.key, _request(hook), token)
    # Asked at weight 0 alone: an answer of the gate that let traffic come did not arrive.
    _mark(service, record, opened=False)
    return _told(record, url)


@ROUTER.post("/gate", responses={403: {"description": "hold the weight"}})
def gate(hook: Hook, service: ServiceOf, token: Caller, url: BaseUrl) -> dict[str, Any]:
    """Let the weight rise from 0, for data to come; after that only on a pass."""
    with _holding():
        record = _session(hook, service, token)
        # Without traffic nothing can be judged, and Flagger would ask at weight 0 for ever.
        is_first = record.status is Status.RUNNING and not record.request.get(OPENED)
        _mark(service, record, opened=True)
    if not is_first and answers.said(record) != "pass":
        raise _held(record)
    return _told(record, url)


@ROUTER.post("/promote", responses={403: {"description": "do not promote"}})
def promote(hook: Hook, service: ServiceOf, token: Caller, url: BaseUrl) -> dict[str, Any]:
    """Promote on a pass, and on nothing else."""
    with _holding():
        record = _session(hook, service, token)
    if answers.said(record) != "pass":
        raise _held(record)
    return _told(record, url)


@ROUTER.post("/rollback", responses={403: {"description": "do not roll back"}})
def rollback(hook: Hook, service: ServiceOf, token: Caller, url: BaseUrl) -> dict[str, Any]:
    """Roll back on a fail, and on nothing else."""
    with _holding():
        is_known = service.analyses.store.latest(hook.key, report=False) is not None
        record = _session(hook, service, token)
        if is_known:
            # The first question of each tick. At weight 0 the start hook follows it; where it does
            # not, the next gate is no first step: A/B and blue/green ask for the promotion alone.
            _mark(service, record, opened=True)
    if answers.said(record) != "fail":
        raise _held(record)
    return _told(record, url)


@ROUTER.post("/end")
def end(hook: Hook, service: ServiceOf, token: Caller) -> dict[str, Any]:
    """End the analysis: Flagger is through with the revision."""
    record = service.analyses.store.latest(hook.key, report=False)
    if record is not None:
        service.visible(record, token)
        service.analyses.store.cancel(record.id, service.analyses.clock())
    return {"status": "ended"}


@ROUTER.post("/event")
def event(hook: Hook, token: Caller) -> dict[str, Any]:
    """Keep an event in the log, for who looks for it later."""
    LOG.info("%s of %s: %s", hook.phase, hook.key, hook.metadata, extra={"token": token.name})
    return {"status": "logged"}


@contextmanager
def _holding() -> Iterator[None]:
    """Refuse while the store is down: of a 503 Flagger would throw the reason away."""
    try:
        yield
    except SQLAlchemyError as error:
        LOG.warning("the store does not answer: %s", error.__class__.__name__)
        message = "undecided: the database does not answer; nothing was changed"
        raise Problem(403, "store_down", message) from error


def _mark(service: Service, record: Record, *, opened: bool) -> None:
    if bool(record.request.get(OPENED)) is not opened:
        service.analyses.store.amend(record, {**record.request, OPENED: opened})


def _session(hook: Hook, service: Service, token: Token) -> Record:
    """Find the analysis of the revision; begin it where no start hook did."""
    record = service.analyses.store.latest(hook.key, report=False)
    if record is None:
        return service.analyses.start(hook.key, _request(hook), token)
    return service.visible(record, token)


def _request(hook: Hook) -> StartRequest:
    sides: dict[str, dict[str, str]] = {
        "variables": {"namespace": hook.namespace, "name": hook.name},
        "baseline": {"workload": f"{hook.name}-primary"},
        "canary": {"workload": hook.name},
    }
    for name, value in hook.metadata.items():
        side, _, own = name.rpartition(".")
        if name != "config":
            sides.get(side or "variables", sides["variables"])[own] = value
    try:
        return StartRequest.model_validate(
            {"config": hook.metadata.get("config", hook.name), "mode": Mode.ASYNC, **sides}
        )
    except ValidationError as error:
        raise Problem(422, "faulty_request", f"metadata: {error.errors()[0]['msg']}") from error


def _told(record: Record, url: str) -> dict[str, Any]:
    """Tell how the analysis stands."""
    return {
        "reason": _sentence(record),
        "verdict": answers.said(record),
        "score": record.score,
        "url": answers.address(record, url),
    }


def _held(record: Record) -> Problem:
    """Refuse with nothing but the reason: Flagger shows the body of a refusal as it is."""
    return Problem(403, "held", _sentence(record))


def _sentence(record: Record) -> str:
    return f"{answers.said(record)}: {answers.reason(record)}"
