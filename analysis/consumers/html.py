"""The report as one page that needs nothing else: no script, no server, no other file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from analysis import charts
from analysis.charts.svg import UNWRITABLE
from analysis.consumers import pictures, words
from analysis.consumers.links import Links, seen_again
from analysis.consumers.units import unit_of
from analysis.report import AnalysisReport, AskedQuery, MetricReport, Provenance
from analysis.window import Window
from judges import Verdict

TEMPLATES = Path(__file__).with_name("templates")
NO_LINKS = Links()
# Of a pod each row costs a line; beyond this the strip of dots says it better.
MOST_POD_ROWS = 24
# Tags of a page that every other page would have as well.
_BETWEEN_TAGS = re.compile(r">\s+<")


def to_html(report: AnalysisReport, links: Links = NO_LINKS) -> str:
    """Render a report as one self-contained HTML page.

    Args:
        report: What to show.
        links: Where its queries can be seen again.
    """
    return _whole("report.html.j2", report, links)


def to_section(report: AnalysisReport, links: Links = NO_LINKS) -> Markup:
    """Render a report to stand within a page that has `stylesheet()`; it brings no style along.

    Args:
        report: What to show.
        links: Where its queries can be seen again.
    """
    return Markup(_whole("content.html.j2", report, links))  # noqa: S704 - a template escaped it


def stylesheet() -> str:
    """Give the style of reports and their charts, light and dark, as CSS."""
    return charts.stylesheet() + _style()


def card(report: AnalysisReport) -> str:
    """Render a report as a card for a notebook: verdict, score, and every metric with its gauge."""
    shown = [_row(metric, report) for metric in words.ordered(report)]
    return _rendered("card.html.j2", report=report, metrics=shown)


def _whole(template: str, report: AnalysisReport, links: Links) -> str:
    """Render every part of a report."""
    shown = [
        {**_row(metric, report), **_body(metric, report, links)} for metric in words.ordered(report)
    ]
    return _rendered(
        template,
        report=report,
        metrics=shown,
        evidence=_drawn(pictures.rollout_evidence(report)),
        provenance=_provenance(report.provenance),
    )


def _rendered(template: str, **shown: object) -> str:
    style = Markup(stylesheet())  # noqa: S704 - both files are ours
    text = _templates().get_template(template).render(words=words, style=style, **shown)
    return _BETWEEN_TAGS.sub(">\n<", text)


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    return environment(TEMPLATES)


def environment(folder: Path) -> jinja2.Environment:
    """Make the templates of a folder ready, which escape whatever they are given."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_writable,
    )
    made.filters["kept"] = _kept
    return made


def _kept(sentence: str) -> str:
    """Keep every number on one line with its percent sign."""
    return sentence.replace(" %", "\u00a0%")


def _writable(value: object) -> object:
    """Take out of others' words what no document may hold, escaped or not."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return UNWRITABLE.sub("\ufffd", value)
    return value


@lru_cache(maxsize=1)
def _style() -> str:
    return charts.compact((TEMPLATES / "report.css").read_text(encoding="utf-8"))


def _drawn(svg: str) -> Markup:
    # The charts escape every word that is not theirs.
    return Markup(svg)  # noqa: S704


# ---- what the template shows


def _row(metric: MetricReport, report: AnalysisReport) -> Mapping[str, Any]:
    """Give what is seen of a metric at first sight."""
    unit, judgment = unit_of(metric), metric.judgment
    return {
        "name": metric.name,
        "verdict": str(judgment.verdict),
        "mark": words.MARKS[judgment.verdict],
        "tags": [tag for tag in ("critical", "muted") if getattr(metric, tag)],
        "is_open": judgment.verdict is not Verdict.PASS or metric.name in report.decided_by,
        "levels": words.levels(metric, unit),
        "change": words.change(metric, unit),
        "outcome": words.outcome(metric),
        "lost": metric.lost,
        "row": _drawn(pictures.small_gauge(metric) or pictures.sparkline(metric)),
    }


def _body(metric: MetricReport, report: AnalysisReport, links: Links) -> Mapping[str, Any]:
    """Give what is seen of a metric once it is opened."""
    judgment = metric.judgment
    return {
        "group": metric.group,
        "weight": 100 * metric.weight,
        "summary": judgment.summary,
        "to_settle": words.to_settle(metric),
        "findings": metric.findings,
        "warnings": judgment.warnings,
        "charts": _charts(metric, report),
        "evidence": _drawn(pictures.evidence(metric)),
        "statistics": _statistics(metric),
        "pods": _pod_rows(metric) if _is_blamed(metric, report) else [],
        "queries": [_query(query, report.window, links) for query in metric.queries],
    }


def _charts(metric: MetricReport, report: AnalysisReport) -> list[tuple[str, Markup]]:
    over_time = "Over time" if metric.distribution is None else "Mean of each step over time"
    drawn = [
        (f"{over_time} (UTC)", pictures.timeline(report, metric)),
        ("Canary against baseline", pictures.gauge(metric)),
        ("What was observed", pictures.distribution(metric)),
        ("Pod by pod", pictures.pods(metric)),
    ]
    return [(caption, _drawn(svg)) for caption, svg in drawn if svg]


def _statistics(metric: MetricReport) -> list[tuple[str, str]]:
    """Give the numbers behind a judgment, each with its name in plain words."""
    judgment, limits = metric.judgment, metric.limits
    fail_level = limits.fail_level if limits else None
    pass_level = limits.pass_level if limits else None
    rows = [
        ("judge", judgment.kind),
        ("reason", str(judgment.reason)),
        ("evidence of harm", words.evidence(judgment.harm, fail_level)),
        ("evidence that it is fine", words.evidence(judgment.safety, pass_level)),
        ("may fail a good canary in", _rate(fail_level)),
        ("may pass a harmful one in", _rate(pass_level)),
        ("steps seen on both sides", f"{judgment.n}"),
        ("independent steps they are worth", _number(judgment.n_effective)),
        ("autocorrelation", _number(judgment.autocorrelation)),
        *((name.replace("_", " "), _detail(value)) for name, value in judgment.details.items()),
    ]
    return [(name, text) for name, text in rows if text]


def _rate(level: float | None) -> str:
    return "" if level is None else f"{charts.level(level, charts.Unit.SHARE)} of rollouts"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _detail(value: float | str | None) -> str:
    return value if isinstance(value, str) else "" if value is None else charts.level(float(value))


def _is_blamed(metric: MetricReport, report: AnalysisReport) -> bool:
    return metric.judgment.verdict is Verdict.FAIL or metric.name in report.decided_by


def _pod_rows(metric: MetricReport) -> list[tuple[str, str, str, Markup]]:
    """Give side, name, level and shape of each pod; nothing of a crowd."""
    unit = unit_of(metric)
    rows = [
        (side, name, charts.level(level, unit), series)
        for side, pods in metric.by_pod.items()
        for name, level, series in zip(pods.names, pods.levels.tolist(), pods.series, strict=True)
        if name
    ]
    if len(rows) > MOST_POD_ROWS:
        return []
    empty = metric.baseline[:0]
    return [
        (side, name, level, _drawn(charts.sparkline(*_one_side(side, series, empty), name=name)))
        for side, name, level, series in rows
    ]


def _one_side(side: str, series: Any, empty: Any) -> tuple[Any, Any]:  # noqa: ANN401 - arrays
    return (series, empty) if side == "baseline" else (empty, series)


def _query(query: AskedQuery, window: Window, links: Links) -> Mapping[str, Any]:
    found = "no answer" if query.series is None else f"{query.series} series"
    return {
        "side": query.side,
        "role": query.role.replace("_", " "),
        "found": found,
        "text": query.query,
        "error": query.error,
        "links": seen_again(query, window, links),
    }


def _provenance(provenance: Provenance) -> list[tuple[str, str]]:
    libraries = ", ".join(f"{name} {version}" for name, version in provenance.libraries.items())
    sides = [
        (f"variables of the {side}", ", ".join(f"{name}={value}" for name, value in values.items()))
        for side, values in provenance.variables.items()
    ]
    return [
        ("Serinus", provenance.version),
        ("libraries", libraries),
        ("configuration", f"SHA-256 {provenance.config_digest}"),
        *((name, text) for name, text in sides if text),
    ]
