"""Laws of forecasts, whatever the past is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import judges
from analysis.forecast import Forecast, Planned, forecast
from judges import Histogram, Judge, Ratio, Sample, Values
from tests.support.samples import Array, leaves

SEEDS = st.integers(0, 2**32 - 1)
STEPS = st.sampled_from([1, 3, 16, 40, 90])
PLANS = st.sampled_from([2, 12, 60, 240])
LOOKS = st.sampled_from(["anytime", "fixed"])
DIRECTIONS = st.sampled_from(["increase", "decrease", "either"])
SHARES = st.sampled_from([None, 0.05, 0.5])
EDGES = [0.1, 1.0, math.inf]


def series(rng: np.random.Generator, pods: int, n: int) -> Array:
    """Draw what a past may hold: noise, a walk, counts, a constant, gaps, odd values among them."""
    shape = (pods, n)
    kinds: list[Callable[[], Array]] = [
        lambda: 100 * np.exp(0.2 * rng.standard_normal(shape)),
        lambda: np.cumsum(rng.standard_normal(shape), axis=1),
        lambda: rng.poisson(rng.choice([0.05, 1.0, 300.0]), shape).astype(float),
        lambda: np.full(shape, rng.choice([0.0, 1.0, -2.0, 1e9])),
        lambda: rng.choice([0.0, 1.0, -1.0, 1e-9, 1e9, np.nan], shape),
    ]
    values = np.array(kinds[rng.integers(len(kinds))](), dtype=np.float64)
    values[rng.random(shape) < rng.choice([0.0, 0.2])] = np.nan
    return values


def sample_of(kind: type, rng: np.random.Generator, n: int) -> Sample:
    """Draw a past of one kind of data, with one to three pods a side."""
    pods = rng.integers(1, 4, 2)
    if kind is Values:
        return Sample.of_values(*(series(rng, int(count), n) for count in pods), step_s=15)
    if kind is Ratio:
        sides = [(series(rng, int(c), n), np.abs(series(rng, int(c), n))) for c in pods]
        return Sample.of_counts(sides[0], sides[1], step_s=15)
    counts = [np.stack([np.abs(series(rng, int(c), n)) for _ in EDGES], axis=-1) for c in pods]
    return Sample.of_histograms(EDGES, counts[0], counts[1], step_s=15)


@st.composite
def metrics(draw: st.DrawFn) -> tuple[Judge, Sample]:
    """Draw any judge there is, with a past that it accepts."""
    kind = draw(st.sampled_from(judges.kinds()))
    known = judges.parameters(kind)
    wished = {"looks": draw(LOOKS), "direction": draw(DIRECTIONS), "alpha": 0.003, "horizon": 60}
    given_: dict[str, object] = {name: value for name, value in wished.items() if name in known}
    if kind == "threshold":
        given_["max"] = draw(st.sampled_from([0.0, 1.0, 120.0]))
        given_["statistic"] = draw(st.sampled_from(["mean", "p95", "share", "last", "max"]))
        given_["relative"] = draw(st.sampled_from(["value", "ratio", "difference"]))
    judge = judges.create(kind, **given_)
    accepted = draw(st.sampled_from(judges.judge_class(kind).accepts))
    assert accepted in {Values, Ratio, Histogram}
    return judge, sample_of(accepted, np.random.default_rng(draw(SEEDS)), draw(STEPS))


def odd(found: Forecast) -> list[str]:
    """List what no forecast may hold: NaN, infinity, or numpy's numbers."""
    return [
        f"{path} is {value!r}"
        for path, value in leaves(found)
        if isinstance(value, np.generic) or (isinstance(value, float) and not math.isfinite(value))
    ]


@given(metric=metrics(), steps=PLANS, share=SHARES, one_side=st.booleans())
@settings(max_examples=150)
def test_a_forecast_holds_plain_numbers_and_never_raises(
    metric: tuple[Judge, Sample], steps: int, share: float | None, *, one_side: bool
) -> None:
    judge, past = metric
    planned = Planned(steps=steps, warmup_s=30, share=share, one_side=one_side)

    with np.errstate(divide="raise", over="raise", invalid="raise"):
        found = forecast(judge, past, planned)

    assert odd(found) == []
    assert found.minutes is None or found.minutes >= 0.5
    assert found.suffices is not True or (found.remedies, found.minutes is None) == ((), False)


@given(metric=metrics(), steps=PLANS)
@settings(max_examples=100)
def test_a_plan_suffices_where_what_is_needed_lies_within_it(
    metric: tuple[Judge, Sample], steps: int
) -> None:
    judge, past = metric
    planned = Planned(steps=steps, warmup_s=30)

    found = forecast(judge, past, planned)

    if found.suffices is not None and found.minutes is not None:
        assert found.suffices is (found.minutes <= planned.minutes(steps, past.step_s))


@given(
    seed=SEEDS, exponent=st.integers(-20, 20), kind=st.sampled_from(["mean_ratio", "mann_whitney"])
)
@settings(max_examples=25)
def test_the_unit_of_a_metric_does_not_matter(seed: int, exponent: int, kind: str) -> None:
    rng, unit = np.random.default_rng(seed), 2.0**exponent
    baseline, canary = np.exp(0.2 * rng.standard_normal((2, 120)))
    judge = judges.create(kind, looks="anytime", alpha=0.003)
    planned = Planned(steps=60, warmup_s=0)

    one, other = (
        forecast(judge, Sample.of_values(scale * baseline, scale * canary), planned)
        for scale in (1.0, unit)
    )

    assert (other.minutes, other.suffices, other.margin) == (one.minutes, one.suffices, one.margin)


@given(seed=SEEDS, steps=st.integers(20, 300), looks=LOOKS)
@settings(max_examples=25)
def test_what_suffices_suffices_the_more_the_longer_it_runs(
    seed: int, steps: int, looks: str
) -> None:
    rng = np.random.default_rng(seed)
    past = Sample.of_values(*np.exp(0.3 * rng.standard_normal((2, 120))))

    short, long = (
        forecast(
            judges.create("mean_ratio", looks=looks, alpha=0.003, horizon=length),
            past,
            Planned(steps=length, warmup_s=0),
        )
        for length in (steps, 2 * steps)
    )

    assert long.suffices or not short.suffices
    assert short.harm is None or (long.harm is not None and long.harm.value <= short.harm.value)
