"""A real Prometheus 3 beside the real Prometheus 2: the same past, the same answers and verdicts.

`make prometheus3` builds one and runs this file and every other contract of a real server on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from analysis.config import load_config
from analysis.engine import analyze
from analysis.report import AnalysisReport
from analysis.sources.prometheus import PrometheusSource
from analysis.window import Window
from tests.contract.test_prometheus_fleet import (
    BAD,
    GOOD,
    LIVELY,
    MATCHED,
    PER_POD,
    PLENTY,
    WINDOWED,
    YOUNG,
)
from tests.contract.test_prometheus_fleet import judged as judged_fleet
from tests.support.corpus import SHOP, all_runs, past, run
from tests.support.fleet import Fleet
from tests.support.prometheus import RealPrometheus
from tests.support.wire import T, a_range, answer_to, by_edge, samples, some_buckets, table

PROGRAM = Path(__file__).parents[2] / "build" / "prometheus-3"
WARMUP_S, STEP_S = 35.0, 5.0
FLEETS = {"good": GOOD, "bad": BAD, "young": YOUNG, "lively": LIVELY}
# promtool writes `le` as it is given; a scrape by Prometheus 3 would store "1.0" for 1.
EDGES = {"1": 2, "2.50": 5, "+Inf": 6}
# Names that only Prometheus 3 takes, and only in quotes.
ODD = '{"http.server.requests", "pod.name"="a"}'
SMALL = "\n".join(
    [
        *(
            f'latency_bucket{{le="{le}"}} {count * n} {T + 15 * n}'
            for le, count in EDGES.items()
            for n in range(9)
        ),
        *(f'requests_total{{pod="a"}} {3 * n} {T + 15 * n}' for n in range(9)),
        "",
    ]
)

pytestmark = [
    pytest.mark.usefixtures("requires_prometheus"),
    pytest.mark.e2e,
    pytest.mark.xdist_group("prometheus 3"),
    pytest.mark.skipif(
        not PROGRAM.exists(), reason="there is no Prometheus 3; make prometheus3 builds it"
    ),
]


@pytest.fixture(scope="module")
def urls() -> Iterator[tuple[str, str]]:
    """Give a Prometheus 2 and a 3 that hold the corpus, fleets and a few odd series."""
    fleets = (text for fleet in FLEETS.values() for text in sorted(fleet.series()))
    texts = past(all_runs()).removesuffix("# EOF\n") + "".join(fleets) + SMALL
    with ExitStack() as exits:
        two, three = (
            exits.enter_context(RealPrometheus(openmetrics=texts, program=program)).url
            for program in ("prometheus", PROGRAM)
        )
        yield two, three


@cache
def judged(url: str, name: str) -> AnalysisReport:
    source = PrometheusSource(url=url, max_samples=PLENTY)
    one, sides = run(name), {side: {"run": name} for side in ("baseline", "canary")}
    window = Window(start=one.start, end=one.end, warmup_s=WARMUP_S, step_s=STEP_S)
    return analyze(load_config(SHOP), source, window, sides)


def test_it_says_that_it_is_the_third(urls: tuple[str, str]) -> None:
    two, three = (PrometheusSource(url=url).server_version() for url in urls)

    assert (str(two)[:2], str(three)[:2]) == ("2.", "3.")


@pytest.mark.parametrize("name", all_runs())
def test_a_deployment_has_the_report_of_prometheus_2(urls: tuple[str, str], name: str) -> None:
    two, three = (judged(url, name) for url in urls)

    assert (three.verdict, three.score, three.decided_by) == (
        two.verdict,
        two.score,
        two.decided_by,
    )
    for ours, theirs in zip(three.metrics, two.metrics, strict=True):
        assert ours.judgment == theirs.judgment
        np.testing.assert_array_equal(ours.baseline, theirs.baseline)
        np.testing.assert_array_equal(ours.canary, theirs.canary)


@pytest.mark.parametrize("budget", [PER_POD, MATCHED, WINDOWED])
@pytest.mark.parametrize("fleet", FLEETS.values(), ids=FLEETS)
def test_a_fleet_that_is_summed_has_the_report_of_prometheus_2(
    urls: tuple[str, str], fleet: Fleet, budget: int
) -> None:
    two, three = (judged_fleet(url, fleet, budget) for url in urls)

    assert three.verdict is two.verdict
    for ours, theirs in zip(three.metrics, two.metrics, strict=True):
        assert ours.judgment.warnings == theirs.judgment.warnings
        np.testing.assert_allclose(ours.canary, theirs.canary, rtol=1e-12)


@pytest.mark.parametrize("late_s", [0.0, 0.001, 7.5])
def test_both_ends_of_raw_samples_are_included(urls: tuple[str, str], late_s: float) -> None:
    asked = samples(start=T + 15 + late_s, end=T + 60)

    two, three = (table(answer_to(PrometheusSource(url=url), asked)) for url in urls)

    assert three == two
    assert three["a"][0] == (T + 15, 3) if late_s == 0.0 else three["a"][0] == (T + 30, 6)


def test_edges_are_numbers_however_they_are_written(urls: tuple[str, str]) -> None:
    asked = some_buckets("latency_bucket", start=T, end=T + 60)

    two, three = (by_edge(answer_to(PrometheusSource(url=url), asked)) for url in urls)

    assert three.keys() == two.keys()


def test_a_name_that_has_to_be_quoted_is_answered(urls: tuple[str, str]) -> None:
    answer = answer_to(PrometheusSource(url=urls[1]), a_range(ODD, start=T, end=T + 60))

    assert answer.series == ()
