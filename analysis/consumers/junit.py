"""The report as JUnit's XML: a test case a metric, for whatever shows test results.

What fails is a failure, what is open is skipped with its message; a metric without a say is never
a failure. The rollout itself is the first test case, so that its verdict is seen even where no
metric failed by itself.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

from analysis.charts.svg import UNWRITABLE
from analysis.consumers import words
from analysis.report import AnalysisReport, MetricReport
from analysis.window import as_datetime
from judges import Verdict

ROLLOUT = "rollout"


def to_junit(report: AnalysisReport) -> str:
    """Render a report as a JUnit document."""
    counted = [metric.judgment.verdict for metric in report.metrics if not metric.muted]
    verdicts = [report.verdict, *counted]
    muted = len(report.metrics) - len(counted)
    totals = {
        "tests": str(len(report.metrics) + 1),
        "failures": str(verdicts.count(Verdict.FAIL)),
        "errors": "0",
        "skipped": str(verdicts.count(Verdict.INCONCLUSIVE) + muted),
    }
    root = Element("testsuites", {"name": "serinus", **totals})
    suite = SubElement(root, "testsuite", _safe({"name": report.name, **totals, **_times(report)}))
    _properties(suite, report)
    _rollout(suite, report)
    for metric in report.metrics:
        _metric(suite, metric, report)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _times(report: AnalysisReport) -> dict[str, str]:
    begins = as_datetime(float(report.window.edges[0]))
    return {"timestamp": f"{begins:%Y-%m-%dT%H:%M:%S}", "time": f"{report.window.judged_s:g}"}


def _properties(suite: Element, report: AnalysisReport) -> None:
    properties = SubElement(suite, "properties")
    told = {
        "verdict": str(report.verdict),
        "score": f"{report.score:g}",
        "serinus": report.provenance.version,
        "config_digest": report.provenance.config_digest,
    }
    for name, value in told.items():
        SubElement(properties, "property", _safe({"name": name, "value": value}))


def _rollout(suite: Element, report: AnalysisReport) -> None:
    case = SubElement(suite, "testcase", _safe({"classname": report.name, "name": ROLLOUT}))
    message = words.in_short(report)
    advice = "\n".join([*words.advice(report), words.sureness(report), words.score_told(report)])
    _outcome(case, report.verdict, message, kind=str(report.verdict), text=advice)


def _metric(suite: Element, metric: MetricReport, report: AnalysisReport) -> None:
    named = {"classname": f"{report.name}.{metric.group}", "name": metric.name}
    case = SubElement(suite, "testcase", _safe(named))
    judgment = metric.judgment
    kind, text = str(judgment.reason), _told(metric)
    if metric.muted:
        message = f"muted, without a say: {judgment.summary}"
        _outcome(case, Verdict.INCONCLUSIVE, message, kind=kind, text=text)
    else:
        _outcome(case, judgment.verdict, judgment.summary, kind=kind, text=text)
    SubElement(case, "system-out").text = _clean(_asked(metric))


def _outcome(case: Element, verdict: Verdict, message: str, *, kind: str, text: str) -> None:
    if verdict is Verdict.FAIL:
        SubElement(case, "failure", _safe({"message": message, "type": kind})).text = _clean(text)
    elif verdict is Verdict.INCONCLUSIVE:
        SubElement(case, "skipped", _safe({"message": message})).text = _clean(text)


def _told(metric: MetricReport) -> str:
    lines = [metric.judgment.summary]
    lines += [f"to decide it: {text}" for text in words.to_settle(metric)]
    lines += [f"{finding.code}: {finding.summary}" for finding in metric.findings]
    lines += [f"warning: {warning}" for warning in metric.judgment.warnings]
    return "\n".join(lines)


def _asked(metric: MetricReport) -> str:
    lines = [metric.judgment.summary]
    for query in metric.queries:
        found = "no answer" if query.series is None else f"{query.series} series"
        lines.append(f"{query.side} {query.role} ({found}): {query.query}")
        lines += [query.error] if query.error else []
    return "\n".join(lines)


def _safe(attributes: dict[str, str]) -> dict[str, str]:
    return {name: _clean(value) for name, value in attributes.items()}


def _clean(text: str) -> str:
    """Take out what no XML document may hold; the library escapes the rest."""
    return UNWRITABLE.sub("\ufffd", text)
