"""The report for a person at a terminal: the verdict first, then why, then every metric."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from analysis.charts import level
from analysis.config.load import short
from analysis.consumers import words
from analysis.consumers.units import unit_of
from analysis.report import AnalysisReport, MetricReport
from analysis.window import as_datetime
from judges import Verdict

BAR_WIDTH = 40
SPARKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 30
INDENT = 2
NARROWEST = 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
STYLES = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.INCONCLUSIVE: "yellow"}


def print_report(report: AnalysisReport, console: Console, *, full: bool = False) -> None:
    """Print a report.

    Args:
        report: What to show.
        console: Where; it knows whether there is color and how wide a line is.
        full: Show queries and evidence of every metric as well.
    """
    width = max(console.width, NARROWEST) - INDENT
    for line in _lines(report, full=full):
        for part in _wrapped(line, width):
            console.print(part, soft_wrap=True)


def _wrapped(line: Text, width: int) -> Iterator[Text]:
    """Wrap a line, keeping its indentation, and every number on one line with its percent sign."""
    line.plain = printable(line.plain)
    plain = line.plain.replace(" %", "\u00a0%")  # textwrap breaks at a no-break space as little
    pieces = textwrap.wrap(plain, width, drop_whitespace=False, break_on_hyphens=False)
    indent = " " * (len(plain) - len(plain.lstrip()))
    ends = list(accumulate(len(piece) for piece in pieces)) or [0]
    for start, end in pairwise([0, *ends]):
        spaces = len(plain[start:end]) - len(plain[start:end].lstrip(" ")) if start else 0
        part = line[start + spaces : end]
        part.rstrip()
        yield Text(indent if start else "") + part


def printable(text: str) -> str:
    """Take out of others' words what would move the cursor or break the layout."""
    return _CONTROL.sub(" ", text)


def _lines(report: AnalysisReport, *, full: bool) -> Iterator[Text]:
    style = STYLES[report.verdict]
    yield Text.assemble(
        (f" {str(report.verdict).upper()} ", f"bold reverse {style}"),
        (f" {report.name}  ", "bold"),
        ("unpaired  " if report.baseline_offset_s else "", "yellow"),
        (_window(report), "dim"),
    )
    yield _bar(report)
    yield Text(words.in_short(report), style=style)
    for text in words.advice(report):
        yield Text(f"→ {text}", style="bold")
    yield Text(words.sureness(report), style="dim")
    yield Text(f"score: {words.score_told(report)}", style="dim")
    yield Text()
    for metric in words.ordered(report):
        yield from _metric(metric, full=full)
    for finding in report.findings:
        yield Text(f"{finding.code}: {finding.summary}; {finding.remedy}", style="yellow")
    for warning in report.warnings:
        yield Text(f"warning: {warning}", style="yellow")
    yield Text(_provenance(report), style="dim")


def _window(report: AnalysisReport) -> str:
    edges = report.window.edges
    start, end = as_datetime(float(edges[0])), as_datetime(float(edges[-1]))
    minutes = report.window.judged_s / 60
    return (
        f"{start:%Y-%m-%d %H:%M:%S}–{end:%H:%M:%S} UTC, {minutes:.3g} min in "
        f"{report.window.steps} steps of {report.window.step_s:g} s"
    )


def _bar(report: AnalysisReport) -> Text:
    """Draw the score on a bar that shows where marginal and pass begin."""
    filled = round(report.score / 100 * BAR_WIDTH)
    marks = {round(limit / 100 * BAR_WIDTH) for limit in (report.pass_score, report.marginal_score)}
    bar = Text("score ")
    for cell in range(BAR_WIDTH):
        style = STYLES[report.verdict] if cell < filled else "dim"
        bar.append("┃" if cell in marks else "█" if cell < filled else "░", style=style)
    bar.append(f" {report.score:.0f}", style="bold")
    bar.append(f"  (marginal {report.marginal_score:g}, pass {report.pass_score:g})", style="dim")
    return bar


def _metric(metric: MetricReport, *, full: bool) -> Iterator[Text]:
    judgment = metric.judgment
    style = STYLES[judgment.verdict]
    notes = [name for name in ("critical", "muted") if getattr(metric, name)]
    lost = f", −{metric.lost:.3g} points" if metric.lost > 0 else ""
    yield Text.assemble(
        (f"{words.MARKS[judgment.verdict]} ", f"bold {style}"),
        (metric.name, "bold"),
        (f"  {', '.join([*notes, metric.group, judgment.kind])}{lost}", "dim"),
    )
    yield _indented(judgment.summary)
    yield from _charts(metric)
    for finding in metric.findings:
        # A judgment that a guard made says by itself what was found.
        is_told = finding.summary in judgment.summary
        text = finding.remedy if is_told else f"{finding.summary}; {finding.remedy}"
        yield _indented(f"{finding.code}: {text}", "yellow")
    if judgment.settlement is not None:
        yield _indented(f"to decide it: {judgment.settlement.summary}", "cyan")
    for warning in judgment.warnings:
        yield _indented(f"warning: {warning}", "yellow")
    if full:
        yield from _details(metric)


def _indented(text: str, style: str = "") -> Text:
    return Text(" " * INDENT + text, style=style)


def _charts(metric: MetricReport) -> Iterator[Text]:
    """Draw both sides over time, on one scale, where there is anything to see."""
    unit, sides = unit_of(metric), (metric.baseline, metric.canary)
    known = np.concatenate([side[np.isfinite(side)] for side in sides])
    if len(known) < 2:
        return
    low, high = float(known.min()), float(known.max())
    for name, side in zip(("baseline", "canary  "), sides, strict=True):
        seen = side[np.isfinite(side)]
        mean = f"  mean {level(_mean(seen), unit)}" if len(seen) else "  no data"
        yield _indented(f"{name} {sparkline(side, low, high)}{mean}", "dim")


def sparkline(values: NDArray[np.float64], low: float, high: float) -> str:
    """Draw a series in one line of characters; a blank is a stretch without data."""
    span = high / 2 - low / 2
    chunks = np.array_split(values, min(SPARK_WIDTH, max(len(values), 1)))
    line = ""
    for chunk in chunks:
        known = chunk[np.isfinite(chunk)]
        if len(known) == 0:
            line += " "
            continue
        height = (_mean(known) / 2 - low / 2) / span if span > 0 else 0.5
        line += SPARKS[min(int(height * len(SPARKS)), len(SPARKS) - 1)]
    return line


def _mean(values: NDArray[np.float64]) -> float:
    """Divide before adding: levels near the largest double must not overflow."""
    return float(np.sum(values / len(values)))


def _details(metric: MetricReport) -> Iterator[Text]:
    judgment, limits = metric.judgment, metric.limits
    levels = {
        "harm": limits.fail_level if limits else None,
        "safety": limits.pass_level if limits else None,
    }
    for claim, evidence in (("harm", judgment.harm), ("safety", judgment.safety)):
        if evidence is not None:
            told = words.evidence(evidence, levels[claim])
            yield _indented(f"evidence of {claim}: {told}", "dim")
    numbers = [f"n {judgment.n}"]
    if judgment.n_effective is not None:
        numbers.append(f"worth {judgment.n_effective:.1f} independent steps")
    if judgment.autocorrelation is not None:
        numbers.append(f"autocorrelation {judgment.autocorrelation:.2f}")
    yield _indented(", ".join(numbers), "dim")
    for query in metric.queries:
        found = "no answer" if query.series is None else f"{query.series} series"
        yield _indented(f"{query.side} {query.role} ({found}): {query.query}", "dim")


def _provenance(report: AnalysisReport) -> str:
    digest = short(report.provenance.config_digest)
    return (
        f"serinus {report.provenance.version}, configuration {digest}, looks {report.looks}, "
        f"false fails at most {100 * report.false_fail:g} %"
    )
