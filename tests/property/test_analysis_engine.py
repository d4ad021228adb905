"""Whatever a source answers, there is a report, and every rendering of it can be read."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import judges
from analysis.config import CanaryConfig
from analysis.consumers.json import to_json
from analysis.consumers.text import print_report
from analysis.engine import analyze
from analysis.errors import SourceError
from analysis.report import AnalysisReport
from analysis.sources.port import Answer, Array, Series
from judges import Verdict
from tests.support.builders import (
    SCRAPE_S,
    START,
    Document,
    FakeSource,
    a_config,
    a_metric,
    a_window,
    some_counts,
)

STEPS = 20
WINDOW = a_window(minutes=STEPS)
BOUND = {"max": 100.0}
VALUES = [kind for kind in judges.kinds() if judges.Values in judges.judge_class(kind).accepts]
RATIOS = [kind for kind in judges.kinds() if judges.Ratio in judges.judge_class(kind).accepts]
HISTOGRAMS = [
    kind for kind in judges.kinds() if judges.Histogram in judges.judge_class(kind).accepts
]


def of(kind: str) -> Document:
    return {"kind": kind, **(BOUND if kind == "threshold" else {})}


# Every judge there is, so that a new one is in it already.
CONFIG = a_config(
    *(a_metric(f"g {kind}", query='memory{v="${v}"}', judge=of(kind)) for kind in VALUES),
    *(
        a_metric(f"c {kind}", counts=some_counts()["counts"], pods="pod", judge=of(kind))
        for kind in RATIOS
    ),
    *(
        a_metric(f"h {kind}", histogram='latency_bucket{v="${v}"}', pods="pod", judge=of(kind))
        for kind in HISTOGRAMS
    ),
)
QUERIES = [
    f'{name}{{v="{v}"}}'
    for v in ("old", "new")
    for name in ("memory", "errors_failed", "errors_all", "latency_bucket")
]
LE = ["0.1", "0.25", "0.250", "1", "1e0", "2.5", "1e300", "+Inf"]
# What a source may hold among buckets, or what a selector may have let in.
ODD_LABELS = [{"le": "fast"}, {"le": "NaN"}, {}, {"__name__": "latency_sum"}, {"le": "-1"}]

ODD = [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e-9, 1e18, 1.7e308, -1.7e308]
Given = Sequence[Series] | Answer | SourceError
# Sources are drawn from a seed: there is nothing to be learned from a smaller one.
SEEDS = st.integers(0, 2**32 - 1)


def values(random: np.random.Generator, size: int, growth: int) -> Array:
    """Draw what a series may hold: noise, steps, constants, counters, and odd values among them."""
    scale = 10.0 ** random.choice([-300, -9, 0, 0, 0, 9, 18, 150, 307])
    kinds = [
        random.standard_normal(size) * scale,
        np.abs(random.standard_normal(size)) * scale,
        *[np.cumsum(random.integers(0, growth, size)) % random.choice([20 * growth, 10**9])] * 6,
        np.full(size, random.choice([0.0, scale])),
        random.integers(0, 3, size) * scale,
        random.choice(ODD, size),
    ]
    drawn: Array = np.array(kinds[random.integers(len(kinds))], dtype=np.float64)
    odd = random.random(size) < random.choice([0, 0, 0.05, 0.5])
    drawn[odd] = random.choice(ODD, int(odd.sum()))
    return drawn


def series(random: np.random.Generator, pod: str, growth: int) -> Series:
    """Draw a series as the port promises it: times increase, values are anything."""
    times = np.arange(-8, 4 * STEPS + 4) + random.choice([0, 0, 0.001, 0.3])
    times = times[random.random(len(times)) < random.choice([1, 1, 1, 1, 0.9, 0.1])]
    times = times[random.integers(0, 40) * (random.random() < 0.2) :]
    drawn = values(random, len(times), growth)
    return Series(labels={"pod": pod}, times=START + SCRAPE_S * times, values=drawn)


def buckets(random: np.random.Generator, pod: str) -> list[Series]:
    """Draw a histogram: whole, with counts in the order of its edges, or anything else."""
    whole = random.random() < 0.8
    edges = LE if random.random() < 0.3 else ["0.1", "0.25", "1", "2.5", "+Inf"]
    labels: list[dict[str, str]] = [{"le": le} for le in edges if whole or random.random() < 0.7]
    if random.random() < 0.1:
        labels.append(ODD_LABELS[random.integers(len(ODD_LABELS))])
    if random.random() < 0.3:
        labels.append({"__name__": "latency_sum"})
    drawn = [series(random, pod, 100) for _ in labels]
    if whole:
        first = drawn[0]
        steps = np.cumsum(random.integers(0, 20, (len(drawn), len(first.times))), axis=1)
        drawn = [replace(first, values=row) for row in np.cumsum(steps, axis=0) * 1.0]
    native = bool(random.random() < 0.5)
    return [
        replace(one, labels={"__name__": "latency_bucket", "pod": pod, **own}, exponential=native)
        for one, own in zip(drawn, labels, strict=True)
    ]


def answer(random: np.random.Generator, query: str) -> Given:
    """Draw the answer to one query: series mostly, sometimes a warning or an error."""
    growth = 1000 if "_all" in query else 10
    size = random.choice([0, 1, 1, 1, 1, 1, 2, 3])
    names = [f"p{n}" for n in range(size)]
    if "_bucket" in query:
        pods = tuple(one for name in names for one in buckets(random, name))
    else:
        pods = tuple(series(random, name, growth) for name in names)
    match random.choice(["series"] * 40 + ["warning", "error"]):
        case "error":
            return SourceError("timed out", code="timeout")
        case "warning":
            return Answer(series=pods, warnings=("partial",))
        case _:
            return pods


def a_table(seed: int) -> dict[str, Given]:
    random = np.random.default_rng(seed)
    return {query: answer(random, query) for query in QUERIES}


def report_of(table: dict[str, Given], config: CanaryConfig = CONFIG) -> AnalysisReport | None:
    """Analyze; `None` where a source that answers nothing at all says so."""
    try:
        return analyze(config, FakeSource(table), WINDOW, {})
    except SourceError:
        return None


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@given(seed=SEEDS)
@settings(max_examples=40)
def test_no_answer_makes_a_report_that_cannot_be_rendered(seed: int) -> None:
    table = a_table(seed)
    if (report := report_of(table)) is None:
        return

    document = json.loads(to_json(report), parse_constant=refuse)
    file = io.StringIO()
    print_report(report, Console(file=file, width=60, _environ={}), full=True)

    assert document["verdict"] == report.verdict
    assert str(report.verdict).upper() in file.getvalue()


@given(seed=SEEDS)
@settings(max_examples=15)
def test_the_same_answers_give_the_same_bytes(seed: int) -> None:
    table = a_table(seed)
    reports = [report_of(table), report_of(dict(reversed(table.items())))]

    texts = [report and to_json(report) for report in reports]

    assert texts[0] == texts[1]


@given(seed=SEEDS)
@settings(max_examples=15)
def test_a_metric_without_a_whole_answer_is_never_decided(seed: int) -> None:
    table = a_table(seed)
    if (report := report_of(table)) is None:
        return

    broken = {
        query
        for query, given_ in table.items()
        if isinstance(given_, SourceError) or (isinstance(given_, Answer) and given_.warnings)
    }
    for metric in report.metrics:
        if broken & {query.query for query in metric.queries}:
            assert metric.judgment.verdict is Verdict.INCONCLUSIVE
