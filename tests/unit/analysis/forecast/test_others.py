"""Forecasts of bounds, of what is only looked at, and of a judge without error rates."""

from __future__ import annotations

import numpy as np
import pytest

import judges
from analysis.forecast import Forecast, Planned, forecast
from judges import Sample, Scale
from tests.support.outlooks import minutes_of
from tests.support.samples import Array, a_gauge

PAST, PLANNED = 400, 60


def values(baseline: Array, canary: Array | None = None) -> Sample:
    return Sample.of_values(baseline, baseline if canary is None else canary, step_s=60)


def found(
    sample: Sample, kind: str = "threshold", *, steps: int = PLANNED, **given: object
) -> Forecast:
    known = judges.parameters(kind)
    usual = {"looks": "anytime", "alpha": 0.003, "horizon": steps}
    judge = judges.create(kind, **{n: v for n, v in usual.items() if n in known} | given)
    return forecast(judge, sample, Planned(steps=steps, warmup_s=0))


GAUGE = a_gauge(1, n=PAST, noise=0.2)  # a mean of about 102


def test_the_nearer_the_bound_the_longer_it_takes() -> None:
    near, far = (found(values(GAUGE), max=bound) for bound in (115, 150))

    assert near.minutes is not None
    assert far.minutes is not None
    assert near.minutes > 2 * far.minutes


def test_the_level_is_the_baseline_s_and_not_that_of_the_past_canary() -> None:
    harmed = found(values(GAUGE, 3 * GAUGE), max=150)

    assert harmed == found(values(GAUGE), max=150)


def test_harm_is_the_level_beyond_the_bound_that_would_fail() -> None:
    outcome = found(values(GAUGE), max=120)

    assert outcome.harm is not None
    assert outcome.harm.scale is Scale.VALUE
    assert 120 < outcome.harm.value < 150
    assert "a level of" in outcome.summary


def test_a_lower_bound_fails_from_below() -> None:
    outcome = found(values(GAUGE), min=80)

    assert outcome.harm is not None
    assert outcome.harm.value < 80


def test_a_baseline_beyond_the_bound_is_told() -> None:
    outcome = found(values(GAUGE), max=90)

    assert (outcome.suffices, outcome.minutes) == (False, None)
    assert "the baseline itself lies beyond the bound" in outcome.summary
    (looser,) = outcome.remedies
    assert looser.change == "judge.max"
    assert isinstance(looser.value, float)
    assert found(values(GAUGE), max=looser.value * 1.001).suffices is True


def test_the_bound_and_the_window_it_advises_suffice() -> None:
    short = found(values(GAUGE), max=108)
    advised = {remedy.change: remedy.value for remedy in short.remedies}

    assert short.suffices is False
    window, bound = advised["window.planned"], advised["judge.max"]
    assert isinstance(window, str)
    assert isinstance(bound, float)
    assert found(values(GAUGE), max=108, steps=minutes_of(window)).suffices is True
    assert found(values(GAUGE), max=bound * 1.001).suffices is True


def test_a_bound_on_the_ratio_is_held_against_equal_sides() -> None:
    other = a_gauge(2, n=PAST, noise=0.2)

    outcome = found(values(GAUGE, 2 * other), max=1.5, relative="ratio")

    assert outcome.suffices is True


def test_what_is_only_looked_at_has_nothing_to_wait_for() -> None:
    outcome = found(values(GAUGE), max=300, statistic="last")

    assert (outcome.suffices, outcome.minutes) == (True, 1.0)


def test_a_highest_value_that_was_exceeded_before_will_be_again() -> None:
    outcome = found(values(GAUGE), max=float(np.quantile(GAUGE, 0.97)), statistic="max")

    assert outcome.suffices is False
    assert "of the past, 60 minutes long" in outcome.summary


def test_a_quantile_is_tried_on_stretches_of_the_past() -> None:
    outcome = found(values(GAUGE), max=200, statistic="p90")

    assert outcome.suffices is True
    assert outcome.minutes is not None
    assert 5 < outcome.minutes <= PLANNED


def test_a_quantile_that_needs_longer_is_told_how_long() -> None:
    short = found(values(GAUGE), max=145, statistic="p90", steps=15)
    (longer,) = short.remedies

    assert short.suffices is False
    assert longer.change == "window.planned"


def test_a_past_shorter_than_the_plan_is_no_proof() -> None:
    outcome = found(values(GAUGE[:20]), max=145, statistic="p90")

    assert outcome.suffices is None
    assert any("shorter than the planned window" in warning for warning in outcome.warnings)


def test_a_spike_is_tried_on_stretches_of_the_past() -> None:
    outcome = found(values(GAUGE, a_gauge(2, n=PAST, noise=0.2)), "spike")

    assert outcome.suffices is True


def test_a_spike_over_nothing_is_none() -> None:
    outcome = found(values(np.zeros(PAST)), "spike")

    assert outcome.suffices is None
    assert "nothing is a multiple of it" in outcome.summary


def test_a_mean_whose_steps_are_hardly_independent_tells_nothing() -> None:
    outcome = found(values(a_gauge(3, n=40, phi=0.99)), max=110)

    assert outcome.suffices is None
    assert "independent ones" in outcome.summary


def test_a_judge_without_error_rates_is_not_said_to_become_surer() -> None:
    outcome = found(values(GAUGE, a_gauge(2, n=PAST, noise=0.2)), "kayenta")

    assert (outcome.suffices, outcome.minutes, outcome.harm) == (True, 1.0, None)
    assert "it states no error rates" in outcome.summary


WITHOUT_DATA: dict[str, dict[str, object]] = {
    "threshold on a mean": {"kind": "threshold", "max": 1},
    "threshold on what is seen": {"kind": "threshold", "max": 1, "statistic": "last"},
    "spike": {"kind": "spike"},
    "kayenta": {"kind": "kayenta"},
}


@pytest.mark.parametrize("judge", WITHOUT_DATA.values(), ids=WITHOUT_DATA)
def test_a_past_without_data_tells_nothing(judge: dict[str, object]) -> None:
    nothing = values(np.full(PAST, np.nan))
    created = judges.create(str(judge["kind"]), **{k: v for k, v in judge.items() if k != "kind"})

    outcome = forecast(created, nothing, Planned(steps=PLANNED, warmup_s=0))

    assert outcome.suffices is None
    assert outcome.summary.startswith("the past does not tell: ")
