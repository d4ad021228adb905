"""The report for a person at a terminal."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from analysis.consumers.text import SPARK_WIDTH, print_report, sparkline
from analysis.report import AnalysisReport, AskedQuery
from judges import Verdict
from tests.support.builders import a_judgment, a_metric_report, a_report

NAN = math.nan


def shown(report: AnalysisReport, *, width: int = 120, full: bool = False) -> str:
    """Print without color to a console of some width, whatever terminal the tests run in."""
    file = io.StringIO()
    print_report(report, Console(file=file, width=width, _environ={}), full=full)
    return file.getvalue()


def spark(*values: float, low: float | None = None, high: float | None = None) -> str:
    array = np.array(values)
    known = array[np.isfinite(array)]
    bottom = float(known.min()) if low is None else low
    return sparkline(array, bottom, float(known.max()) if high is None else high)


SPARKS = {
    "it rises from the lowest to the highest level": ((0, 1, 2, 3, 4, 5, 6, 7), "▁▂▃▄▅▆▇█"),
    "negative levels have their height too": ((-4, -2, 0), "▁▅█"),
    "a constant runs in the middle": ((5, 5, 5), "▅▅▅"),
    "a gap is blank": ((0, NAN, 7), "▁ █"),
    "an infinity is a gap": ((0, math.inf, 7), "▁ █"),
    "one value": ((3,), "▅"),
    "the largest doubles do not overflow": ((-1.7e308, 0, 1.7e308), "▁▅█"),
    "nor do many of them": ((0, *(1.7e308,) * 3), "▁███"),
    "the smallest doubles are no division by zero": ((0, 5e-324), "▅▅"),
}


@pytest.mark.parametrize(("values", "line"), SPARKS.values(), ids=SPARKS)
def test_a_sparkline(values: tuple[float, ...], line: str) -> None:
    assert spark(*values) == line


def test_both_sides_are_drawn_on_one_scale() -> None:
    assert spark(3, 4, low=0, high=7) == "▄▅"


def test_a_long_series_is_drawn_in_a_line_of_means() -> None:
    values = np.repeat(np.arange(float(SPARK_WIDTH)), 7)

    line = spark(*values)

    assert len(line) == SPARK_WIDTH
    assert (line[0], line[-1]) == ("▁", "█")
    assert sorted(line) == list(line)


def test_no_series_is_no_line() -> None:
    assert sparkline(np.empty(0), 0, 1) == " "


def test_the_verdict_comes_first() -> None:
    first = shown(a_report(verdict=Verdict.FAIL, score=0.0)).splitlines()[0]

    assert first.startswith(" FAIL  shop  2027-01-15 08:00:00–08:10:00 UTC, 10 min in 10 steps")


BARS = {
    0.0: "░" * 30 + "┃" + "░" * 7 + "┃░  0",
    50.0: "█" * 20 + "░" * 10 + "┃" + "░" * 7 + "┃░  50",
    100.0: "█" * 30 + "┃" + "█" * 7 + "┃█  100",
}


@pytest.mark.parametrize(("score", "bar"), BARS.items())
def test_the_bar_shows_where_marginal_and_pass_begin(score: float, bar: str) -> None:
    line = shown(a_report(score=score)).splitlines()[1]

    assert line == f"score {bar.replace('  ', ' ')}  (marginal 75, pass 95)"


@pytest.mark.parametrize("width", [20, 40, 60, 79, 120])
@pytest.mark.parametrize("full", [False, True])
def test_no_line_is_longer_than_the_terminal_is_wide(width: int, *, full: bool) -> None:
    summary = "p95 latency rose 14 % (95 % CI 9 % to 19 %), tolerance 10 %, margin 20 %; " * 3
    metric = a_metric_report(a_judgment(summary=summary, warnings=("far too few",)))

    lines = shown(a_report(metric, summary=summary), width=width, full=full).splitlines()

    assert max(cell_len(line) for line in lines) <= width


@pytest.mark.parametrize("width", range(30, 90, 7))
def test_a_number_and_its_percent_sign_stay_on_one_line(width: int) -> None:
    summary = "rose 14 % (95 % CI 9 % to 19 %), tolerance 10 %, margin 20 %, more than 3 % a day"

    lines = shown(a_report(summary=summary), width=width).splitlines()

    assert not [line for line in lines if line.lstrip().startswith("%")]


def test_what_is_wrapped_keeps_its_indentation_and_its_words() -> None:
    summary = " ".join(f"word{n}" for n in range(40))

    lines = shown(a_report(a_metric_report(a_judgment(summary=summary))), width=60).splitlines()
    found = [line for line in lines if "word" in line]

    assert all(line.startswith("  word") for line in found)
    assert " ".join(" ".join(found).split()) == summary


@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_terminal_of_no_width_is_no_error(width: int) -> None:
    assert "memory" in shown(a_report(), width=width)


HOSTILE = {
    "a tabulator": "a\tb",
    "a newline": "a\nb",
    "a carriage return": "a\rb",
    "an escape": "a\x1b[2Jb",
    "another escape": "a\x9b2Jb",
    "a bell": "a\x07b",
    "a line separator": "a\u2028b",
}


def quoting(text: str) -> str:
    """Show a report that quotes others wherever it can."""
    query = AskedQuery(side="canary", role="query", kind="range", query=text, series=1)
    judgment = a_judgment(summary=f"{text} {'x' * 70} {text}", warnings=(text,))
    metric = a_metric_report(judgment, name=text, queries=(query,))
    return shown(a_report(metric, name=text, summary=text), width=60, full=True)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_others_wrote_moves_no_cursor_and_breaks_no_line(text: str) -> None:
    output = quoting(text)

    assert all(char.isprintable() for char in output.replace("\n", ""))
    assert len(output.splitlines()) == len(quoting("a b").splitlines())


def test_markup_of_others_is_text() -> None:
    assert "[red]memory[/red]" in shown(a_report(a_metric_report(name="[red]memory[/red]")))


def test_emoji_codes_of_others_are_text() -> None:
    assert "job:smile:rate" in shown(a_report(a_metric_report(name="job:smile:rate")))


def test_a_metric_that_lost_nothing_says_nothing_of_points() -> None:
    assert "points" not in shown(a_report())


def test_a_metric_says_what_it_cost() -> None:
    assert "resources, mann_whitney, −12.5 points" in shown(a_report(a_metric_report(lost=12.5)))


def test_a_side_without_data_says_so() -> None:
    metric = a_metric_report(canary=np.full(10, NAN))

    (line,) = [line for line in shown(a_report(metric)).splitlines() if "no data" in line]
    assert line.split() == ["canary", "no", "data"]


def test_hardly_any_data_are_not_drawn() -> None:
    nothing = np.full(10, NAN)

    output = shown(a_report(a_metric_report(baseline=nothing, canary=nothing)))

    assert "mean" not in output


def test_queries_and_evidence_are_shown_only_in_full() -> None:
    brief, full = shown(a_report()), shown(a_report(), full=True)

    assert "evidence of harm: p 0.6, log e -1.00" in full
    assert 'baseline query (1 series): m{v="baseline"}' in full
    assert "evidence" not in brief
    assert "series" not in brief
