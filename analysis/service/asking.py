"""What a request asks for: whose configuration, which time, which question."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analysis.config import CanaryConfig
from analysis.config.load import digest, parse_config
from analysis.errors import ConfigError
from analysis.planning import plan
from analysis.service.catalog import INLINE, Catalog, Entry
from analysis.service.problems import Problem
from analysis.service.requests import StartRequest
from analysis.service.settings import Settings
from analysis.service.tokens import Token
from analysis.store import New
from analysis.window import MOST_STEPS, Window, as_datetime

_WRITTEN = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Makes a new analysis of a request.

    Attributes:
        catalog: The operator's configurations.
        settings: What callers may bring.
    """

    catalog: Catalog
    settings: Settings

    def new(
        self, key: str, request: StartRequest, token: Token, now: float, entry: Entry | None = None
    ) -> New:
        """Resolve a request as of `now`, epoch seconds.

        Args:
            key: The caller's name for the analysis.
            request: What it sent.
            token: Who it is.
            now: Epoch seconds.
            entry: The configuration, where a caller has kept it here; else the request says it.

        Raises:
            Problem: It cannot be meant, or the token does not allow it.
        """
        name, namespace = request.config or INLINE, _namespace(request)
        if not token.allows(config=name, namespace=namespace):
            raise Problem(403, "forbidden", _forbidden(name, namespace, token))
        used = entry or self._entry(request)
        self._permit(used)
        return New(
            key=key,
            identity=_identity(name, request),
            config=name,
            config_text=used.text,
            version=used.version,
            namespace=namespace,
            request=_resolved(used.config, request, now),
            due=now,
            keeps_version=name != INLINE,
            again_after_s=None if request.start or request.end else self.settings.again_s,
        )

    def _entry(self, request: StartRequest) -> Entry:
        if request.inline is None:
            return self.catalog.get(request.config)
        self.check_inline()  # before a word of it is read
        try:
            config = parse_config(request.inline, origin=INLINE)
        except ConfigError as error:
            raise Problem(422, "faulty_configuration", str(error)) from error
        return Entry(
            config=config, text=request.inline, version=digest(config), changed=0.0, by_caller=True
        )

    def _permit(self, entry: Entry) -> None:
        if entry.by_caller:
            self.check_inline()
        try:
            self.settings.permits.check(entry.config, by_caller=entry.by_caller)
        except ConfigError as error:
            raise Problem(403, "source_refused", str(error)) from error

    def check_inline(self) -> None:
        """Make sure that callers may bring queries.

        Raises:
            Problem: They may not.
        """
        if not self.settings.inline:
            message = (
                "this service takes no configuration from callers; name one of its own, or let "
                "the operator serve with --inline"
            )
            raise Problem(403, "inline_refused", message)


def _resolved(config: CanaryConfig, request: StartRequest, now: float) -> dict[str, Any]:
    """Give what is kept of a request: no later look depends on when it was made."""
    begins, ends = _span(config, request, now)
    _check(config, request, begins, ends)
    return {
        **request.sides(),
        "start": begins,
        "end": ends,
        "planned_s": request.planned.total_seconds() if request.planned else None,
        "mode": request.mode.value,
    }


def _namespace(request: StartRequest) -> str:
    """Give the one namespace both sides are in."""
    named = {side.get("namespace", "") for side in request.sides().values()}
    if len(named) > 1:
        told = " and ".join(repr(one) for one in sorted(named))
        message = f"baseline and canary are in different namespaces, {told}; name one for both"
        raise Problem(422, "faulty_request", message)
    return named.pop()


def _span(config: CanaryConfig, request: StartRequest, now: float) -> tuple[float, float]:
    """Give start and end of the whole analysis, epoch seconds."""
    newest = now - config.lag.total_seconds()
    if request.lookback is not None:
        ends = _seconds(request.end, newest)
        return ends - request.lookback.total_seconds(), ends
    begins = _seconds(request.start, now)
    planned = (request.planned or config.window.planned).total_seconds()
    ends = newest if request.final and request.end is None else begins + planned
    return begins, _seconds(request.end, ends)


def _seconds(given: datetime | None, otherwise: float) -> float:
    return given.timestamp() if given is not None else otherwise


def _check(config: CanaryConfig, request: StartRequest, begins: float, ends: float) -> None:
    """Find out now what would else be found out at night: render every query once."""
    window = Window(
        start=begins,
        end=ends,
        warmup_s=config.window.warmup.total_seconds(),
        step_s=config.step.total_seconds(),
    )
    if fault := _impossible(window):
        raise Problem(422, "faulty_request", fault)
    try:
        plan(config, window, request.sides())
    except ConfigError as error:
        raise Problem(422, "faulty_request", str(error)) from error


def _impossible(window: Window) -> str:
    """Say why a stretch of time cannot be judged; nothing where it can."""
    begins, ends, step_s = as_datetime(window.start), as_datetime(window.end), window.step_s
    stretch = f"from {begins:{_WRITTEN}} to {ends:{_WRITTEN}}"
    if window.end <= window.start:
        return f"{stretch} the end does not lie after the start; choose a later end"
    if window.end - window.start < window.warmup_s + step_s:
        return (
            f"{stretch} are {window.end - window.start:g} s, less than the warm-up of "
            f"{window.warmup_s:g} s and one step of {step_s:g} s; choose a longer stretch"
        )
    if window.steps > MOST_STEPS:
        return (
            f"{stretch} are {window.steps:,} steps of {step_s:g} s, {MOST_STEPS:,} at most are "
            "judged; choose a shorter stretch"
        )
    return ""


def _forbidden(config: str, namespace: str, token: Token) -> str:
    where = f"in namespace {namespace!r}" if namespace else "without a namespace"
    if token.may_use(config):
        remedy = f"name one of its own, namespace={' or '.join(token.namespaces)}"
    else:
        remedy = "ask the operator for one that may"
    return f"this token may not judge {config!r} {where}; {remedy}"


def _identity(name: str, request: StartRequest) -> str:
    """Digest what is judged; how long the caller waits for it is no part of that."""
    told: dict[str, Any] = request.model_dump(
        mode="json", exclude={"mode", "final", "budget"}, exclude_none=True
    )
    text = json.dumps([name, told], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
