"""Traces in OpenTelemetry's form: each call, each look it waits for, each query of that look.

Nothing of OpenTelemetry is imported before `exporting`: it is an extra, and off by default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from analysis.errors import ConfigError, SourceError
from analysis.service.rates import NEVER_REFUSED
from analysis.sources.port import Request
from analysis.sources.watching import Tell, Watch, watching
from analysis.store import Look, Record

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.trace import Span, Tracer

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_ENDPOINT_OF_TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_DISABLED = "OTEL_SDK_DISABLED"
# A query longer than this is a page of PromQL that its configuration shows anyway.
_LONGEST_QUERY = 2048
Looking = Callable[[Record, float], Look]


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Tell whether OpenTelemetry's own variables say where traces go."""
    if environment.get(_DISABLED, "").lower() == "true":
        return False
    return bool(environment.get(ENDPOINT) or environment.get(_ENDPOINT_OF_TRACES))


def exporting(endpoint: str = "") -> Tracing:
    """Send traces to a collector, in batches and from a thread of their own.

    Args:
        endpoint: Its address, such as http://collector:4318; empty: as OpenTelemetry's own
            variables say.

    Raises:
        ConfigError: The extra `otel` is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed; pip install 'serinus[otel]'"
        raise ConfigError(message, origin="--traces") from error
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces" if endpoint else None)
    return tracing(BatchSpanProcessor(exporter))


def tracing(processor: SpanProcessor) -> Tracing:
    """Trace into a processor of spans."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    resource = Resource.create({"service.name": "serinus", "service.version": version("serinus")})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return Tracing(provider=provider, tracer=provider.get_tracer("serinus"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """Makes spans.

    Attributes:
        provider: Where they end up.
        tracer: Begins them.
    """

    provider: TracerProvider
    tracer: Tracer

    def looks(self, look: Looking) -> Looking:
        """Let each look be a span, below that of the call that waits for it."""

        def traced(record: Record, now: float) -> Look:
            told = {
                "serinus.analysis": record.id,
                "serinus.key": record.key,
                "serinus.config": record.config,
                "serinus.namespace": record.namespace,
            }
            with (
                self.tracer.start_as_current_span("look", attributes=told) as span,
                watching(self._watch()),
            ):
                made = look(record, now)
                span.set_attribute("serinus.result", made.verdict or "running")
                return made

        return traced

    def _watch(self) -> Watch:
        """Watch queries from whatever thread, as parts of the span that is open now."""
        from opentelemetry import context
        from opentelemetry.trace import SpanKind, StatusCode

        parent = context.get_current()

        @contextmanager
        def watch(request: Request) -> Iterator[Tell]:
            told = {
                "db.system.name": "prometheus",
                "db.query.text": request.query[:_LONGEST_QUERY],
                "serinus.kind": request.kind.value,
            }
            with self.tracer.start_as_current_span(
                "query",
                context=parent,
                kind=SpanKind.CLIENT,
                attributes=told,
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                try:
                    yield lambda answer: span.set_attribute("serinus.series", len(answer.series))
                except SourceError as error:
                    # By its code alone: what a server says may hold what is nobody's business.
                    span.set_attribute("error.type", error.code)
                    span.set_status(StatusCode.ERROR)
                    raise

        return watch

    def close(self) -> None:
        """Send what is left."""
        self.provider.shutdown()


@dataclass(frozen=True, slots=True)
class TraceCalls:
    """Middleware that makes a span of each call; probes and scrapes are left out.

    Attributes:
        app: What it stands before.
        tracing: Makes spans.
    """

    app: ASGIApp
    tracing: Tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on within a span, below that of a caller that has one."""
        if scope["type"] != "http" or scope["path"] in NEVER_REFUSED:
            await self.app(scope, receive, send)
            return
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        method = scope["method"]
        parent = TraceContextTextMapPropagator().extract(dict(Headers(scope=scope)))
        with self.tracing.tracer.start_as_current_span(
            method, context=parent, kind=SpanKind.SERVER, attributes={_METHOD: method}
        ) as span:

            async def seen(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _name(span, scope, message["status"])
                await send(message)

            await self.app(scope, receive, seen)


_METHOD = "http.request.method"


def _name(span: Span, scope: Scope, status: int) -> None:
    """Name a call by its route, as OpenTelemetry wants it: with no word of the caller's."""
    from opentelemetry.trace import StatusCode

    span.set_attribute("http.response.status_code", status)
    if (route := scope.get("route")) is not None:
        span.update_name(f"{scope['method']} {route.path}")
        span.set_attribute("http.route", route.path)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
