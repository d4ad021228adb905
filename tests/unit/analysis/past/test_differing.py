"""Which verdicts flip between two configurations, and why."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from functools import cache

import pytest
from rich.console import Console

from analysis.config import parse_config
from analysis.past.deployment import Truth
from analysis.past.differing import difference
from analysis.past.differing_json import to_json
from analysis.past.differing_text import print_difference
from analysis.past.looks import Schedule
from analysis.past.opening import open_deployments
from analysis.past.rows import Row
from analysis.past.work import Work
from tests.support.corpus import RECORDINGS, SHOP

TEXT = SHOP.read_text(encoding="utf-8")
LAX = TEXT.replace("{ratio: 1.25, absolute: 0.0002}", "{ratio: 3, absolute: 0.02}").replace(
    "{ratio: 1.5, absolute: 0.002}", "{ratio: 5, absolute: 0.05}"
)


@cache
def rows(text: str) -> tuple[Row, ...]:
    deployments = open_deployments(str(RECORDINGS), None)
    work = Work(deployments=deployments, schedule=Schedule(), config=parse_config(text))
    return tuple(work(deployments.listed()))


def printed(before: str, after: str) -> str:
    file = io.StringIO()
    print_difference(difference(rows(before), rows(after)), Console(file=file, width=120))
    return file.getvalue()


def test_the_same_configuration_flips_nothing() -> None:
    assert difference(rows(TEXT), rows(TEXT)).flips == ()


def test_a_fault_that_now_passes_comes_first_and_is_called_worse() -> None:
    flips = difference(rows(TEXT), rows(LAX)).flips

    assert next((flip.after.id, flip.is_better) for flip in flips) == ("err1-1", False)


def test_a_flip_names_the_metrics_that_are_judged_otherwise() -> None:
    flips = {flip.after.id: flip for flip in difference(rows(TEXT), rows(LAX)).flips}

    assert [change.name for change in flips["err1-1"].metrics] == ["error ratio"]


@pytest.mark.parametrize(
    ("truth", "better"), [(Truth.GOOD, True), (Truth.BAD, False), (None, None)], ids=str
)
def test_what_is_better_depends_on_the_truth(truth: Truth | None, better: bool | None) -> None:
    before, after = (
        [replace(row, truth=truth) for row in rows(text) if row.id == "err1-1"]
        for text in (TEXT, LAX)
    )

    assert difference(before, after).flips[0].is_better is better


def test_a_metric_that_is_gone_is_said_to_be() -> None:
    before = [row for row in rows(TEXT) if row.id == "err1-1"]
    after = [replace(row, metrics=row.metrics[1:]) for row in rows(LAX) if row.id == "err1-1"]

    changes = difference(before, after).flips[0].metrics

    assert [(change.name, change.after) for change in changes] == [("error ratio", None)]


def test_people_are_told_the_reason_of_each_flip() -> None:
    text = printed(TEXT, LAX)

    assert "err1-1  fail → pass  (bad: WORSE)" in text
    assert "error ratio: fail → pass: " in text
    assert "bad failed   4 of 4  2 of 4" in text


def test_programs_get_strict_json_with_a_schema() -> None:
    document = json.loads(to_json(difference(rows(TEXT), rows(LAX))))

    assert document["schema"] == "diff-v1"
    assert document["deployments"] == sum(one["deployments"] for one in document["counts"])
    assert {flip["id"] for flip in document["flips"]} >= {"err1-1", "late-err"}
