"""Recorded deployments, with all the jitter of real scrapes: sums have the verdict of samples."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.config import load_config
from analysis.engine import analyze
from analysis.report import AnalysisReport
from analysis.sources.prometheus import PrometheusSource
from analysis.window import Window
from tests.support.corpus import SHOP, all_runs, run

pytestmark = pytest.mark.e2e

# Its pods crash; of a step with a restart, sums lose what came before it.
RESTARTS = "crash-1"
PLENTY, LITTLE = 10**9, 8_000


def judged(url: str, name: str, budget: int) -> AnalysisReport:
    one, sides = run(name), {side: {"run": name} for side in ("baseline", "canary")}
    window = Window(start=one.start, end=one.end, warmup_s=35, step_s=5)
    source = PrometheusSource(url=url, max_samples=budget)
    return analyze(load_config(SHOP), source, window, sides)


@pytest.mark.parametrize("name", all_runs())
def test_sums_have_the_verdict_of_the_samples(corpus_url: str, name: str) -> None:
    raw, summed = (judged(corpus_url, name, budget) for budget in (PLENTY, LITTLE))

    assert any("the server summed them" in note for note in summed.metrics[0].judgment.warnings)
    assert (summed.verdict, summed.decided_by) == (raw.verdict, raw.decided_by)
    if name == RESTARTS:
        return
    for one, other in zip(summed.metrics[:2], raw.metrics[:2], strict=True):
        np.testing.assert_allclose(one.baseline, other.baseline, rtol=1e-9)
        np.testing.assert_allclose(one.canary, other.canary, rtol=1e-9)
