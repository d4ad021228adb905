"""Evidence at earlier looks is what those looks would have said."""

from __future__ import annotations

import math

import numpy as np
import pytest

import judges
from analysis.engine import analyze
from analysis.retrospect import retrace
from judges import Judge, Sample
from tests.support.builders import START, FakeSource, a_config, a_metric, a_series, a_window

STEPS = 40
EDGES = START + 60 * np.arange(STEPS + 1.0)


def a_sample(harm: float = 1.0) -> Sample:
    rng = np.random.default_rng(5)
    baseline, canary = 100 * np.exp(0.05 * rng.standard_normal((2, STEPS)))
    return Sample.of_values(baseline, harm * canary)


def a_judge(**parameters: object) -> Judge:
    return judges.create("mann_whitney", **{"looks": "anytime", "horizon": STEPS, **parameters})


@pytest.mark.parametrize("look", [0, 4, 7])
def test_a_look_back_is_the_look_itself(look: int) -> None:
    rule, sample = a_judge(), a_sample(1.2)

    (trace,) = retrace([rule], [sample], EDGES, 8)

    assert trace is not None
    judgment = rule.judge(sample.part(0, 5 * (look + 1)))
    assert trace.times[look] == EDGES[5 * (look + 1)]
    for claim, series in (("harm", trace.harm), ("safety", trace.safety)):
        evidence = getattr(judgment, claim)
        expected = math.nan if evidence is None else evidence.log_e
        np.testing.assert_equal(series[look], expected)


def test_metrics_together_and_alone_leave_the_same_trace() -> None:
    rules, samples = [a_judge(), a_judge(tolerance="1%")], [a_sample(), a_sample(1.5)]

    together = retrace(rules, samples, EDGES, 4)

    for rule, sample, trace in zip(rules, samples, together, strict=True):
        (alone,) = retrace([rule], [sample], EDGES, 4)
        assert trace is not None
        assert alone is not None
        np.testing.assert_array_equal(trace.harm, alone.harm)


NONE = {
    "a judge of one look": a_judge(looks="fixed"),
    "a judge of stages": a_judge(looks="group_sequential"),
    "a judge without evidence": judges.create("spike"),
    "a bound on what was seen": judges.create("threshold", max=1, statistic="max"),
}


@pytest.mark.parametrize("rule", NONE.values(), ids=NONE)
def test_what_does_not_gather_leaves_no_trace(rule: Judge) -> None:
    assert retrace([rule], [a_sample()], EDGES, 4) == [None]


def test_there_are_no_more_looks_than_steps() -> None:
    (trace,) = retrace([a_judge(min_samples=5)], [a_sample()], EDGES, 1000)

    assert trace is not None
    assert len(trace.times) == STEPS


def test_a_report_carries_evidence_of_earlier_looks_only_if_asked() -> None:
    rng = np.random.default_rng(2)
    times = START + 60 * np.arange(1, STEPS + 1)

    def pod(harm: float) -> list[tuple[float, float]]:
        values = harm * np.exp(0.05 * rng.standard_normal(STEPS))
        return list(zip(times.tolist(), values.tolist(), strict=True))

    source = FakeSource(
        answers={
            'memory{v="old"}': [a_series(pod(1.0), pod="old-1")],
            'memory{v="new"}': [a_series(pod(1.5), pod="new-1")],
        }
    )
    config = a_config(a_metric("memory"), window={"planned": "40m", "warmup": "0s"})
    window = a_window(minutes=STEPS)

    silent, told = (analyze(config, source, window, {}, looks_back=count) for count in (0, 10))

    assert silent.trace is None
    assert silent.metrics[0].trace is None
    assert told.trace is not None
    assert told.trace.harm[-1] == pytest.approx(told.log_e)
    assert told.verdict is silent.verdict
    assert told.metrics[0].by_pod["canary"].names == ("new-1",)
