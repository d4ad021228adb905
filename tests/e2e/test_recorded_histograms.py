"""Recorded deployments judged by their histograms, over HTTP from a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import run_serinus
from tests.support.corpus import HISTOGRAM, past, run
from tests.support.prometheus import RealPrometheus

GOOD, SLOWER, RESTARTED = ("aa-1", "aa-3"), "lat30-1", "crash-1"
SELECTOR = 'http_request_duration_seconds_{part}{{run="${{run}}", track="${{track}}"}}'
BUCKETS, SUM, COUNT = (SELECTOR.format(part=part) for part in ("bucket", "sum", "count"))
# A histogram may be asked for its sum as well; its mean is then exact.
WITH_SUM = (
    '{__name__=~"http_request_duration_seconds_(bucket|sum)", run="${run}", track="${track}"}'
)
CONFIG = f"""\
name: shop
source: {{prometheus: {{step: 5s, lag: 2s}}}}
variables: {{run: null, baseline: {{track: baseline}}, canary: {{track: canary}}}}
window: {{planned: 4m, warmup: 35s}}
metrics:
- {{name: p95, pods: pod, histogram: '{BUCKETS}', judge: {{kind: quantile_ratio, quantile: 0.95}}}}
- {{name: slow, pods: pod, histogram: '{BUCKETS}', judge: {{kind: exceedance, edge: 0.1}}}}
- {{name: mean, pods: pod, histogram: '{WITH_SUM}', judge: {{kind: mean_ratio}}}}
- {{name: sums, pods: pod, sums: {{numerator: '{SUM}', denominator: '{COUNT}'}}}}
"""

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def histograms_url(requires_prometheus: object) -> Iterator[str]:
    """Run a real Prometheus that holds the histograms of four runs."""
    with RealPrometheus(openmetrics=past([*GOOD, SLOWER, RESTARTED], HISTOGRAM)) as prometheus:
        yield prometheus.url


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write the configuration."""
    path = tmp_path / "canary.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def metrics(config: Path, name: str, *source: str | Path) -> dict[str, Any]:
    """Judge a run; give its metrics by name."""
    selection = run(name).selection if "--recording" not in source else ()
    done = run_serinus("judge", config, *source, *selection, "--format", "json")
    return {metric["name"]: metric for metric in done.report["metrics"]}


def test_a_slower_canary_fails_by_each_judge_of_a_histogram(
    config: Path, histograms_url: str
) -> None:
    found = metrics(config, SLOWER, "--prometheus", histograms_url)

    verdicts = {name: metric["verdict"] for name, metric in found.items()}
    assert verdicts == dict.fromkeys(("p95", "slow", "mean", "sums"), "fail")
    assert all(metric["pods"] == {"baseline": 3, "canary": 3} for metric in found.values())


@pytest.mark.parametrize("name", GOOD)
def test_a_good_deployment_never_fails(config: Path, histograms_url: str, name: str) -> None:
    found = metrics(config, name, "--prometheus", histograms_url)

    assert {metric["verdict"] for metric in found.values()} <= {"pass", "inconclusive"}
    assert all(metric["guards"] == [] for metric in found.values())


@pytest.mark.parametrize("name", [SLOWER, RESTARTED])
def test_the_mean_of_a_histogram_is_that_of_its_sum_and_count(
    config: Path, histograms_url: str, name: str
) -> None:
    found = metrics(config, name, "--prometheus", histograms_url)

    for side in ("baseline", "canary"):
        ours, theirs = (found[metric]["series"][side] for metric in ("mean", "sums"))
        assert len(ours) > 30
        assert ours == pytest.approx(theirs, rel=1e-12)


def test_a_recorded_histogram_is_judged_as_the_live_one(
    config: Path, histograms_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    live = metrics(config, SLOWER, "--prometheus", histograms_url)

    source = ("--prometheus", histograms_url, *run(SLOWER).selection)
    run_serinus("record", config, *source, "--output", folder)

    assert metrics(config, SLOWER, "--recording", folder) == live
