"""The recorded deployments on a real VictoriaMetrics: the verdicts are those of Prometheus.

Three things differ, and docs/how-to/connect-to-prometheus.md explains each: VictoriaMetrics keeps
fifteen digits of a value, ends a series two scrapes after its last sample where Prometheus looks
back five minutes, and counts a series' first sample among its `changes()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from analysis.config import load_config
from analysis.engine import analyze
from analysis.report import AnalysisReport
from analysis.sources.prometheus import Form, PrometheusSource
from analysis.window import Window
from judges import Verdict
from tests.support.corpus import FAILED_BY, GOOD, SHOP, all_runs, past, run
from tests.support.fleet import Fleet
from tests.support.victoria import RealVictoria
from tests.support.wire import T, answer_to, samples

pytestmark = pytest.mark.e2e

WARMUP_S, STEP_S = 35.0, 5.0
PLENTY = 10**9
# Pods of crash-1 die: their memory ends where they do, or five minutes later.
DIFFERENT = {("crash-1", "memory per pod")}


@pytest.fixture(scope="module")
def victoria_url(requires_victoria: object) -> Iterator[str]:
    with RealVictoria(openmetrics=past(all_runs())) as victoria:
        yield victoria.url


@cache
def judged(url: str, name: str, form: Form = Form.EXTRAPOLATED) -> AnalysisReport:
    budget = PLENTY if form is Form.EXTRAPOLATED else 1_000
    params = {} if form is Form.EXTRAPOLATED else {"nocache": "1"}
    source = PrometheusSource(url=url, form=form, max_samples=budget, params=params)
    one, sides = run(name), {side: {"run": name} for side in ("baseline", "canary")}
    window = Window(start=one.start, end=one.end, warmup_s=WARMUP_S, step_s=STEP_S)
    return analyze(load_config(SHOP), source, window, sides)


@pytest.mark.parametrize("name", all_runs())
def test_a_deployment_has_the_verdict_of_prometheus(
    corpus_url: str, victoria_url: str, name: str
) -> None:
    there, here = judged(corpus_url, name), judged(victoria_url, name)

    assert (here.verdict, here.score, here.decided_by) == (
        there.verdict,
        there.score,
        there.decided_by,
    )
    for one, other in zip(here.metrics, there.metrics, strict=True):
        same = one.judgment.verdict is other.judgment.verdict
        assert same or (name, one.name) in DIFFERENT


@pytest.mark.parametrize("name", all_runs())
def test_counters_are_those_of_prometheus_to_fifteen_digits(
    corpus_url: str, victoria_url: str, name: str
) -> None:
    for place in (0, 1):  # error ratio, mean latency
        there, here = (judged(url, name).metrics[place] for url in (corpus_url, victoria_url))
        np.testing.assert_allclose(here.baseline, there.baseline, rtol=1e-9)
        np.testing.assert_allclose(here.canary, there.canary, rtol=1e-9)


@pytest.mark.parametrize("name", [*GOOD, *FAILED_BY])
def test_its_sums_have_the_verdict_of_its_samples(victoria_url: str, name: str) -> None:
    raw, summed = judged(victoria_url, name), judged(victoria_url, name, Form.EXACT)

    assert (summed.verdict, summed.decided_by) == (raw.verdict, raw.decided_by)
    assert any("its sums are exact" in note for note in summed.metrics[0].judgment.warnings)


def test_its_sums_are_exact_even_where_pods_restart_and_come(requires_victoria: object) -> None:
    from tests.contract.test_prometheus_fleet import judged as judged_fleet

    fleet = Fleet(pods=10, start=T, scrapes=121, restarts=2, young=3)
    with RealVictoria(openmetrics="".join(fleet.series())) as victoria:
        raw = judged_fleet(victoria.url, fleet, PLENTY, Form.EXACT)
        summed = judged_fleet(victoria.url, fleet, 1_000, Form.EXACT)

    assert summed.verdict is raw.verdict is not Verdict.FAIL
    for one, other in zip(summed.metrics, raw.metrics, strict=True):
        np.testing.assert_allclose(one.canary, other.canary, rtol=1e-9)


def test_samples_are_those_of_prometheus(corpus_url: str, victoria_url: str) -> None:
    one = run("aa-1")
    query = samples('http_requests_total{run="aa-1"}', start=one.start, end=one.end)

    there, here = (
        answer_to(PrometheusSource(url=url), query) for url in (corpus_url, victoria_url)
    )

    assert [series.labels for series in here.series] == [series.labels for series in there.series]
    for ours, theirs in zip(here.series, there.series, strict=True):
        np.testing.assert_array_equal(ours.times, theirs.times)
        np.testing.assert_array_equal(ours.values, theirs.values)
