"""How `serinus test` tells its outcomes."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from analysis.cli.output import PIPE_WIDTH
from analysis.testing.outcome import run
from analysis.testing.prepare import load_suite
from analysis.testing.rendering import print_outcomes, to_junit
from tests.golden.conftest import Compare
from tests.support.suites import a_case, rollout, write_suite

WRONG = a_case(
    name="five times the errors fail",
    input_series=rollout(errors="0+5x240"),
    expect={
        "verdict": "pass",
        "score": {"min": 95},
        "decided_by": [],
        "metrics": {"memory": {"reason": "no_data"}},
    },
)


def test_outcomes_are_told(tmp_path: Path, golden: Compare) -> None:
    tests = load_suite(write_suite(tmp_path, a_case(), WRONG), None)
    outcomes = [replace(run(test), file="canary_test.yaml") for test in tests]
    told = io.StringIO()

    print_outcomes(outcomes, Console(file=told, width=PIPE_WIDTH, highlight=False))

    golden("tests.txt", told.getvalue())
    golden("tests.junit.xml", to_junit(outcomes))
