"""Inline series as a source: selectors as Prometheus answers them."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import SourceError
from analysis.sources.matching import parse_labels, selection
from analysis.sources.port import Answer, Request, RequestKind
from analysis.testing.inline import InlineSource, laid_out
from analysis.testing.notation import parse_values

UP = parse_labels('up{pod="a-1", code="500"}')
SELECTIONS: dict[str, tuple[str, bool]] = {
    "by name": ("up", True),
    "by another name": ("down", False),
    "by a label": ('up{pod="a-1"}', True),
    "by another value": ('up{pod="a"}', False),
    "by what it is not": ('up{pod!="a"}', True),
    "by an expression": ('up{code=~"5.."}', True),
    "the whole value has to match": ('up{code=~"5"}', False),
    "by what no expression matches": ('up{code!~"4.."}', True),
    "a label that is missing is empty": ('up{zone=""}', True),
    "and matches what matches nothing": ('up{zone=~"|x"}', True),
    "by the name alone, as a label": ('{__name__=~"u.", pod="a-1"}', True),
}


@pytest.mark.parametrize(("query", "is_selected"), SELECTIONS.values(), ids=SELECTIONS)
def test_a_selector_selects(query: str, is_selected: bool) -> None:
    selects = selection(query)

    assert selects is not None
    assert selects(UP) is is_selected


@pytest.mark.parametrize("query", ["rate(up[1m])", "up offset 5m", "up @ 0", "1", "up{", "(up)"])
def test_more_than_a_selector_is_left_to_prometheus(query: str) -> None:
    assert selection(query) is None


OTHERWISE = {
    "classes of POSIX": "[[:alpha:]]+",
    "classes of Unicode": r"\\pL+",
    "sets": "[a&&b]",
    "a flag in the middle": "a(?i)b",
}


@pytest.mark.parametrize("pattern", OTHERWISE.values(), ids=OTHERWISE)
def test_an_expression_that_python_reads_otherwise_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="means something else outside Prometheus"):
        selection(f'up{{pod=~"{pattern}"}}')


def source(**series: str) -> InlineSource:
    return InlineSource(
        series=tuple(
            laid_out(parse_labels(f'up{{pod="{name}"}}'), parse_values(values), 15.0)
            for name, values in series.items()
        ),
        given={},
        evaluator=None,
    )


def ask(kind: RequestKind, query: str = "up", start: float = 0.0, end: float = 60.0) -> Request:
    step_s = 15.0 if kind is RequestKind.RANGE else 0.0
    return Request(kind=kind, query=query, start=start, end=end, step_s=step_s)


def answered(inline: InlineSource, request: Request) -> dict[str, list[tuple[float, float]]]:
    answer = inline.answer([request])[request]
    assert isinstance(answer, Answer)
    return {
        one.labels["pod"]: list(zip(one.times.tolist(), one.values.tolist(), strict=True))
        for one in answer.series
    }


def test_samples_are_those_that_were_scraped() -> None:
    inline = source(b="1 _ stale 4", a="_ 7")

    found = answered(inline, ask(RequestKind.SAMPLES, start=-300.0))

    assert found == {"a": [(15.0, 7.0)], "b": [(0.0, 1.0), (45.0, 4.0)]}
    assert list(found) == ["a", "b"]  # in the order of their labels


def test_samples_end_where_the_question_does() -> None:
    found = answered(source(a="1 2 3 4 5"), ask(RequestKind.SAMPLES, start=15.0, end=45.0))

    assert found == {"a": [(15.0, 2.0), (30.0, 3.0), (45.0, 4.0)]}


def test_a_gauge_is_carried_over_gaps_until_it_ends() -> None:
    found = answered(source(a="1 _ stale 4 _"), ask(RequestKind.RANGE))

    assert found == {"a": [(0.0, 1.0), (15.0, 1.0), (45.0, 4.0), (60.0, 4.0)]}


def test_a_gauge_is_forgotten_after_five_minutes() -> None:
    found = answered(source(a="1"), ask(RequestKind.RANGE, start=270.0, end=315.0))

    assert found == {"a": [(270.0, 1.0), (285.0, 1.0)]}


def test_nothing_selected_is_an_answer_without_series() -> None:
    assert answered(source(a="1"), ask(RequestKind.SAMPLES, "down")) == {}


def test_an_expression_without_an_engine_is_an_error_that_says_what_to_do() -> None:
    request = ask(RequestKind.RANGE, "rate(up[1m])")

    answer = source(a="1").answer([request])[request]

    assert isinstance(answer, SourceError)
    assert "under answers" in str(answer)


def test_a_series_knows_where_it_ends() -> None:
    series = laid_out({}, parse_values("1 stale _ 2"), 5.0)

    assert series.times.tolist() == [0.0, 5.0, 15.0]
    assert series.ends.tolist() == [False, True, False]
    assert np.isnan(series.values[1])
