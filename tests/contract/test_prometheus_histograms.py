"""Histograms of a real Prometheus: its own arithmetic is the second opinion."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from analysis.engine import analyze
from analysis.sources.port import Answer
from analysis.sources.prometheus import PrometheusSource
from judges import Verdict
from tests.support.builders import a_config, a_metric, a_window
from tests.support.prometheus import RealPrometheus
from tests.support.remote_write import NativeHistogram, write_histograms
from tests.support.wire import T, a_range, answer_to, by_edge, failure_of, samples, some_buckets

CLASSIC = "\n".join(
    [
        "# TYPE latency histogram",
        *(
            f'latency_bucket{{le="{le}",pod="a"}} {count * n} {T + 15 * n}'
            for le, count in (("0.1", 2), ("1.0", 5), ("+Inf", 6))
            for n in range(5)
        ),
        *(f'latency_count{{pod="a"}} {6 * n} {T + 15 * n}' for n in range(5)),
        *(f'latency_sum{{pod="a"}} {1.5 * n} {T + 15 * n}' for n in range(5)),
        "",
    ]
)
EVERY_S, SCRAPES = 15, 8
BORN = T + 4 * 3600  # behind the block of the classic past, where the server still takes samples
END = BORN + EVERY_S * SCRAPES
ZERO = 2.0**-10
# Before the restart and after it a bucket ends at a power of the root of 2; at last at one of 2.
RESTART, COARSE = 4, 6


def scrape(n: int) -> NativeHistogram:
    """Observe the same eight values again before every scrape."""
    age = n if n < RESTART else n + 1 - RESTART
    fine = {"schema": 1, "buckets": {0: age, 1: 3 * age, 5: age}, "below": {2: age}}
    coarse = {"schema": 0, "buckets": {0: age, 1: 3 * age, 3: age}, "below": {1: age}}
    return NativeHistogram(
        time=BORN + EVERY_S * n,
        zeros=2 * age,
        zero_threshold=ZERO,
        total=1.5 * age,
        **(fine if n < COARSE else coarse),  # type: ignore[arg-type]  # as they are named
    )


LIFE = [scrape(n) for n in range(1, SCRAPES + 1)]

pytestmark = pytest.mark.usefixtures("requires_prometheus")


@pytest.fixture(scope="module")
def server(requires_prometheus: object) -> Iterator[RealPrometheus]:
    flags = ["--enable-feature=native-histograms", "--web.enable-remote-write-receiver"]
    with RealPrometheus(openmetrics=CLASSIC, flags=flags) as prometheus:
        write_histograms(prometheus.url, {"__name__": "native", "pod": "a"}, LIFE)
        yield prometheus


@pytest.fixture
def source(server: RealPrometheus) -> PrometheusSource:
    return PrometheusSource(url=server.url)


def the_native(source: PrometheusSource) -> Answer:
    return answer_to(source, some_buckets("native", start=BORN, end=END))


def test_classic_buckets_are_the_samples_as_stored(source: PrometheusSource) -> None:
    asked = {"start": T, "end": T + 60}

    as_buckets = answer_to(source, some_buckets("latency_bucket", **asked))
    as_samples = answer_to(source, samples("latency_bucket", **asked))

    assert by_edge(as_buckets) == by_edge(as_samples)
    assert by_edge(as_buckets)["+Inf"] == [0, 6, 12, 18, 24]


def test_a_selector_may_name_the_sum_as_well(source: PrometheusSource) -> None:
    both = '{__name__=~"latency_(bucket|sum)"}'

    assert by_edge(answer_to(source, some_buckets(both, start=T, end=T + 60)))["sum"] == [
        *(0, 1.5, 3, 4.5, 6)
    ]


def test_a_native_histogram_has_every_scrape_and_its_sum(source: PrometheusSource) -> None:
    answer = the_native(source)

    assert all(one.times.tolist() == [sample.time for sample in LIFE] for one in answer.series)
    assert by_edge(answer)["+Inf"] == [sample.count for sample in LIFE]
    assert by_edge(answer)["sum"] == [sample.total for sample in LIFE]
    assert all(one.exponential for one in answer.series if "le" in one.labels)


def test_the_edges_are_those_that_every_scrape_has(source: PrometheusSource) -> None:
    edges = sorted(float(le) for le in by_edge(the_native(source)) if le != "sum")

    assert edges == [-1, ZERO, 0.5, 1, 2, 4, 8, math.inf]


def test_prometheus_counts_as_many_up_to_each_edge(source: PrometheusSource) -> None:
    edges = {le: values for le, values in by_edge(the_native(source)).items() if le != "sum"}

    for le, values in edges.items():
        fraction = f"histogram_fraction(-Inf, {le}, native) * histogram_count(native)"
        request = a_range(fraction, start=LIFE[0].time, end=END, step_s=EVERY_S)
        (theirs,) = answer_to(source, request).series
        assert values == pytest.approx(theirs.values.tolist()), le


MINUTES = 30


def busy(seed: int, *, shift: int) -> list[NativeHistogram]:
    """Observe some hundred values a minute, all of them `shift` buckets slower."""
    draw = np.random.default_rng(seed).poisson([60, 120, 60, 15], (2 * MINUTES + 1, 4))
    return [
        NativeHistogram(
            time=BORN + 3600 + 30 * n,
            schema=3,
            buckets={place + shift: int(count) for place, count in enumerate(counts)},
            below={},
            zeros=0,
            zero_threshold=ZERO,
            total=0.0,
        )
        for n, counts in enumerate(draw.cumsum(axis=0))
    ]


@pytest.mark.parametrize(("shift", "verdict"), [(0, Verdict.PASS), (8, Verdict.FAIL)])
def test_native_histograms_are_judged(server: RealPrometheus, shift: int, verdict: Verdict) -> None:
    sides = {"baseline": {"v": f"old-{shift}"}, "canary": {"v": f"new-{shift}"}}
    judge = {"kind": "quantile_ratio", "quantile": 0.95}
    config = a_config(a_metric(histogram='busy{v="${v}"}', judge=judge), variables=sides)
    for seed, (side, slower) in enumerate([("baseline", 0), ("canary", shift)]):
        labels = {"__name__": "busy", **sides[side]}
        write_histograms(server.url, labels, busy(seed, shift=slower))
    window = a_window(minutes=MINUTES, start=BORN + 3600)

    report = analyze(config, PrometheusSource(url=server.url), window, {})

    assert report.verdict is verdict
    assert report.metrics[0].findings == ()


def test_an_expression_over_native_histograms_is_still_refused(source: PrometheusSource) -> None:
    for ask in (samples, a_range):
        request = ask("native", start=BORN, end=END)
        assert "native histograms, which are not single numbers" in str(failure_of(source, request))
