"""Real traffic layers at once: two canaries behind each, one bad, told apart by a preset."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.conftest import IN_CI
from tests.support.command import Done
from tests.support.prometheus import RealPrometheus
from tests.support.traffic import caddy, haproxy, instrumented, nginx, traefik
from tests.support.traffic.layer import Layer
from tests.support.traffic.running import ROOT, Ground

RATE, LOAD_S = 70, 40.0
LAG_S = 2.0  # what is younger is still being scraped
SCRAPED_WITHIN_S, POLL_S = 30.0, 0.1
PASS, FAIL, WRONG, INCONCLUSIVE = 0, 1, 2, 3

# What counts, and the proxy that must run for it: these count what nginx and HAProxy send them.
LAYERS = {
    "haproxy": haproxy,
    "traefik": traefik,
    "caddy": caddy,
    "nginx, by prometheus_client's pods": nginx,
    "opentelemetry's pods": haproxy,
    "feature flag": None,
}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.xdist_group("traffic layers")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What was seen of all layers, after the load.

    Attributes:
        layers: Those that could be started, by name.
        url: The server that scraped them.
        begin: When the load began, epoch seconds.
        end: What was scraped completely by its end, epoch seconds.
    """

    layers: dict[str, Layer]
    url: str
    begin: float
    end: float

    def asked(self, layer: Layer, version: str) -> tuple[str, ...]:
        """Word the question that judges one canary."""
        window = (f"--start={self.begin}", f"--end={self.end}")
        canary = f"--canary={layer.variable}={layer.values[version]}"
        return ("--prometheus", self.url, canary, *window, "--format", "json")


@pytest.fixture(scope="module")
def traffic(
    requires_prometheus: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Traffic]:
    """Start whatever is installed, and send requests to all of it at the same time."""
    with ExitStack() as exits:
        layers = started(Ground(exits=exits, folder=tmp_path_factory.mktemp("layers")))
        scrapes = [one for layer in layers.values() for one in layer.scrapes]
        prometheus = exits.enter_context(
            RealPrometheus(scrape_configs=scrapes, scrape_interval="500ms")
        )
        wait_for_targets(prometheus.url)
        begin = time.time()
        drive(sorted({layer.address for layer in layers.values()}))
        yield Traffic(layers=layers, url=prometheus.url, begin=begin, end=begin + LOAD_S - LAG_S)


def started(ground: Ground) -> dict[str, Layer]:
    """Start the layers: OpenTelemetry's services behind two of them, the client's behind two."""
    layers = {"feature flag": instrumented.start_flag(ground)}
    otel, client = ground.serve("opentelemetry"), ground.serve("prometheus_client")
    if not haproxy.missing():
        layers["haproxy"] = haproxy.start(ground, otel)
        layers["opentelemetry's pods"] = instrumented.behind(layers["haproxy"], otel)
    if not traefik.missing():
        layers["traefik"] = traefik.start(ground, otel)
    if not caddy.missing():
        layers["caddy"] = caddy.start(ground, client)
    if not nginx.missing():
        layers["nginx, by prometheus_client's pods"] = nginx.start(ground, client)
    return layers


def wait_for_targets(url: str) -> None:
    """Wait until the server has scraped every target."""
    limit = time.monotonic() + SCRAPED_WITHIN_S
    targets: list[dict[str, str]] = []
    while time.monotonic() < limit:
        targets = requests.get(f"{url}/api/v1/targets", timeout=10).json()["data"]["activeTargets"]
        if targets and all(target["health"] == "up" for target in targets):
            return
        time.sleep(POLL_S)
    pytest.fail(f"not all targets were scraped: {[one['lastError'] for one in targets]}")


def drive(addresses: list[str]) -> None:
    """Send requests to all addresses, until the time is over."""
    flags = (f"--rate={RATE}", f"--seconds={LOAD_S}")
    command = [sys.executable, "-m", "tests.support.shop", "load", *flags, *addresses]
    subprocess.run(command, cwd=ROOT, check=True, timeout=LOAD_S + 60)


def the_layer(traffic: Traffic, name: str) -> Layer:
    """Give a layer; skip aloud where it cannot be started, fail in CI."""
    needed = LAYERS[name]
    if needed is None or not (missing := needed.missing()):
        return traffic.layers[name]
    if IN_CI:
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.mark.parametrize("name", LAYERS)
def test_a_preset_fails_the_bad_canary_and_only_it(
    traffic: Traffic, name: str, serinus: Callable[..., Done], tmp_path: Path
) -> None:
    layer = the_layer(traffic, name)
    config = tmp_path / "canary.yaml"
    config.write_text(layer.config, encoding="utf-8")

    good = serinus("judge", config, *traffic.asked(layer, "good"))
    bad = serinus("judge", config, *traffic.asked(layer, "bad"))

    assert bad.code == FAIL, bad
    assert [decided.split("/")[1] for decided in bad.report["decided_by"]] == ["error_ratio"]
    assert good.code == PASS, good
    (judged,) = (one for one in good.report["metrics"] if one["name"].endswith("/error_ratio"))
    assert judged["guards"] == []


def test_what_nginx_counts_itself_passes_no_canary(
    traffic: Traffic, serinus: Callable[..., Done], tmp_path: Path
) -> None:
    layer = the_layer(traffic, "nginx, by prometheus_client's pods")
    plain, disguised = tmp_path / "plain.yaml", tmp_path / "disguised.yaml"
    plain.write_text(nginx.by_itself(nginx.BLIND), encoding="utf-8")
    disguised.write_text(nginx.by_itself(nginx.DISGUISED), encoding="utf-8")

    refused = serinus("judge", plain, *traffic.asked(layer, "bad"))
    done = serinus("judge", disguised, *traffic.asked(layer, "bad"))

    assert (refused.code, done.code) == (WRONG, INCONCLUSIVE), (refused, done)
    assert "both sides ask the same query" in refused.message
    assert [found["code"] for found in done.metric("requests")["guards"]] == ["same_series"]


def test_another_weight_than_the_real_one_withholds_the_pass(
    traffic: Traffic, serinus: Callable[..., Done], tmp_path: Path
) -> None:
    layer = the_layer(traffic, "traefik")
    config = tmp_path / "canary.yaml"
    config.write_text(layer.config.replace("0.3333", "0.6"), encoding="utf-8")

    done = serinus("judge", config, *traffic.asked(layer, "good"))

    assert done.code == INCONCLUSIVE, done
    found = done.metric("traefik/error_ratio")["guards"]
    assert [guard["code"] for guard in found] == ["traffic_share"]
