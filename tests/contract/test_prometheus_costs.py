"""What costs too much is summed: who decides, what is asked, and what becomes of odd answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from analysis.errors import SourceError
from analysis.sources.port import Answer, Request, RequestKind, Summing
from analysis.sources.prometheus import Form, PrometheusSource
from analysis.sources.prometheus_http.growth import questions
from tests.support.wire import (
    QUERY,
    QUERY_RANGE,
    T,
    a_source,
    answer_to,
    failure_of,
    form_of,
    forms,
    matrix,
)

# The label under which a server counts values.
COUNTED = "serinus_counted"
Counted = tuple[dict[str, str], list[tuple[float, str]]]
ONE_POINT = matrix(({"pod": "a"}, [(T, "1")]))
END = T + 3600
STEP_S = 60


def counter(name: str, *, group: str = "", keep: tuple[str, ...] = ("pod",)) -> Request:
    return Request(
        kind=RequestKind.SAMPLES,
        query=name,
        start=T,
        end=END,
        summing=Summing(step_s=STEP_S, keep=keep, group=group or name),
    )


class Priced:
    """A server that knows what its selectors cost, and sums them as one a step.

    Attributes:
        asked: Every query that came to `query_range`, in order.
    """

    def __init__(
        self,
        server: HTTPServer,
        per_probe: Mapping[str, int],
        *,
        births: float = 0,
        pods: float = 10,
        restarts: float = 0,
        scrapes: float = 20,
        series: float = 100,
    ) -> None:
        self.asked: list[str] = []
        self._per_probe = per_probe
        self._series, self._scrapes = series, scrapes
        self._begun = series - births
        self._resets = {"0": series - restarts, "1": restarts}
        self._pods = pods
        server.expect_request(QUERY).respond_with_data(ONE_POINT)
        server.expect_request(QUERY_RANGE).respond_with_handler(self._answer)

    def _answer(self, received: Received) -> Response:
        form = form_of(received)
        self.asked.append(form["query"])
        return Response(self._matrix(form), mimetype="application/json")

    def _matrix(self, form: Mapping[str, str]) -> bytes:
        query = form["query"]
        start, end, step = (float(form[name]) for name in ("start", "end", "step"))
        times = np.arange(start, end + step / 2, step).tolist()
        if found := re.findall(r'count_over_time\((\w+)\[.*?"(\d+)", ""', query):
            return matrix(
                *(one for name, place in found for one in self._census(name, place, times))
            )
        if "resets" in query:
            return matrix(
                *(({COUNTED: n}, [(end, str(many))]) for n, many in self._resets.items() if many)
            )
        if "offset" in query:
            return matrix(({}, [(end, str(self._begun))]))
        if "count by" in query:
            return matrix(({}, [(end, str(self._pods))]))
        return matrix(({}, [(t, "1") for t in times]))

    def _census(self, name: str, place: str, times: list[float]) -> Iterator[Counted]:
        """Have so many samples everywhere, of so many series, in the end scraped so often."""
        samples = self._per_probe[name]
        for each, some in ((samples / self._series, times[:-1]), (self._scrapes, times[-1:])):
            labels = {"request": place, COUNTED: str(each)}
            many = min(samples / each, self._series)
            yield labels, [(t, str(many)) for t in some]

    @property
    def sums(self) -> list[str]:
        return [query for query in self.asked if query.startswith("sum") and "resets" not in query]


def notes(answer: Answer | SourceError) -> str:
    assert isinstance(answer, Answer), answer
    return " ".join(answer.infos)


def test_what_can_be_afforded_is_read_raw(server: HTTPServer) -> None:
    priced = Priced(server, {"a": 10, "b": 10})
    requests = [counter("a"), counter("b")]

    answers = a_source(server).answer(requests)

    assert len(priced.asked) == 1
    assert not any(notes(answer) for answer in answers.values())


def test_the_cost_is_looked_at_in_three_places(server: HTTPServer) -> None:
    Priced(server, {"a": 10})

    a_source(server).answer([counter("a")])

    (form,) = (form for form in forms(server) if "start" in form)
    counted = f'count_values("{COUNTED}", count_over_time(a[299999ms]))'
    assert form["query"] == f'label_replace({counted}, "request", "0", "", "")'
    assert (float(form["start"]), float(form["end"])) == (END - 2400, END)
    assert float(form["step"]) == 1200


def test_the_dearest_group_is_summed_and_both_its_sides_with_it(server: HTTPServer) -> None:
    Priced(server, {"old": 1000, "new": 1, "small": 50})
    requests = [counter("old", group="m"), counter("new", group="m"), counter("small")]

    old, new, small = a_source(server, max_samples=5_000).answer(requests).values()

    assert "about 12,000 samples" in notes(old)
    assert "about 12 samples" in notes(new)
    assert not notes(small)


def test_sums_are_per_pod_as_long_as_that_can_be_afforded(server: HTTPServer) -> None:
    priced = Priced(server, {"a": 1000})

    a_source(server, max_samples=5_000, form=Form.EXACT).answer([counter("a")])
    a_source(server, max_samples=500, form=Form.EXACT).answer([counter("a")])

    assert priced.sums == ["sum by (pod) (increase(a[60000ms]))", "sum(increase(a[60000ms]))"]


def test_pods_that_cannot_be_counted_are_not_told_apart(server: HTTPServer) -> None:
    priced = Priced(server, {"a": 1000}, pods=0)

    a_source(server, max_samples=5_000, form=Form.EXACT).answer([counter("a")])

    assert priced.sums == ["sum(increase(a[60000ms]))"]


MATCHED = (
    "sum((last_over_time(a[60000ms]) - last_over_time(a[3600s] offset 60000ms)) >= 0 "
    "or last_over_time(a[60000ms]))"
)
WAYS: dict[str, tuple[dict[str, float], Form, str, str]] = {
    "few series are matched": ({"series": 2}, Form.EXTRAPOLATED, MATCHED, "are exact, but"),
    "a quiet fleet": ({}, Form.EXTRAPOLATED, "sum(delta(a[74999ms]))", "no counter began"),
    "a counter restarted": (
        {"restarts": 1},
        Form.EXTRAPOLATED,
        "sum(increase(a[74999ms]))",
        "is an estimate",
    ),
    "a counter began": (
        {"births": 1},
        Form.EXTRAPOLATED,
        "sum(increase(a[74999ms]))",
        "is an estimate",
    ),
    "scraped every minute": (
        {"scrapes": 5},
        Form.EXTRAPOLATED,
        "sum(delta(a[119999ms]))",
        "no counter began",
    ),
    "VictoriaMetrics": ({}, Form.EXACT, "sum(increase(a[60000ms]))", "are exact"),
}


@pytest.mark.parametrize(("facts", "form", "query", "words"), WAYS.values(), ids=WAYS)
def test_growth_is_asked_for_as_exactly_as_can_be_afforded(
    server: HTTPServer, facts: dict[str, float], form: Form, query: str, words: str
) -> None:
    priced = Priced(server, {"a": 1000}, **facts)

    answer = answer_to(a_source(server, max_samples=500, form=form), counter("a"))

    assert priced.sums[-1] == query
    assert words in notes(answer)


BUCKET = {
    "latency_bucket": 'latency_bucket{le="+Inf"}',
    'latency_bucket{hash="a}", pod=~"b.*",}': 'latency_bucket{hash="a}", pod=~"b.*", le="+Inf"}',
    '{__name__=~"latency_(bucket|sum)"}': '{__name__=~"latency_(bucket|sum)", le="+Inf"}',
    'latency_bucket{a="1" or b="2"}': 'latency_bucket{a="1" or b="2"}',
}


@pytest.mark.parametrize(("query", "bucket"), BUCKET.items(), ids=BUCKET)
def test_of_a_histogram_one_bucket_tells_of_restarts(query: str, bucket: str) -> None:
    request = replace(counter(query), kind=RequestKind.BUCKETS)

    asked = questions(request, Form.EXTRAPOLATED)

    assert asked["resets"].query == f'count_values("{COUNTED}", resets({bucket}[3600s]))'


def test_both_sides_are_asked_in_the_same_way(server: HTTPServer) -> None:
    priced = Priced(server, {"old": 1000, "new": 1}, series=1)
    requests = [counter("old", group="m"), counter("new", group="m")]

    # One series of 60 steps could be matched alone; both together are too many.
    a_source(server, max_samples=100).answer(requests)

    assert sorted(priced.sums) == ["sum(delta(new[74999ms]))", "sum(delta(old[74999ms]))"]


def test_sums_become_a_counter_that_grows_by_them(server: HTTPServer) -> None:
    Priced(server, {"a": 1000})

    answer = answer_to(a_source(server, max_samples=500, form=Form.EXACT), counter("a"))

    (series,) = answer.series
    assert series.times[0] == series.times[1] - STEP_S / 2
    assert (series.times[1:] % STEP_S == 0).all()
    assert series.values.tolist() == list(range(len(series.times)))


def test_after_a_gap_a_counter_begins_anew(server: HTTPServer) -> None:
    first = (T // STEP_S + 2) * STEP_S

    def answer(received: Received) -> Response:
        query = form_of(received)["query"]
        if query.startswith("label_replace"):
            return Response(matrix(({"request": "0", COUNTED: "20"}, [(END, "9999")])))
        if not query.startswith("sum"):
            return Response(matrix(({}, [(END, "0")])))
        points = [(first + STEP_S * n, "2") for n in (0, 1, 5, 6)]
        return Response(matrix(({}, points)))

    server.expect_request(QUERY_RANGE).respond_with_handler(answer)

    found = answer_to(a_source(server, max_samples=500, form=Form.EXACT), counter("a"))

    (series,) = found.series
    steps = ((series.times - first) / STEP_S).tolist()
    assert steps == [-0.5, 0, 1, 4.5, 5, 6]
    assert series.values.tolist() == [0, 2, 4, 0, 2, 4]


def test_a_selector_that_the_server_refuses_hides_no_other_cost(server: HTTPServer) -> None:
    refusal = json.dumps({"status": "error", "errorType": "bad_data", "error": "no such label"})
    asked: list[str] = []

    def answer(received: Received) -> Response:
        query = form_of(received)["query"]
        asked.append(query)
        if "bad" in query:
            return Response(refusal, status=400)
        return Response(matrix(({"request": "0", COUNTED: "20"}, [(END, "9999999")])))

    server.expect_request(QUERY_RANGE).respond_with_handler(answer)
    server.expect_request(QUERY).respond_with_handler(answer)

    answers = a_source(server).answer([counter("bad"), counter("good")])

    assert isinstance(answers[counter("bad")], SourceError)
    assert "the server summed them" in notes(answers[counter("good")])


def test_many_selectors_are_priced_in_queries_of_a_size_that_victoriametrics_takes(
    server: HTTPServer,
) -> None:
    names = [f"a_rather_long_name_of_a_counter_{n}_total" for n in range(300)]
    priced = Priced(server, dict.fromkeys(names, 1))

    a_source(server).answer([counter(name) for name in names])

    assert len(priced.asked) > 1
    assert max(map(len, priced.asked)) < 16_384


def test_a_server_that_fails_over_the_costs_is_asked_for_the_samples(server: HTTPServer) -> None:
    server.expect_request(QUERY_RANGE).respond_with_data("", status=500)
    server.expect_request(QUERY).respond_with_data(ONE_POINT)

    assert answer_to(a_source(server), counter("a")).series


def test_a_server_that_cannot_count_in_time_is_not_made_to_send(server: HTTPServer) -> None:
    timeout = {"status": "error", "errorType": "timeout", "error": "query timed out"}
    server.expect_request(QUERY_RANGE).respond_with_json(timeout, status=503)
    server.expect_request(QUERY).respond_with_data(ONE_POINT)

    error = failure_of(a_source(server), counter("a"))

    assert error.code == "timeout"
    assert [received.path for received, _ in server.log] == [QUERY_RANGE]


def test_a_server_that_is_down_is_asked_once() -> None:
    source = PrometheusSource(url="http://127.0.0.1:1", retries=0)

    assert failure_of(source, counter("a")).code == "unreachable"


def test_native_histograms_that_are_too_many_are_refused_with_a_remedy(
    server: HTTPServer,
) -> None:
    def answer(received: Received) -> Response:
        query = form_of(received)["query"]
        if query.startswith("label_replace"):
            return Response(matrix(({"request": "0", COUNTED: "20"}, [(END, "9999999")])))
        if not query.startswith("sum by"):
            return Response(matrix(({}, [(END, "1")])))
        histogram: dict[str, Any] = {"count": "1", "sum": "1", "buckets": [[0, "1", "2", "1"]]}
        result = [{"metric": {}, "histograms": [[END, histogram]]}]
        data = {"resultType": "matrix", "result": result}
        return Response(json.dumps({"status": "success", "data": data}))

    server.expect_request(QUERY_RANGE).respond_with_handler(answer)
    request = Request(
        kind=RequestKind.BUCKETS,
        query="latency",
        start=T,
        end=END,
        summing=Summing(step_s=STEP_S, group="latency"),
    )

    error = failure_of(a_source(server), request)

    assert "native histograms" in str(error)
