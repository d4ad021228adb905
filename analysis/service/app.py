"""Put the service together."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from analysis.service.analyses import Analyses
from analysis.service.asking import Asking
from analysis.service.catalog import Catalog
from analysis.service.context import Service
from analysis.service.faults import handle
from analysis.service.looking import Connect, Looker
from analysis.service.notices.courier import Courier, Route
from analysis.service.operations import Operations
from analysis.service.protection import Protection
from analysis.service.rates import RateLimit, Rates
from analysis.service.routes import analyses, configs, facade, flagger, kayenta, operations
from analysis.service.runner import Parts, Runner
from analysis.service.settings import Settings
from analysis.service.tokens import Tokens
from analysis.service.tracing import TraceCalls, Tracing
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
    tokens, counted = Tokens(settings.tokens), Operations()
    engine = open_database(settings.database_url)
    store = AnalysisStore(engine)
    made = Looker(settings=settings, connect=connect).look
    look = made if tracing is None else tracing.looks(made)
    targets = settings.notices

    def tell(record: Record, look: Look) -> list[str]:
        return [name for name, (target, _) in targets.items() if target.wants(record, look)]

    documents = DocumentStore(engine)
    parts = Parts(
        store=store,
        documents=documents,
        look=look,
        clock=clock,
        operations=counted,
        tell=tell,
    )
    route = Route(
        store=store,
        targets=targets,
        clock=clock,
        operations=counted,
        public_url=settings.public_url,
    )
    return Service(
        settings=settings,
        tokens=tokens,
        operations=counted,
        courier=Courier(route),
        versions=VersionStore(engine),
        documents=documents,
        tracing=tracing,
        analyses=Analyses(
            store=store,
            runner=Runner(parts, settings),
            asking=Asking(catalog=Catalog(settings.configs), settings=settings),
            settings=settings,
            clock=clock,
        ),
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

    # The pages of /docs load scripts from other hosts; /openapi.json is all that is needed.
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
