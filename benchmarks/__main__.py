"""Measure speed as ratios within one run: `make bench` writes docs/reference/speed.md.

The yardstick is scipy's scalar call of the Mann-Whitney test. Kayenta's judge was measured against
the same call on the same kind of machine, so its rate follows from it. Times are processor time of
one thread; repetitions alternate between judge and yardstick, so that a machine that speeds up or
slows down does so for both.
"""

from __future__ import annotations

import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy import stats

import judges
from judges import Judge, Sample
from judges.core import compiled

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "speed.md"
SEED = 1
REPETITIONS = 7
CALLS = 50  # of scipy's test, timed together
# Pairs a second of NetflixACAJudge-v1.0 over those of scipy.stats.mannwhitneyu, by steps; measured
# 2026-11-22, the judge's own Scala run on the JVM after warm-up.
KAYENTA = {60: 0.44, 360: 0.093, 1440: 0.030, 4320: 0.017}
PAIRS = {60: 500, 360: 120, 1440: 40, 4320: 12}
PLAIN = 10**12  # no array is so large: numpy alone
NOISE = 0.15

Work = Callable[[], object]


def seconds(work: Work) -> float:
    """Give the processor time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def alternating(*works: Work) -> list[float]:
    """Give the median time of each, measured in turn."""
    for work in works:
        work()
    times = [[seconds(work) for work in works] for _ in range(REPETITIONS)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def peak_mb(work: Work) -> float:
    """Give the peak of memory allocated during one call, in MB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def gauges(n: int, count: int) -> list[Sample]:
    """Draw independent gauges."""
    rng = np.random.default_rng([SEED, n])
    drawn = np.exp(NOISE * rng.standard_normal((count, 2, n)))
    return [Sample.of_values(baseline, canary) for baseline, canary in drawn]


def pair_rows() -> Iterator[str]:
    """Compare pairs a second of `mann_whitney` with scipy's calls, plain and compiled."""
    # Plain ones first: once the compiled loops are loaded, freed memory is kept (see `compiled`).
    by_form = [[pair_cells(n, worth) for n in PAIRS] for worth in (PLAIN, 0)]
    for n, plain, fast in zip(PAIRS, *by_form, strict=True):
        yield f"| {n} | {plain} | {fast} |"


def pair_cells(n: int, worth: int) -> str:
    """Give scipy's time and ours, with the rates that follow from them."""
    compiled.WORTH_COMPILING = worth
    ours, theirs = pair_times(n, PAIRS[n])
    rate = theirs / ours
    return f"{1e6 * theirs:.0f} | {1e6 * ours:.0f} | {rate:.2f} | {rate / KAYENTA[n]:.1f}"


def pair_times(n: int, count: int) -> tuple[float, float]:
    """Give the seconds of a pair judged, and of scipy's test of one."""
    rule, samples = judges.create("mann_whitney"), gauges(n, count)
    baseline, canary = samples[0].paired()

    def scipys() -> None:
        for _ in range(CALLS):
            stats.mannwhitneyu(canary, baseline)

    ours, theirs = alternating(lambda: judges.judge_many([rule] * count, samples), scipys)
    return ours / count, theirs / CALLS


def mixed(count: int, n: int) -> tuple[list[Judge], list[Sample]]:
    """Draw metrics of all default kinds, in turn."""
    rng = np.random.default_rng([SEED, count, n])
    edges = np.append(0.005 * 1.5 ** np.arange(16), np.inf)
    shares = rng.dirichlet(np.ones(len(edges)))

    def counts() -> tuple[np.ndarray, np.ndarray]:
        total = rng.poisson(600, n)
        return rng.binomial(total, 0.005), total

    draws: list[Callable[[], Sample]] = [
        lambda: Sample.of_values(*np.exp(NOISE * rng.standard_normal((2, n)))),
        lambda: Sample.of_counts(counts(), counts()),
        lambda: Sample.of_counts(counts(), counts()),
        lambda: Sample.of_histograms(edges, *rng.multinomial(600, shares, (2, n))),
    ]
    kinds = ["mann_whitney", "error_ratio", "mean_ratio", "quantile_ratio"]
    made = [judges.create(kind, looks="anytime", alpha=0.001, horizon=n) for kind in kinds]
    places = [i % len(kinds) for i in range(count)]
    return [made[place] for place in places], [draws[place]() for place in places]


def whole_rows() -> Iterator[str]:
    """Time a look over 500 metrics, and 48 looks over 50."""
    rules, samples = mixed(500, 240)
    (look,) = alternating(lambda: judges.judge_many(rules, samples))
    yield f"| one look, 500 metrics of 240 steps | {look:.2f} s | under 0.25 s |"
    few_rules, few = mixed(50, 240)
    lengths = range(5, 241, 5)

    def looks() -> None:
        for n in lengths:
            judges.judge_many(few_rules, [sample.part(0, n) for sample in few])

    (all_looks,) = alternating(looks)
    yield f"| {len(lengths)} looks, 50 metrics, up to 240 steps | {all_looks:.2f} s | under 1 s |"


def curve_rows() -> Iterator[str]:
    """Show how a single pair's cost and memory grow with its length."""
    judge = judges.create("mann_whitney")
    for n in (1_000, 3_000, 10_000, 30_000, 100_000):
        (sample,) = gauges(n, 1)
        (took,) = alternating(lambda sample=sample: judge.judge(sample))  # type: ignore[misc]
        memory = peak_mb(lambda sample=sample: judge.judge(sample))  # type: ignore[misc]
        per = 1e9 * took / (n * np.log2(n))
        yield f"| {n:,} | {1e3 * took:.1f} | {per:.1f} | {memory:.1f} |"


TEMPLATE = """# Speed

Made by `make bench`; do not edit. Processor time of one thread, medians of {repetitions}
repetitions that alternate with the yardstick. {versions}.

## Pairs

`mann_whitney` with estimate, interval, test and judgment, many pairs together, in microseconds a
pair. *× scipy*: pairs for each scalar call of `scipy.stats.mannwhitneyu`, which only tests.
*× Kayenta*: pairs for each pair of its judge, whose rate on this kind of machine was {kayenta}
steps. Goals: 5 × Kayenta plain; with the extra `fast` 20 at 60 steps, 40 at 360, 50 beyond.

| steps | scipy | plain | × scipy | × Kayenta | scipy | `fast` | × scipy | × Kayenta |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{pairs}

## Whole analyses

The default judge of each kind of input in turn, looks: anytime, without the extra.

| what | took | goal |
| --- | --- | --- |
{whole}

## Growth

One pair, plain: n log n, and memory that never holds all pairs.

| steps | ms | ns for each n log2 n | peak MB |
| --- | --- | --- | --- |
{curve}
"""


def page() -> str:
    """Write the page."""
    compiled.WORTH_COMPILING = PLAIN
    whole, curve = "\n".join(whole_rows()), "\n".join(curve_rows())
    libraries = [f"{name} {version(name)}" for name in ("numpy", "scipy", "numba")]
    return TEMPLATE.format(
        repetitions=REPETITIONS,
        versions=", ".join([f"Python {sys.version.split()[0]}", *libraries]),
        kayenta=", ".join(f"{rate} of scipy's at {n}" for n, rate in KAYENTA.items()),
        pairs="\n".join(pair_rows()),
        whole=whole,
        curve=curve,
    )


if __name__ == "__main__":
    PAGE.write_text(text := page(), encoding="utf-8")
    print(text)
