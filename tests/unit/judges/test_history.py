"""What a history tells of the noise, and when it is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import judges
from judges import InvalidSampleError, Judgment, Ratio, Sample, Verdict
from judges.core.comparison import HIDDEN
from judges.core.dependence import hides_slow_part, long_runs
from judges.core.history import LEAST_WINDOWS, Memory, informed
from judges.core.sums import remembered
from tests.support.samples import Array, a_gauge

KINDS = ("mann_whitney", "mean_ratio")
N = 60


def noise(seed: int, n: int, *, phi: float = 0.0) -> Array:
    return np.log(a_gauge(seed, n=n, noise=1.0, phi=phi))


def hidden(seed: int, n: int) -> Array:
    """Draw AR(.9) under as much white noise, as a positive gauge."""
    return np.exp(0.1 * (noise(seed, n, phi=0.9) + noise(seed + 1000, n)))


def a_window(history: Sample | None = None, *, n: int = N) -> Sample:
    return replace(Sample.of_values(hidden(1, n), hidden(2, n)), history=history)


def a_past(steps: int = LEAST_WINDOWS * N) -> Sample:
    return Sample.of_values(hidden(3, steps), hidden(4, steps))


def judgment_of(kind: str, sample: Sample, **parameters: object) -> Judgment:
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        return judges.create(kind, **parameters).judge(sample)


# ---- the inflation


@pytest.mark.parametrize("n", [1, 7, 30])
def test_the_inflation_is_that_of_the_means_of_all_windows(n: int) -> None:
    series = noise(5, 700, phi=0.8) + 3
    centred = series - series.mean()
    means = [centred[start : start + n].mean() for start in range(700 - n + 1)]
    direct = n * np.mean(np.square(means)) / np.mean(np.square(centred)) / (1 - n / 700)

    assert Memory.of(series).inflation(n) == pytest.approx(direct, rel=1e-9)


@pytest.mark.parametrize(("phi", "expected"), [(0.0, 1.0), (0.5, 2.87), (0.8, 7.52)])
def test_the_inflation_of_a_long_past_is_that_of_the_process(phi: float, expected: float) -> None:
    found = Memory.of(noise(6, 20_000, phi=phi)).inflation(30)

    assert found == pytest.approx(expected, rel=0.15)


def test_alternation_is_never_used_to_gain_steps() -> None:
    assert Memory.of(np.tile([0.0, 1.0], 600)).inflation(30) == 1


@pytest.mark.parametrize(("steps", "told"), [(LEAST_WINDOWS * 30 - 1, False), (600, True)])
def test_a_past_tells_only_of_windows_that_it_holds_often(steps: int, told: bool) -> None:
    memory = Memory.of(noise(7, steps))

    assert (memory.inflation(30) is not None) is told


def test_a_past_that_does_not_vary_tells_nothing() -> None:
    assert Memory.of(np.full(1000, 0.3)).inflation(30) is None
    assert Memory.nothing().inflation(1) is None


# ---- what a window makes of it


def test_a_window_keeps_its_marginal_variance_and_takes_the_dependence_of_the_past() -> None:
    memory, window = Memory.of(noise(8, 2000, phi=0.8)), noise(9, N)[np.newaxis]
    factor = memory.inflation(N)
    assert factor is not None

    run = informed(long_runs(window), N, [memory])[0]

    assert run.variance == pytest.approx(factor * window.var(ddof=1))
    assert run.n_effective == pytest.approx(N / factor)
    assert run.df == pytest.approx(N / factor - 1)


def test_degrees_of_freedom_never_fall_below_one() -> None:
    memory = Memory.of(noise(10, 2000, phi=0.97))

    assert informed(long_runs(noise(9, 15)[np.newaxis]), 15, [memory])[0].df == 1


def test_rows_without_a_past_stay_as_they_are_to_the_last_bit() -> None:
    runs = long_runs(np.stack([noise(seed, N, phi=0.5) for seed in (1, 2, 3)]))
    short, long = Memory.of(noise(4, 100)), Memory.of(noise(4, 2000))

    mixed = informed(runs, N, [None, long, short])

    assert [mixed[0], mixed[2]] == [runs[0], runs[2]]
    assert mixed[1] != runs[1]
    assert informed(runs, N, [None] * 3) is runs


def test_a_window_that_does_not_vary_stays_so() -> None:
    runs = long_runs(np.ones((1, N)))

    assert informed(runs, N, [Memory.of(noise(4, 2000, phi=0.8))])[0] == runs[0]


# ---- judges


@pytest.mark.parametrize("kind", KINDS)
def test_a_judge_learns_from_the_past_and_says_so(kind: str) -> None:
    without, told = judgment_of(kind, a_window()), judgment_of(kind, a_window(a_past()))

    assert told.n_effective is not None
    assert without.n_effective is not None
    assert told.n_effective < 0.7 * without.n_effective
    assert (told.details["history"], told.details["history_steps"]) == ("used", 1200)
    assert "history" not in without.details
    assert told.warnings == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_past_too_short_is_named_and_changes_nothing_else(kind: str) -> None:
    without, told = judgment_of(kind, a_window()), judgment_of(kind, a_window(a_past(1199)))

    (remark, *others) = told.warnings
    assert remark == (
        "the history has 1199 usable steps, 1200 are needed for a window of 60: judged without it"
    )
    assert told.details["history"] == "unused"
    assert replace(told, warnings=tuple(others), details={}) == replace(without, details={})


@pytest.mark.parametrize("kind", KINDS)
def test_three_independent_steps_suffice_where_a_past_tells_of_them(kind: str) -> None:
    sample = a_window(a_past(), n=30)
    far = replace(
        sample, canary=Sample.of_values(sample.baseline.rows, 3 * sample.canary.rows).canary
    )

    judgment = judgment_of(kind, far)

    assert judgment.n_effective is not None
    assert 3 < judgment.n_effective < 6
    assert judgment.verdict is Verdict.FAIL


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("looks", ["fixed", "group_sequential", "anytime"])
def test_a_metric_gets_the_same_answer_whatever_is_judged_beside_it(kind: str, looks: str) -> None:
    rule = judges.create(kind, looks=looks)
    samples = [a_window(a_past()), a_window(), a_window(a_past(500))]

    assert judges.judge_many([rule] * 3, samples) == [rule.judge(sample) for sample in samples]


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_a_sample_keep_the_past(kind: str) -> None:
    sample = a_window(a_past(), n=2 * N)

    assert judgment_of(kind, sample).details["history"] == "unused"
    assert judgment_of(kind, sample.part(0, N)).details["history"] == "used"


UNUSABLE = {
    "of no steps": ([], []),
    "of one step": ([1.0], [2.0]),
    "without a value": ([np.nan] * 1200, [1.0] * 1200),
    "of zeros": ([0.0] * 1200, [0.0] * 1200),
    "of negative values": (-hidden(3, 1200), -hidden(4, 1200)),
    "that does not vary": ([5.0] * 1200, [6.0] * 1200),
}


@pytest.mark.parametrize(("one", "other"), UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("kind", KINDS)
def test_an_unusable_past_is_no_reason_not_to_judge(kind: str, one: Array, other: Array) -> None:
    past = Sample.of_values(np.array([one]), np.array([other]))

    judgment = judgment_of(kind, a_window(past))

    assert judgment.details["history"] == "unused"
    assert "judged without it" in judgment.warnings[0]
    assert judgment.n_effective == judgment_of(kind, a_window()).n_effective


def test_the_past_of_a_quotient_weighs_steps_as_the_quotient_does() -> None:
    requests, rng = np.full(700, 100.0), np.random.default_rng(1)
    seconds = [rng.gamma(100, 0.1, 700) for _ in range(2)]
    past = Sample.of_counts((seconds[0], requests), (seconds[1], requests))

    memory = remembered(past)

    assert memory is not None
    b, c = seconds
    np.testing.assert_allclose(memory.series, c / c.mean() - b / b.mean(), atol=1e-12)


def test_a_past_of_another_kind_is_refused() -> None:
    counts = Sample(
        baseline=Ratio(numerator=np.ones(9), denominator=np.ones(9)),
        canary=Ratio(numerator=np.ones(9), denominator=np.ones(9)),
    )

    with pytest.raises(InvalidSampleError, match="history must hold the same kind"):
        a_window(counts)


# ---- slow noise that hides


def share_warned(n: int, phi: float, *, white: bool = False) -> float:
    """Draw 300 pairs of series, and give the share of which a slow part is suspected."""
    rng = np.random.default_rng(20_261_122)
    sides = rng.standard_normal((2, 300, n + 100)) * np.sqrt(1 - phi * phi)
    for step in range(1, n + 100):
        sides[..., step] += phi * sides[..., step - 1]
    sides = sides[..., 100:] + white * rng.standard_normal((2, 300, n))
    return float(hides_slow_part(list(sides)).mean())


@pytest.mark.parametrize("n", [30, 60, 240])
@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8, 0.95])
def test_plain_autocorrelation_is_seldom_taken_for_hidden(n: int, phi: float) -> None:
    assert share_warned(n, phi) <= 0.03


@pytest.mark.parametrize(("n", "least"), [(60, 0.2), (120, 0.7), (240, 0.95)])
def test_slow_noise_under_white_noise_is_suspected(n: int, least: float) -> None:
    assert share_warned(n, 0.9, white=True) >= least


def test_too_few_steps_and_constant_series_show_nothing() -> None:
    assert not hides_slow_part([np.arange(29.0)[np.newaxis]]).any()
    assert not hides_slow_part([np.full((1, 60), 0.1)]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_judge_warns_of_slow_noise_unless_the_past_measured_it(kind: str) -> None:
    window = a_window(n=240)

    assert HIDDEN in judgment_of(kind, window).warnings
    assert judgment_of(kind, replace(window, history=a_past(4800))).warnings == ()


@pytest.mark.parametrize("kind", KINDS)
def test_the_warning_stays_where_the_past_is_too_short_to_measure(kind: str) -> None:
    judgment = judgment_of(kind, replace(a_window(n=240), history=a_past(1200)))

    assert HIDDEN in judgment.warnings
