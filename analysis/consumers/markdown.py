"""The report as Markdown of GitHub's kind: for pull requests and step summaries."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from analysis.charts.svg import UNWRITABLE
from analysis.config.load import short
from analysis.consumers import words
from analysis.consumers.links import Links, seen_again
from analysis.consumers.units import unit_of
from analysis.report import AnalysisReport, AskedQuery, MetricReport
from judges import Verdict

MARKS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔"}
NO_LINKS = Links()
_SPECIAL = re.compile(r"([\\`*_\[\]|~!])")
# At the start of a line these begin a list, a heading or a quotation.
_LEADING = re.compile(r"^([-+#=]|\d(?=\d*[.)](?:\s|$)))")
# GitHub tells people and issues that they were mentioned, wherever these stand before a word.
_MENTION = re.compile(r"([@#])(?=\w)")
_TICKS = re.compile(r"`+")


def to_markdown(report: AnalysisReport, links: Links = NO_LINKS) -> str:
    """Render a report as Markdown: verdict, advice and a table; the rest folded away.

    Args:
        report: What to show.
        links: Where its queries can be seen again.
    """
    return "\n".join(_lines(report, links)) + "\n"


def _lines(report: AnalysisReport, links: Links) -> Iterator[str]:
    verdict = str(report.verdict).upper()
    yield f"## {MARKS[report.verdict]} {verdict} · {plain(report.name)} · {report.score:.0f} of 100"
    yield ""
    yield f"**{words.HEADLINES[report.verdict]}.** {plain(words.in_short(report))}"
    yield ""
    for text in words.advice(report):
        yield f"- {plain(text)}"
    yield f"- {plain(words.sureness(report))}"
    yield ""
    yield from _table(report)
    yield ""
    yield f"Score: {plain(words.score_told(report))}. {plain(words.when(report))}."
    for finding in report.findings:
        yield f"\n⚠️ {plain(f'{finding.summary}; {finding.remedy}')}"
    for warning in report.warnings:
        yield f"\n⚠️ {plain(warning)}"
    for metric in words.ordered(report):
        if metric.judgment.verdict is not Verdict.PASS or metric.name in report.decided_by:
            yield from _folded(metric, report, links)
    digest = short(report.provenance.config_digest)
    yield f"\n<sub>serinus {plain(report.provenance.version)}, configuration {digest}</sub>"


def plain(text: str) -> str:
    """Make others' words mean nothing to Markdown or HTML, on one line."""
    line = " ".join(UNWRITABLE.sub("\ufffd", text).split())
    inert = _SPECIAL.sub(r"\\\1", html.escape(line, quote=False))
    return _MENTION.sub(r"\1<!-- -->", inert)


def paragraph(text: str) -> str:
    """Make the same of words that begin a line."""
    return _LEADING.sub(lambda found: f"&#{ord(found[1])};", plain(text))


def _table(report: AnalysisReport) -> Iterator[str]:
    yield "| | metric | change | baseline → canary | | points |"
    yield "| --- | --- | --- | --- | --- | ---: |"
    for metric in words.ordered(report):
        unit = unit_of(metric)
        tags = [tag for tag in ("critical", "muted") if getattr(metric, tag)]
        named = plain(metric.name) + (f" ({', '.join(tags)})" if tags else "")
        lost = f"−{metric.lost:.3g}" if metric.lost > 0 else ""
        cells = (
            MARKS[metric.judgment.verdict],
            f"**{named}**" if metric.name in report.decided_by else named,
            plain(words.change_with_interval(metric, unit)),
            plain(words.levels(metric, unit)),
            plain(words.outcome(metric)),
            lost,
        )
        yield f"| {' | '.join(cells)} |"


def _folded(metric: MetricReport, report: AnalysisReport, links: Links) -> Iterator[str]:
    judgment = metric.judgment
    yield f"\n<details><summary>{plain(metric.name)}</summary>\n"
    yield f"{paragraph(judgment.summary)}\n"
    notes = [f"to decide it: {text}" for text in words.to_settle(metric)]
    notes += [f"{finding.code}: {finding.summary}" for finding in metric.findings]
    notes += [f"warning: {warning}" for warning in judgment.warnings]
    yield from (f"- {plain(note)}" for note in notes)
    for query in metric.queries:
        yield from _query(query, report, links)
    yield "\n</details>"


def _query(query: AskedQuery, report: AnalysisReport, links: Links) -> Iterator[str]:
    found = "no answer" if query.series is None else f"{query.series} series"
    seen = "".join(
        f" · [{place}](<{address}>)" for place, address in seen_again(query, report.window, links)
    )
    yield f"\n{query.side}, {plain(query.role)} ({found}){seen}"
    if query.error:
        yield f"\n{paragraph(query.error)}"
    yield fenced(query.query)


def fenced(code: str) -> str:
    """Put code in a fence that nothing within can close."""
    longest = max((len(ticks) for ticks in _TICKS.findall(code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"\n{fence}promql\n{UNWRITABLE.sub(chr(0xFFFD), code)}\n{fence}"
