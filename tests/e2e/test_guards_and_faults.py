"""A guard and a bad canary meet: a fault that takes traffic and series away must still fail.

Real recorded faults, and the same canaries dying halfway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.config import load_config
from analysis.engine import analyze
from analysis.report import AnalysisReport
from analysis.sources import recording as recordings
from analysis.sources.port import Answer, Request, Series
from analysis.sources.recording import Recording
from judges import Verdict
from tests.support.command import Done, run_serinus
from tests.support.corpus import ASKED, FAILED_BY, RECORDINGS, edited_shop, past, run
from tests.support.prometheus import RealPrometheus

PASS, FAIL, INCONCLUSIVE = 0, 1, 3
WEIGHT = ("\nrisk:", "\ntraffic: {canary_weight: 50%}\nrisk:")
# What a load balancer sees: requests that the canary lost before it counted them.
CLIENTS = """
  - name: client errors
    group: errors
    critical: true
    counts:
      events: client_requests_total{run="${run}", upstream="${track}", code=~"5..|.*_error"}
      total: client_requests_total{run="${run}", upstream="${track}"}
    judge: {kind: error_ratio}
"""

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def faults_url(requires_prometheus: object) -> Iterator[str]:
    """Run a server that holds the two faults that take traffic away, seen by the clients too."""
    samples = past(["crash-1", "drop-1"], (*ASKED, "client_requests_total"))
    with RealPrometheus(openmetrics=samples) as prometheus:
        yield prometheus.url


def judged(config: Path, url: str, name: str) -> Done:
    asked = ("--prometheus", url, *run(name).selection, "--format", "json")
    return run_serinus("judge", config, *asked)


def codes(done: Done, metric: str) -> list[str]:
    return [guard["code"] for guard in done.metric(metric)["guards"]]


def test_a_crash_loop_fails_although_the_weight_is_guarded(faults_url: str, tmp_path: Path) -> None:
    done = judged(edited_shop(tmp_path, WEIGHT), faults_url, "crash-1")

    assert (done.code, done.report["decided_by"]) == (FAIL, ["restarts"])


def test_lost_requests_withhold_the_pass_that_the_survivors_would_get(
    faults_url: str, tmp_path: Path
) -> None:
    unguarded = judged(edited_shop(tmp_path), faults_url, "drop-1")
    guarded = judged(edited_shop(tmp_path, WEIGHT), faults_url, "drop-1")

    assert (unguarded.code, guarded.code) == (PASS, INCONCLUSIVE)
    assert codes(guarded, "error ratio") == ["traffic_share"]
    assert guarded.metric("error ratio")["reason"] == "guard"


def test_lost_requests_that_a_client_saw_fail_whatever_the_guards_find(
    faults_url: str, tmp_path: Path
) -> None:
    config = edited_shop(tmp_path, WEIGHT)
    config.write_text(config.read_text(encoding="utf-8") + CLIENTS, encoding="utf-8")

    done = judged(config, faults_url, "drop-1")

    assert (done.code, done.report["decided_by"]) == (FAIL, ["client errors"])
    assert codes(done, "error ratio") == ["traffic_share"]
    assert codes(done, "client errors") == []


# ---- canaries that die halfway


def ended(one: Series, at: float) -> Series:
    alive = one.times <= at
    return replace(one, times=one.times[alive], values=one.values[alive])


def with_a_dead_canary(recording: Recording, share: float) -> Recording:
    """End every series of the canary after a share of the window."""
    window = recording.window
    at = window.start + share * (window.end - window.start)
    answers: dict[Request, Answer] = {}
    for request, answer in recording.answers.items():
        is_canary = 'track="canary"' in request.query
        series = tuple(ended(one, at) for one in answer.series) if is_canary else answer.series
        answers[request] = replace(answer, series=tuple(one for one in series if len(one.times)))
    return replace(recording, answers=answers)


def dying(name: str, share: float) -> AnalysisReport:
    folder = RECORDINGS / name
    recording = with_a_dead_canary(recordings.load(folder), share)
    config = load_config(folder / "canary.yaml")
    return analyze(config, recording, recording.window, recording.variables)


@pytest.mark.parametrize("name", ["err1-1", "lat30-1"])
def test_a_harmful_canary_that_dies_halfway_still_fails_by_what_it_did(name: str) -> None:
    report = dying(name, 0.6)

    assert (report.verdict, report.decided_by) == (Verdict.FAIL, (FAILED_BY[name],))
    by_name = {metric.name: metric for metric in report.metrics}
    assert "coverage" in [finding.code for finding in by_name[FAILED_BY[name]].findings]


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_good_canary_that_dies_passes_nothing(share: float) -> None:
    report = dying("aa-1", share)

    assert report.verdict is Verdict.INCONCLUSIVE
    assert {finding.code for metric in report.metrics for finding in metric.findings} == {
        "coverage"
    }
    assert all(metric.judgment.verdict is Verdict.INCONCLUSIVE for metric in report.metrics)


def test_a_canary_that_was_dead_before_the_judging_began_is_missing() -> None:
    report = dying("err1-1", 0.05)

    assert report.verdict is Verdict.INCONCLUSIVE
    assert np.isnan(report.metrics[0].canary).all()
    assert [finding.code for finding in report.metrics[0].findings] == ["side_missing"]
