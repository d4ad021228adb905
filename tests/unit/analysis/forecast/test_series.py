"""Forecasts of comparisons of series: how long a gauge needs, and what it can show."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

import judges
from analysis.forecast import Forecast, Planned, forecast
from judges import Sample, Scale
from judges.core import evidence
from tests.support.outlooks import minutes_of
from tests.support.samples import Array, a_gauge

PAST, PLANNED = 400, 120
NOISE = 0.15


def a_past(
    *, noise: float = NOISE, phi: float = 0.0, n: int = PAST, harm: float = 1.0, seed: int = 1
) -> Sample:
    """Draw an hour or several in steps of a minute, on both sides."""
    baseline, canary = (a_gauge(seed + k, n=n, noise=noise, phi=phi) for k in (0, 1000))
    return Sample.of_values(baseline, harm * canary, step_s=60)


def pods(spread: float, *, each: int = 3, n: int = PAST) -> tuple[Array, Array]:
    """Draw pods of both sides whose levels differ by themselves."""
    levels = np.random.default_rng(4).standard_normal((2, each))
    sides = [
        [a_gauge(10 * side + pod, n=n, level=100 * math.exp(spread * levels[side, pod]))]
        for side in range(2)
        for pod in range(each)
    ]
    rows = np.vstack(sides)
    return rows[:each], rows[each:]


def a_plan(
    *,
    steps: int = PLANNED,
    warmup_s: float = 0.0,
    share: float | None = None,
    one_side: bool = False,
) -> Planned:
    return Planned(steps=steps, warmup_s=warmup_s, share=share, one_side=one_side)


def found(
    sample: Sample,
    kind: str = "mean_ratio",
    planned: Planned | None = None,
    /,
    **parameters: object,
) -> Forecast:
    """Forecast a metric of a rollout that is judged at any time."""
    planned = planned or a_plan()
    given = {"tolerance": "10%", "margin": "20%", "looks": "anytime", "alpha": 0.003}
    judge = judges.create(kind, **{"horizon": planned.steps, **given, **parameters})
    return forecast(judge, sample, planned)


def minutes(outcome: Forecast) -> float:
    """Give the minutes of a forecast that has some."""
    assert outcome.minutes is not None
    return outcome.minutes


def harm(outcome: Forecast) -> float:
    """Give the harm of a forecast that has one."""
    assert outcome.harm is not None
    return outcome.harm.value


def test_the_minutes_are_those_of_the_textbook_where_noise_is_known_and_looks_are_one() -> None:
    """Sample size of a one-sided test of power .8: n = 2 (cv (z + z) / log margin)^2."""
    deviates = stats.norm.isf(0.05) + stats.norm.isf(0.2)
    variation = math.expm1(0.4**2)  # the square of a lognormal's coefficient of variation
    textbook = 2 * variation * (deviates / math.log(1.2)) ** 2

    outcome = found(a_past(noise=0.4, n=4000), looks="fixed")

    assert minutes(outcome) == pytest.approx(textbook, rel=0.15)


def test_to_pass_early_takes_about_three_times_as_long_as_one_look() -> None:
    past, planned = a_past(noise=0.4, n=4000), a_plan(steps=400)

    fixed, early = (
        minutes(found(past, "mean_ratio", planned, looks=looks)) for looks in ("fixed", "anytime")
    )

    assert 2.4 < early / fixed < 3.5


def test_what_no_earlier_look_passes_passes_at_the_planned_end() -> None:
    outcome = found(a_past(noise=0.4, n=4000), "mean_ratio", a_plan(steps=120))

    assert (outcome.suffices, outcome.minutes) == (True, evidence.planned_end(120))


def test_where_the_planned_end_comes_too_soon_it_takes_the_plan_that_suffices() -> None:
    past = a_past(noise=0.5)
    short = found(past)
    (advised,) = [r.value for r in short.remedies if r.change == "window.planned"]
    assert isinstance(advised, str)
    steps = minutes_of(advised)

    assert (short.suffices, short.minutes) == (False, steps)
    longer = found(past, "mean_ratio", a_plan(steps=steps))
    assert longer.minutes == evidence.planned_end(steps)


def test_any_number_of_looks_need_hardly_a_longer_plan_than_one() -> None:
    """At the planned end four fifths of the level are left, after 95 % of the steps."""
    past = a_past(noise=0.5)

    fixed, anytime = (minutes(found(past, looks=looks)) for looks in ("fixed", "anytime"))

    assert 1 < anytime / fixed < 1.25


def test_growth_has_no_planned_end_to_wait_for() -> None:
    loud = Sample.of_values(*(a_gauge(k, n=PAST, noise=0.15) for k in (7, 8)), step_s=60)

    outcome = found(loud, "slope", a_plan(steps=60))

    assert outcome.suffices is False
    assert minutes(outcome) > 60


def test_stages_need_less_time_than_any_number_of_looks_and_more_than_one() -> None:
    past = a_past(noise=0.3)

    fixed, stages, anytime = (
        minutes(found(past, looks=looks)) for looks in ("fixed", "group_sequential", "anytime")
    )

    assert fixed < stages < anytime


def test_noise_three_times_as_large_takes_about_nine_times_as_long() -> None:
    """Coefficients of variation of .254 and .766."""
    little, much = (minutes(found(a_past(noise=noise), looks="fixed")) for noise in (0.25, 0.68))

    assert 7 < much / little < 11


@pytest.mark.parametrize("kind", ["mean_ratio", "mann_whitney"])
def test_autocorrelation_takes_longer_and_shows_less(kind: str) -> None:
    independent, dependent = (found(a_past(noise=0.1, phi=phi), kind) for phi in (0.0, 0.6))

    assert minutes(dependent) > 2 * minutes(independent)
    assert harm(dependent) > harm(independent)


def test_a_wider_margin_is_passed_sooner() -> None:
    past = a_past(noise=0.3)

    assert minutes(found(past, margin="30%")) < minutes(found(past, margin="20%"))


def test_smaller_risks_take_longer_and_show_less() -> None:
    past = a_past(noise=0.2)

    careful, bold = found(past, alpha=0.0001, beta=0.001), found(past, alpha=0.05, beta=0.1)

    assert minutes(careful) > minutes(bold)
    assert harm(careful) > harm(bold)


def test_the_warm_up_is_part_of_the_wait() -> None:
    past = a_past()

    assert minutes(found(past, "mean_ratio", a_plan(warmup_s=180))) == pytest.approx(
        minutes(found(past)) + 3
    )


def test_harm_of_the_past_canary_is_no_noise() -> None:
    clean, harmed = (found(a_past(harm=harm), "mean_ratio") for harm in (1.0, 3.0))

    assert minutes(harmed) == pytest.approx(minutes(clean), rel=0.05)
    assert harm(harmed) == pytest.approx(harm(clean), rel=0.02)


def test_harm_in_either_direction_takes_longer_and_shows_less() -> None:
    past = a_past(noise=0.3)

    either, increase = (found(past, direction=direction) for direction in ("either", "increase"))

    assert minutes(either) > minutes(increase)
    assert harm(either) > harm(increase)


def test_a_decrease_is_told_as_one() -> None:
    outcome = found(a_past(), direction="decrease")

    assert harm(outcome) < 1 / 1.1
    assert "a fall of" in outcome.summary


def test_a_metric_that_may_be_negative_is_told_in_its_own_unit() -> None:
    rng = np.random.default_rng(3)
    past = Sample.of_values(*(5 * rng.standard_normal((2, PAST))), step_s=60)
    limits = {"tolerance": {"absolute": 2}, "margin": {"absolute": 4}}

    outcome = found(past, "mann_whitney", **limits)

    assert outcome.harm is not None
    assert outcome.harm.scale is Scale.DIFFERENCE
    assert 2 < outcome.harm.value < 10
    assert outcome.margin is not None
    assert (outcome.margin.ratio, outcome.margin.absolute > 0) == (1.0, True)


def test_the_margin_it_names_is_one_that_the_planned_window_can_decide() -> None:
    past = a_past(noise=0.5)
    short = found(past)
    assert short.suffices is False
    assert short.margin is not None

    assert found(past, margin=short.margin).suffices is True
    tighter = dataclasses.replace(short.margin, ratio=short.margin.ratio - 0.02)
    assert found(past, margin=tighter).suffices is False


def test_the_window_it_advises_suffices() -> None:
    past = a_past(noise=0.5)
    (advised,) = [r.value for r in found(past).remedies if r.change == "window.planned"]
    assert isinstance(advised, str)
    steps = minutes_of(advised)

    assert found(past, "mean_ratio", a_plan(steps=steps)).suffices is True
    assert found(past, "mean_ratio", a_plan(steps=steps - 12)).suffices is False


def test_what_suffices_needs_no_remedy() -> None:
    outcome = found(a_past(noise=0.05))

    assert (outcome.suffices, outcome.remedies) == (True, ())


def test_no_margin_below_the_tolerance_is_named() -> None:
    outcome = found(a_past(noise=0.02), tolerance="10%")

    assert outcome.margin is not None
    assert outcome.margin.ratio == pytest.approx(1.1)


@pytest.mark.parametrize("kind", ["mean_ratio", "mann_whitney"])
def test_few_independent_steps_show_no_harm_however_large(kind: str) -> None:
    outcome = found(a_past(phi=0.7), kind, a_plan(steps=40))

    assert outcome.harm is None
    assert "no harm, however large, fails" in outcome.summary


# ---- traffic


def latency(*, requests: tuple[float, float] = (300.0, 300.0), n: int = PAST) -> Sample:
    """Draw seconds among requests: means of independent latencies."""
    rng = np.random.default_rng(5)
    sides = []
    for rate in requests:
        total = rng.poisson(rate, n).astype(float)
        sides.append((rng.gamma(total, 0.1), total))
    return Sample.of_counts(sides[0], sides[1], step_s=60)


def test_requests_that_are_needed_hardly_depend_on_who_serves_them() -> None:
    """A canary with a tenth of the traffic needs its requests, and so the more minutes."""
    past = latency(requests=(30.0, 30.0))

    half, tenth = (
        found(past, "mean_ratio", a_plan(share=share), margin="15%", looks="fixed")
        for share in (0.5, 0.1)
    )

    assert 2.3 < minutes(tenth) / minutes(half) < 3.2  # 1 / (.1 x .9) over 1 / (.5 x .5)
    assert half.requests is not None
    assert tenth.requests is not None
    assert 0.4 < tenth.requests / half.requests < 0.7


def test_a_share_as_in_the_past_changes_nothing() -> None:
    past = latency(requests=(300.0, 100.0))

    assert minutes(found(past, "mean_ratio", a_plan(share=0.25))) == pytest.approx(
        minutes(found(past)), rel=0.02
    )


def test_a_past_of_one_side_is_halved_unless_told_otherwise() -> None:
    past = latency(requests=(40.0, 40.0))

    untold, half, whole = (
        minutes(found(past, "mean_ratio", planned, margin="15%"))
        for planned in (a_plan(one_side=True), a_plan(one_side=True, share=0.5), a_plan())
    )

    assert untold == half
    assert half > 1.7 * whole


def test_the_traffic_it_advises_suffices() -> None:
    short = found(latency(requests=(4.0, 4.0)))
    (times,) = [r.value for r in short.remedies if r.change == "traffic"]
    assert isinstance(times, float)

    assert short.suffices is False
    assert found(latency(requests=(4 * times * 1.1, 4 * times * 1.1))).suffices is True


def test_a_gauge_has_no_traffic_to_advise() -> None:
    assert "traffic" not in {remedy.change for remedy in found(a_past(noise=0.5)).remedies}


# ---- pods


def test_pods_that_differ_leave_a_narrow_margin_open_forever() -> None:
    past = Sample.of_values(*pods(0.1), step_s=60)

    outcome = found(past, margin="12%")

    assert (outcome.suffices, outcome.minutes) == (False, None)
    assert "does not pass, however long it runs" in outcome.summary
    assert any("more pods help" in warning for warning in outcome.warnings)
    assert {remedy.change for remedy in outcome.remedies} == {"judge.margin"}


def test_pods_that_have_no_say_do_not_hold_it_up() -> None:
    past = Sample.of_values(*pods(0.1), step_s=60)

    assert found(past, margin="12%", pods="ignore").suffices is True


# ---- growth


def growing(*, n: int = PAST) -> Sample:
    return Sample.of_values(a_gauge(7, n=n, noise=0.05), a_gauge(8, n=n, noise=0.05), step_s=60)


def test_growth_is_known_much_sooner_the_longer_one_looks() -> None:
    """Noise twice as large takes 2^(2/3) times as long, where a mean would take four times."""
    quiet, loud = (
        Sample.of_values(
            a_gauge(7, n=PAST, noise=noise), a_gauge(8, n=PAST, noise=noise), step_s=60
        )
        for noise in (0.2, 0.4)
    )

    short, long = (
        minutes(found(past, "slope", a_plan(steps=400), tolerance="5%", margin="10%"))
        for past in (quiet, loud)
    )

    assert 1.4 < long / short < 1.9


def test_the_window_it_advises_for_growth_suffices() -> None:
    """A longer window is told more growth, and is still known better."""
    loud = Sample.of_values(*(a_gauge(k, n=PAST, noise=0.15) for k in (7, 8)), step_s=60)
    short = found(loud, "slope", a_plan(steps=60))
    (advised,) = [r.value for r in short.remedies if r.change == "window.planned"]
    assert isinstance(advised, str)
    steps = minutes_of(advised)

    assert short.suffices is False
    assert found(loud, "slope", a_plan(steps=steps)).suffices is True
    assert found(loud, "slope", a_plan(steps=round(0.9 * steps))).suffices is False


def test_growth_is_told_in_the_unit_of_the_metric_and_its_margin_as_a_share() -> None:
    outcome = found(growing(), "slope", tolerance="5%", margin="10%")

    assert outcome.harm is not None
    assert outcome.harm.scale is Scale.DIFFERENCE
    assert 5 < outcome.harm.value < 40  # of a level of 100
    assert outcome.margin is not None
    assert 1.05 <= outcome.margin.ratio < 1.5
    assert "growth of" in outcome.summary


# ---- what the past does not tell


UNKNOWN = {
    "too few steps": (a_past(n=10), "10 steps were seen on both sides"),
    "too few that are independent": (a_past(n=40, phi=0.98, seed=3), "independent ones"),
    "no data of a side": (
        Sample.of_values(np.full(30, np.nan), np.ones(30), step_s=60),
        "0 steps were seen on both sides",
    ),
}


@pytest.mark.parametrize(("past", "why"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_past_that_tells_nothing_says_why(past: Sample, why: str) -> None:
    outcome = found(past)

    assert (outcome.suffices, outcome.minutes, outcome.harm) == (None, None, None)
    assert outcome.summary.startswith("the past does not tell: ")
    assert why in outcome.summary


def test_sides_that_never_change_pass_with_the_first_steps_that_are_judged() -> None:
    outcome = found(Sample.of_values(np.full(40, 3.0), np.full(40, 3.0), step_s=60), "mann_whitney")

    assert (outcome.suffices, outcome.minutes, outcome.harm) == (True, 15.0, None)


def test_a_short_past_warns_of_what_it_cannot_know() -> None:
    outcome = found(a_past(n=18))

    assert any("independent steps, so the noise" in warning for warning in outcome.warnings)


def test_the_basis_is_named() -> None:
    basis = found(a_past(phi=0.5)).basis

    assert basis.steps == PAST
    assert basis.n_effective is not None
    assert 80 < basis.n_effective < 200
    assert basis.autocorrelation == pytest.approx(0.5, abs=0.15)
