"""Renderings as they were when somebody last read them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import jsonschema
import pytest
from rich.console import Console
from rich.text import Text

from analysis.consumers.html import card, to_html
from analysis.consumers.json import to_json
from analysis.consumers.junit import to_junit
from analysis.consumers.links import Links
from analysis.consumers.markdown import to_markdown
from analysis.consumers.text import print_report
from analysis.report import AnalysisReport
from tests.golden.conftest import Compare
from tests.golden.reports import failing, inconclusive, passing

REPORTS = {"passing": passing, "failing": failing, "inconclusive": inconclusive}
WIDE, NARROW = 120, 60
LINKS = Links(
    prometheus={"": "https://prometheus.example.com"},
    grafana="https://grafana.example.com/?datasource=uid",
)

Make = Callable[[], AnalysisReport]


def printed(report: AnalysisReport, *, width: int, color: bool = False, full: bool = False) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        color_system="truecolor" if color else None,
        force_terminal=color,
        _environ={},
    )
    print_report(report, console, full=full)
    return file.getvalue()


@pytest.mark.parametrize(("name", "make"), REPORTS.items(), ids=REPORTS)
def test_the_text_is_the_one_recorded(golden: Compare, name: str, make: Make) -> None:
    golden(f"{name}.txt", printed(make(), width=WIDE))


@pytest.mark.parametrize(("name", "make"), REPORTS.items(), ids=REPORTS)
def test_the_text_in_full_is_the_one_recorded(golden: Compare, name: str, make: Make) -> None:
    golden(f"{name}.full.txt", printed(make(), width=WIDE, full=True))


@pytest.mark.parametrize(("name", "make"), REPORTS.items(), ids=REPORTS)
def test_the_text_in_a_narrow_terminal_is_the_one_recorded(
    golden: Compare, name: str, make: Make
) -> None:
    golden(f"{name}.narrow.txt", printed(make(), width=NARROW))


@pytest.mark.parametrize(("name", "make"), REPORTS.items(), ids=REPORTS)
def test_the_text_in_color_is_the_one_recorded(golden: Compare, name: str, make: Make) -> None:
    golden(f"{name}.ansi", printed(make(), width=WIDE, color=True))


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_color_adds_nothing_to_what_is_said(make: Make, width: int) -> None:
    colored = printed(make(), width=width, color=True)

    assert Text.from_ansi(colored).plain.rstrip() == printed(make(), width=width).rstrip()


@pytest.mark.parametrize(("name", "make"), REPORTS.items(), ids=REPORTS)
def test_the_json_is_the_one_recorded(golden: Compare, name: str, make: Make) -> None:
    golden(f"{name}.json", to_json(make()))


@pytest.mark.parametrize(("name", "make"), REPORTS.items(), ids=REPORTS)
def test_the_markdown_is_the_one_recorded(golden: Compare, name: str, make: Make) -> None:
    golden(f"{name}.md", to_markdown(make(), LINKS))


@pytest.mark.parametrize(("name", "make"), REPORTS.items(), ids=REPORTS)
def test_the_junit_is_the_one_recorded(golden: Compare, name: str, make: Make) -> None:
    golden(f"{name}.junit.xml", to_junit(make()))


def test_the_page_is_the_one_recorded(golden: Compare) -> None:
    golden("failing.html", to_html(failing(), LINKS))


def test_the_card_is_the_one_recorded(golden: Compare) -> None:
    golden("inconclusive.card.html", card(inconclusive()))


def test_the_fields_of_the_json_have_the_types_that_programs_rely_on() -> None:
    number: dict[str, object] = {"type": ["number", "null"]}
    text, many, inner = {"type": "string"}, {"type": "array"}, {"type": "object"}
    metric = {
        "name": text,
        "critical": {"type": "boolean"},
        "verdict": {"enum": ["pass", "fail", "inconclusive"]},
        "reason": text,
        "summary": text,
        "estimate": {"type": ["object", "null"]},
        "harm": {"type": ["object", "null"], "properties": {"p": number, "log_e": number}},
        "n": {"type": "integer"},
        "n_effective": number,
        "guards": {"type": "array"},
        "queries": {"type": "array"},
        "series": {"type": "object", "additionalProperties": {"items": number}},
    }
    schema = {
        "required": [
            *("schema", "name", "verdict", "score", "summary", "decided_by", "window", "risk"),
            *("scoring", "groups", "metrics", "guards", "warnings", "provenance"),
        ],
        "additionalProperties": False,
        "properties": {
            **dict.fromkeys(["name", "summary"], text),
            "schema": {"const": "v1"},
            "verdict": metric["verdict"],
            "score": {"type": "number", "minimum": 0, "maximum": 100, "multipleOf": 1},
            **dict.fromkeys(["decided_by", "groups", "guards", "warnings"], many),
            **dict.fromkeys(["window", "risk", "scoring", "provenance"], inner),
            "metrics": {"items": {"required": list(metric), "properties": metric}},
        },
    }

    for make in REPORTS.values():
        jsonschema.validate(json.loads(to_json(make())), schema)
