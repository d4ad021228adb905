"""What promtool prints, read back as an answer."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from analysis.errors import SourceError
from analysis.sources.port import Answer, Request, RequestKind
from analysis.testing.promtool import Promtool

ASKED = Request(kind=RequestKind.RANGE, query="sum(up)", start=0.0, end=3700.0, step_s=100.0)


def printing(folder: Path, text: str, *, head: bool = True) -> Promtool:
    """Give a program that says `text` of the file it is given."""
    (folder / "said").write_text(text)
    program = folder / "promtool"
    shown = 'echo "Unit Testing:  $3"; ' if head else ""
    program.write_text(f"#!/bin/sh\n{shown}cat {folder / 'said'}\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Promtool(program=program, series=(("up", "1x3"),), interval_s=15.0)


def test_what_it_got_is_the_answer(tmp_path: Path) -> None:
    said = r"""  FAILED:
    expr: "sum(\"a\")", time: 0s,
        exp: nil
        got: {pod="x, y\"}"} 1.5E+00, {} NaN
    expr: "sum(\"a\")", time: 1h1m40s,
        exp: nil
        got: {pod="x, y\"}"} -Inf, {"my.label"="é\n"} 1E-07

"""
    answer = printing(tmp_path, said).evaluate([ASKED])[ASKED]

    assert isinstance(answer, Answer)
    found = [(dict(one.labels), one.times.tolist(), one.values.tolist()) for one in answer.series]
    assert [labels for labels, _, _ in found] == [{}, {"my.label": "é\n"}, {"pod": 'x, y"}'}]
    assert found[2][1:] == ([0.0, 3700.0], [1.5, float("-inf")])
    assert found[1][1:] == ([3700.0], [1e-7])


def test_nothing_to_tell_is_an_answer_without_series(tmp_path: Path) -> None:
    answer = printing(tmp_path, "  SUCCESS\n\n").evaluate([ASKED])[ASKED]

    assert isinstance(answer, Answer)
    assert answer.series == ()


REFUSED = {
    "its own words about an expression": (
        '  FAILED:\n    expr: "sum(", time: 4m, err: 1:5: parse error: unclosed\n',
        "promtool: 1:5: parse error: unclosed",
    ),
    "a native histogram is no number": (
        '  FAILED:\n    expr: "x", time: 0s,\n        exp: nil\n        got: {} {{count:1}}\n',
        "the answer is no numbers",
    ),
    "what is not known": ("  FAILED:\n    panic: something\n", "its answer is not readable: panic"),
    "what stands in no place": (
        "  FAILED:\n        got: {} 1E+00\n",
        "its answer is not readable: got",
    ),
}


@pytest.mark.parametrize(("said", "message"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_keeps_its_words(tmp_path: Path, said: str, message: str) -> None:
    answer = printing(tmp_path, said).evaluate([ASKED])[ASKED]

    assert isinstance(answer, SourceError)
    assert message in str(answer)
    assert answer.query == "sum(up)"


def test_a_program_that_does_not_run_is_a_source_that_does_not_answer(tmp_path: Path) -> None:
    program = tmp_path / "promtool"
    program.write_text("no program")

    with pytest.raises(SourceError, match="promtool gave no answer"):
        Promtool(program=program, series=(), interval_s=15.0).evaluate([ASKED])


@pytest.mark.parametrize("head", [True, False], ids=["begun", "not begun"])
def test_a_program_that_does_not_end_a_file_gave_no_answer_to_it(
    tmp_path: Path, *, head: bool
) -> None:
    answer = printing(tmp_path, "something else\n", head=head).evaluate([ASKED])[ASKED]

    assert isinstance(answer, SourceError)
    assert "its answer is not readable: something else" in str(answer)


@pytest.mark.parametrize("said", ["", "\n"], ids=["nothing", "a line of nothing"])
def test_a_program_that_says_nothing_of_a_file_gave_no_answer_to_it(
    tmp_path: Path, said: str
) -> None:
    answer = printing(tmp_path, said).evaluate([ASKED])[ASKED]

    assert isinstance(answer, SourceError)
