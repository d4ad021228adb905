"""What a configuration comes to that takes presets, and what it is told of those it cannot take."""

from __future__ import annotations

import textwrap
from typing import Any

import jsonschema
import pytest

from analysis.config import CanaryConfig, parse_config
from analysis.config.load import digest
from analysis.config.schema import json_schema
from analysis.errors import ConfigError


def loaded(text: str) -> CanaryConfig:
    return parse_config("name: shop\n" + textwrap.dedent(text))


def told(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    return str(caught.value).splitlines()


def names(text: str) -> list[str]:
    return [metric.name for metric in loaded(text).metrics]


RECOMMENDED = [
    "istio/error_ratio",
    "istio/client_error_ratio",
    "istio/no_healthy_upstream_ratio",
    "istio/latency_p95",
]
TAKEN = {
    "a layer gives its recommended metrics": (
        "presets: {layer: istio, separation: flagger}",
        RECOMMENDED,
    ),
    "some of them": (
        "presets: {layer: istio, separation: flagger, without: [latency_p95, client_error_ratio]}",
        ["istio/error_ratio", "istio/no_healthy_upstream_ratio"],
    ),
    "those asked for, recommended or not": (
        "presets: {layer: istio, separation: flagger, only: [latency_p99]}",
        ["istio/latency_p99"],
    ),
    "a layer that knows one way needs no more than its name": (
        "presets: haproxy-server",
        [
            *("haproxy-server/error_ratio", "haproxy-server/client_error_ratio"),
            "haproxy-server/latency_mean",
        ],
    ),
    "several layers": (
        "presets: [{layer: istio, separation: version, only: [error_ratio]}, haproxy-server]",
        [
            *("istio/error_ratio", "haproxy-server/error_ratio"),
            *("haproxy-server/client_error_ratio", "haproxy-server/latency_mean"),
        ],
    ),
    "a metric by itself": (
        "metrics: [{preset: istio/latency_p95, separation: flagger}]",
        ["istio/latency_p95"],
    ),
    "a name of one's own": (
        "metrics: [{preset: istio/latency_p95, separation: flagger, name: slow}]",
        ["slow"],
    ),
    "a metric written beside its layer is judged once": (
        """
        presets: {layer: istio, separation: flagger}
        metrics: [{preset: istio/latency_p95, name: slow}]
        """,
        ["slow", *RECOMMENDED[:3]],
    ),
}


@pytest.mark.parametrize(("text", "expected"), TAKEN.values(), ids=TAKEN)
def test_presets_become_metrics(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_what_differs_in_its_text_stands_in_the_metric_for_each_side() -> None:
    (metric,) = loaded("presets: {layer: istio, separation: flagger, only: [error_ratio]}").metrics

    (_, baseline), (_, canary) = metric.templates("baseline")[1], metric.templates("canary")[1]
    assert baseline == (
        'istio_requests_total{reporter="destination", '
        'destination_workload_namespace="${namespace}", destination_workload="${target}-primary"}'
    )
    assert canary == baseline.replace("-primary", "")
    assert metric.critical
    assert metric.group == "errors"


def test_what_differs_in_variables_alone_stands_once() -> None:
    text = "presets: {layer: linkerd, separation: argo-rollouts, only: [latency_p95]}"
    (metric,) = loaded(text).metrics

    assert metric.histogram == (
        'response_latency_ms_bucket{namespace="${namespace}", '
        'rollouts_pod_template_hash="${hash}", direction="inbound"}'
    )
    assert metric.pods == "pod"


def test_through_a_join_counters_are_judged_as_rates() -> None:
    text = "presets: {layer: app-http, separation: pod-owner, only: [error_ratio]}"
    (metric,) = loaded(text).metrics

    assert metric.counts is None
    assert "kube_pod_owner" in str(metric.query)
    assert metric.judge.kind == "mann_whitney"


OVERRIDES: dict[str, tuple[str, dict[str, Any]]] = {
    "a limit, and the other parameters stay": (
        "judge: {tolerance: 5%}",
        {"judge": {"kind": "quantile_ratio", "quantile": 0.95, "tolerance": "5%", "margin": "20%"}},
    ),
    "the same judge by name": (
        "judge: {kind: quantile_ratio, margin: 40%}",
        {
            "judge": {
                "kind": "quantile_ratio",
                "quantile": 0.95,
                "tolerance": "10%",
                "margin": "40%",
            }
        },
    ),
    "another judge, with its own defaults": (
        "judge: {kind: exceedance, edge: 250}",
        {"judge": {"kind": "exceedance", "edge": 250}},
    ),
    "its group": ("group: speed", {"group": "speed"}),
    "whether it is critical": ("critical: true", {"critical": True}),
    "whether it has a say": ("muted: true", {"muted": True}),
    "the pods' label": ("pods: kubernetes_pod_name", {"pods": "kubernetes_pod_name"}),
    "another kind of input brings its own judge": (
        'query: latency{v="${v}"}',
        {"query": 'latency{v="${v}"}', "histogram": None, "judge": {"kind": "mann_whitney"}},
    ),
}


@pytest.mark.parametrize(("change", "expected"), OVERRIDES.values(), ids=OVERRIDES)
def test_every_field_of_a_preset_can_be_changed(change: str, expected: dict[str, Any]) -> None:
    text = f"metrics:\n- preset: app-http/latency_p95\n  separation: pod-name\n  {change}\n"
    text += "- {name: beside, query: 'a{v=\"${v}\"}'}\n"

    written = loaded(text).metrics[0].model_dump()

    assert {key: written[key] for key in expected} == expected


def test_one_counter_of_two_can_be_changed() -> None:
    text = """
    metrics:
    - preset: istio/error_ratio
      separation: flagger
      counts: {events: 'istio_requests_total{v="${v}", response_code="503"}'}
    """
    counts = loaded(text).metrics[0].counts

    assert counts is not None
    assert counts.events == 'istio_requests_total{v="${v}", response_code="503"}'
    assert "reporter" in str(counts.total)


FAULTS = {
    "a misspelt layer": (
        "presets: {layer: isto}",
        "2: presets.layer: there is no preset 'isto'; did you mean 'istio'?",
    ),
    "a layer without a separation": (
        "presets: istio",
        "2: presets.separation: istio can tell the sides apart in 4 ways; choose a separation: fla",
    ),
    "a misspelt separation": (
        "presets: [{layer: istio, separation: fluger}]",
        "2: presets[0].separation: istio has no separation 'fluger'; did you mean 'flagger'?",
    ),
    "a controller that the layer does not serve": (
        "presets: {layer: flag-flagd, separation: flagger}",
        "2: presets.separation: flag-flagd has no separation 'flagger'; known are variant",
    ),
    "a misspelt metric of a layer": (
        "presets: {layer: haproxy-server, only: [eror_ratio]}",
        "2: presets.only[0]: haproxy-server has no metric 'eror_ratio'; did you mean 'error_",
    ),
    "a misspelt key": (
        "presets: {layer: haproxy-server, onyl: []}",
        "2: presets.onyl: is no key here; did you mean 'only'?",
    ),
    "a layer that stands twice": (
        "presets: [haproxy-server, haproxy-server]",
        "2: presets[1].layer: haproxy-server stands twice; name each layer once",
    ),
    "something that is no layer": (
        "presets: 5",
        "2: presets: must be a layer's name, or {layer, separation, only, without}",
    ),
    "names that are no list": (
        "presets: {layer: haproxy-server, only: error_ratio}",
        "2: presets.only: must be a list of metrics, with a dash before each",
    ),
    "nothing left": (
        "presets: {layer: haproxy-server, only: [error_ratio], without: [error_ratio]}",
        "2: presets: leaves no metric; name one, or take less away",
    ),
    "a misspelt preset of a metric": (
        "metrics: [{preset: istio/eror_ratio}]",
        "2: metrics[0].preset: istio has no metric 'eror_ratio'; did you mean 'error_ratio'?",
    ),
    "a preset that names no metric": (
        "metrics: [{preset: istio}]",
        "2: metrics[0].preset: must be layer/metric, got 'istio'",
    ),
    "a separation of a metric without a preset": (
        "metrics: [{name: a, query: 'a{v=\"${v}\"}', separation: flagger}]",
        "2: metrics[0]: separation says how a preset tells the sides apart; name its preset",
    ),
    "an override that cannot be": (
        "metrics: [{preset: haproxy-server/error_ratio, judge: {tolernace: 5%}}]",
        "2: metrics[0].judge.tolernace: error_ratio has no parameter 'tolernace'; did you mean ",
    ),
    "a query of one side alone": (
        "metrics: [{name: a, query: {baseline: 'a{v=\"1\"}'}}]",
        "2: metrics[0].query.canary: is missing",
    ),
}


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=FAULTS)
def test_a_preset_that_cannot_be_taken_is_told_with_its_line(text: str, message: str) -> None:
    (line,) = told(text)

    assert line.startswith(message)


def test_all_faults_are_told_at_once_whether_of_presets_or_not() -> None:
    lines = told(
        """
        riks: {}
        presets: {layer: isto}
        metrics:
        - preset: traefik/error_rate
        - {name: a, querry: b}
        """
    )

    assert [line.split(": ")[1] for line in lines] == [
        *("riks", "presets.layer", "metrics[0].preset", "metrics[1].querry"),
    ]


def test_what_is_digested_is_what_presets_came_to() -> None:
    by_preset = "presets: {layer: linkerd, separation: argo, only: [latency_p95]}"
    in_full = """
    metrics:
    - name: linkerd/latency_p95
      group: latency
      histogram: >-
        response_latency_ms_bucket{namespace="${namespace}",
        rollouts_pod_template_hash="${hash}", direction="inbound"}
      pods: pod
      judge: {kind: quantile_ratio, quantile: 0.95, tolerance: 10%, margin: 20%}
    """

    assert digest(loaded(by_preset)) == digest(loaded(in_full))


ACCEPTED: dict[str, dict[str, Any]] = {
    "a layer by name": {"presets": "haproxy-server"},
    "layers": {"presets": ["haproxy-server", {"layer": "istio", "separation": "flagger"}]},
    "a metric's limits": {
        "metrics": [{"preset": "istio/latency_p95", "judge": {"tolerance": "5%"}}]
    },
    "a query for each side": {
        "metrics": [{"name": "a", "query": {"baseline": "a{v='1'}", "canary": "a{v='2'}"}}]
    },
}
REFUSED: dict[str, dict[str, Any]] = {
    "a misspelt layer": {"presets": "haproxy-sever"},
    "a misspelt metric": {"metrics": [{"preset": "istio/latency"}]},
    "neither presets nor metrics": {},
    "a metric with neither name nor preset": {"metrics": [{"query": "a"}]},
    "a judge without a kind where no preset has one": {
        "metrics": [{"name": "a", "query": "a", "judge": {"tolerance": "5%"}}]
    },
}


@pytest.mark.parametrize("document", ACCEPTED.values(), ids=ACCEPTED)
def test_the_schema_knows_presets(document: dict[str, Any]) -> None:
    jsonschema.validate({"name": "shop", **document}, json_schema())


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED)
def test_the_schema_refuses_what_the_loader_refuses(document: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"name": "shop", **document}, json_schema())
