"""The time that is judged, and the grid laid over it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analysis.errors import TooEarlyError
from analysis.window import MOST_STEPS, Window, as_datetime, select_window
from tests.support.builders import START

NOW = as_datetime(START) + timedelta(minutes=50, seconds=7)
S, M = timedelta(seconds=1), timedelta(minutes=1)


def at(minutes: float) -> datetime:
    return as_datetime(START) + timedelta(minutes=minutes)


def chosen(**changes: Any) -> Window:
    """Choose a window at minute 50:07, of an hour planned."""
    settings: dict[str, Any] = {
        "now": NOW,
        "start": None,
        "end": None,
        "lookback": None,
        "planned": 60 * M,
        "warmup": timedelta(0),
        "step": 30 * S,
        "lag": timedelta(0),
    }
    return select_window(**{**settings, **changes})


def a_grid(**changes: float) -> list[float]:
    """Give the edges in seconds since `START`."""
    settings: dict[str, float] = {"start": 0, "end": 120, "warmup_s": 0, "step_s": 30, **changes}
    shifted = {name: settings[name] + START for name in ("start", "end")}
    window = Window(warmup_s=settings["warmup_s"], step_s=settings["step_s"], **shifted)
    return [float(edge) - START for edge in window.edges]


GRIDS = {
    "whole steps": ({}, [0, 30, 60, 90, 120]),
    "a start between two multiples waits for the next": ({"start": 1}, [30, 60, 90, 120]),
    "an end between two multiples leaves the last step out": ({"end": 119}, [0, 30, 60, 90]),
    "the warm-up is left out": ({"warmup_s": 60}, [60, 90, 120]),
    "a warm-up that ends between two multiples": ({"warmup_s": 31}, [60, 90, 120]),
    "start and warm-up count together": ({"start": 20, "warmup_s": 10}, [30, 60, 90, 120]),
    "fractions of a second": ({"end": 1, "step_s": 0.25}, [0, 0.25, 0.5, 0.75, 1]),
    "a step that is no fraction of a minute": ({"end": 100, "step_s": 40}, [0, 40, 80]),
    "nothing left": ({"end": 29}, [0]),
    "a warm-up longer than the window": ({"warmup_s": 600}, [600]),
    "an end before the start": ({"end": -500}, [0]),
}


@pytest.mark.parametrize(("changes", "edges"), GRIDS.values(), ids=GRIDS)
def test_the_grid_lies_on_multiples_of_the_step(
    changes: dict[str, float], edges: list[float]
) -> None:
    assert a_grid(**changes) == edges


def test_steps_and_their_length_agree_with_the_edges() -> None:
    window = Window(start=START, end=START + 125, warmup_s=30, step_s=30)

    assert window.steps == len(window.edges) - 1 == 3
    assert window.judged_s == 90


def test_what_lies_before_a_window_ends_where_it_starts_warmup_and_all() -> None:
    past = Window(start=START, end=START + 600, warmup_s=180, step_s=60).before(3600)

    assert (past.edges[0], past.edges[-1], past.steps) == (START - 3600, START, 60)


def test_a_window_without_a_step_has_no_length() -> None:
    window = Window(start=START, end=START, warmup_s=0, step_s=30)

    assert (window.steps, window.judged_s) == (0, 0)


@pytest.mark.parametrize("step_s", [0.1, 0.3, 0.7, 1.1, 7.3])
def test_a_start_on_a_grid_of_fractions_loses_no_step(step_s: float) -> None:
    places = range(round(START / step_s), round(START / step_s) + 200)

    windows = [
        Window(start=place * step_s, end=(place + 5) * step_s, warmup_s=0, step_s=step_s)
        for place in places
    ]

    assert {window.steps for window in windows} == {5}


def test_looks_at_one_rollout_share_the_grid() -> None:
    early = chosen(start=at(1.3), now=at(20), warmup=3 * M)
    late = chosen(start=at(1.3), now=at(40), warmup=3 * M)

    assert late.edges[: early.steps + 1].tolist() == early.edges.tolist()
    assert late.steps - early.steps == 40


def test_rollouts_that_begin_at_different_times_share_the_grid() -> None:
    one, other = chosen(start=at(1.3)), chosen(start=at(2.9))

    assert set(other.edges.tolist()) < set(one.edges.tolist())


CHOSEN = {
    "by default the planned length back from now": ({}, (-9.88333, 50.11667)),
    "back from now less lag": ({"lag": 30 * S}, (-10.38333, 49.61667)),
    "lookback instead of the planned length": ({"lookback": 10 * M}, (40.11667, 50.11667)),
    "lookback from a given end": ({"lookback": 10 * M, "end": at(30)}, (20, 30)),
    "from a start to now": ({"start": at(5)}, (5, 50.11667)),
    "from a start to an end": ({"start": at(5), "end": at(30)}, (5, 30)),
    "an end in the future is clipped": ({"start": at(5), "end": at(900)}, (5, 50.11667)),
    "an end fresher than the lag is clipped": (
        {"start": at(5), "end": at(50), "lag": 2 * M},
        (5, 48.11667),
    ),
    "an older end stays": ({"start": at(5), "end": at(40), "lag": 2 * M}, (5, 40)),
    "a future end does not lengthen a lookback": (
        {"lookback": 10 * M, "end": at(900)},
        (40.11667, 50.11667),
    ),
}


@pytest.mark.parametrize(("changes", "minutes"), CHOSEN.values(), ids=CHOSEN)
def test_what_is_chosen(changes: dict[str, Any], minutes: tuple[float, float]) -> None:
    window = chosen(**changes)

    found = ((window.start - START) / 60, (window.end - START) / 60)
    assert found == pytest.approx(minutes, abs=1e-4)


def test_warmup_and_step_are_handed_on() -> None:
    window = chosen(warmup=3 * M, step=15 * S)

    assert (window.warmup_s, window.step_s) == (180, 15)


def test_a_start_in_another_time_zone_is_the_same_start() -> None:
    start = datetime.fromisoformat("2027-01-15T09:05:00+01:00")

    assert chosen(start=start).start == START + 300


REFUSED = {
    "start and lookback": ({"start": at(5), "lookback": 5 * M}, "give start or lookback, not both"),
    "an end before the start": (
        {"start": at(30), "end": at(20)},
        "from 2027-01-15 08:30:00 UTC to 2027-01-15 08:20:00 UTC is no time at all",
    ),
    "a start in the future": ({"start": at(900)}, "is no time at all"),
    "more steps than can be meant": (
        {"start": datetime(1970, 8, 23, tzinfo=UTC)},
        "steps of 30s, 100,000 at most are judged; choose a later start or a longer source",
    ),
    "a lookback beyond the calendar": (
        {"end": datetime(1, 1, 1, tzinfo=UTC), "lookback": 10 * M},
        "lies too far back",
    ),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_a_window_that_cannot_be_judged_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chosen(**changes)


TOO_EARLY = {
    "a window no longer than the warm-up": (
        {"start": at(47), "warmup": 3 * M},
        "after a warmup of 3m, in steps of 30s; ask again later, or choose an earlier start",
    ),
    "less than a step": ({"lookback": 20 * S}, "nothing is left to judge"),
}


@pytest.mark.parametrize(("changes", "message"), TOO_EARLY.values(), ids=TOO_EARLY)
def test_a_look_taken_too_early_is_no_mistake(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TooEarlyError, match=message):
        chosen(**changes)


def test_one_step_is_enough() -> None:
    assert chosen(lookback=60 * S).steps == 1


def test_the_longest_window_is_accepted() -> None:
    assert chosen(end=at(0), lookback=MOST_STEPS * 30 * S).steps == MOST_STEPS
