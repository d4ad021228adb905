"""Traces: a call, the look that it waits for, the queries of that look; and where they are sent."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_httpserver import HTTPServer

from analysis.service.tracing import Tracing, exporting, is_wanted, tracing
from tests.support.builders import a_document, a_metric
from tests.support.service import Client, serving
from tests.support.wire import QUERY_RANGE, T, a_source, matrix

MINUTES, ENDS_WITHIN_S = 30, 30.0
END = T + 60 * MINUTES
SIDES = {"baseline": {"hash": "a"}, "canary": {"hash": "b"}}


@pytest.fixture
def prometheus(httpserver: HTTPServer) -> HTTPServer:
    points = [(T + 15 * n, str(10 + n % 3)) for n in range(4 * MINUTES + 1)]
    answer = matrix(({"pod": "p"}, points))
    httpserver.expect_request(QUERY_RANGE).respond_with_data(answer)
    return httpserver


@contextmanager
def served(folder: Path, prometheus: HTTPServer, traces: Tracing | None) -> Iterator[Client]:
    configs = folder / "configs"
    configs.mkdir(exist_ok=True)
    metric = a_metric(query='mem{hash="${hash}"}')
    (configs / "shop.yaml").write_text(json.dumps({**a_document(metric), "variables": {}}))
    with serving(
        configs,
        connect=lambda _: a_source(prometheus, retries=0),
        clock=lambda: END + 60.0,
        traces=traces,
    ) as client:
        yield client


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def client(tmp_path: Path, prometheus: HTTPServer, spans: InMemorySpanExporter) -> Iterator[Client]:
    with served(tmp_path, prometheus, tracing(SimpleSpanProcessor(spans))) as client:
        yield client


def judge(client: Client, **further: str) -> str:
    told = client.call(
        "PUT",
        "/v1/analyses/secret-key",
        json={"config": "shop", "start": T, "end": END, **SIDES},
        headers=further,
    )
    assert told.status == 200, told.text
    return str(told.json["id"])


CALL = "PUT /v1/analyses/{key}"


def finished(spans: InMemorySpanExporter) -> tuple[ReadableSpan, ...]:
    """Wait for the span of the call, which ends after its answer, and give all."""
    limit = time.monotonic() + ENDS_WITHIN_S
    while CALL not in {one.name for one in spans.get_finished_spans()}:
        assert time.monotonic() < limit, "the call had no span"
    return spans.get_finished_spans()


def named(spans: InMemorySpanExporter) -> dict[str, list[ReadableSpan]]:
    found: dict[str, list[ReadableSpan]] = {}
    for span in finished(spans):
        found.setdefault(span.name, []).append(span)
    return found


def parent_of(span: ReadableSpan) -> int:
    assert span.parent is not None, span.name
    return span.parent.span_id


def test_a_call_holds_the_look_it_waits_for_and_that_its_queries(
    client: Client, spans: InMemorySpanExporter
) -> None:
    analysis = judge(client)

    found = named(spans)
    (call,), (look,), queries = found[CALL], found["look"], found["query"]
    assert parent_of(look) == call.context.span_id
    assert {parent_of(query) for query in queries} == {look.context.span_id}
    assert {str((query.attributes or {})["db.query.text"]) for query in queries} == {
        'mem{hash="a"}', 'mem{hash="b"}'
    }  # fmt: skip
    told = look.attributes or {}
    assert (told["serinus.analysis"], told["serinus.config"]) == (analysis, "shop")
    assert (call.attributes or {})["http.response.status_code"] == 200
    assert "secret-key" not in str(call.attributes)  # of the path the route alone is told


def test_a_trace_of_the_caller_goes_on(client: Client, spans: InMemorySpanExporter) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    judge(client, traceparent=f"00-{trace}-00f067aa0ba902b7-01")

    assert {f"{one.context.trace_id:032x}" for one in finished(spans)} == {trace}


def test_probes_are_no_calls(client: Client, spans: InMemorySpanExporter) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        client.get(path)

    assert spans.get_finished_spans() == ()


def test_a_query_that_fails_says_so_by_its_code_alone(
    tmp_path: Path, httpserver: HTTPServer, spans: InMemorySpanExporter
) -> None:
    httpserver.expect_request(QUERY_RANGE).respond_with_data("hunter2", status=503)
    with served(tmp_path, httpserver, tracing(SimpleSpanProcessor(spans))) as client:
        judge(client)

    failed = named(spans)["query"]
    assert failed
    assert {(one.attributes or {}).get("error.type") for one in failed} == {"unavailable"}
    assert "hunter2" not in "".join(one.to_json() for one in spans.get_finished_spans())


def test_a_collector_is_sent_the_spans(tmp_path: Path, prometheus: HTTPServer) -> None:
    with HTTPServer(host="127.0.0.1", port=0) as collector:
        collector.expect_request("/v1/traces", method="POST").respond_with_data(b"")
        with served(tmp_path, prometheus, exporting(collector.url_for(""))) as client:
            judge(client)
        bodies = [request.get_data() for request, _ in collector.log]

    sent = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    resources = [one for request in sent for one in request.resource_spans]
    names = {s.name for one in resources for scope in one.scope_spans for s in scope.spans}
    assert {"PUT /v1/analyses/{key}", "look", "query"} <= names
    services = {a.value.string_value for one in resources for a in one.resource.attributes}
    assert "serinus" in services


@pytest.mark.filterwarnings("ignore")  # the exporter's own, about a collector that is not there
def test_a_collector_that_is_down_costs_a_caller_nothing(
    tmp_path: Path, prometheus: HTTPServer
) -> None:
    with served(tmp_path, prometheus, exporting("http://127.0.0.1:1")) as client:
        assert judge(client)


WANTED = {
    "the endpoint": ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
    "that of traces": ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
    "nothing": ({}, False),
    "an empty one": ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
    "one that is switched off": (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"}, False
    ),
}  # fmt: skip


@pytest.mark.parametrize(("environment", "wanted"), WANTED.values(), ids=WANTED)
def test_opentelemetrys_own_variables_switch_traces_on(
    environment: dict[str, str], wanted: bool
) -> None:
    assert is_wanted(environment) is wanted
