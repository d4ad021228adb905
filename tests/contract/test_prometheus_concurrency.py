"""Many queries at once: as fast as eight connections allow, and all of it within one deadline."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from analysis.errors import SourceError
from analysis.sources.port import Request, RequestKind, Summing
from tests.support.hostile import HostileServer, response
from tests.support.wire import QUERY_RANGE, T, a_range, a_source, answer_to, matrix, table

ONE_POINT = matrix(({"pod": "a"}, [(T, "1")]))
SLOW_S = 0.05


def in_its_own_time(stream: object, _: bytes, __: int) -> None:
    time.sleep(SLOW_S)  # the server takes so long
    stream.sendall(response(ONE_POINT))  # type: ignore[attr-defined]  # it is a socket


def counters(count: int) -> list[Request]:
    """Ask for raw counters, whose cost is asked first."""
    return [
        Request(
            kind=RequestKind.SAMPLES,
            query=f"m{n}_total",
            start=T,
            end=T + 600,
            summing=Summing(step_s=15, group=f"m{n}"),
        )
        for n in range(count)
    ]


def ranges(count: int) -> list[Request]:
    return [a_range(f"m{n}") for n in range(count)]


@pytest.mark.parametrize("asked", [ranges, counters])
def test_forty_queries_of_fifty_milliseconds_take_less_than_half_a_second(
    asked: Callable[[int], list[Request]],
) -> None:
    from analysis.sources.prometheus import PrometheusSource

    with HostileServer(in_its_own_time) as server:
        source = PrometheusSource(url=server.url, max_connections=8)
        taken_s = min(timed(lambda: source.answer(asked(40))) for _ in range(3))

    # One after the other takes 2 s, eight at a time 0.25 s.
    assert taken_s < 0.5


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_the_costs_of_all_counters_are_one_query(server: HTTPServer) -> None:
    server.expect_request(QUERY_RANGE).respond_with_data(matrix())
    server.expect_request("/api/v1/query").respond_with_data(ONE_POINT)

    a_source(server).answer(counters(40))

    asked = [received.path for received, _ in server.log]
    assert asked.count(QUERY_RANGE) == 1
    assert asked.count("/api/v1/query") == 40


def test_costs_and_answers_share_one_deadline(server: HTTPServer) -> None:
    released = threading.Event()

    def wait(_: Received) -> Response:
        released.wait(10)
        return Response(ONE_POINT)

    server.expect_request(QUERY_RANGE).respond_with_handler(wait)
    source = a_source(server, deadline_s=0.5, timeout_s=60)

    began = time.monotonic()
    with pytest.raises(SourceError):
        source.answer(counters(20))
    taken_s = time.monotonic() - began
    released.set()

    assert taken_s < 2


def test_what_comes_compressed_is_unpacked(server: HTTPServer) -> None:
    def pack(received: Received) -> Response:
        assert "gzip" in received.headers["Accept-Encoding"]
        body = gzip.compress(ONE_POINT)
        return Response(body, headers={"Content-Encoding": "gzip"})

    server.expect_request(QUERY_RANGE).respond_with_handler(pack)

    assert table(answer_to(a_source(server), a_range())) == {"a": [(T, 1.0)]}
