"""What the routes work with, and who calls them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from analysis.service.analyses import Analyses
from analysis.service.asking import Asking
from analysis.service.kayenta.names import MetricNames
from analysis.service.notices.courier import Courier
from analysis.service.operations import Operations
from analysis.service.problems import Problem
from analysis.service.settings import Settings
from analysis.service.tokens import Token, Tokens
from analysis.service.tracing import Tracing
from analysis.store import DocumentStore, Record, VersionStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Everything that one process of the service consists of."""

    settings: Settings
    analyses: Analyses
    tokens: Tokens
    operations: Operations
    courier: Courier
    versions: VersionStore
    documents: DocumentStore
    metric_names: MetricNames
    tracing: Tracing | None = None

    @property
    def asking(self) -> Asking:
        """Give what makes an analysis of a request."""
        return self.analyses.asking

    def visible(self, record: Record, token: Token) -> Record:
        """Give an analysis to whom it concerns; to others it is not there.

        Raises:
            Problem: The token does not allow it.
        """
        if not token.allows(config=record.config, namespace=record.namespace):
            raise Problem(
                404, "not_found", "there is no such analysis for this token; ask its team"
            )
        return record


def service_of(request: Request) -> Service:
    """Give the service that a request came to."""
    return cast("Service", request.app.state.service)


def caller(request: Request) -> Token:
    """Find out who calls.

    Raises:
        Problem: Nobody known.
    """
    return service_of(request).tokens.identify(request.headers.get("authorization"))


def base_url(request: Request) -> str:
    """Give the address under which the caller reaches the service."""
    return service_of(request).settings.public_url or str(request.base_url)


ServiceOf = Annotated[Service, Depends(service_of)]
Caller = Annotated[Token, Depends(caller)]
BaseUrl = Annotated[str, Depends(base_url)]
