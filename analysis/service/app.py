"""Put the service together."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from analysis.config import CanaryConfig
from analysis.service.analyses import Analyses
from analysis.service.asking import Asking
from analysis.service.catalog import Catalog
from analysis.service.context import Service
from analysis.service.counting import CountedCalls, CountedSource
from analysis.service.faults import handle
from analysis.service.kayenta.names import MetricNames
from analysis.service.looking import Connect, Looker
from analysis.service.notices.courier import Courier, Route
from analysis.service.operations import Operations
from analysis.service.pages import routers as pages
from analysis.service.protection import Protection
from analysis.service.rates import RateLimit, Rates
from analysis.service.routes import analyses, configs, facade, flagger, kayenta, operations
from analysis.service.runner import Parts, Runner
from analysis.service.settings import Settings
from analysis.service.tokens import Tokens
from analysis.service.tracing import TraceCalls, Tracing
from analysis.sources.port import MetricSource
from analysis.store import (
    AnalysisStore,
    DocumentStore,
    Look,
    Record,
    VersionStore,
    open_database,
)

ROUTERS = (
    analyses.ROUTER,
    configs.ROUTER,
    flagger.ROUTER,
    *kayenta.ROUTERS,
    facade.ROUTER,
    operations.ROUTER,
    *pages.ROUTERS,
)


def make_service(
    settings: Settings,
    connect: Connect,
    clock: Callable[[], float],
    tracing: Tracing | None = None,
) -> Service:
    """Open the store and everything above it.

    Args:
        settings: What the operator decides.
        connect: Makes the source that a configuration describes.
        clock: Gives epoch seconds.
        tracing: Makes spans; `None`: nobody wants them.

    Raises:
        ConfigError: A setting cannot be used.
    """
    tokens, counted, catalog = Tokens(settings.tokens), Operations(), Catalog(settings.configs)
    counted.expect(catalog.names(), settings.notices)
    engine = open_database(settings.database_url)
    look = _look(settings, connect, counted)
    parts = Parts(
        store=AnalysisStore(engine),
        documents=DocumentStore(engine),
        look=look if tracing is None else tracing.looks(look),
        clock=clock,
        operations=counted,
        tell=_tell(settings),
    )
    return Service(
        settings=settings,
        tokens=tokens,
        operations=counted,
        courier=Courier(_route(settings, parts)),
        versions=VersionStore(engine),
        documents=parts.documents,
        metric_names=MetricNames(connect=connect, clock=clock),
        tracing=tracing,
        analyses=_analyses(settings, parts, catalog),
    )


def _analyses(settings: Settings, parts: Parts, catalog: Catalog) -> Analyses:
    return Analyses(
        store=parts.store,
        runner=Runner(parts, settings),
        asking=Asking(catalog=catalog, settings=settings),
        settings=settings,
        clock=parts.clock,
    )


def _look(
    settings: Settings, connect: Connect, counted: Operations
) -> Callable[[Record, float], Look]:
    """Give what makes a look whose queries are counted."""

    def connected(config: CanaryConfig) -> MetricSource:
        return CountedSource(connect(config), counted)

    return Looker(settings=settings, connect=connected).look


def _tell(settings: Settings) -> Callable[[Record, Look], list[str]]:
    """Give what names who is to be told of a look."""

    def tell(record: Record, look: Look) -> list[str]:
        wanted = settings.notices.items()
        return [name for name, (target, _) in wanted if target.wants(record, look)]

    return tell


def _route(settings: Settings, parts: Parts) -> Route:
    return Route(
        store=parts.store,
        targets=settings.notices,
        clock=parts.clock,
        operations=parts.operations,
        public_url=settings.public_url,
    )


def create_app(service: Service) -> FastAPI:
    """Make the application; it looks at what is due for as long as it is served."""

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        service.analyses.runner.start()
        service.courier.start()
        try:
            yield
        finally:
            service.analyses.runner.stop()
            service.courier.stop()
            service.analyses.store.close()
            if service.tracing is not None:
                service.tracing.close()

    # FastAPI's own /docs loads scripts from other hosts; ours does not.
    app = FastAPI(title="Serinus", lifespan=running, docs_url=None, redoc_url=None)
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router)
    handle(app)
    _protect(app, service)
    return app


def _protect(app: FastAPI, service: Service) -> None:
    """Put before all routes what bounds calls; what is added last stands first."""
    settings = service.settings
    rates = Rates(per_second=settings.calls_per_second, clock=time.monotonic)
    app.add_middleware(RateLimit, rates=rates, tokens=service.tokens)
    app.add_middleware(
        Protection,
        most_bytes=settings.most_body_bytes,
        most_series_bytes=settings.most_series_bytes,
    )
    if service.tracing is not None:
        app.add_middleware(TraceCalls, tracing=service.tracing)
    app.add_middleware(CountedCalls, operations=service.operations)  # refusals are calls too
