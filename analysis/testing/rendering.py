"""Outcomes of tests: text for people, JSON and JUnit for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.markup import escape

from analysis.testing.outcome import Mismatch, Outcome

# What programs may rely on; raised when a field changes its meaning or goes away.
SCHEMA = "test-v1"
# What no XML may hold, however it is written: https://www.w3.org/TR/xml/#charsets
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INDENT = " " * 6


def print_outcomes(outcomes: Sequence[Outcome], console: Console) -> None:
    """Print every test, those that do not hold with what was expected and what came."""
    for file, group in groupby(outcomes, key=lambda one: one.file):
        console.print(f"[bold]{escape(file)}[/bold]", soft_wrap=True)
        for outcome in group:
            for line in _lines(outcome):
                console.print(line, soft_wrap=True)
    broken = sum(not one.holds for one in outcomes)
    said = f"{broken} of {len(outcomes)} do not hold" if broken else f"all {len(outcomes)} hold"
    console.print(f"[{'red' if broken else 'green'}]{said}[/]")


def _lines(outcome: Outcome) -> Iterator[str]:
    if outcome.holds:
        verdict = str(outcome.report.verdict) if outcome.report else ""
        yield f"  [green]✓[/green] {escape(outcome.name)}: {verdict}"
        return
    place = f" (line {outcome.line})" if outcome.line else ""
    yield f"  [red]✗[/red] {escape(outcome.name)}{place}"
    yield from (escape(_INDENT + line) for line in explanation(outcome))


def explanation(outcome: Outcome) -> list[str]:
    """Say what does not hold, and what the analysis said instead, line by line."""
    if outcome.error is not None:
        return [f"no analysis: {outcome.error}"]
    lines = [line for one in outcome.mismatches for line in _difference(one)]
    if outcome.report is not None:
        lines.append(f"because: {outcome.report.summary}")
        lines += [
            f"  {metric.name}: {metric.judgment.verdict} ({metric.judgment.reason}): "
            f"{metric.judgment.summary}"
            for metric in outcome.report.metrics
        ]
    return lines


def _difference(one: Mismatch) -> tuple[str, str]:
    margin = " " * len(one.what)
    return f"{one.what}  - expected {one.expected}", f"{margin}  + observed {one.observed}"


def to_json(outcomes: Sequence[Outcome]) -> str:
    """Give the outcomes as strict JSON."""
    document = {
        "schema": SCHEMA,
        "holds": all(one.holds for one in outcomes),
        "tests": [_document(one) for one in outcomes],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _document(outcome: Outcome) -> dict[str, Any]:
    report = outcome.report
    return {
        "file": outcome.file,
        "line": outcome.line,
        "name": outcome.name,
        "holds": outcome.holds,
        "error": outcome.error,
        "mismatches": [
            {"what": one.what, "expected": one.expected, "observed": one.observed}
            for one in outcome.mismatches
        ],
        "observed": None
        if report is None
        else {
            "verdict": str(report.verdict),
            "score": report.score,
            "summary": report.summary,
            "decided_by": list(report.decided_by),
            "metrics": [
                {
                    "name": metric.name,
                    "verdict": str(metric.judgment.verdict),
                    "reason": str(metric.judgment.reason),
                    "guards": [finding.code for finding in metric.findings],
                    "summary": metric.judgment.summary,
                }
                for metric in report.metrics
            ],
        },
    }


def to_junit(outcomes: Sequence[Outcome]) -> str:
    """Give the outcomes as JUnit XML: a suite a file, a failure or an error a test that breaks."""
    root = ET.Element("testsuites", _counts(outcomes) | {"name": "serinus test"})
    for file, group in groupby(outcomes, key=lambda one: one.file):
        own = list(group)
        suite = ET.SubElement(root, "testsuite", _counts(own) | {"name": _xml(file)})
        for outcome in own:
            _add_case(suite, outcome)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _add_case(suite: ET.Element, outcome: Outcome) -> None:
    place = {"file": _xml(outcome.file), "line": str(outcome.line or 1)}
    named = {"classname": _xml(outcome.file), "name": _xml(outcome.name)}
    case = ET.SubElement(suite, "testcase", named | place | {"time": f"{outcome.seconds:.3f}"})
    if outcome.holds:
        return
    kind = "failure" if outcome.error is None else "error"
    first = outcome.error or ", ".join(
        f"{one.what}: expected {one.expected}, observed {one.observed}"
        for one in outcome.mismatches
    )
    told = ET.SubElement(case, kind, {"message": _xml(first), "type": kind})
    told.text = _xml("\n".join(explanation(outcome)))


def _counts(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {
        "tests": str(len(outcomes)),
        "failures": str(sum(bool(one.mismatches) for one in outcomes)),
        "errors": str(sum(one.error is not None for one in outcomes)),
        "time": f"{sum(one.seconds for one in outcomes):.3f}",
    }


def _xml(text: str) -> str:
    return _NO_XML.sub("�", text)
