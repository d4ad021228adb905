"""A Canary of Flagger's: what it becomes, and what is said of what it does not become."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from ruamel.yaml import YAML

from analysis.config import CanaryConfig
from analysis.config.load import parse_config
from analysis.errors import ConfigError
from analysis.translate.flagger_queries import LAYERS
from analysis.translate.from_flagger import from_flagger
from analysis.translate.writing import Imported

RATE = {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "1m"}
DURATION = {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": "30s"}


def a_canary(
    *metrics: dict[str, Any], name: str = "podinfo", spec: dict[str, Any] | None = None, **over: Any
) -> dict[str, Any]:
    analysis = {"interval": "1m", "threshold": 5, "maxWeight": 50, "stepWeight": 5}
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": name, "namespace": "test"},
        "spec": {
            "provider": "istio",
            "targetRef": {"kind": "Deployment", "name": name},
            "analysis": analysis | {"metrics": list(metrics or [RATE])} | over,
        }
        | (spec or {}),
    }


def a_template(query: str, name: str = "own", **provider: Any) -> dict[str, Any]:
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "MetricTemplate",
        "metadata": {"name": name, "namespace": "test"},
        "spec": {"provider": {"type": "prometheus", "address": "http://p:9090"} | provider}
        | {"query": query},
    }


def a_check(template: str = "own", **over: Any) -> dict[str, Any]:
    check = {"name": "check", "templateRef": {"name": template}, "thresholdRange": {"max": 5}}
    return check | over


def imported(*documents: dict[str, Any], **options: Any) -> Imported:
    text = io.StringIO()
    YAML(typ="safe").dump_all(documents, text)
    return from_flagger(text.getvalue(), origin="podinfo.yaml", **options)


def config(*documents: dict[str, Any], **options: Any) -> CanaryConfig:
    return parse_config(imported(*documents, **options).text)


def test_the_success_rate_becomes_failures_among_requests() -> None:
    (metric,) = config(a_canary()).metrics

    assert metric.critical
    assert metric.counts is not None
    assert 'destination_workload="${workload}", response_code=~"5.*"' in metric.counts.events
    assert metric.judge.kind == "threshold"
    assert metric.judge.parameters == {"max": 0.01}


def test_the_duration_becomes_the_quantile_that_it_was() -> None:
    (metric,) = config(a_canary(DURATION)).metrics

    assert str(metric.query).startswith(
        "histogram_quantile(0.99, sum by (le) (rate(istio_request_duration_milliseconds_bucket{"
    )
    assert "[30s]" in str(metric.query)
    assert metric.judge.parameters == {"max": 500}


@pytest.mark.parametrize("provider", LAYERS)
def test_every_layer_that_is_known_makes_a_configuration(provider: str) -> None:
    found = config(a_canary(RATE, DURATION, spec={"provider": provider}))

    assert [metric.name for metric in found.metrics] == ["request-success-rate", "request-duration"]


def test_the_sides_are_the_primary_and_the_target() -> None:
    found = config(a_canary())

    assert found.side_variables("baseline") == {"namespace": "test", "workload": "podinfo-primary"}
    assert found.side_variables("canary") == {"namespace": "test", "workload": "podinfo"}


def test_a_template_gets_our_variables_where_flagger_puts_its_values() -> None:
    query = """\
100 - sum(
  rate(x{n="{{ namespace }}", w="{{target}}", s="{{ service }}", v="{{variables.d}}"}[{{interval}}])
) # of {{ name }}
"""
    check = a_check(templateVariables={"d": "inbound"}, interval="2m")

    (metric,) = config(a_canary(check), a_template(query)).metrics

    assert metric.query == (
        "100 - sum(\n"
        '  rate(x{n="${namespace}", w="${workload}", s="podinfo", v="inbound"}[2m])\n'
        ") # of ${name}"
    )


def test_a_template_that_compares_by_itself_keeps_its_target() -> None:
    query = 'a{w="{{ target }}"} / on() a{w="{{ target }}-primary"}'

    found = config(a_canary(a_check()), a_template(query))

    assert found.metrics[0].query == 'a{w="${target}"} / on() a{w="${target}-primary"}'
    assert found.side_variables("baseline")["target"] == "podinfo"


def test_the_deprecated_threshold_is_the_lower_bound_of_a_rate_and_else_the_upper() -> None:
    rate = {"name": "request-success-rate", "threshold": 95}
    own = {"name": "own", "query": "sum(x)", "threshold": 3}

    first, second = config(a_canary(rate, own)).metrics

    assert first.judge.parameters == {"max": 0.05}
    assert second.judge.parameters == {"max": 3}


PLANNED: dict[str, tuple[dict[str, Any], timedelta]] = {
    "steps up to a weight": ({"maxWeight": 50, "stepWeight": 10}, timedelta(minutes=5)),
    "a last step that is smaller": ({"maxWeight": 50, "stepWeight": 8}, timedelta(minutes=7)),
    "weights one by one": ({"stepWeights": [1, 2, 10, 80] * 2}, timedelta(minutes=8)),
    "iterations": ({"iterations": 30}, timedelta(minutes=30)),
    "too few to decide by": ({"iterations": 2}, timedelta(minutes=5)),
    "longer intervals": ({"iterations": 10, "interval": "2m"}, timedelta(minutes=20)),
}


@pytest.mark.parametrize(("analysis", "planned"), PLANNED.values(), ids=PLANNED)
def test_the_plan_is_as_long_as_flagger_would_take(
    analysis: dict[str, Any], planned: timedelta
) -> None:
    assert config(a_canary(**analysis)).window.planned == planned


def test_the_server_is_the_one_that_was_asked() -> None:
    own = config(a_canary(spec={"metricsServer": "http://own:9090"}))
    template = config(a_canary(a_check()), a_template("sum(x)"))

    assert own.source.prometheus.url == "http://own:9090"
    assert template.source.prometheus.url == "http://p:9090"


LEFT_OUT: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a template that is not there": (
        a_check("gone"),
        {},
        "its MetricTemplate test/gone is not in the file",
    ),
    "a store that is none of Prometheus": (
        a_check(),
        a_template("x", type="datadog"),
        "asks datadog, and only Prometheus",
    ),
    "a template with more than names": (
        a_check(),
        a_template("{{ if x }}"),
        "its template says {{ if x }}",
    ),
    "a check without bounds": (
        {"name": "check", "templateRef": {"name": "own"}},
        a_template("sum(x)"),
        "it has no thresholdRange",
    ),
}


@pytest.mark.parametrize(("check", "template", "message"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_left_out_is_told_with_its_line(
    check: dict[str, Any], template: dict[str, Any], message: str
) -> None:
    found = imported(a_canary(RATE, check), *([template] if template else []))

    (told,) = [note for note in found.notes if message in note.message]
    assert told.path == "spec.analysis.metrics[1]"
    assert told.line is not None
    assert "the metric check is left out" in found.text


STAYS: dict[str, tuple[dict[str, Any], str]] = {
    "webhooks": ({"webhooks": [{"name": "load"}]}, "the webhook load stays in the Canary"),
    "alerts": ({"alerts": [{"name": "a"}]}, "the alerts stay in the Canary"),
    "A/B": ({"match": [{}], "iterations": 10}, "A/B: the canary has the users that match"),
    "mirroring": ({"mirror": True, "iterations": 10}, "mirrored: both sides see the same"),
    "session affinity": ({"sessionAffinity": {"cookieName": "x"}}, "the canary's share grows"),
}


@pytest.mark.parametrize(("analysis", "message"), STAYS.values(), ids=STAYS)
def test_what_stays_with_flagger_is_told(analysis: dict[str, Any], message: str) -> None:
    found = imported(a_canary(**analysis))

    assert any(message in note.message for note in found.notes)


def test_credentials_are_never_carried_over_but_told() -> None:
    template = a_template("sum(x)", secretRef={"name": "key"}, insecureSkipVerify=True)

    found = imported(a_canary(a_check()), template)

    told = [note.message for note in found.notes]
    assert any("the secret key of its provider is left out" in text for text in told)
    assert any("insecureSkipVerify of its provider is left out" in text for text in told)


def test_a_list_as_kubectl_gives_it_is_read() -> None:
    listed = {"kind": "List", "items": [a_canary(a_check()), a_template("sum(x)")]}

    assert config(listed).name == "podinfo"


def test_one_of_several_is_chosen_by_name() -> None:
    both = a_canary(name="a"), a_canary(name="b")

    assert config(*both, name="b").name == "b"
    with pytest.raises(ConfigError, match="holds 2 Canaries; choose one by --name: a, b"):
        config(*both)
    with pytest.raises(ConfigError, match="holds no Canary 'c'; there are a, b"):
        config(*both, name="c")


CANARY = "kind: Canary\nmetadata: {name: x}\n"
REFUSED: dict[str, tuple[str, str]] = {
    "no YAML": ("a: [", "podinfo.yaml:1: is no YAML"),
    "no Canary": ("kind: Deployment", "holds no Canary of flagger.app"),
    "a Canary without a target": (
        CANARY + "spec: {analysis: {}}",
        "spec.targetRef: is missing",
    ),
    "no metrics": (
        CANARY + "spec: {targetRef: {name: x}, analysis: {}}",
        "has no metric that can be carried over",
    ),
    "an interval that is none": (
        CANARY + "spec: {provider: istio, targetRef: {name: x}, analysis: {interval: soon, "
        "metrics: [{name: request-success-rate, threshold: 99}]}}",
        "spec.analysis.interval: expected a duration",
    ),
    "a mesh that nobody named": (
        CANARY + "spec: {targetRef: {name: x}, analysis: {metrics: [{name: request-duration}]}}",
        r"give --provider istio\|linkerd",
    ),
    "a mesh that is not known": (
        CANARY + "spec: {provider: appmesh, targetRef: {name: x}, "
        "analysis: {metrics: [{name: request-duration}]}}",
        "those of appmesh tell the canary alone",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_canary_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_flagger(text, origin="podinfo.yaml")
