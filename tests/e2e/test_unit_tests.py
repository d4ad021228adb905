"""`serinus test` as its users run it, and its notation beside promtool's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from analysis.sources.matching import parse_labels
from analysis.sources.port import Answer, Request, RequestKind
from analysis.testing.inline import InlineSource, laid_out
from analysis.testing.notation import parse_values
from analysis.testing.promtool import Promtool
from tests.conftest import Prometheus
from tests.support.command import clean_environment, run_serinus
from tests.support.suites import CONFIG, EXPRESSION, a_case, rollout, series, write_suite

pytestmark = pytest.mark.e2e

CPU = [
    series("process_cpu_seconds_total", "0+3x240", hash="5d4c", pod="a"),
    series("process_cpu_seconds_total", "0+3x240", hash="7f9b", pod="b"),
]
GOOD = a_case(
    input_series=[*rollout(), *CPU], expect={"verdict": "pass", "metrics": {"cpu": "pass"}}
)
BAD = a_case(
    name="five times the errors fail",
    input_series=[*rollout(errors="0+5x240"), *CPU],
    expect={"verdict": "fail", "decided_by": ["error ratio"]},
)


def test_tests_that_hold_end_with_0_and_expressions_are_evaluated(
    tmp_path: Path, requires_prometheus: Prometheus
) -> None:
    path = write_suite(tmp_path, GOOD, BAD, config=CONFIG + EXPRESSION)

    done = run_serinus("test", path)

    assert (done.code, done.err) == (0, ""), done
    assert "✓ a good canary passes: pass" in done.out
    assert "✓ five times the errors fail: fail" in done.out
    assert done.out.splitlines()[-1] == "all 2 hold"


def test_a_test_that_does_not_hold_ends_with_1_and_says_what_came(tmp_path: Path) -> None:
    path = write_suite(tmp_path, a_case(expect={"verdict": "fail"}))

    done = run_serinus("test", path)

    assert (done.code, done.err) == (1, "")
    assert "verdict  - expected fail" in done.out
    assert "+ observed pass" in done.out
    assert done.out.splitlines()[-1] == "1 of 1 do not hold"


def test_junit_is_written_to_a_file(tmp_path: Path) -> None:
    path = write_suite(tmp_path, a_case(), a_case(name="wrong", expect={"verdict": "fail"}))
    output = tmp_path / "junit.xml"

    done = run_serinus("test", path, "--format", "junit", "--output", output)

    assert (done.code, done.out, done.err) == (1, "", "")
    root = ET.fromstring(output.read_text())
    assert [root.get(key) for key in ("tests", "failures", "errors")] == ["2", "1", "0"]


def test_every_fault_of_every_file_is_told_and_nothing_is_run(tmp_path: Path) -> None:
    good = write_suite(tmp_path, a_case())
    wrong = write_suite(
        tmp_path, a_case(sett={}), a_case(expect={"verdict": "passs"}), name="wrong.yaml"
    )

    done = run_serinus("test", good, wrong, tmp_path / "none.yaml")

    assert (done.code, done.out) == (2, "")
    assert "tests[0].sett: is no key here; did you mean 'set'?" in done.message
    assert "tests[1].expect.verdict: 'passs' is no verdict; did you mean 'pass'?" in done.message
    assert "none.yaml: there is no such file" in done.message


def test_without_promtool_selectors_are_judged_and_expressions_refused(tmp_path: Path) -> None:
    bare = clean_environment() | {"PATH": str(tmp_path)}
    selectors = write_suite(tmp_path, a_case(), name="selectors.yaml")

    judged = run_serinus("test", selectors, environment=bare)
    refused = run_serinus(
        "test", write_suite(tmp_path, GOOD, config=CONFIG + EXPRESSION), environment=bare
    )

    assert judged.code == 0
    assert refused.code == 2
    assert "put promtool on the PATH, or write what it would answer" in refused.message


def test_a_program_that_is_none_is_a_fault_of_the_command(tmp_path: Path) -> None:
    done = run_serinus("test", write_suite(tmp_path, a_case()), "--promtool", tmp_path / "no")

    assert done.code == 2
    assert "--promtool" in done.message


def test_json_is_for_programs(tmp_path: Path) -> None:
    done = run_serinus("test", write_suite(tmp_path, a_case()), "--format", "json")

    assert done.code == 0
    assert done.report["holds"] is True


# Five minutes are no whole number of these: Prometheus 2 still knows a sample exactly that old,
# Prometheus 3 does not.
STEP_S = 16.0
SERIES = {
    'm{pod="plain"}': "0+1.1x20 5-0.3x10",
    'm{pod="gaps"}': "1 _ 3 _x25 7 8",
    'm{pod="ends"}': "1 2 stale _ 5x3 stale",
    'm{pod="odd"}': "NaN 1 Inf -Inf -0 .5 2. 1e3 1e-300 0+0.1x9",
    'm{pod="a\\"b,}"}': "1x3",
}


def test_a_selector_is_answered_as_prometheus_answers_it(requires_prometheus: Prometheus) -> None:
    request = Request(kind=RequestKind.RANGE, query="m", start=0.0, end=640.0, step_s=STEP_S)
    inline = InlineSource(
        series=tuple(
            laid_out(parse_labels(name), parse_values(values), STEP_S)
            for name, values in SERIES.items()
        ),
        given={},
        evaluator=None,
    )
    promtool = Promtool(
        program=requires_prometheus.promtool, series=tuple(SERIES.items()), interval_s=STEP_S
    )

    ours, theirs = inline.answer([request])[request], promtool.evaluate([request])[request]

    assert isinstance(ours, Answer)
    assert isinstance(theirs, Answer)
    assert [one.labels for one in ours.series] == [one.labels for one in theirs.series]
    for mine, other in zip(ours.series, theirs.series, strict=True):
        np.testing.assert_array_equal(mine.times, other.times)
        np.testing.assert_array_equal(mine.values, other.values)


ODD = [
    *("NaNx3", "stalex3", "1x3.5", "1.e2x1", ".5x1", "_ x2", "Inf+1x2", "+1+1x1", "1--1x1"),
    *("0x1f", "1_000x2", "-_", "STALE", "infinity", "inf", "1e+2+1x1", "1x0", "_x0", "1+1x-1"),
    *("1e400", "-Inf+Infx2", "1+NaNx1", "2.x1", "1ex1", "x1", "1x1x1", "1+1", "1 2,3", "0x3"),
    *("08x1", "1x 2", "- 1", "_x", "__", "_1", "1_", "5m", "5m+1x1", "1e3.5x2", "0b1", "1 x3"),
]


def test_what_promtool_refuses_is_refused_and_what_it_takes_is_taken(
    tmp_path: Path, requires_prometheus: Prometheus
) -> None:
    for text in ODD:
        test = {"interval": "1m", "input_series": [{"series": "m", "values": text}]}
        (tmp_path / "t.yml").write_text(json.dumps({"evaluation_interval": "1m", "tests": [test]}))
        words = [str(requires_prometheus.promtool), "test", "rules", str(tmp_path / "t.yml")]
        theirs = subprocess.run(words, capture_output=True, text=True, check=False)

        try:
            ours = bool(parse_values(text) or True)
        except ValueError:
            ours = False

        assert ours == (theirs.returncode == 0), (text, theirs.stdout + theirs.stderr)


def test_the_starter_tests_hold_of_the_starter_configuration(tmp_path: Path) -> None:
    bare = clean_environment() | {"PATH": str(tmp_path)}
    run_serinus("init", "--output", tmp_path / "canary.yaml")
    begun = run_serinus("init", "--tests", "--output", tmp_path / "canary_test.yaml")

    done = run_serinus("test", tmp_path / "canary_test.yaml", environment=bare)

    assert "next: serinus test" in begun.out
    assert (done.code, done.out.splitlines()[-1]) == (0, "all 3 hold")
