"""What the doctor says of a real server, setup by setup; only the times it took are made up."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text

from analysis.config import CanaryConfig, parse_config
from analysis.consumers.check_json import to_json
from analysis.consumers.check_text import print_diagnosis
from analysis.diagnosis import Diagnosis, diagnose
from analysis.sources.prometheus import PrometheusSource
from analysis.window import Window
from tests.golden.conftest import Compare
from tests.support.command import strict_json
from tests.support.diagnoses import MINUTES, SETUPS, START_S, openmetrics
from tests.support.prometheus import RealPrometheus

URL, TOOK_S = "http://prometheus:9090", 0.012
WIDE = 120

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def source(requires_prometheus: object) -> Iterator[PrometheusSource]:
    with RealPrometheus(openmetrics=openmetrics()) as prometheus:
        yield PrometheusSource(url=prometheus.url)


def diagnosed(source: PrometheusSource, config: CanaryConfig) -> Diagnosis:
    """Diagnose as the command does; port, times and versions are those of no run."""
    window = Window(start=START_S, end=START_S + 60 * MINUTES, warmup_s=120, step_s=30)
    found = diagnose(config, source, window, {}, labels={"": source})
    metrics = tuple(
        replace(
            metric,
            queries=tuple(
                replace(
                    query,
                    seconds=None if query.seconds is None else TOOK_S,
                    error=query.error and query.error.replace(source.url, URL),
                )
                for query in metric.queries
            ),
        )
        for metric in found.metrics
    )
    description = found.source.replace(source.url, URL)
    provenance = replace(
        found.provenance,
        version="1.2.3",
        libraries=dict.fromkeys(found.provenance.libraries, "1.2.3"),
        config_digest="0123456789abcdef" * 4,
    )
    return replace(found, source=description, metrics=metrics, provenance=provenance)


def printed(diagnosis: Diagnosis, *, color: bool = False) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        width=WIDE,
        color_system="truecolor" if color else None,
        force_terminal=color,
        _environ={},
    )
    print_diagnosis(diagnosis, console)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


@pytest.mark.parametrize("setup", SETUPS)
def test_the_doctor_says_what_it_said_before(
    source: PrometheusSource, golden: Compare, setup: str
) -> None:
    golden(f"check/{setup}.txt", printed(diagnosed(source, parse_config(SETUPS[setup]))))


@pytest.mark.parametrize("setup", ["good", "misspelt-metric", "refused"])
def test_the_json_of_the_doctor_is_the_one_recorded(
    source: PrometheusSource, golden: Compare, setup: str
) -> None:
    text = to_json(diagnosed(source, parse_config(SETUPS[setup])))

    strict_json(text)
    golden(f"check/{setup}.json", text)


def test_color_adds_nothing_to_what_the_doctor_says(source: PrometheusSource) -> None:
    found = diagnosed(source, parse_config(SETUPS["wrong-label"]))

    plain = Text.from_ansi(printed(found, color=True)).plain
    assert [line.rstrip() for line in plain.splitlines()] == printed(found).splitlines()
