"""Increases agree with a simulation that follows every scrape in turn, as slowly as can be."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis import counters
from analysis.sources.port import Series
from tests.support.builders import SCRAPE_S, START, a_series

SINCE = START
TICKS = 60
STEP_TICKS = 4
COUNTERS = ("all", "failed", "timed_out")

Increments = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What befalls a process between two scrapes, and how the scrape behind it goes."""

    restarts: bool
    forgets: str | None
    increments: Increments
    is_scraped: bool


TICK = st.builds(
    Tick,
    restarts=st.sampled_from([False] * 9 + [True]),
    forgets=st.sampled_from([None] * 15 + ["failed"]),
    increments=st.dictionaries(st.sampled_from(COUNTERS), st.integers(0, 9)),
    is_scraped=st.sampled_from([True] * 7 + [False]),
)


@dataclass(slots=True, kw_only=True)
class Observer:
    """One that sees every scrape of a process as it happens, and remembers only the last."""

    looks_since: float
    data_since: float
    remembered: Mapping[str, float] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    has_seen_target: bool = False

    def see(self, time: float, page: Mapping[str, float]) -> float:
        """Count what this scrape shows to have happened since the last."""
        gained = sum(self._gained(time, name, value) for name, value in page.items())
        # A counter that is not on the page is forgotten: should it return, it has begun anew.
        self.remembered = page
        self.met |= page.keys()
        self.has_seen_target = True
        return gained

    def _gained(self, time: float, name: str, value: float) -> float:
        if name in self.remembered:
            last = self.remembered[name]
            return value - last if value >= last else value
        if name in self.met:
            return value
        if time <= self.looks_since + 2 * SCRAPE_S:
            return 0
        is_new = self.has_seen_target or time > self.data_since + 2 * SCRAPE_S
        return value if is_new else 0


def pages(life: Sequence[Tick], born: int) -> list[tuple[float, dict[str, float]]]:
    """Live a life: give the page of each scrape that succeeds."""
    seen: list[tuple[float, dict[str, float]]] = []
    page: dict[str, float] = {"all": 0}
    for index, tick in enumerate(life):
        if tick.restarts:
            page = {"all": 0}
        if tick.forgets:
            page.pop(tick.forgets, None)
        for name, more in tick.increments.items():
            page[name] = page.get(name, 0) + more
        if tick.is_scraped:
            seen.append((SINCE + SCRAPE_S * (born + index), dict(page)))
    return seen


def as_series(seen: list[tuple[float, dict[str, float]]], pod: str) -> list[Series]:
    """Turn the pages of a pod into what Prometheus stores of them."""
    names = sorted({name for _, page in seen for name in page})
    return [
        a_series([(t, page[name]) for t, page in seen if name in page], pod=pod, outcome=name)
        for name in names
    ]


def edges() -> counters.Array:
    return START + SCRAPE_S * np.arange(0.0, TICKS + 1.0, STEP_TICKS)


def step_of(time: float) -> int | None:
    """Find the step by trying each."""
    bounds = edges()
    for step in range(len(bounds) - 1):
        if bounds[step] < time <= bounds[step + 1]:
            return step
    return None


def simulated(seen: list[tuple[float, dict[str, float]]], data_since: float) -> list[float]:
    """Count a pod's increases step by step."""
    row = [math.nan] * (len(edges()) - 1)
    observer = Observer(looks_since=SINCE, data_since=data_since)
    for time, page in seen:
        gained = observer.see(time, page)
        if (step := step_of(time)) is not None:
            row[step] = gained + (0 if math.isnan(row[step]) else row[step])
    return row


LIVES = st.lists(
    st.tuples(st.lists(TICK, min_size=1, max_size=90), st.integers(0, 60)), min_size=1, max_size=4
)


@given(lives=LIVES, seed=st.integers(0, 1000))
def test_increases_of_random_lives_are_those_of_the_simulation(
    lives: list[tuple[list[Tick], int]], seed: int
) -> None:
    fleet = {f"pod-{n}": pages(life, born) for n, (life, born) in enumerate(lives)}
    series = [one for pod, seen in fleet.items() for one in as_series(seen, pod)]
    random.Random(seed).shuffle(series)
    begin = min((float(one.times[0]) for one in series), default=math.inf)
    # The interval is no concern here: gaps and single scrapes must not make it up.
    seen = counters.Scrapes(
        times=counters.scrapes(series, since=SINCE, begin=begin).times,
        since=SINCE,
        begin=begin,
        interval_s=SCRAPE_S,
    )

    found = counters.increases([series], edges(), seen, pod_label="pod")

    expected = {pod: simulated(pages_, begin) for pod, pages_ in fleet.items() if pages_}
    expected = expected or {"": [math.nan] * (len(edges()) - 1)}
    assert found.pods == tuple(sorted(expected))
    np.testing.assert_array_equal(found.values[0], [expected[pod] for pod in found.pods])


@given(lives=LIVES)
def test_the_sum_over_pods_is_the_sum_of_the_pods(lives: list[tuple[list[Tick], int]]) -> None:
    series = [
        one
        for number, (life, born) in enumerate(lives)
        for one in as_series(pages(life, born), f"pod-{number}")
    ]
    begin = min((float(one.times[0]) for one in series), default=math.inf)
    seen = counters.scrapes(series, since=SINCE, begin=begin)

    (together,) = counters.increases([series], edges(), seen, pod_label=None).values
    (apart,) = counters.increases([series], edges(), seen, pod_label="pod").values

    assert math.isclose(np.nansum(together), np.nansum(apart))
    assert (np.nan_to_num(together) >= 0).all()


@given(
    growth=st.lists(st.integers(0, 50), min_size=2, max_size=80),
    restarts=st.sets(st.integers(1, 79)),
)
def test_while_every_scrape_succeeds_only_what_precedes_a_restart_is_lost(
    growth: list[int], restarts: set[int]
) -> None:
    # Each restart follows a scrape at once and is seen as such, so that nothing at all is lost.
    value, points, happened = 1000, [(START, 1000.0)], 0
    for index, more in enumerate(growth, start=1):
        value = more if index in restarts and more < value else value + more
        happened += more
        points.append((START + SCRAPE_S * index, float(value)))
    series = a_series(points)
    seen = counters.scrapes([series], since=SINCE, begin=START)
    whole = np.array([START, START + SCRAPE_S * len(growth)])

    found = counters.increases([[series]], whole, seen, pod_label=None)

    assert found.values[0].tolist() == [[happened]]
