"""Forecasts of events among requests."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import judges
from analysis.forecast import Forecast, Planned, forecast
from judges import Ratio, Sample, Scale
from judges.core import evidence
from judges.core.sample import Side
from tests.support.outlooks import minutes_of
from tests.support.samples import Array

PAST, PLANNED = 240, 120
# So long that every pass is one before the planned end.
AMPLE = 2000


def a_past(
    rate: float,
    *,
    requests: tuple[float, float] = (400.0, 100.0),
    harm: float = 1.0,
    bunched: bool = False,
) -> Sample:
    """Draw events among requests, minute by minute; bunched ones by half as much again or less."""
    rng = np.random.default_rng(6)
    sides: list[tuple[Array, Array]] = []
    for traffic, level in zip(requests, (rate, harm * rate), strict=True):
        total = rng.poisson(traffic, PAST).astype(float)
        intensity = rng.gamma(1.0, 1.0, PAST) if bunched else np.ones(PAST)
        sides.append((rng.poisson(total * level * intensity).astype(float), total))
    return Sample.of_counts(sides[0], sides[1], step_s=60)


def a_plan(*, steps: int = PLANNED, share: float | None = None, one_side: bool = False) -> Planned:
    return Planned(steps=steps, warmup_s=0, share=share, one_side=one_side)


def found(sample: Sample, planned: Planned | None = None, /, **parameters: object) -> Forecast:
    """Forecast an error ratio whose limits are wide enough for an hour of a few errors."""
    planned = planned or a_plan()
    given = {
        "tolerance": {"ratio": 1.25, "absolute": 0.0002},
        "margin": {"ratio": 1.5, "absolute": 0.002},
        "looks": "anytime",
        "alpha": 0.003,
    }
    judge = judges.create("error_ratio", **{"horizon": planned.steps, **given, **parameters})
    return forecast(judge, sample, planned)


def minutes(outcome: Forecast) -> float:
    """Give the minutes of a forecast that has some."""
    assert outcome.minutes is not None
    return outcome.minutes


def harm(outcome: Forecast) -> float:
    """Give the harm of a forecast that has one."""
    assert outcome.harm is not None
    return outcome.harm.value


def test_without_any_error_the_requests_are_those_of_the_rule_of_three() -> None:
    """(1 - margin)^n = .05: 1,498 requests without an error exclude two errors in a thousand."""
    outcome = found(a_past(0.0), looks="fixed")

    assert outcome.requests == pytest.approx(math.log(1 / 0.05) / 0.002, rel=0.08)


def test_without_any_error_harm_is_a_share_of_requests() -> None:
    outcome = found(a_past(0.0))

    assert outcome.harm is not None
    assert outcome.harm.scale is Scale.DIFFERENCE
    assert 0.0002 < outcome.harm.value < 0.01
    assert any("hardly known" in warning for warning in outcome.warnings)


def test_the_harm_is_the_one_a_binomial_test_finds_in_four_of_five() -> None:
    """Conditional on all events the canary's are binomial; normal sample size, no limit, one look.

    With k events on the baseline, ratio r shows if log r > (z_alpha + z_eta) sqrt(1/k + 1/(k r)).
    """
    past = a_past(0.01, requests=(100.0, 100.0))
    events = 0.01 * 100 * PLANNED
    deviates = stats.norm.isf(0.01) + stats.norm.isf(0.2)
    ratio = next(
        r for r in np.arange(1, 3, 0.01)
        if math.log(r) > deviates * math.sqrt(1 / events + 1 / (events * r))
    )  # fmt: skip

    outcome = found(past, looks="fixed", alpha=0.01, tolerance=0, margin="50%")

    assert harm(outcome) == pytest.approx(ratio, rel=0.08)


def test_errors_of_the_past_canary_are_not_those_of_an_equal_one() -> None:
    clean, harmed = (found(a_past(0.02, harm=times)) for times in (1.0, 4.0))

    assert minutes(harmed) == pytest.approx(minutes(clean), rel=0.05)
    assert harm(harmed) == pytest.approx(harm(clean), rel=0.05)


def test_rarer_errors_need_more_requests_to_exclude_the_same_ratio() -> None:
    ratio_only, planned = {"tolerance": "25%", "margin": "50%"}, a_plan(steps=AMPLE)

    often, seldom = (found(a_past(rate), planned, **ratio_only) for rate in (0.05, 0.005))

    assert 7 < minutes(seldom) / minutes(often) < 13


def test_a_smaller_share_takes_longer_on_fewer_requests() -> None:
    past = a_past(0.01)

    half, tenth = (found(past, a_plan(steps=AMPLE, share=share)) for share in (0.5, 0.1))

    assert minutes(tenth) > 2 * minutes(half)
    assert half.requests is not None
    assert tenth.requests is not None
    assert tenth.requests < half.requests


def test_a_past_of_one_side_is_halved_unless_told_otherwise() -> None:
    past = a_past(0.01, requests=(200.0, 200.0))

    untold, half, whole = (
        minutes(found(past, planned))
        for planned in (
            a_plan(steps=AMPLE, one_side=True),
            a_plan(steps=AMPLE, one_side=True, share=0.5),
            a_plan(steps=AMPLE),
        )
    )

    assert untold == half
    assert half == pytest.approx(2 * whole, rel=0.1)


def test_what_no_earlier_look_passes_passes_at_the_planned_end() -> None:
    outcome = found(a_past(0.01), a_plan(share=0.1))

    assert (outcome.suffices, outcome.minutes) == (True, evidence.planned_end(PLANNED))


@pytest.mark.parametrize("steps", [30, 60])
def test_where_the_planned_end_comes_too_soon_it_takes_the_plan_that_suffices(steps: int) -> None:
    """However short the plan is, what it takes is the same."""
    past = a_past(0.002)
    short = found(past, a_plan(steps=steps))
    needed = round(minutes(short))

    assert short.suffices is False
    longer = found(past, a_plan(steps=needed))
    assert (longer.suffices, longer.minutes) == (True, evidence.planned_end(needed))
    assert found(past, a_plan(steps=round(0.95 * needed))).suffices is False


def test_any_number_of_looks_need_hardly_a_longer_plan_than_one() -> None:
    """At the planned end four fifths of the level are left, after 95 % of the steps."""
    past, planned = a_past(0.002), a_plan(steps=60)

    fixed, anytime = (minutes(found(past, planned, looks=looks)) for looks in ("fixed", "anytime"))

    assert 1 < anytime / fixed < 1.25


def test_events_in_bunches_tell_less() -> None:
    even, bunched = (found(a_past(0.05, bunched=bunched)) for bunched in (False, True))

    assert minutes(bunched) > 2 * minutes(even)
    assert harm(bunched) > harm(even)
    assert any("bunches" in warning for warning in bunched.warnings)
    assert even.warnings == ()


def test_pods_that_differ_take_longer() -> None:
    rng = np.random.default_rng(2)
    total = np.full((3, PAST), 100.0)
    rates = np.array([[0.5], [1.0], [1.5]]) * 0.02
    sides = [(rng.poisson(rates * total).astype(float), total) for _ in range(2)]
    past = Sample.of_counts(sides[0], sides[1], step_s=60)

    heeded, ignored = (
        found(past, pods=pods, tolerance="25%", margin="100%") for pods in ("auto", "ignore")
    )

    assert heeded.minutes is None or heeded.minutes > 3 * minutes(ignored)


def test_the_margin_it_names_is_one_that_the_planned_window_can_decide() -> None:
    past, planned = a_past(0.002), a_plan(steps=60)
    short = found(past, planned)
    assert short.suffices is False
    assert short.margin is not None

    assert found(past, planned, margin=short.margin).suffices is True


def test_the_window_it_advises_suffices() -> None:
    past = a_past(0.002)
    short = found(past, a_plan(steps=60))
    (advised,) = [r.value for r in short.remedies if r.change == "window.planned"]
    assert isinstance(advised, str)

    assert found(past, a_plan(steps=minutes_of(advised))).suffices is True


def test_stages_have_their_own_window() -> None:
    past = a_past(0.002)

    short = found(past, a_plan(steps=60), looks="group_sequential")
    (advised,) = [r.value for r in short.remedies if r.change == "window.planned"]
    assert isinstance(advised, str)

    assert (short.suffices, short.minutes) == (False, None)
    steps = minutes_of(advised)
    assert found(past, a_plan(steps=steps), looks="group_sequential").suffices is True


def test_the_traffic_it_advises_suffices() -> None:
    planned = a_plan(steps=60)
    short = found(a_past(0.002), planned)
    (times,) = [r.value for r in short.remedies if r.change == "traffic"]
    assert isinstance(times, float)

    busier = a_past(0.002, requests=(400 * times * 1.1, 100 * times * 1.1))
    assert found(busier, planned).suffices is True


def test_a_fall_is_told_as_one() -> None:
    outcome = found(a_past(0.2), direction="decrease", tolerance="10%", margin="25%")

    assert harm(outcome) < 1 / 1.1
    assert "a fall of" in outcome.summary


def test_a_side_without_requests_tells_nothing() -> None:
    nothing = np.zeros(PAST)

    outcome = found(Sample.of_counts((nothing, nothing), (nothing, nothing + 9), step_s=60))

    assert outcome.suffices is None
    assert "served no requests" in outcome.summary


def test_the_basis_is_what_the_baseline_counted() -> None:
    basis = found(a_past(0.01)).basis

    assert basis.steps == PAST
    assert basis.events == pytest.approx(0.01 * 400 * PAST, rel=0.1)
    assert basis.requests == pytest.approx(400 * PAST, rel=0.02)


def test_observations_above_an_edge_are_counted_like_errors() -> None:
    """A histogram of two buckets is a count of events among requests."""
    counted = a_past(0.02)
    limits = {"tolerance": "20%", "margin": "40%", "looks": "anytime", "horizon": PLANNED}
    as_histogram = Sample.of_histograms(
        [0.5, math.inf], *(_buckets(side) for side in (counted.baseline, counted.canary)), step_s=60
    )

    above, errors = (
        forecast(judges.create(kind, **limits), past, a_plan())
        for kind, past in (("exceedance", as_histogram), ("error_ratio", counted))
    )

    assert above.kind == "exceedance"
    assert minutes(above) == minutes(errors)
    assert harm(above) == pytest.approx(harm(errors))


def _buckets(side: Side) -> Array:
    assert isinstance(side, Ratio)
    events, requests = side.sums()
    return np.stack([requests - events, events], axis=-1)
