"""The weight as a real Prometheus tells it: the requests of both sides are held against it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.command import run_serinus
from tests.support.prometheus import RealPrometheus

pytestmark = [pytest.mark.usefixtures("requires_prometheus"), pytest.mark.e2e]

START, SCRAPE_S, SCRAPES = 1_700_000_000, 15, 201
PER_SCRAPE = 300
SELECTED = (f"--start={START}", f"--end={START + SCRAPE_S * (SCRAPES - 1)}")
# The controller raises the weight in the middle.
WEIGHT = np.repeat([10, 40], [SCRAPES // 2, SCRAPES - SCRAPES // 2])
# Of what the weight gives it, the canary of each service counts so much.
SERVICES = {"checkout": 1.0, "lossy": 0.5}


def past() -> str:
    """Write a controller's weight and the requests that followed it, as OpenMetrics text."""
    rng = np.random.default_rng(3)
    lines: list[str] = []
    for service, counted in SERVICES.items():
        canary = rng.binomial(PER_SCRAPE, counted * WEIGHT / 100)
        baseline = rng.binomial(PER_SCRAPE, 1 - WEIGHT / 100)
        for side, counts in ((service, canary), (f"{service}-primary", baseline)):
            part = WEIGHT if side == service else 100 - WEIGHT
            lines += series(f'flagger_canary_weight{{workload="{side}"}}', part)
            lines += series(f'requests_total{{workload="{side}"}}', counts.cumsum())
            lines += series(f'failures_total{{workload="{side}"}}', 0 * counts)
    return "".join(lines)


def series(name: str, values: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[str]:
    return [f"{name} {value} {START + SCRAPE_S * n}\n" for n, value in enumerate(values)]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with RealPrometheus(openmetrics=past()) as prometheus:
        yield prometheus.url


def config(folder: Path, url: str, service: str, weight: str) -> str:
    sides = {"baseline": {"w": f"{service}-primary"}, "canary": {"w": service}}
    counts = {
        "events": 'failures_total{workload="${w}"}',
        "total": 'requests_total{workload="${w}"}',
    }
    document = {
        "name": service,
        "source": {"prometheus": {"url": url, "step": "30s"}},
        "variables": sides,
        "window": {"planned": "50m", "warmup": "2m"},
        "traffic": {"observed": weight},
        "metrics": [{"name": "errors", "counts": counts}],
    }
    path = folder / "canary.yaml"
    path.write_text(json.dumps(document))
    return str(path)


OBSERVED = 'flagger_canary_weight{workload="${w}"}'


def judged(folder: Path, url: str, service: str, weight: str = OBSERVED) -> dict[str, Any]:
    done = run_serinus("judge", config(folder, url, service, weight), *SELECTED, "--format", "json")
    found: dict[str, Any] = json.loads(done.out)
    return found


def guards_of(report: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Give the codes of what was found of the metric, and of the rollout."""
    metric = report["metrics"][0]
    own = {one["code"] for one in metric["guards"]}
    return own, {one["code"] for one in report["guards"]}


def test_requests_that_follow_a_raised_weight_pass(tmp_path: Path, url: str) -> None:
    report = judged(tmp_path, url, "checkout")

    assert guards_of(report) == (set(), {"weight_changed"})
    assert report["verdict"] == "pass"


def test_a_canary_that_loses_half_of_its_requests_does_not_pass(tmp_path: Path, url: str) -> None:
    report = judged(tmp_path, url, "lossy")

    assert guards_of(report)[0] == {"traffic_share"}
    assert report["verdict"] == "inconclusive"
    assert "its observed weight is 2" in json.dumps(report)


def test_a_weight_that_is_not_there_is_a_note(tmp_path: Path, url: str) -> None:
    report = judged(tmp_path, url, "checkout", "no_such_weight")

    assert "traffic_share" in guards_of(report)[1]
    assert report["verdict"] == "pass"


def test_the_doctor_shows_what_was_asked_and_seen(tmp_path: Path, url: str) -> None:
    path = config(tmp_path, url, "checkout", OBSERVED)

    text = run_serinus("check", path, "--prometheus", url, *SELECTED)
    document = json.loads(
        run_serinus("check", path, "--prometheus", url, *SELECTED, "--format", "json").out
    )

    assert "weight of the canary: last 40 %; canary 1 series" in text.out
    assert document["canary_weight"] == 0.4
    assert document["weight_query"]["query"] == 'flagger_canary_weight{workload="checkout"}'


def test_a_recording_keeps_the_weight(tmp_path: Path, url: str) -> None:
    path = config(tmp_path, url, "checkout", OBSERVED)
    run_serinus("record", path, *SELECTED, "--output", str(tmp_path / "kept"))

    done = run_serinus("judge", path, "--recording", str(tmp_path / "kept"), "--format", "json")

    assert guards_of(json.loads(done.out)) == (set(), {"weight_changed"})
