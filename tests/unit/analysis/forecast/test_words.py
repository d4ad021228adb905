"""How a forecast is put into words, and limits into what a configuration holds."""

from __future__ import annotations

import pytest

from analysis.forecast import Harm, Planned, words
from judges import Limit, Scale
from judges.core.limits import parse_limit

CHANGES = {
    "a ratio that rises": (Harm(value=1.143, scale=Scale.RATIO), "+14 %"),
    "a ratio that falls": (Harm(value=0.8, scale=Scale.RATIO), "−20 %"),
    "a difference that rises": (Harm(value=0.0123, scale=Scale.DIFFERENCE), "+0.0123"),
    "a difference that falls": (Harm(value=-3, scale=Scale.DIFFERENCE), "−3"),
    "a level": (Harm(value=0.52, scale=Scale.VALUE), "0.52"),
    "a negative level": (Harm(value=-4, scale=Scale.VALUE), "-4"),
}


@pytest.mark.parametrize(("harm", "text"), CHANGES.values(), ids=CHANGES)
def test_a_harm_in_a_table(harm: Harm, text: str) -> None:
    assert words.change(harm) == text


SUMMARIES = {
    "a rise": (12.0, Harm(value=1.14, scale=Scale.RATIO), "12 minutes; a rise of 14 % fails"),
    "a fall": (12.0, Harm(value=0.9, scale=Scale.RATIO), "12 minutes; a fall of 10 % fails"),
    "a level": (4.08, Harm(value=0.5, scale=Scale.VALUE), "4.1 minutes; a level of 0.5 fails"),
    "nothing": (300.0, None, "5.0 hours; no harm, however large, fails"),
    "never": (None, None, "does not pass, however long it runs; no harm"),
}


@pytest.mark.parametrize(("minutes", "harm", "text"), SUMMARIES.values(), ids=SUMMARIES)
def test_a_summary(minutes: float | None, harm: Harm | None, text: str) -> None:
    assert text in words.summary(minutes, harm)


def test_growth_is_called_growth() -> None:
    harm = Harm(value=-0.1, scale=Scale.DIFFERENCE)

    assert "growth of 0.1 less than the baseline's fails" in words.summary(9.0, harm, growth=True)


LIMITS = {
    "a ratio is a percentage": (Limit(ratio=1.1712), "18%"),
    "what is round stays so": (Limit(ratio=1.2), "20%"),
    "a small one keeps two digits": (Limit(ratio=1.00123), "0.13%"),
    "an absolute part stands beside": (
        Limit(ratio=1.503, absolute=0.00201),
        "{ratio: 1.51, absolute: 0.0021}",
    ),
    "an absolute part alone": (Limit(absolute=12.3), "{ratio: 1, absolute: 13}"),
    "none at all": (Limit(), "0%"),
}


@pytest.mark.parametrize(("limit", "text"), LIMITS.values(), ids=LIMITS)
def test_a_limit_is_written_as_a_configuration_holds_it(limit: Limit, text: str) -> None:
    assert words.written(limit) == text


@pytest.mark.parametrize("size", [0.0123, 0.1, 0.25, 0.999, 3.21])
def test_a_limit_that_is_written_covers_the_one_that_was_found(size: float) -> None:
    limit = Limit(ratio=1 + size)

    assert parse_limit(words.written(limit)).covers(Limit(ratio=limit.ratio - 1e-9))


WINDOWS = {
    "short ones in whole steps": (17, 15.0, 0.0, "255s"),
    "longer ones in whole minutes": (47, 15.0, 0.0, "12m"),
    "the warm-up included": (40, 15.0, 180.0, "13m"),
    "hours where they are whole": (240, 15.0, 0.0, "1h"),
}


@pytest.mark.parametrize(("steps", "step_s", "warmup_s", "length"), WINDOWS.values(), ids=WINDOWS)
def test_a_longer_window(steps: int, step_s: float, warmup_s: float, length: str) -> None:
    planned = Planned(steps=2, warmup_s=warmup_s)

    assert words.longer(steps, step_s, planned).value == length


def test_more_traffic_is_rounded_up() -> None:
    assert words.busier(1.31).summary == "1.4 times the traffic"
