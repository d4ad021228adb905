"""What is sent to a server for a request."""

from __future__ import annotations

import math
import threading
from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from analysis.sources.port import Request
from analysis.sources.prometheus_http import plan
from tests.support.wire import (
    QUERY,
    QUERY_RANGE,
    T,
    a_range,
    a_source,
    answer_to,
    form_of,
    forms,
    matrix,
    recorded,
    samples,
    table,
)

ONE_POINT = matrix(({"pod": "a"}, [(T, "1")]))


def range_server(received: Received) -> Response:
    """Answer every step with its own time, as `time()` does."""
    form = form_of(received)
    start, end, step = (round(float(form[name]) * 1000) for name in ("start", "end", "step"))
    points = [(ms / 1000, str(ms / 1000)) for ms in range(start, end + 1, step)]
    return Response(matrix(({"pod": "a"}, points)))


def test_a_megabyte_of_query_goes_into_the_body(server: HTTPServer) -> None:
    server.expect_request(QUERY_RANGE).respond_with_data(ONE_POINT)
    query = 'sum(up{pod=~"' + "|".join(f"pod-{i:06}" for i in range(100_000)) + '"})'

    answer_to(a_source(server), a_range(query))

    [(received, _)] = server.log
    assert len(query) > 1_000_000
    assert received.method == "POST"
    assert received.query_string == b""
    assert form_of(received)["query"] == query


def test_samples_are_asked_for_with_a_millisecond_more_than_the_window(
    server: HTTPServer,
) -> None:
    server.expect_request(QUERY).respond_with_data(ONE_POINT)

    answer_to(a_source(server), samples('up{job="shop"}', start=T + 0.25, end=T + 60.5))

    [form] = forms(server)
    assert form["query"] == 'up{job="shop"}[60251ms]'
    assert form["time"] == f"{T + 60}.500"


@pytest.mark.parametrize("year", [2004, 2023])  # a double lies on either side of them in 2004
def test_every_millisecond_is_asked_for_as_meant(year: int) -> None:
    t = round(datetime(year, 4, 5, tzinfo=UTC).timestamp())
    spans = [
        plan.queries(samples(start=t + ms / 1000, end=t + 60 + ms / 1000)) for ms in range(1_000)
    ]

    whole = [(query.start_ms - 1000 * t, query.end_ms - 1000 * t) for [query] in spans]
    assert whole == [(ms, 60_000 + ms) for ms in range(1_000)]


def test_what_is_finer_than_a_millisecond_is_asked_for_inside_the_window() -> None:
    [query] = plan.queries(samples(start=T + 0.0001, end=T + 0.0099))

    assert (query.start_ms - 1000 * T, query.end_ms - 1000 * T) == (1, 9)


def test_fractions_of_seconds_are_sent_as_asked(server: HTTPServer) -> None:
    server.expect_request(QUERY_RANGE).respond_with_data(ONE_POINT)

    answer_to(a_source(server), a_range(start=T + 0.5, end=T + 9.6, step_s=0.25))

    [form] = forms(server)
    assert (form["start"], form["end"]) == (f"{T}.500", f"{T + 9}.500")  # the last step there is
    assert form["step"] == "0.250"


SPLITS = {
    "11,000 points are one query": (11_000, [11_000]),
    "11,001 points are two": (11_001, [11_000, 1]),
    "a long range is many": (25_000, [11_000, 11_000, 3_000]),
    "one point is a query": (1, [1]),
}


@pytest.mark.parametrize(("points", "parts"), SPLITS.values(), ids=SPLITS)
def test_long_ranges_are_split_on_their_steps_and_joined_without_a_seam(
    server: HTTPServer, points: int, parts: list[int]
) -> None:
    server.expect_request(QUERY_RANGE).respond_with_handler(range_server)
    request = a_range(start=T + 0.5, end=T + 0.5 + 2.5 * (points - 1), step_s=2.5)

    times = [time for time, _ in table(answer_to(a_source(server), request))["a"]]

    assert times == [T + 0.5 + 2.5 * i for i in range(points)]
    spans = [(float(form["start"]), float(form["end"])) for form in forms(server)]
    assert [(end - start) / 2.5 + 1 for start, end in spans] == parts


def test_series_that_live_in_one_part_only_are_joined_by_label(server: HTTPServer) -> None:
    early = matrix(({"pod": "old"}, [(T, "1")]), ({"pod": "stays"}, [(T, "2")]))
    late = matrix(({"pod": "new"}, [(T + 11_000, "3")]), ({"pod": "stays"}, [(T + 11_000, "4")]))
    server.expect_oneshot_request(QUERY_RANGE).respond_with_data(early)
    server.expect_oneshot_request(QUERY_RANGE).respond_with_data(late)

    answer = answer_to(a_source(server), a_range(start=T, end=T + 11_000, step_s=1))

    assert table(answer) == {
        "new": [(T + 11_000, 3)],
        "old": [(T, 1)],
        "stays": [(T, 2), (T + 11_000, 4)],
    }


def test_a_warning_repeated_by_every_part_is_told_once(server: HTTPServer) -> None:
    body = ONE_POINT.replace(b'"data"', b'"warnings": ["store 3 is down"], "data"')
    server.expect_request(QUERY_RANGE).respond_with_data(body)

    answer = answer_to(a_source(server), a_range(start=T, end=T + 20_000, step_s=1))

    assert answer.warnings == ("store 3 is down",)


def test_equal_requests_are_asked_once(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(ONE_POINT)

    answers = a_source(server).answer([samples("a"), samples("b"), samples("a")])

    assert list(answers) == [samples("a"), samples("b")]
    assert sorted(form["query"][0] for form in forms(server)) == ["a", "b"]


def test_nothing_asked_is_nothing_sent(server: HTTPServer) -> None:
    assert a_source(server).answer([]) == {}
    assert server.log == []


def test_progress_counts_the_answers(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(ONE_POINT)
    seen: list[tuple[int, int]] = []

    a_source(server).answer(
        [samples("a"), samples("b"), samples("b")],
        progress=lambda answered, asked: seen.append((answered, asked)),
    )

    assert seen == [(1, 2), (2, 2)]


def test_no_more_queries_are_under_way_than_there_are_connections(server: HTTPServer) -> None:
    under_way, most, lock = 0, 0, threading.Lock()
    met = threading.Barrier(3)

    def count(_: Received) -> Response:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        met.wait(60)  # three at once, or it never ends
        with lock:
            under_way -= 1
        return Response(ONE_POINT)

    server.expect_request(QUERY).respond_with_handler(count)

    a_source(server, max_connections=3).answer([samples(f"m{i}") for i in range(12)])

    assert most == 3


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_path_prefix_is_kept(server: HTTPServer, slash: str) -> None:
    server.expect_request(f"/team/prometheus{QUERY}").respond_with_data(ONE_POINT)

    source = a_source(server, url=server.url_for(f"/team/prometheus{slash}"))

    assert table(answer_to(source, samples())) == {"a": [(T, 1)]}
    assert source.description == f"Prometheus at {server.url_for('/team/prometheus')}"


MEANINGLESS = {
    "the end lies before the start": (samples(start=T, end=T - 1), "start must not be after end"),
    "a time is not a number": (samples(start=math.nan), "start must not be after end"),
    "a time is infinite": (samples(end=math.inf), "start must not be after end"),
    "a range has no step": (a_range(step_s=0), "whole milliseconds, got 0"),
    "a step is negative": (a_range(step_s=-15), "whole milliseconds, got -15"),
    "a step is finer than Prometheus' clock": (a_range(step_s=0.0005), "whole milliseconds"),
    "a step is infinite": (a_range(step_s=math.inf), "whole milliseconds, got inf"),
}


@pytest.mark.parametrize(("request_", "message"), MEANINGLESS.values(), ids=MEANINGLESS)
def test_a_request_that_cannot_be_meant_is_not_sent(
    server: HTTPServer, request_: Request, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        a_source(server).answer([samples(), request_])

    assert server.log == []


def test_the_version_is_told(server: HTTPServer) -> None:
    body = recorded("buildinfo.json")
    server.expect_request("/api/v1/status/buildinfo", method="GET").respond_with_data(body)

    assert a_source(server).server_version() == "2.42.0+ds"


NO_VERSION = {
    "it has no such page": (404, b"404 page not found"),
    "it is unwell": (503, b""),
    "it answers otherwise": (200, b'{"status": "success", "data": []}'),
    "it answers with a page": (200, b"<html>"),
}


@pytest.mark.parametrize(("status", "body"), NO_VERSION.values(), ids=NO_VERSION)
def test_a_server_that_tells_no_version_has_none(
    server: HTTPServer, status: int, body: bytes
) -> None:
    server.expect_request("/api/v1/status/buildinfo").respond_with_data(body, status=status)

    assert a_source(server).server_version() is None
