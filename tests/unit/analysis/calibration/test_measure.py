"""Counting how often a judge is right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import judges
from analysis import calibration
from analysis.calibration import Rate, between, windows
from analysis.calibration.scenarios import INDEPENDENT
from judges import InvalidSampleError, Ratio, Sample, Verdict
from judges.core.sample import Histogram


def good(count: int = 40, *, steps: int = 60) -> list[Sample]:
    return INDEPENDENT.samples(np.random.default_rng(5), count, steps=steps)


def last_value(sample: Sample) -> Verdict:
    """Decide by the canary's last value: below 1 pass, above 2 fail."""
    last = float(sample.canary.series()[-1])
    return Verdict.FAIL if last > 2 else Verdict.PASS if last < 1 else Verdict.INCONCLUSIVE


def of_canary(*values: float) -> Sample:
    return Sample.of_values([0.0] * len(values), values)


# ---- rates


@pytest.mark.parametrize(("hits", "of"), [(0, 20), (1, 20), (13, 400), (400, 400), (7, 7)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_the_interval_is_wilsons(hits: int, of: int, level: float) -> None:
    second = stats.binomtest(hits, of).proportion_ci(level, method="wilson")

    assert Rate(hits=hits, of=of).wilson(level) == pytest.approx((second.low, second.high))


def test_a_rate_reads_as_percent_with_its_interval() -> None:
    assert str(Rate(hits=21, of=500)) == "4.2 (2.8 to 6.3)"


# ---- looks


def test_every_sample_has_one_of_three_outcomes() -> None:
    found = calibration.rates(last_value, [of_canary(v) for v in (0.5, 1.5, 2.5, 3.5)])

    assert (found.passed.hits, found.inconclusive.hits, found.failed.hits) == (1, 1, 2)
    assert {rate.of for rate in (found.passed, found.inconclusive, found.failed)} == {4}


def test_a_fail_at_any_look_ends_it_and_its_step_is_kept() -> None:
    samples = [of_canary(0, 3, 0, 0), of_canary(0, 0, 0, 3), of_canary(0, 0, 0, 0)]

    found = calibration.rates(last_value, samples, looks=(1, 2, 3, 4))

    assert found.steps_to_fail == (2, 4)
    assert found.passed.hits == 1


def test_a_pass_counts_at_the_last_look_only() -> None:
    found = calibration.rates(last_value, [of_canary(0, 0, 1.5)], looks=(1, 2, 3))

    assert (found.passed.hits, found.inconclusive.hits) == (0, 1)


def test_a_judge_and_a_function_that_asks_it_count_alike() -> None:
    judge = judges.create("mean_ratio", tolerance=0)

    by_judge = calibration.rates(judge, good(), looks=(30, 60))
    by_function = calibration.rates(lambda s: judge.judge(s).verdict, good(), looks=(30, 60))

    assert by_judge == by_function


@pytest.mark.parametrize(
    "ask",
    [
        lambda judge: calibration.false_alarms(judge, []),
        lambda judge: calibration.power(judge, [], 1.5),
        lambda judge: calibration.false_passes(judge, [], 1.5),
        lambda judge: calibration.measure(judge, lambda _: good(1)[0], replicates=0),
    ],
    ids=["false_alarms", "power", "false_passes", "measure"],
)
def test_nothing_has_no_rate(ask: object) -> None:
    assert callable(ask)
    with pytest.raises(InvalidSampleError, match="at least one"):
        ask(judges.create("mean_ratio"))


# ---- one's own data


def test_a_larger_effect_is_found_more_often_and_passed_less() -> None:
    judge, samples = judges.create("mean_ratio", tolerance="5%"), good()
    effects = (1.0, 1.05, 1.1, 1.2, 1.4)

    found = [calibration.power(judge, samples, effect).hits for effect in effects]
    passed = [calibration.false_passes(judge, samples, effect).hits for effect in effects]

    assert found == sorted(found)
    assert found[-1] == len(samples)
    assert passed == sorted(passed, reverse=True)
    assert passed[-1] == 0


def test_without_an_effect_power_is_the_rate_of_false_alarms() -> None:
    judge = judges.create("mean_ratio", tolerance=0, alpha=0.2)
    alarms = calibration.false_alarms(judge, good(100))

    assert 5 <= alarms.hits <= 40
    assert calibration.power(judge, good(100), 1.0) == alarms


def test_harm_that_begins_late_is_found_less_often() -> None:
    judge, samples = judges.create("mean_ratio", tolerance="5%"), good()

    early, late = (calibration.power(judge, samples, 1.12, since=since) for since in (0, 45))

    assert late.hits < early.hits


def test_the_same_seed_gives_the_same_rates() -> None:
    judge = judges.create("mean_ratio", tolerance=0, alpha=0.3)

    def draw(rng: np.random.Generator) -> Sample:
        return INDEPENDENT.samples(rng, 1, steps=20)[0]

    first, again, other = (
        calibration.measure(judge, draw, replicates=60, seed=seed) for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


# ---- parts of samples


def test_windows_follow_each_other_and_drop_the_rest() -> None:
    found = windows(Sample.of_values(range(10), range(10, 20), step_s=15), 4)

    assert [one.canary.series().tolist() for one in found] == [[10, 11, 12, 13], [14, 15, 16, 17]]
    assert {one.step_s for one in found} == {15}


@pytest.mark.parametrize("steps", [0, -1, 11])
def test_a_window_must_fit(steps: int) -> None:
    with pytest.raises(InvalidSampleError, match="1 to 10 steps"):
        windows(Sample.of_values(range(10), range(10)), steps)


def test_a_part_of_counts_is_a_part_of_events_and_total() -> None:
    sample = Sample.of_counts(([1, 2, 3], [10, 20, 30]), ([4, 5, 6], [40, 50, 60]))

    part = between(sample, 1, 3).canary

    assert isinstance(part, Ratio)
    assert (part.numerator.tolist(), part.denominator.tolist()) == ([[5, 6]], [[50, 60]])


def test_a_part_of_histograms_keeps_edges_and_sums() -> None:
    edges = [1.0, np.inf]
    sums = ([1.0, 2.0], [3.0, 4.0])
    sample = Sample.of_histograms(edges, [[1, 2], [3, 4]], [[5, 6], [7, 8]], totals=sums)

    part = between(sample, 1).canary

    assert isinstance(part, Histogram)
    assert part.totals is not None
    assert (part.counts.tolist(), part.totals.tolist()) == ([[[7, 8]]], [[4.0]])
    assert part.edges.tolist() == edges
