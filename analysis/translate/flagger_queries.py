"""What Flagger asks Prometheus, with our variables in it.

References:
    The built-in queries of each mesh: flagger/pkg/metrics/observers. The names that a template may
    use: flagger/pkg/apis/flagger/v1beta1/metric.go.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SUCCESS_RATE, DURATION = "request-success-rate", "request-duration"
# The target's name where a query puts the primary beside it, and so names no side.
TARGET = "target"
_REFERENCE = re.compile(r"\{\{-?\s*(?P<what>.*?)\s*-?\}\}", re.DOTALL)
_VARIABLE = re.compile(
    r"variables\.(?P<dotted>\w+)|index\s+variables\s+\"(?P<quoted>[^\"]+)\"|\(?variables\)?\.(?P<x>\w+)"
)


class NotCarriedOverError(Exception):
    """A metric cannot become one of ours; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The built-in metrics of one mesh or ingress.

    Attributes:
        requests: Name of the counter of requests.
        side: Matchers that select a side.
        failed: Matcher of the requests that failed.
        latency: Name of the histogram of latency, without `_bucket`.
        in_ms: The histogram's unit, milliseconds.
    """

    requests: str
    side: str
    failed: str
    latency: str
    in_ms: int


_PODS = 'kubernetes_pod_name=~"${workload}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"'
_HTTP = Layer(
    requests="http_request_duration_seconds_count",
    side=f'kubernetes_namespace="${{namespace}}", {_PODS}',
    failed='status=~"5.*"',
    latency="http_request_duration_seconds",
    in_ms=1000,
)
LAYERS: Mapping[str, Layer] = {
    "istio": Layer(
        requests="istio_requests_total",
        side=(
            'reporter="destination", destination_workload_namespace="${namespace}", '
            'destination_workload="${workload}"'
        ),
        failed='response_code=~"5.*"',
        latency="istio_request_duration_milliseconds",
        in_ms=1,
    ),
    "linkerd": Layer(
        requests="response_total",
        side='namespace="${namespace}", deployment="${workload}", direction="inbound"',
        failed='classification="failure"',
        latency="response_latency_ms",
        in_ms=1,
    ),
    "kubernetes": _HTTP,
    "gatewayapi": _HTTP,
}


def layer_of(provider: str | None) -> Layer:
    """Find the built-in metrics of a mesh.

    Raises:
        NotCarriedOverError: Nobody said which mesh, or its metrics are not known here.
    """
    if provider is None:
        raise NotCarriedOverError(
            "it is built in, and which query it is follows from Flagger's -mesh-provider; "
            f"give --provider {'|'.join(LAYERS)}"
        )
    family = provider.partition(":")[0]
    if family not in LAYERS:
        raise NotCarriedOverError(
            f"it is built in, and those of {provider} tell the canary alone, not the primary, or "
            f"are not known here ({', '.join(LAYERS)} are); write it by hand"
        )
    return LAYERS[family]


def success_rate(layer: Layer) -> dict[str, Any]:
    """Give failures among requests, as raw counters."""
    return {
        "events": f"{layer.requests}{{{layer.side}, {layer.failed}}}",
        "total": f"{layer.requests}{{{layer.side}}}",
    }


def duration(layer: Layer, interval: str) -> str:
    """Give the 99th percentile of the latency in milliseconds."""
    rate = f"rate({layer.latency}_bucket{{{layer.side}}}[{interval}])"
    factor = f" * {layer.in_ms}" if layer.in_ms != 1 else ""
    return f"histogram_quantile(0.99, sum by (le) ({rate})){factor}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a template's names stand for.

    Attributes:
        fixed: Values that are the same on both sides, by name: `service`, `ingress`, `route`.
        interval: Of the metric.
        variables: Of the metric, by name.
    """

    fixed: Mapping[str, str]
    interval: str
    variables: Mapping[str, str]


def filled(query: str, names: Names) -> str:
    """Put our variables where Flagger puts its values.

    Raises:
        NotCarriedOverError: The template says more than names.
    """
    # A query that names the primary compares both by itself; then the target is not a side.
    target = TARGET if "primary" in query else "workload"
    ours = {"namespace": "${namespace}", "name": "${name}", "target": f"${{{target}}}"}

    def value(match: re.Match[str]) -> str:
        what = match["what"].removesuffix("()")
        if what in ours:
            return ours[what]
        if what == "interval":
            return names.interval
        if what in names.fixed:
            return names.fixed[what]
        variable = _VARIABLE.fullmatch(what)
        name = variable and (variable["dotted"] or variable["quoted"] or variable["x"])
        if name and name in names.variables:
            return names.variables[name]
        raise NotCarriedOverError(f"its template says {{{{ {what} }}}}, which has no value here")

    return textwrap.dedent(_REFERENCE.sub(value, query)).strip()
