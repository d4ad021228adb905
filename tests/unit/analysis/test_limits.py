"""What a judgment was held against, on the scale of its estimate."""

from __future__ import annotations

import numpy as np
import pytest

import judges
from analysis.limits import Limits, Range, limits_of
from judges import Judgment, Sample, Scale, Verdict

RNG = np.random.default_rng(3)
GAUGES = Sample.of_values(
    100 * np.exp(0.05 * RNG.standard_normal(40)), 101 * np.exp(0.05 * RNG.standard_normal(40))
)
COUNTS = Sample.of_counts((np.full(40, 2), np.full(40, 1000)), (np.full(40, 3), np.full(40, 1000)))
NO_EVENTS = Sample.of_counts((np.zeros(40), np.full(40, 1000)), (np.full(40, 3), np.full(40, 1000)))


def found(kind: str, sample: Sample, **parameters: object) -> tuple[Limits | None, Judgment]:
    rule = judges.create(kind, **parameters)
    judgment = rule.judge(sample)
    return limits_of(rule, judgment), judgment


CASES = {
    "a ratio of a gauge": (
        ("mann_whitney", GAUGES, {"tolerance": "10%", "margin": "25%"}),
        (Range(upper=1.1), Range(upper=1.25)),
    ),
    "a decrease by the same ratio": (
        ("mann_whitney", GAUGES, {"tolerance": "25%", "direction": "decrease"}),
        (Range(lower=0.8), Range(lower=1 / 1.5)),
    ),
    "both directions": (
        ("mean_ratio", GAUGES, {"tolerance": "25%", "margin": "100%", "direction": "either"}),
        (Range(lower=0.8, upper=1.25), Range(lower=0.5, upper=2.0)),
    ),
    "the worse of ratio and absolute, at the baseline's rate": (
        (
            "error_ratio",
            COUNTS,
            {
                "tolerance": {"ratio": 1.25, "absolute": 0.001},
                "margin": {"ratio": 4.0, "absolute": 0.002},
            },
        ),
        (Range(upper=1.5), Range(upper=4.0)),
    ),
    "an absolute limit has no place beside a baseline without events": (
        ("error_ratio", NO_EVENTS, {}),
        (Range(), Range()),
    ),
    "bounds of a level": (
        ("threshold", GAUGES, {"min": 50, "max": 120}),
        (Range(lower=50.0, upper=120.0), None),
    ),
    "a share of steps": (
        ("threshold", GAUGES, {"max": 120, "statistic": "share", "share": 0.2}),
        (Range(upper=0.2), None),
    ),
    "a spike": (("spike", GAUGES, {"ratio": 3.0}), (Range(upper=3.0), None)),
    "Kayenta's allowed increase": (
        ("kayenta", GAUGES, {"direction": "increase", "allowed_increase": 1.2}),
        (Range(upper=1.2), None),
    ),
}


@pytest.mark.parametrize(("asked", "expected"), CASES.values(), ids=CASES)
def test_limits_stand_on_the_scale_of_the_estimate(
    asked: tuple[str, Sample, dict[str, object]], expected: tuple[Range, Range | None]
) -> None:
    limits, _ = found(asked[0], asked[1], **asked[2])

    assert limits is not None
    for range_, other in zip((limits.tolerance, limits.margin), expected, strict=True):
        assert (range_ is None) == (other is None)
        if range_ is not None and other is not None:
            assert (range_.lower, range_.upper) == pytest.approx((other.lower, other.upper))


def test_growth_is_limited_by_shares_of_the_level_that_must_not_be_reached() -> None:
    limits, judgment = found("slope", GAUGES, tolerance="5%", margin="10%", limit=400)

    assert judgment.estimate is not None
    assert judgment.estimate.scale is Scale.DIFFERENCE
    assert limits is not None
    assert limits.margin is not None
    assert limits.tolerance.upper == pytest.approx(20)
    assert limits.margin.upper == pytest.approx(40)


def test_only_what_has_error_rates_has_levels() -> None:
    compared, _ = found("mann_whitney", GAUGES, alpha=0.002, beta=0.03)
    observed, _ = found("threshold", GAUGES, max=120, statistic="last")

    assert compared is not None
    assert observed is not None
    assert (compared.fail_level, compared.pass_level) == (0.002, 0.03)
    assert (observed.fail_level, observed.pass_level) == (None, None)


@pytest.mark.parametrize(
    ("parameters", "of_level"),
    [({}, True), ({"statistic": "share"}, False), ({"relative": "ratio"}, False)],
    ids=["a bound of the level", "a share", "a ratio"],
)
def test_only_bounds_of_the_level_can_be_drawn_over_time(
    parameters: dict[str, object], of_level: bool
) -> None:
    limits, _ = found("threshold", GAUGES, max=120, **parameters)

    assert limits is not None
    assert limits.of_level is of_level


def test_without_an_estimate_there_is_nothing_to_hold_against_limits() -> None:
    limits, judgment = found("mann_whitney", Sample.of_values([1.0], [2.0]))

    assert judgment.verdict is Verdict.INCONCLUSIVE
    assert limits is None
