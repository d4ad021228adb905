"""Histograms agree with a simulation that follows every scrape, on whatever edges they are laid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.histograms import Paired, histograms_on_grid
from analysis.sources.port import Array, Series
from analysis.sources.prometheus_http.native import Bucket, Native, Sample, as_classic
from tests.support.builders import GONE, SCRAPE_S, START, bucketed

EDGES = (0.1, 0.25, 1.0, 2.5, math.inf)
STEP_TICKS, STEPS = 4, 10
TICKS = STEP_TICKS * STEPS
GRID = START + SCRAPE_S * np.arange(0.0, TICKS + 1, STEP_TICKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What befalls a process between two scrapes, and whether the scrape behind it succeeds."""

    restarts: bool
    observed: tuple[int, ...]  # by bucket
    is_scraped: bool


TICK = st.builds(
    Tick,
    restarts=st.sampled_from([False] * 9 + [True]),
    observed=st.tuples(*[st.integers(0, 5)] * len(EDGES)),
    is_scraped=st.sampled_from([True] * 7 + [False]),
)
LIVES = st.lists(TICK, min_size=TICKS, max_size=TICKS)


def pages(life: Sequence[Tick]) -> list[Array | None]:
    """Live a life: give the cumulative counts of each scrape, `None` where it fails."""
    counts = np.zeros(len(EDGES))
    seen: list[Array | None] = [np.cumsum(counts)]
    for tick in life:
        counts = (0 if tick.restarts else counts) + np.array(tick.observed)
        seen.append(np.cumsum(counts) if tick.is_scraped else None)
    return seen


def as_series(seen: Sequence[Array | None], edges: Sequence[float] = EDGES) -> list[Series]:
    """Turn the pages of a process into what Prometheus stores of them."""
    kept = [EDGES.index(edge) for edge in edges]
    columns: Mapping[float, list[float | None]] = {
        EDGES[place]: [GONE if page is None else float(page[place]) for page in seen]
        for place in kept
    }
    return bucketed(columns, pod="a")


def laid(baseline: Sequence[Series], canary: Sequence[Series] = ()) -> Paired:
    return histograms_on_grid(
        (baseline, canary), GRID, since=START - 300, begin=START, pod_label="pod"
    )


def simulated(seen: Sequence[Array | None]) -> Array:
    """Count scrape by scrape: whatever falls, all has begun anew."""
    rows = np.full((STEPS, len(EDGES)), np.nan)
    last = seen[0]
    assert last is not None
    for tick, page in enumerate(seen[1:]):
        if page is None:
            continue
        gained = page if (page < last).any() else page - last
        step = tick // STEP_TICKS
        rows[step] = np.nan_to_num(rows[step]) + np.diff(gained, prepend=0)
        last = page
    return np.transpose([settled(counts) for counts in rows.T])


def settled(counts: Array) -> list[float]:
    """Take what a step lacks from the next: a restart may hide in buckets that all have grown."""
    owed, found = 0.0, []
    for count in counts:
        if not math.isnan(count):
            owed += count
        found.append(math.nan if math.isnan(count) else max(owed, 0.0))
        owed = min(owed, 0.0)
    return found


@given(life=LIVES)
def test_observations_of_a_random_life_are_those_of_the_simulation(life: list[Tick]) -> None:
    seen = pages(life)

    found = laid(as_series(seen)).baseline.counts[0]

    np.testing.assert_array_equal(found, simulated(seen))


@given(life=LIVES, kept=st.sets(st.integers(0, len(EDGES) - 2), min_size=2))
def test_counts_on_shared_edges_are_sums_of_the_finer_ones(
    life: list[Tick], kept: set[int]
) -> None:
    # A restart may show in a fine bucket alone, which the coarser side does not have.
    seen = pages([replace(tick, restarts=False) for tick in life])
    coarse = [EDGES[place] for place in sorted(kept)] + [math.inf]
    alone = laid(as_series(seen)).baseline

    found = laid(as_series(seen), as_series(seen, coarse))

    assert found.baseline.counts.tobytes() == found.canary.counts.tobytes()
    bounds = [0, *(EDGES.index(edge) + 1 for edge in found.baseline.edges.tolist())]
    for place, (first, behind) in enumerate(pairwise(bounds)):
        np.testing.assert_array_equal(
            found.baseline.counts[:, :, place], alone.counts[:, :, first:behind].sum(axis=2)
        )


@given(lives=st.lists(LIVES, min_size=2, max_size=3))
def test_the_sum_over_pods_is_the_sum_of_the_pods(lives: list[list[Tick]]) -> None:
    fleet = [
        Series(labels={**one.labels, "pod": f"p{n}"}, times=one.times, values=one.values)
        for n, life in enumerate(lives)
        for one in as_series(pages(life))
    ]

    apart = laid(fleet).baseline
    together = histograms_on_grid(
        (fleet, ()), GRID, since=START - 300, begin=START, pod_label=None
    ).baseline

    assert apart.counts.shape[0] == len(lives)
    np.testing.assert_array_equal(together.by_step(), apart.by_step())


FACTORS = st.integers(0, 3)


@given(
    samples=st.lists(
        st.tuples(FACTORS, st.dictionaries(st.integers(-8, 8), st.integers(1, 9), max_size=6)),
        min_size=1,
        max_size=6,
    )
)
def test_a_native_histogram_counts_exactly_at_each_of_its_edges(
    samples: list[tuple[int, dict[int, int]]],
) -> None:
    natives = [
        [
            Bucket(0, 2.0 ** ((n - 1) * 2.0**-schema), 2.0 ** (n * 2.0**-schema), float(count))
            for n, count in sorted(counts.items())
        ]
        for schema, counts in samples
    ]
    given_ = [
        (START + n, Sample(count=sum(b.observations for b in buckets), sum=0.0, buckets=buckets))
        for n, buckets in enumerate(natives)
    ]

    series = [one for one in as_classic(Native(labels={}, samples=given_)) if "le" in one.labels]

    for one in series:
        edge = float(one.labels["le"])
        for value, buckets in zip(one.values.tolist(), natives, strict=True):
            assert value == sum(b.observations for b in buckets if b.right <= edge)
            assert not any(b.left < edge < b.right for b in buckets)
