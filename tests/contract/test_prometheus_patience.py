"""How long a server is waited for, and when it is asked again."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from analysis.errors import SourceError
from analysis.sources.port import Answer
from tests.contract.conftest import Stall
from tests.support.wire import (
    QUERY,
    T,
    a_source,
    answer_to,
    broken_off,
    failure_of,
    form_of,
    forms,
    matrix,
    query_threads,
    recorded,
    samples,
    table,
)

ONE_POINT = matrix(({"pod": "a"}, [(T, "1")]))
PASSING = (429, 502, 503, 504)
LASTING = (400, 401, 403, 404, 422, 500)


@pytest.mark.parametrize("status", PASSING)
def test_a_fault_that_passes_is_gotten_over(server: HTTPServer, status: int) -> None:
    server.expect_oneshot_request(QUERY).respond_with_data("not yet", status=status)
    server.expect_oneshot_request(QUERY).respond_with_data("nearly", status=status)
    server.expect_oneshot_request(QUERY).respond_with_data(ONE_POINT)

    assert table(answer_to(a_source(server), samples())) == {"a": [(T, 1)]}


def test_a_connection_that_breaks_is_tried_again(server: HTTPServer) -> None:
    server.expect_oneshot_request(QUERY).respond_with_response(broken_off(ONE_POINT))
    server.expect_oneshot_request(QUERY).respond_with_data(ONE_POINT)

    assert table(answer_to(a_source(server), samples())) == {"a": [(T, 1)]}
    assert len(server.log) == 2


@pytest.mark.parametrize("status", PASSING)
def test_a_fault_that_does_not_pass_keeps_the_words_of_the_server(
    server: HTTPServer, status: int
) -> None:
    server.expect_request(QUERY).respond_with_data("compactor is eating", status=status)

    error = failure_of(a_source(server, retries=2), samples())

    assert error.code == "unavailable"
    assert "compactor is eating" in str(error)
    assert len(server.log) == 3


@pytest.mark.parametrize("status", LASTING)
def test_a_fault_that_lasts_is_not_asked_about_again(server: HTTPServer, status: int) -> None:
    server.expect_request(QUERY).respond_with_data("no", status=status)

    failure_of(a_source(server), samples())

    assert len(server.log) == 1


def test_a_query_too_slow_for_the_server_is_not_inflicted_on_it_again(server: HTTPServer) -> None:
    body = recorded("error-503-timeout.json")
    server.expect_request(QUERY).respond_with_data(body, status=503)

    assert failure_of(a_source(server), samples()).code == "timeout"
    assert len(server.log) == 1


def test_retry_after_is_honored(server: HTTPServer) -> None:
    headers = {"Retry-After": "1"}
    server.expect_oneshot_request(QUERY).respond_with_data("slow down", 429, headers)
    server.expect_oneshot_request(QUERY).respond_with_data(ONE_POINT)
    began = time.monotonic()

    answer = answer_to(a_source(server), samples())

    assert time.monotonic() - began >= 1
    assert answer.seconds >= 1


LATER = {
    "in seconds": "600",
    "as a date": format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True),
}


@pytest.mark.parametrize("retry_after", LATER.values(), ids=LATER)
def test_a_retry_after_beyond_the_deadline_is_not_waited_for(
    server: HTTPServer, retry_after: str
) -> None:
    headers = {"Retry-After": retry_after}
    server.expect_request(QUERY).respond_with_data("come back later", 503, headers)

    error = failure_of(a_source(server), samples())

    assert error.code == "unavailable"
    assert "come back later" in str(error)
    assert len(server.log) == 1


def test_a_retry_after_that_means_nothing_is_passed_over(server: HTTPServer) -> None:
    headers = {"Retry-After": "soon"}
    server.expect_oneshot_request(QUERY).respond_with_data("wait", 503, headers)
    server.expect_oneshot_request(QUERY).respond_with_data(ONE_POINT)

    assert answer_to(a_source(server), samples()).series


def test_a_server_that_does_not_answer_times_out(stall: Stall) -> None:
    stall.server.expect_request(QUERY).respond_with_handler(stall)

    error = failure_of(a_source(stall.server, timeout_s=0.2), samples())

    assert error.code == "timeout"
    assert "gave no answer within 0.2 s" in str(error)
    assert "shorten the window" in str(error)


def test_a_trickle_of_bytes_does_not_outlast_the_timeout(server: HTTPServer) -> None:
    ended = threading.Event()

    def trickle(_: Received) -> Response:
        return Response(b" " for _ in iter(lambda: ended.wait(0.02), True))

    server.expect_request(QUERY).respond_with_handler(trickle)

    error = failure_of(a_source(server, timeout_s=0.3), samples())
    ended.set()

    assert error.code == "timeout"


def test_the_server_is_told_to_give_up_first(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(ONE_POINT)

    answer_to(a_source(server, timeout_s=20), samples())

    assert forms(server)[0]["timeout"] == "18000ms"


def test_what_is_not_done_by_the_deadline_times_out_and_the_rest_is_kept(stall: Stall) -> None:
    def answer_some(received: Received) -> Response:
        is_slow = form_of(received)["query"].startswith("slow")
        return stall(received) if is_slow else Response(ONE_POINT)

    stall.server.expect_request(QUERY).respond_with_handler(answer_some)
    source = a_source(stall.server, deadline_s=1.5, max_connections=2)

    answers = source.answer([samples("slow_1"), samples("quick"), samples("slow_2")])

    slow = answers[samples("slow_1")], answers[samples("slow_2")]
    assert isinstance(answers[samples("quick")], Answer)
    assert [getattr(outcome, "code", "") for outcome in slow] == ["timeout", "timeout"]


def test_nothing_done_by_the_deadline_is_raised_once(stall: Stall) -> None:
    stall.server.expect_request(QUERY).respond_with_handler(stall)

    with pytest.raises(SourceError) as raised:
        a_source(stall.server, deadline_s=0.2).answer([samples("slow_1"), samples("slow_2")])

    assert raised.value.code == "timeout"


def test_threads_end_with_the_call(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(ONE_POINT)

    a_source(server).answer([samples(f"m{i}") for i in range(20)])

    for thread in query_threads():
        thread.join(10)
    assert query_threads() == []


def test_threads_end_with_the_deadline_though_the_server_does_not_answer(stall: Stall) -> None:
    stall.server.expect_request(QUERY).respond_with_handler(stall)

    failure_of(a_source(stall.server, deadline_s=0.2, timeout_s=60), samples())

    for thread in query_threads():
        thread.join(10)
    assert query_threads() == []


ASK = """
import sys
from analysis.sources.port import Request, RequestKind
from analysis.sources.prometheus import PrometheusSource
PrometheusSource(url=sys.argv[1]).answer(
    [Request(kind=RequestKind.SAMPLES, query="up", start=0, end=1)]
)
"""


def test_ctrl_c_ends_the_program_while_a_server_does_not_answer(stall: Stall) -> None:
    stall.server.expect_request(QUERY).respond_with_handler(stall)
    command = [sys.executable, "-c", ASK, stall.server.url_for("")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        assert stall.arrived.wait(60)
        program.send_signal(signal.SIGINT)
        _, words = program.communicate(timeout=20)  # the query alone would take 30 s

    assert words.rstrip().endswith("KeyboardInterrupt")
    assert program.returncode == -signal.SIGINT
