"""What can go wrong, under which code, in whose words, and with which remedy."""

from __future__ import annotations

import socket
from itertools import repeat
from typing import NamedTuple

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from analysis.errors import SourceError
from analysis.sources.port import Answer
from tests.support.wire import (
    QUERY,
    QUERY_RANGE,
    T,
    a_range,
    a_source,
    broken_off,
    failure_of,
    form_of,
    handwritten,
    matrix,
    query_threads,
    recorded,
    samples,
)


class Case(NamedTuple):
    status: int
    body: bytes
    code: str
    said: str
    remedy: str


ONE_POINT = matrix(({"pod": "a"}, [(T, "1")]))

ANSWERS = {
    "401: the credentials are looked at": Case(
        401, b"Unauthorized", "unauthorized", "401 Unauthorized", "check the user and password"
    ),
    "401 without a tenant: the header is named": Case(
        401, b"no org id", "unauthorized", "no org id", "X-Scope-OrgID"
    ),
    "403: the account may not read": Case(
        403, b"forbidden: not yours", "unauthorized", "not yours", "token"
    ),
    "400: the parse error is shown": Case(
        400, recorded("error-400-parse.json"), "refused", "1:16: parse error", "mend the query"
    ),
    "400: the limit of points is shown": Case(
        400, recorded("error-400-points.json"), "refused", "11,000 points", "ask for less"
    ),
    "422: the execution error is shown": Case(
        422, recorded("error-422-execution.json"), "refused", "many-to-many", "mend the query"
    ),
    "422: the limit of samples is shown": Case(
        422, recorded("error-422-max-samples.json"), "refused", "too many samples", "ask for less"
    ),
    "404: the URL is explained": Case(
        404, recorded("error-404.txt"), "refused", "404 page not found", "before /api/v1"
    ),
    "405: POST is explained": Case(405, b"", "refused", "405 Method Not Allowed", "POST"),
    "413: the proxy is named": Case(413, b"", "refused", "413", "let the proxy take longer"),
    "500: the words are shown": Case(
        500, b"storage is closed", "unavailable", "storage is closed", "try later"
    ),
    "502: the page of the proxy becomes a sentence": Case(
        502, handwritten("bad-gateway.html"), "unavailable", ": 502 Bad Gateway;", "try later"
    ),
    "503 because a query took too long is a timeout": Case(
        503, recorded("error-503-timeout.json"), "timeout", "query timed out", "shorten the window"
    ),
    "an error under 200 is an error": Case(
        200, handwritten("error-in-200.json"), "refused", "no such function", "mend the query"
    ),
    "a timeout under 200 is a timeout": Case(
        200, handwritten("error-in-200-timeout.json"), "timeout", "query timed out", "more time"
    ),
    "an internal error under 200 is one": Case(
        200, handwritten("error-in-200-unavailable.json"), "unavailable", "closed", "try later"
    ),
    "a login page is recognized": Case(
        200, handwritten("login.html"), "malformed", "Sign in to Example Corp", "API itself"
    ),
    "truncated JSON is recognized": Case(
        200, handwritten("truncated.json"), "malformed", "half a JSON document", "what the proxies"
    ),
    "other JSON is recognized": Case(
        200, handwritten("not-prometheus.json"), "malformed", "JSON of another form", "check that"
    ),
    "an empty body is recognized": Case(200, b"", "malformed", "no JSON", "check that"),
    "204 is no answer": Case(204, b"", "refused", "204", "mend"),
}


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS)
def test_an_unusable_answer_is_sorted_by_who_can_mend_it(server: HTTPServer, case: Case) -> None:
    server.expect_request(QUERY).respond_with_data(case.body, status=case.status)

    error = failure_of(a_source(server, retries=0), samples())

    assert error.code == case.code
    assert case.said in str(error)
    assert case.remedy in str(error)
    assert str(error).count("\n") == 0


def test_a_refused_query_is_named_in_the_error(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data("no", status=422)

    error = failure_of(a_source(server), samples("requests_total", end=T + 1))

    assert error.query == "requests_total[1001ms]"
    assert "`requests_total[1001ms]`" in str(error)


def test_a_long_query_and_a_long_complaint_are_shortened_in_the_message(
    server: HTTPServer,
) -> None:
    server.expect_request(QUERY_RANGE).respond_with_data("no " * 10_000, status=400)

    error = failure_of(a_source(server), a_range("x" * 10_000))

    assert len(str(error)) < 1_000
    assert error.query == "x" * 10_000


def test_a_server_that_is_down_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        port = unused.getsockname()[1]
        source = a_source(HTTPServer(host="127.0.0.1", port=port))

        with pytest.raises(SourceError, match="Connection refused") as raised:
            source.answer([samples(f"m{i}") for i in range(40)])

    assert raised.value.code == "unreachable"
    assert f"http://127.0.0.1:{port} cannot be reached" in str(raised.value)


def test_a_host_that_does_not_exist_is_unreachable(server: HTTPServer) -> None:
    error = failure_of(a_source(server, url="http://prometheus.invalid:9090"), samples())

    assert error.code == "unreachable"
    assert "prometheus.invalid" in str(error)


def test_https_asked_of_a_plain_server_is_told_apart(server: HTTPServer) -> None:
    url = server.url_for("").replace("http://", "https://")

    error = failure_of(a_source(server, url=url), samples())

    assert error.code == "unreachable"
    assert "does it speak https" in str(error)


def test_a_missing_ca_bundle_is_named(server: HTTPServer) -> None:
    url = server.url_for("").replace("http://", "https://")

    error = failure_of(a_source(server, url=url, verify="/nowhere/ca.pem"), samples())

    assert error.code == "unreachable"
    assert "/nowhere/ca.pem" in str(error)


def test_an_answer_that_breaks_off_is_unavailable(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_response(broken_off(ONE_POINT))

    error = failure_of(a_source(server, retries=0), samples())

    assert error.code == "unavailable"
    assert "broke off its answer" in str(error)


def test_an_answer_that_cannot_be_decompressed_is_malformed(server: HTTPServer) -> None:
    headers = {"Content-Encoding": "gzip"}
    server.expect_request(QUERY).respond_with_data(b"not gzip", headers=headers)

    error = failure_of(a_source(server), samples())

    assert error.code == "malformed"
    assert "decompressed" in str(error)


def test_a_huge_answer_is_not_read_to_its_end(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(b" " * 3_000_000 + ONE_POINT)

    error = failure_of(a_source(server, max_answer_bytes=1_000_000), samples())

    assert error.code == "refused"
    assert "larger than 1,000,000 bytes" in str(error)
    assert "aggregate in the query" in str(error)


@pytest.mark.parametrize(("status", "code"), [(200, "refused"), (500, "unavailable")])
def test_an_endless_answer_is_cut(server: HTTPServer, status: int, code: str) -> None:
    endless = Response(repeat(b"sorry " * 1_000), status=status)
    server.expect_request(QUERY).respond_with_response(endless)

    error = failure_of(a_source(server, max_answer_bytes=1_000_000), samples())

    assert error.code == code
    assert len(str(error)) < 1_000


def test_one_bad_query_does_not_hide_the_others(server: HTTPServer) -> None:
    def judge_by_query(received: Received) -> Response:
        is_bad = form_of(received)["query"].startswith("bad")
        body = recorded("error-400-parse.json") if is_bad else ONE_POINT
        return Response(body, status=400 if is_bad else 200)

    server.expect_request(QUERY).respond_with_handler(judge_by_query)

    answers = a_source(server).answer([samples("good"), samples("bad"), samples("better")])

    outcomes = {request.query: type(outcome) for request, outcome in answers.items()}
    assert outcomes == {"good": Answer, "bad": SourceError, "better": Answer}


def test_a_query_refused_alone_concerns_that_query_only(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data("no", status=422)

    answers = a_source(server).answer([samples()])

    assert isinstance(answers[samples()], SourceError)


COMMON = {
    "401": (401, b"", "unauthorized"),
    "403": (403, b"", "unauthorized"),
    "404": (404, b"", "refused"),
    "503": (503, b"", "unavailable"),
    "a login page": (200, handwritten("login.html"), "malformed"),
}


@pytest.mark.parametrize(("status", "body", "code"), COMMON.values(), ids=COMMON)
def test_a_reason_common_to_all_is_raised_once(
    server: HTTPServer, status: int, body: bytes, code: str
) -> None:
    server.expect_request(QUERY).respond_with_data(body, status=status)

    with pytest.raises(SourceError) as raised:
        a_source(server, retries=0).answer([samples(f"m{i}") for i in range(5)])

    assert raised.value.code == code
    assert raised.value.query == ""


def test_an_account_is_not_locked_by_asking_on_after_401(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data("no", status=401)

    with pytest.raises(SourceError):
        a_source(server, max_connections=1).answer([samples(f"m{i}") for i in range(40)])

    for thread in query_threads():
        thread.join(10)
    assert len(server.log) == 1
