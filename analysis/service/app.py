"""Put the service together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from analysis.service.analyses import Analyses
from analysis.service.catalog import Catalog
from analysis.service.context import Service
from analysis.service.counting import CountedCalls, CountedSource
from analysis.service.looking import Connect, Looker
from analysis.service.notices.courier import Courier, Route
from analysis.service.operations import Operations
from analysis.service.pages import routers as pages
from analysis.service.pages.refusal import refusal, wants_page
from analysis.service.problems import Problem
from analysis.service.protection import Protection, problem
from analysis.service.routes import analyses, facade, flagger, kayenta, operations
from analysis.service.runner import Parts, Runner
from analysis.service.settings import Settings
from analysis.service.tokens import Tokens
from analysis.store import AnalysisStore, Look, Record, open_database

LOG = logging.getLogger("serinus.service")
ROUTERS = (
    analyses.ROUTER,
    flagger.ROUTER,
    kayenta.ROUTER,
    kayenta.JUDGE_ROUTER,
    facade.ROUTER,
    operations.ROUTER,
    *pages.ROUTERS,
)


def make_service(settings: Settings, connect: Connect, clock: Callable[[], float]) -> Service:
    """Open the store and everything above it.

    Raises:
        ConfigError: A setting cannot be used.
    """
    tokens, counted = Tokens(settings.tokens), Operations()
    store = AnalysisStore(open_database(settings.database_url))
    look = Looker(
        settings=settings, connect=lambda config: CountedSource(connect(config), counted)
    ).look
    targets, catalog = settings.notices, Catalog(settings.configs)
    counted.expect(catalog.names(), targets)

    def tell(record: Record, look: Look) -> list[str]:
        return [name for name, (target, _) in targets.items() if target.wants(record, look)]

    parts = Parts(store=store, look=look, clock=clock, operations=counted, tell=tell)
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
        analyses=Analyses(
            store=store,
            runner=Runner(parts, settings),
            catalog=catalog,
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

    # FastAPI's own /docs loads scripts from other hosts; ours does not.
    app = FastAPI(title="Serinus", lifespan=running, docs_url=None, redoc_url=None)
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(SQLAlchemyError, _store_down)
    app.add_exception_handler(Exception, _bug)
    app.add_middleware(Protection, most_bytes=service.settings.most_body_bytes)
    app.add_middleware(
        CountedCalls, operations=service.operations
    )  # outermost: refusals are calls too
    return app


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for it
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return _told(request, error, headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    faults = [
        f"{'.'.join(map(str, fault['loc'][1:])) or 'body'}: {fault['msg']}"
        for fault in jsonable_encoder(error.errors(), exclude={"input", "ctx"})
    ]
    return _told(request, Problem(422, "faulty_request", "; ".join(faults)))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    message = f"{error.detail}; GET /openapi.json lists what there is"
    return _told(request, Problem(error.status_code, "http", message), error.headers)


def _store_down(request: Request, error: Exception) -> Response:
    LOG.warning("the store does not answer: %s", error.__class__.__name__)
    message = "the database does not answer; nothing was changed, call again"
    return _told(request, Problem(503, "store_down", message), {"Retry-After": "5"})


def _bug(request: Request, error: Exception) -> Response:
    LOG.error("a call failed: %s", request.url.path, exc_info=error)
    return _told(request, Problem(500, "bug", "a bug of Serinus; its log has the details"))


def _told(request: Request, told: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Tell a person on a page, and a program in JSON."""
    if wants_page(request):
        return refusal(told)
    return JSONResponse(problem(told.code, told.message), told.status, headers=headers)
