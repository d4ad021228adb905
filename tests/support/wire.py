"""Prometheus answers over a real loopback socket, and what tests ask for through it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from analysis.errors import SourceError
from analysis.sources.port import Answer, MetricSource, Request, RequestKind
from analysis.sources.prometheus import PrometheusSource

FIXTURES = Path(__file__).parents[2] / "fixtures" / "prometheus"
T = 1_700_000_000  # the time the fixtures were recorded for

QUERY = "/api/v1/query"
QUERY_RANGE = "/api/v1/query_range"


def recorded(name: str) -> bytes:
    """Read an answer that a real Prometheus 2.42 gave."""
    return (FIXTURES / "recorded-2.42" / name).read_bytes()


def handwritten(name: str) -> bytes:
    """Read an answer made up from a documented format."""
    return (FIXTURES / "handwritten" / name).read_bytes()


def matrix(*series: tuple[Mapping[str, str], Sequence[tuple[float, str]]]) -> bytes:
    """Word an answer as Prometheus does."""
    result = [{"metric": dict(labels), "values": list(values)} for labels, values in series]
    data = {"resultType": "matrix", "result": result}
    return json.dumps({"status": "success", "data": data}).encode()


def broken_off(body: bytes) -> Response:
    """Promise twice as much as is sent."""
    return Response(iter([body]), headers={"Content-Length": str(2 * len(body))})


def a_source(server: HTTPServer, **settings: Any) -> PrometheusSource:
    """Point a source at `server`; it does not dawdle between retries."""
    return PrometheusSource(**{"url": server.url_for(""), "backoff_s": 0.001, **settings})


def samples(query: str = "requests_total", *, start: float = T, end: float = T + 120) -> Request:
    """Ask for samples as they were scraped."""
    return Request(kind=RequestKind.SAMPLES, query=query, start=start, end=end)


def some_buckets(query: str = "latency_bucket", *, start: float = T, end: float = T) -> Request:
    """Ask for the buckets of histograms as they were scraped."""
    return Request(kind=RequestKind.BUCKETS, query=query, start=start, end=end)


def a_range(
    query: str = "up", *, start: float = T, end: float = T + 60, step_s: float = 15
) -> Request:
    """Ask for an expression at every step."""
    return Request(kind=RequestKind.RANGE, query=query, start=start, end=end, step_s=step_s)


def answer_to(source: MetricSource, request: Request) -> Answer:
    """Ask one question that is answered."""
    outcome = source.answer([request])[request]
    assert isinstance(outcome, Answer), outcome
    return outcome


def failure_of(source: MetricSource, request: Request) -> SourceError:
    """Ask one question that is not answered, whether its fault is said of it or of all."""
    try:
        outcome = source.answer([request])[request]
    except SourceError as error:
        return error
    assert isinstance(outcome, SourceError), outcome
    return outcome


def table(answer: Answer) -> dict[str, list[tuple[float, float]]]:
    """Lay an answer out as points by pod."""
    return {
        series.labels.get("pod", ""): list(
            zip(series.times.tolist(), series.values.tolist(), strict=True)
        )
        for series in answer.series
    }


def by_edge(answer: Answer) -> dict[str, list[float]]:
    """Lay a histogram out as values by edge; its sum has none."""
    return {one.labels.get("le", "sum"): one.values.tolist() for one in answer.series}


def form_of(received: Received) -> dict[str, str]:
    """Read the form in the body of a request that arrived."""
    body = received.get_data(as_text=True)
    return {name: values[-1] for name, values in parse_qs(body).items()}


def forms(server: HTTPServer) -> list[dict[str, str]]:
    """Read the forms of all requests that arrived, in order."""
    return [form_of(received) for received, _ in server.log]


def query_threads() -> list[threading.Thread]:
    """Find the threads in which sources ask."""
    return [thread for thread in threading.enumerate() if thread.name == "prometheus-query"]
