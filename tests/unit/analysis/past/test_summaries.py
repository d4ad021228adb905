"""The evaluation of a replay as people and programs read it."""

from __future__ import annotations

import io
import json
from datetime import timedelta

from rich.console import Console

from analysis.past.deployment import Truth
from analysis.past.evaluation import evaluate
from analysis.past.rows import Row
from analysis.past.summary_json import to_json
from analysis.past.summary_text import print_summary
from judges import Verdict
from tests.support.command import strict_json
from tests.unit.analysis.past.test_evaluation import a_row

GOOD, BAD = Truth.GOOD, Truth.BAD
ROWS = [
    *(a_row(Verdict.PASS, GOOD) for _ in range(5)),
    a_row(Verdict.FAIL, GOOD, decided_by=("latency",)),
    a_row(Verdict.FAIL, BAD, decided_by=("errors",)),
    a_row(Verdict.INCONCLUSIVE, BAD, decided_by=("errors",), minutes=30),
    a_row(None, error="the server is gone\x1b[2J", error_code="unreachable"),
]
SHOWN = """\
9 deployments replayed, 8 judged, 1 not
  truth  ✔ pass  ✘ fail  ? inconclusive
  good        5       1               0
  bad         0       1               1

  false fails    16.7 % (95% CI 3.0 to 56.4 %), 1 of 6 good
  good passed    83.3 % (95% CI 43.6 to 97.0 %), 5 of 6 good
  detected       50.0 % (95% CI 9.5 to 90.5 %), 1 of 2 bad
  false passes   0.0 % (95% CI 0.0 to 65.8 %), 0 of 2 bad
  to a decision  median 10m, p90 10m (7)
  fault to fail  median 10m, p90 10m (1)
  bad served     40m in all, median 20m, p90 28m (2): until the fail or the end
  left open      30m in all, median 30m, p90 30m (1): waited for no verdict

  decided by  failed  of them good  held open
  errors           1             –          1
  latency          1             1          –
not judged: one: the server is gone [2J
"""


def shown(rows: list[Row]) -> str:
    buffer = io.StringIO()
    print_summary(evaluate(rows), rows, Console(file=buffer, width=120, highlight=False))
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def test_a_person_sees_verdicts_against_the_truth_and_then_time() -> None:
    assert shown(ROWS) == SHOWN


def test_without_truth_it_says_what_to_fill_in() -> None:
    text = shown([a_row(Verdict.PASS)])

    assert "fill the column truth" in text
    assert "false fails" not in text


def test_a_fail_before_its_fault_is_told_apart() -> None:
    late = a_row(Verdict.FAIL, BAD)
    early = a_row(Verdict.FAIL, BAD, fault_start=late.start + timedelta(minutes=20))

    assert "1 bad failed before their fault began" in shown([early])


def test_of_many_errors_a_few_are_shown() -> None:
    text = shown([a_row(None, error="down")] * 8)

    assert text.count("not judged: one: down") == 5
    assert "not judged: 3 more" in text


def test_a_program_gets_strict_json_with_what_is_unknown_as_null() -> None:
    document = strict_json(to_json(evaluate(ROWS), ROWS))
    nothing = json.loads(to_json(evaluate([]), []))

    assert document["schema"] == "replay-v1"
    assert document["confusion"]["bad"] == {"pass": 0, "fail": 1, "inconclusive": 1}
    assert document["errors"] == [
        {"id": "one", "code": "unreachable", "error": "the server is gone\x1b[2J"}
    ]
    assert nothing["rates"]["detections"]["value"] is None
    assert nothing["seconds"]["delay"] == {"n": 0, "median": None, "p90": None, "total": 0.0}
