"""`serinus presets`: what a person who looks for a layer is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analysis.cli.presets import command
from analysis.config import parse_config
from analysis.errors import ConfigError
from analysis.presets import layers, load


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def document(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--format", "json").output)
    return found


def listed(*arguments: str) -> list[str]:
    return [one["layer"] for one in document("list", *arguments)["layers"]]


def test_every_layer_is_listed_on_a_line() -> None:
    lines = run("list").output.splitlines()

    assert [line.split()[0] for line in lines[:-2]] == list(layers())
    assert lines[-1].startswith("48 of 48 layers")


def test_what_is_retired_or_hardly_separable_says_so() -> None:
    text = run("list").output

    assert "AWS App Mesh [retired]" in text
    assert "Kong Gateway and its Ingress Controller [sides only partly separable]" in text


SEARCHED = {
    "a whole name": (("--metric", "istio_requests_total"), ["istio"]),
    "part of a name": (("--metric", "grpc_server_handled"), ["grpc-go"]),
    "a kind": (("--kind", "queue"), ["kafka-exporter", "kafka-lag-exporter", "otel-messaging"]),
    "a kind and a name": (("--kind", "queue", "--metric", "messaging_"), ["otel-messaging"]),
}


@pytest.mark.parametrize(("arguments", "expected"), SEARCHED.values(), ids=SEARCHED)
def test_layers_are_found_by(arguments: tuple[str, ...], expected: list[str]) -> None:
    assert listed(*arguments) == expected


def test_a_search_names_the_presets_that_read_the_metric() -> None:
    (found,) = document("list", "--metric", "istio_request_duration_milliseconds_sum")["layers"]

    assert found["metrics"] == ["latency_mean"]


NOT_FOUND = {
    "a misspelt metric": (("list", "--metric", "istio_request_total"), "'istio_requests_total'"),
    "a misspelt kind": (("list", "--kind", "ingres"), "did you mean 'ingress'?"),
    "a misspelt layer": (("show", "isto"), "did you mean 'istio'?"),
    "a misspelt separation": (
        ("show", "istio", "--separation", "fluger"),
        "did you mean 'flagger'?",
    ),
    "a layer written out without a separation": (
        ("show", "istio", "--yaml"),
        "choose a separation: flagger, argo-host",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_there_is_not_is_told_with_its_neighbor(
    arguments: tuple[str, ...], message: str
) -> None:
    error = run(*arguments).exception

    assert isinstance(error, ConfigError)
    assert message in str(error)


@pytest.mark.parametrize("layer", layers())
def test_a_layer_is_shown_with_everything_a_user_needs(layer: str) -> None:
    text, preset = run("show", layer).output, load(layer)

    assert preset.title in text
    for name in (*preset.separations, *preset.metrics):
        assert name in text
    assert all(pitfall in text for pitfall in preset.pitfalls)


def test_a_separation_shows_which_variables_differ_between_the_sides() -> None:
    text = run("show", "app-http", "--separation", "pod-name").output

    assert "${hash} (differs between the sides): " in text
    assert "${workload}: " in text
    assert "flagger" not in text.split("Metrics")[0]


def test_a_layer_for_programs_names_what_it_reads_and_needs() -> None:
    shown = document("show", "traefik")

    assert shown["schema"] == "v1"
    assert shown["metrics"]["error_ratio"]["reads"] == ["traefik_service_requests_total"]
    assert shown["separations"]["argo-crd"]["variables"] == ["namespace", "port", "service"]


@pytest.mark.parametrize("layer", layers())
def test_what_is_written_out_can_be_pasted_into_a_configuration(layer: str) -> None:
    preset = load(layer)
    for separation in preset.separations:
        text = run("show", layer, "--yaml", "--separation", separation).output
        names = [metric for metric, one in preset.metrics.items() if one.recommended]
        if not names:
            continue
        config = parse_config(f"name: shop\n{text}")
        assert [metric.name for metric in config.metrics] == [f"{layer}/{one}" for one in names]
