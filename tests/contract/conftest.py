"""Servers for the contracts of the sources, and a place for programs."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.support.wire import query_threads


@pytest.fixture(scope="session")
def running_server() -> Iterator[HTTPServer]:
    """Run one loopback HTTP server that answers several clients at once: stopping takes 0.5 s."""
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        yield server


@pytest.fixture
def server(running_server: HTTPServer) -> Iterator[HTTPServer]:
    """Give the loopback server with nothing expected of it yet."""
    running_server.clear()
    yield running_server
    for thread in query_threads():  # an abandoned query must not reach the next test's server
        thread.join(10)
    running_server.check_handler_errors()


class Stall:
    """A handler that answers only when the test is over.

    Attributes:
        server: A server for this test alone: what is held up arrives after the test.
        arrived: Set when a client is held up.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.arrived = threading.Event()
        self.released = threading.Event()

    def __call__(self, _: Request) -> Response:
        self.arrived.set()
        self.released.wait(60)
        return Response("too late", status=500)


@pytest.fixture
def stall() -> Iterator[Stall]:
    """Give a handler that holds its client up, and a server for it."""
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        stall = Stall(server)
        yield stall
        stall.released.set()


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that all workers of a run share."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    home = shared / "clients"
    home.mkdir(exist_ok=True)
    return home
