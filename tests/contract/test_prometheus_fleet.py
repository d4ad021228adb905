"""Fleets: above its budget of samples a source has the server sum, and the verdict stays."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from analysis.config import CanaryConfig
from analysis.engine import analyze
from analysis.report import AnalysisReport, MetricReport
from analysis.sources.keeping import Keeping
from analysis.sources.prometheus import Form, PrometheusSource
from analysis.sources.recording import load, save
from analysis.window import Window
from judges import Verdict
from tests.support.builders import a_config
from tests.support.fleet import Fleet
from tests.support.prometheus import RealPrometheus
from tests.support.wire import T

STEP_S = 30.0
SIDES = {"baseline": {"hash": "old"}, "canary": {"hash": "new"}}
PLENTY = 10**9
# Twenty pods a side are 90,000 samples: what of them is summed, and in which way.
PER_POD, MATCHED, WINDOWED = 60_000, 38_000, 1_000

pytestmark = [pytest.mark.usefixtures("requires_prometheus"), pytest.mark.e2e]


def window_of(fleet: Fleet) -> Window:
    # The first minutes are only read, so that the first step has a sample to start from.
    return Window(start=fleet.start + 300, end=fleet.end, warmup_s=0.0, step_s=STEP_S)


def config() -> CanaryConfig:
    return a_config(
        {
            "name": "latency",
            "histogram": 'latency_bucket{hash="${hash}"}',
            "pods": "pod",
            "judge": {"kind": "quantile_ratio", "quantile": 0.95, "tolerance": "5%"},
        },
        {
            "name": "errors",
            "counts": {
                "events": 'failures_total{hash="${hash}"}',
                "total": 'requests_total{hash="${hash}"}',
            },
            "pods": "pod",
        },
        variables=SIDES,
        window={"planned": "30m", "warmup": "0s"},
    )


@cache
def judged(url: str, fleet: Fleet, budget: int, form: Form = Form.EXTRAPOLATED) -> AnalysisReport:
    source = PrometheusSource(url=url, max_samples=budget, form=form)
    return analyze(config(), source, window_of(fleet), SIDES)


def metric(report: AnalysisReport, name: str) -> MetricReport:
    return next(one for one in report.metrics if one.name == name)


def notes(one: MetricReport) -> list[str]:
    return [text for text in one.judgment.warnings if "the server summed them" in text]


def level(one: MetricReport) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.concatenate([one.baseline, one.canary])


HALF_AN_HOUR = 121  # scrapes
GOOD = Fleet(pods=20, start=T, scrapes=HALF_AN_HOUR)
BAD = Fleet(pods=20, start=T + 7200, scrapes=HALF_AN_HOUR, slower=2.0, failing=0.03)
LIVELY = Fleet(pods=20, start=T + 21600, scrapes=HALF_AN_HOUR, restarts=2, young=3)
YOUNG = Fleet(pods=20, start=T + 14400, scrapes=HALF_AN_HOUR, young=3)
STEADY = {"a good canary": GOOD, "a bad canary": BAD, "young pods": YOUNG}
FLEETS = {**STEADY, "restarts and young pods": LIVELY}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    past = "".join(text for fleet in FLEETS.values() for text in sorted(fleet.series()))
    with RealPrometheus(openmetrics=past) as prometheus:
        yield prometheus.url


@pytest.mark.parametrize("fleet", FLEETS.values(), ids=FLEETS)
@pytest.mark.parametrize(
    ("budget", "words"),
    [(PER_POD, "per pod"), (MATCHED, "over every pod"), (WINDOWED, "over every pod")],
    ids=["pods", "matched", "windowed"],
)
def test_sums_have_the_verdict_of_the_samples(
    url: str, fleet: Fleet, budget: int, words: str
) -> None:
    raw, summed = judged(url, fleet, PLENTY), judged(url, fleet, budget)

    assert summed.verdict is raw.verdict
    latency = metric(summed, "latency")
    assert latency.judgment.verdict is metric(raw, "latency").judgment.verdict
    assert not notes(metric(raw, "latency"))
    assert all(words in note for note in notes(latency))
    assert len(notes(latency)) == 2


@pytest.mark.parametrize("fleet", STEADY.values(), ids=STEADY)
@pytest.mark.parametrize("name", ["latency", "errors"])
@pytest.mark.parametrize("budget", [MATCHED, PER_POD])
def test_what_is_matched_is_what_the_samples_say(
    url: str, fleet: Fleet, name: str, budget: int
) -> None:
    raw, summed = judged(url, fleet, PLENTY), judged(url, fleet, budget)

    np.testing.assert_allclose(level(metric(summed, name)), level(metric(raw, name)), rtol=1e-9)


@pytest.mark.parametrize("fleet", [GOOD, BAD], ids=["good", "bad"])
@pytest.mark.parametrize("name", ["latency", "errors"])
def test_of_a_quiet_fleet_any_sum_is_what_the_samples_say(
    url: str, fleet: Fleet, name: str
) -> None:
    raw, summed = judged(url, fleet, PLENTY), judged(url, fleet, WINDOWED)

    assert all("no counter began or restarted" in note for note in notes(metric(summed, name)))
    np.testing.assert_allclose(level(metric(summed, name)), level(metric(raw, name)), rtol=1e-9)


@pytest.mark.parametrize(
    ("budget", "words"),
    [(MATCHED, "a step in which a counter restarts"), (WINDOWED, "counters began or restarted")],
    ids=["matched", "windowed"],
)
def test_of_a_lively_fleet_sums_are_near_and_say_so(url: str, budget: int, words: str) -> None:
    raw, summed = (judged(url, LIVELY, some) for some in (PLENTY, budget))

    np.testing.assert_allclose(
        level(metric(summed, "latency")), level(metric(raw, "latency")), rtol=0.05
    )
    assert all(words in note for note in notes(metric(summed, "latency")))


def test_the_verdicts_are_those_that_were_meant(url: str) -> None:
    assert judged(url, GOOD, WINDOWED).verdict is not Verdict.FAIL
    assert judged(url, BAD, WINDOWED).verdict is Verdict.FAIL


def test_what_costs_most_is_summed_and_the_rest_is_read(url: str) -> None:
    report = judged(url, GOOD, PER_POD)

    assert notes(metric(report, "latency"))
    assert not notes(metric(report, "errors"))


def test_the_note_gives_the_numbers_and_the_query(url: str) -> None:
    report = judged(url, GOOD, WINDOWED)

    note = notes(metric(report, "latency"))[0]
    assert "more than max_samples (1,000)" in note
    assert 'as sum by (le) (delta(latency_bucket{hash="old"}[44999ms]))' in note
    cost = int(re.search(r"about ([\d,]+) samples", note)[1].replace(",", ""))  # type: ignore[index]  # it is there
    assert cost == pytest.approx(20 * 15 * HALF_AN_HOUR, rel=0.1)


def test_a_recording_of_sums_is_judged_like_the_server(url: str, tmp_path: Path) -> None:
    source, window = PrometheusSource(url=url, max_samples=WINDOWED), window_of(BAD)
    kept = Keeping(source)
    live = analyze(config(), kept, window, SIDES)
    save(kept.recording(window, SIDES), tmp_path / "kept", config_text="")
    earlier = replace(window, end=window.end - 600)

    recording = load(tmp_path / "kept")

    again = analyze(config(), recording, window, SIDES)
    assert [one.judgment for one in again.metrics] == [one.judgment for one in live.metrics]
    look = analyze(config(), recording, earlier, SIDES)
    assert look.metrics[0].baseline.tolist() == live.metrics[0].baseline[:-20].tolist()


def test_two_hundred_pods_a_side_are_summed_over_every_pod() -> None:
    fleet = Fleet(pods=200, start=T, scrapes=HALF_AN_HOUR, slower=2.0)
    with RealPrometheus(openmetrics="".join(fleet.series())) as prometheus:
        began_s = time.process_time()
        report = judged(prometheus.url, fleet, 100_000)
        taken_s = time.process_time() - began_s

    assert report.verdict is Verdict.FAIL
    assert [query.series for query in metric(report, "latency").queries] == [15, 15]
    assert taken_s < 5  # seconds of this process; the server's are measured in benchmarks
