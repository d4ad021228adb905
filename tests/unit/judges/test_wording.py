"""Numbers as people read them."""

from __future__ import annotations

import pytest

from judges import Estimate, Interval, Scale
from judges.core import wording


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0, "0.00 %"), (-0.0, "0.00 %"), (0.00004, "0.00 %"), (0.0123, "1.2 %"), (0.5, "50 %"),
        (-0.123, "-12 %"), (12.3, "1230 %"), (1e9, "1e+11 %"),
    ],
)  # fmt: skip
def test_a_fraction_is_written_as_a_percentage(fraction: float, text: str) -> None:
    assert wording.percent(fraction) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (-0.0, "0"), (1234.5, "1.23e+03"), (0.00123, "0.00123")]
)
def test_an_amount_has_three_digits(value: float, text: str) -> None:
    assert wording.amount(value) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0.0, "1 minute"), (1.4, "1 minute"), (2.0, "2 minutes"), (119.0, "119 minutes"),
        (120.0, "2.0 hours"), (2879.0, "48.0 hours"), (4000.0, "3 days"),
    ],
)  # fmt: skip
def test_a_duration_can_be_planned_with(minutes: float, text: str) -> None:
    assert wording.duration(minutes) == text


def an_estimate(
    value: float | None, lower: float | None, upper: float | None, scale: Scale = Scale.RATIO
) -> Estimate:
    return Estimate(
        value=value, scale=scale, interval=Interval(lower=lower, upper=upper, level=0.95)
    )


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (an_estimate(1.14, 1.09, 1.19), "rose 14 % (95 % CI 9.0 % to 19 %)"),
        (an_estimate(0.5, 0.4, 0.6), "fell 50 % (95 % CI -60 % to -40 %)"),
        (an_estimate(1.0, 0.9, 1.1), "did not move (95 % CI -10 % to 10 %)"),
        (an_estimate(1.5, None, 2.0), "rose 50 % (95 % CI up to 100 %)"),
        (an_estimate(1.5, 1.2, None), "rose 50 % (95 % CI 20 % or more)"),
        (an_estimate(1.5, None, None), "rose 50 % (95 % CI: the data bound nothing)"),
        (an_estimate(-3.0, -4.0, -2.0, Scale.DIFFERENCE), "fell 3 (95 % CI -4 to -2)"),
        (an_estimate(7.0, 6.0, 8.0, Scale.VALUE), "is 7 (95 % CI 6 to 8)"),
        (an_estimate(None, 1.0, 2.0), "could not be estimated"),
        (Estimate(value=2.0, scale=Scale.RATIO), "rose 100 %"),
    ],
)
def test_a_change_is_written_with_its_interval(estimate: Estimate, text: str) -> None:
    assert wording.change(estimate) == text


def test_an_interval_excludes_what_lies_outside() -> None:
    interval = Interval(lower=1.0, upper=2.0, level=0.95)

    assert [interval.excludes(x) for x in (0.9, 1.0, 1.5, 2.0, 2.1)] == [
        True, False, False, False, True,
    ]  # fmt: skip
    assert not Interval(lower=None, upper=None, level=0.95).excludes(1e300)
