"""A service, instrumented with one of three real libraries; a part of its answers fails.

python -m tests.support.traffic.service opentelemetry --address 127.0.0.1:8080 --version bad
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import Histogram, generate_latest

from tests.support.traffic.layer import FAILING, SHARES

# Mostly waiting, as for a database: a request then costs little of a busy machine.
LEAST_S, MEAN_EXTRA_S = 0.004, 0.003

Count = Callable[[str, int, float], None]
"""Counts one answer: the version that gave it, its status, its seconds."""
Version = Callable[[], str]
"""Tells which version answers the next request."""


def prometheus_client() -> Count:
    """Count as the official client's users do."""
    histogram = Histogram("http_request_duration_seconds", "Time to answer.", ("method", "status"))

    def observe(_: str, status: int, seconds: float) -> None:
        histogram.labels("GET", str(status)).observe(seconds)

    return observe


def opentelemetry(service_version: str) -> Count:
    """Count by OpenTelemetry's semantic conventions; the variant is a label of ours."""
    resource = Resource.create({"service.name": "checkout", "service.version": service_version})
    provider = MeterProvider(metric_readers=[PrometheusMetricReader()], resource=resource)
    histogram = provider.get_meter("checkout").create_histogram(
        "http.server.request.duration",
        unit="s",
        explicit_bucket_boundaries_advisory=[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0],
    )

    def observe(version: str, status: int, seconds: float) -> None:
        labels: dict[str, str | int] = {"http.request.method": "GET"}
        labels["http.response.status_code"] = status
        if version != service_version:
            labels["feature_flag.result.variant"] = version
        histogram.record(seconds, labels)

    return observe


def flag() -> Version:
    """Let a feature flag choose for every visitor, through OpenFeature's SDK."""
    draw = random.Random(3)
    buckets = [version for version, share in SHARES.items() for _ in range(share)]

    def target(
        checkout: InMemoryFlag[str], context: EvaluationContext
    ) -> FlagResolutionDetails[str]:
        variant = random.Random(context.targeting_key).choice(buckets)
        value = checkout.variants[variant]
        return FlagResolutionDetails(value=value, variant=variant, reason=Reason.SPLIT)

    variants = {version: version for version in SHARES}
    checkout = InMemoryFlag("stable", variants, context_evaluator=target)
    api.set_provider(InMemoryProvider({"checkout": checkout}))
    client = api.get_client()

    def version() -> str:
        visitor = EvaluationContext(targeting_key=f"visitor-{draw.getrandbits(64)}")
        return client.get_string_value("checkout", "stable", visitor)

    return version


def serve(address: str, version: Version, observe: Count) -> None:
    """Answer until the process is ended."""
    draw, lock = random.Random(1), threading.Lock()

    def answer() -> int:
        began = time.monotonic()
        with lock:
            chosen, extra_s, luck = version(), draw.expovariate(1 / MEAN_EXTRA_S), draw.random()
        time.sleep(LEAST_S + extra_s)
        status = 500 if luck < FAILING[chosen] else 200
        observe(chosen, status, time.monotonic() - began)
        return status

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            is_scrape = self.path == "/metrics"
            body = generate_latest() if is_scrape else b"tea\n"
            self.send_response(200 if is_scrape else answer())
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    host, port = address.split(":")
    ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("instruments", choices=("prometheus_client", "opentelemetry", "flag"))
    parser.add_argument("--address", required=True)
    parser.add_argument("--version", default="flag")
    arguments = parser.parse_args()
    if arguments.instruments == "prometheus_client":
        observe = prometheus_client()
    else:
        observe = opentelemetry(arguments.version)
    fixed = arguments.version
    version = flag() if arguments.instruments == "flag" else lambda: fixed
    serve(arguments.address, version, observe)


if __name__ == "__main__":
    main()
