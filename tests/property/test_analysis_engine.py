"""Whatever a source answers, there is a report, and every rendering of it can be read."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence

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
from analysis.sources.port import Answer, Series
from judges import Verdict
from tests.support.builders import (
    START,
    Document,
    FakeSource,
    a_config,
    a_metric,
    a_series,
    a_window,
    some_counts,
)

STEPS = 20
WINDOW = a_window(minutes=STEPS)
BOUND = {"max": 100.0}
VALUES = [kind for kind in judges.kinds() if judges.Values in judges.judge_class(kind).accepts]
RATIOS = [kind for kind in judges.kinds() if judges.Ratio in judges.judge_class(kind).accepts]


def of(kind: str) -> Document:
    return {"kind": kind, **(BOUND if kind == "threshold" else {})}


# Every judge there is, so that a new one is in it already.
CONFIG = a_config(
    *(a_metric(f"g {kind}", query='memory{v="${v}"}', judge=of(kind)) for kind in VALUES),
    *(
        a_metric(f"c {kind}", counts=some_counts()["counts"], pods="pod", judge=of(kind))
        for kind in RATIOS
    ),
)
QUERIES = [
    f'{name}{{v="{v}"}}'
    for v in ("old", "new")
    for name in ("memory", "errors_failed", "errors_all")
]

ODD = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e-9, 1e18, 1.7e308])
VALUE = st.one_of(st.integers(0, 1000).map(float), st.floats(), ODD)


@st.composite
def series(draw: st.DrawFn, pod: str) -> Series:
    """Draw a series as the port promises it: times increase, values are anything."""
    times = sorted(
        draw(
            st.sets(st.integers(-20, 4 * STEPS + 4), max_size=4 * STEPS)
            | st.just(set(range(-8, 4 * STEPS + 1)))
        )
    )
    pool = draw(st.lists(VALUE, min_size=1, max_size=8))
    shift = draw(st.sampled_from([0.0, 0.0, 0.001, 7.3]))
    points = [(START + 15 * time + shift, pool[n % len(pool)]) for n, time in enumerate(times)]
    return a_series(points, pod=pod)


Given = Sequence[Series] | Answer | SourceError
FAULT = st.builds(SourceError, st.text(max_size=20), code=st.just("timeout"))


@st.composite
def answers(draw: st.DrawFn) -> Given:
    """Draw the answer to one query: series mostly, sometimes a warning or an error."""
    pods = [draw(series(f"p{n}")) for n in range(draw(st.integers(0, 3)))]
    kind = draw(st.sampled_from(["series"] * 8 + ["warning", "error"]))
    if kind == "error":
        return draw(FAULT)
    return Answer(series=tuple(pods), warnings=("partial",)) if kind == "warning" else pods


SOURCES = st.fixed_dictionaries({query: answers() for query in QUERIES})


def report_of(table: dict[str, Given], config: CanaryConfig = CONFIG) -> AnalysisReport | None:
    """Analyze; `None` where a source that answers nothing at all says so."""
    try:
        return analyze(config, FakeSource(table), WINDOW, {})
    except SourceError:
        return None


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@given(table=SOURCES)
@settings(max_examples=60)
def test_no_answer_makes_a_report_that_cannot_be_rendered(table: dict[str, Given]) -> None:
    if (report := report_of(table)) is None:
        return

    document = json.loads(to_json(report), parse_constant=refuse)
    file = io.StringIO()
    print_report(report, Console(file=file, width=60, _environ={}), full=True)

    assert document["verdict"] == report.verdict
    assert str(report.verdict).upper() in file.getvalue()


@given(table=SOURCES)
@settings(max_examples=30)
def test_the_same_answers_give_the_same_bytes(table: dict[str, Given]) -> None:
    reports = [report_of(table), report_of(dict(reversed(table.items())))]

    texts = [report and to_json(report) for report in reports]

    assert texts[0] == texts[1]


@given(table=SOURCES)
@settings(max_examples=30)
def test_a_metric_without_a_whole_answer_is_never_decided(table: dict[str, Given]) -> None:
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
