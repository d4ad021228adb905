"""What a person is told at night when the server does not answer: its own words, and a remedy."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from tests.support.command import Done
from tests.support.corpus import edited_shop
from tests.support.wire import handwritten, recorded

SOURCE = 4
SELECTED = ("--set=run=aa-3", "--start=1795381218", "--end=1795381458")

Serinus = Callable[..., Done]


def impatient(tmp_path: Path) -> Path:
    """Write a configuration that asks again only as long as a test may wait."""
    return edited_shop(tmp_path, ("lag: 2s", "lag: 2s, timeout: 500ms, deadline: 800ms"))


ANSWERS = {
    "401": (
        Response("Unauthorized", status=401),
        "answered 401 Unauthorized: Unauthorized; check the user and password or the token",
    ),
    "a query that the server cannot evaluate": (
        Response(recorded("error-422-execution.json"), status=422),
        "found duplicate series for the match group",
    ),
    "a query that is no PromQL": (
        Response(recorded("error-400-parse.json"), status=400),
        "parse error",
    ),
    "503": (
        Response('{"status":"error","errorType":"unavailable","error":"not ready"}', status=503),
        "503 Service Unavailable: not ready; the server is overloaded or unwell: try later",
    ),
    "a query that takes the server too long": (
        Response(recorded("error-503-timeout.json"), status=503),
        "shorten the window, lengthen the step or allow more time",
    ),
    "a login page": (
        Response(handwritten("login.html"), mimetype="text/html"),
        "answered with an HTML page",
    ),
    "half an answer": (
        Response(handwritten("truncated.json"), mimetype="application/json"),
        "half a JSON document",
    ),
}


@pytest.mark.parametrize(("answer", "message"), ANSWERS.values(), ids=ANSWERS)
def test_a_server_that_does_not_answer_is_quoted_with_a_remedy(
    serinus: Serinus, tmp_path: Path, httpserver: HTTPServer, answer: Response, message: str
) -> None:
    httpserver.expect_request(re.compile("/api/v1/query.*")).respond_with_response(answer)
    url = httpserver.url_for("").rstrip("/")

    done = serinus("judge", impatient(tmp_path), "--prometheus", url, *SELECTED)

    assert done.code == SOURCE
    assert url in done.message
    assert message in done.message


def test_a_server_that_is_down_is_named(serinus: Serinus, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"  # closed again: nobody listens

    done = serinus("judge", impatient(tmp_path), "--prometheus", url, *SELECTED)

    assert done.code == SOURCE
    assert done.message == (
        f"serinus: {url} cannot be reached: Connection refused; check the address and that the "
        "server runs"
    )


@pytest.fixture
def silent_url() -> Iterator[str]:
    """Give the address of a server that takes every request and answers none."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_never_answers_is_given_up(
    serinus: Serinus, tmp_path: Path, silent_url: str
) -> None:
    done = serinus("judge", impatient(tmp_path), "--prometheus", silent_url, *SELECTED)

    assert done.code == SOURCE
    assert re.search(r"gave no answer within 0\.5 s; shorten the window", done.message)
