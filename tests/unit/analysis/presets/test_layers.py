"""Every layer's file says what it must, and every query of it is PromQL."""

from __future__ import annotations

from collections.abc import Iterator

import promql_parser
import pytest

from analysis.config.judging import JudgeSettings, misfit
from analysis.presets import Preset, layers, load
from analysis.presets.catalogue import descriptions, metric_names
from analysis.presets.expand import metric_of
from analysis.query import references, render

# Sets that every traffic layer of this project's mission must be among.
NAMED = {
    *("aws-alb-cloudwatch-exporter", "aws-alb-yace", "aws-nlb"),
    *("gke-lb-gmp", "gke-lb-stackdriver-exporter", "ingress-nginx", "emissary", "istio"),
    *("traefik", "haproxy", "haproxy-server", "k8s-resources", "grpc-go", "otel-http", "otel-rpc"),
}
WINDOW = {"interval", "planned"}
PLACEHOLDERS = {"interval": "5m", "planned": "30m", "cw_delay": "10m", "period_s": "60"}


WAYS = [(layer, separation) for layer in layers() for separation in load(layer).separations]


def test_every_layer_of_the_catalog_is_there() -> None:
    assert len(layers()) == 48
    assert set(layers()) >= NAMED


@pytest.mark.parametrize("layer", layers())
def test_a_layer_says_whence_it_knows_and_what_can_go_wrong(layer: str) -> None:
    preset = load(layer)

    assert preset.title
    assert preset.prerequisites
    assert preset.pitfalls
    assert preset.sources
    assert all(way.source for way in preset.separations.values())


@pytest.mark.parametrize("layer", layers())
def test_a_layer_recommends_something_but_no_guard(layer: str) -> None:
    recommended = [one for one in load(layer).metrics.values() if one.recommended]

    assert all(one.criticality != "guard" for one in recommended)
    # Who was served which variant says nothing of how well.
    assert recommended or layer == "flag-openfeature-hook"


@pytest.mark.parametrize("layer", layers())
def test_every_template_is_of_a_side_and_reads_a_metric(layer: str) -> None:
    for metric in load(layer).metrics.values():
        assert all("${side}" in template for template in metric.templates())
        assert list(metric_names(metric))


@pytest.mark.parametrize("layer", layers())
def test_every_variable_is_explained(layer: str) -> None:
    assert variables_of(load(layer)) - WINDOW <= descriptions().keys()


def variables_of(preset: Preset) -> set[str]:
    templates = (one for metric in preset.metrics.values() for one in metric.templates())
    own = set[str]().union(*(references(template) for template in templates))
    return own.union(*(way.variables() for way in preset.separations.values())) - {"side", "join"}


@pytest.mark.parametrize(("layer", "separation"), WAYS)
def test_what_a_preset_comes_to_is_promql_for_both_sides(layer: str, separation: str) -> None:
    preset = load(layer)
    values = dict.fromkeys(variables_of(preset), "x") | PLACEHOLDERS

    for name in preset.metrics:
        for query in queries_of(metric_of(preset, name, separation)):
            promql_parser.parse(render(query, values))


def queries_of(metric: dict[str, object]) -> Iterator[str]:
    waiting: list[object] = [
        metric[key] for key in ("query", "counts", "sums", "histogram") if key in metric
    ]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        else:
            yield str(one)


@pytest.mark.parametrize(("layer", "separation"), WAYS)
def test_every_judge_can_read_its_input(layer: str, separation: str) -> None:
    preset = load(layer)

    for name in preset.metrics:
        metric = metric_of(preset, name, separation)
        (key,) = {"query", "counts", "sums", "histogram"} & metric.keys()
        judge = JudgeSettings(**metric["judge"])
        assert judge.create().kind == judge.kind
        assert misfit(judge.kind, key) is None


@pytest.mark.parametrize(("layer", "separation"), WAYS)
def test_both_sides_never_ask_the_same(layer: str, separation: str) -> None:
    way = load(layer).separations[separation]
    told_apart_by_text = way.filled("${side}${join}", "baseline") != way.filled(
        "${side}${join}", "canary"
    )

    assert told_apart_by_text or way.differ
    assert set(way.differ) <= way.required()


# Counters of these layers are gauges to Prometheus, or exist as averages alone.
WITHOUT_COUNTERS = {
    *("aws-alb-cloudwatch-exporter", "aws-alb-yace", "aws-nlb", "k8s-resources"),
    *("kafka-exporter", "kafka-lag-exporter", "flag-openfeature-hook"),
    *("runtime-go", "runtime-jvm", "runtime-node", "runtime-python"),
}


@pytest.mark.parametrize("layer", sorted(set(layers()) - WITHOUT_COUNTERS))
def test_counters_and_histograms_are_raw_wherever_no_join_forbids_it(layer: str) -> None:
    preset = load(layer)
    raw = [name for name, way in preset.separations.items() if way.join is None]

    for separation in raw:
        found = [metric_of(preset, name, separation) for name in preset.metrics]
        assert any("counts" in metric for metric in found)
        for metric in found:
            assert "histogram_quantile" not in str(metric.get("query"))
    assert raw or layer == "apisix"
