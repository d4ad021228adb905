"""A diagnosis for a person at a terminal: what has to be mended first, then every metric."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from analysis.config import SIDES
from analysis.config.fields import format_duration
from analysis.config.load import short
from analysis.consumers.text import printable
from analysis.diagnosis import Checked, Diagnosis, Query, Seen
from analysis.guards import Finding, Severity
from analysis.window import as_datetime
from judges.core import wording

INDENT = 2
SEVERITIES = {Severity.INVALID: "red", Severity.WITHHELD: "red", Severity.NOTE: "yellow"}
Line = tuple[str, str]  # words, style


def print_diagnosis(diagnosis: Diagnosis, console: Console) -> None:
    """Print a diagnosis.

    Args:
        diagnosis: What to show.
        console: Where; it knows whether there is color and how wide a line is.
    """
    for line in _head(diagnosis):
        console.print(line)
    for metric in diagnosis.metrics:
        console.print(_name(metric))
        for words, style in _metric(metric, diagnosis):
            console.print(Padding(_text(words, style), (0, 0, 0, INDENT), expand=False))
    for words, style in _weight(diagnosis):
        console.print(_text(words, style))
    for finding in diagnosis.findings:
        console.print(_text(_told(finding), SEVERITIES[finding.severity]))
    for warning in diagnosis.warnings:
        console.print(_text(f"warning: {warning.path}: {warning.message}", "yellow"))
    digest = short(diagnosis.provenance.config_digest)
    console.print(_text(f"serinus {diagnosis.provenance.version}, configuration {digest}", "dim"))


def _text(words: str, style: str = "") -> Text:
    """Give words as text without markup, that moves no cursor."""
    return Text(printable(words), style=style, overflow="fold")


# ---- the head


def _head(diagnosis: Diagnosis) -> Iterator[Text]:
    word, style = _verdict(diagnosis)
    edges = diagnosis.window.edges
    start, end = as_datetime(float(edges[0])), as_datetime(float(edges[-1]))
    times = f"{start:%Y-%m-%d %H:%M:%S}–{end:%H:%M:%S} UTC, {diagnosis.window.steps} steps"
    yield Text.assemble(
        (f" {word} ", f"bold reverse {style}"),
        (f" {printable(diagnosis.name)}  ", "bold"),
        (f"{times} of {diagnosis.window.step_s:g} s", "dim"),
    )
    yield _text(_sentence(diagnosis), style)
    yield _text(_cost(diagnosis), "dim")
    yield Text()


def _verdict(diagnosis: Diagnosis) -> Line:
    if diagnosis.source_errors:
        return "NO ANSWER", "red"
    return ("NOT READY", "red") if diagnosis.unsound else ("READY", "green")


def _sentence(diagnosis: Diagnosis) -> str:
    unsound, count = [metric.name for metric in diagnosis.unsound], len(diagnosis.metrics)
    if unsound:
        return f"{len(unsound)} of {count} metrics could not pass: {', '.join(unsound)}"
    late = [m.name for m in diagnosis.metrics if m.forecast and m.forecast.suffices is False]
    planned = format_duration(timedelta(seconds=diagnosis.planned_s))
    if late:
        return f"both sides are there and differ; {planned} may be too short for {', '.join(late)}"
    return f"both sides are there and differ, on all {count} metrics"


def _cost(diagnosis: Diagnosis) -> str:
    """Say what was asked, and what it cost."""
    answered = [query for metric in diagnosis.metrics for query in metric.queries]
    known = [query for query in answered if query.seconds is not None]
    text = f"{diagnosis.source}: {len(answered)} queries"
    if not known:
        return text
    series, points = sum(q.series or 0 for q in known), sum(q.points or 0 for q in known)
    slowest = max(query.seconds or 0.0 for query in known)
    return f"{text}, {series:,} series, {points:,} values, the slowest took {slowest:.3f} s"


# ---- a metric


def _name(metric: Checked) -> Text:
    is_late = metric.forecast is not None and metric.forecast.suffices is False
    mark, style = (
        ("✘", "red") if not metric.is_sound else ("?", "yellow") if is_late else ("✔", "green")
    )
    notes = [name for name in ("critical", "muted") if getattr(metric, name)]
    return Text.assemble(
        (f"{mark} ", f"bold {style}"),
        (printable(metric.name), "bold"),
        (printable(f"  {', '.join([*notes, metric.group])}"), "dim"),
    )


def _metric(metric: Checked, diagnosis: Diagnosis) -> Iterator[Line]:
    yield from _faults(metric)
    if metric.sides:
        yield _both(metric, diagnosis), ""
    yield f"{metric.judge}: {metric.why}", "dim"
    if metric.forecast is not None:
        style = "yellow" if metric.forecast.suffices is False else "dim"
        yield metric.forecast.summary, style
        for remedy in metric.forecast.remedies[:1]:
            yield f"to pass in time: {remedy.summary}", "cyan"
    for note in metric.notes:
        yield f"note: {note}", "yellow"
    for role in dict.fromkeys(query.role for query in metric.queries):
        found = (_found(query) for query in metric.queries if query.role == role)
        yield f"{role}: {'; '.join(found)}", "dim"


def _weight(diagnosis: Diagnosis) -> Iterator[Line]:
    """Tell what was asked for the weight."""
    query = diagnosis.traffic
    if query is None:
        return
    seen = "not seen" if diagnosis.weight is None else f"last {wording.percent(diagnosis.weight)}"
    yield f"weight of the canary: {seen}; {_found(query)}", "dim"
    for hint in query.hints:
        yield hint, "cyan"


def _faults(metric: Checked) -> Iterator[Line]:
    """Tell what is wrong first, with the query that shows it."""
    for finding in metric.findings:
        yield _told(finding), SEVERITIES[finding.severity]
    for query in metric.queries:
        if query.error is not None:
            yield f"{query.side} {query.role}: {query.error}", "red"
    for hint in dict.fromkeys(hint for query in metric.queries for hint in query.hints):
        yield hint, "cyan"
    for query in metric.queries:
        if query.series == 0 and (query.hints or not metric.is_sound):
            yield f"{query.side} {query.role} found nothing: {query.query}", ""


def _told(finding: Finding) -> str:
    return f"{finding.code}: {finding.summary}; {finding.remedy}"


def _both(metric: Checked, diagnosis: Diagnosis) -> str:
    sides = [_seen(name, metric.sides[name], metric, diagnosis) for name in SIDES]
    text = "; ".join(sides)
    if metric.share is None:
        return text
    weight = diagnosis.weight
    held = "" if weight is None else f" (its weight is {wording.percent(weight)})"
    return f"{text}; the canary has {wording.percent(metric.share)}{held}"


def _seen(name: str, seen: Seen, metric: Checked, diagnosis: Diagnosis) -> str:
    steps = diagnosis.window.steps
    if not seen.steps:
        return f"{name} nothing"
    parts = [
        None if seen.exposure is None else f"{seen.exposure:,.0f} {metric.counted}",
        None if metric.rows is None else _many(seen.rows, metric.rows),
        None if seen.steps == steps else f"in {seen.steps} of {steps} steps",
    ]
    return f"{name} {', '.join(part for part in parts if part) or 'in every step'}"


def _many(count: int, what: str) -> str:
    return f"1 {what.removesuffix('s')}" if count == 1 and what == "pods" else f"{count} {what}"


def _found(query: Query) -> str:
    if query.seconds is None:
        return f"{query.side} no answer"
    return f"{query.side} {query.series} series, {query.points:,} values in {query.seconds:.3f} s"
