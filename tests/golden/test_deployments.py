"""The report of each recorded deployment, in every rendering, as somebody last read it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from analysis.config import load_config
from analysis.consumers.html import to_html
from analysis.consumers.json import to_document
from analysis.consumers.junit import to_junit
from analysis.consumers.markdown import to_markdown
from analysis.engine import analyze
from analysis.report import AnalysisReport, Provenance
from analysis.sources import recording as recordings
from analysis.window import as_datetime, select_window
from tests.golden.conftest import Compare
from tests.golden.test_reports import WIDE, printed
from tests.support.corpus import RECORDED, RECORDINGS

# A page is forty kilobytes: one that fails, one that passes, one that fails on a bound.
PAGES = ("err1-1", "aa-1", "crash-1")
# Digits that every machine agrees on.
DIGITS = 6
PROVENANCE = Provenance(
    version="1.2.3",
    libraries={"numpy": "2.0.0", "scipy": "1.0.0"},
    config_digest="0123456789abcdef" * 4,
    variables={"baseline": {"track": "baseline"}, "canary": {"track": "canary"}},
)


@cache
def report_of(name: str) -> AnalysisReport:
    """Judge a recording as the command does, with evidence over looks and a fixed provenance."""
    folder = RECORDINGS / name
    recorded, config = recordings.load(folder), load_config(folder / "canary.yaml")
    window = select_window(
        now=as_datetime(recorded.window.end),
        start=as_datetime(recorded.window.start),
        end=None,
        lookback=None,
        planned=config.window.planned,
        warmup=config.window.warmup,
        step=config.source.prometheus.step,
        lag=timedelta(0),
    )
    report = analyze(config, recorded, window, recorded.variables, looks_back=8)
    return replace(report, provenance=PROVENANCE)


def rounded(value: Any) -> Any:
    """Give a document without its series, its numbers with as many digits as machines agree on."""
    match value:
        case float():
            return float(f"{value:.{DIGITS}g}")
        case dict():
            return {key: rounded(one) for key, one in value.items() if key != "series"}
        case list():
            return [rounded(one) for one in value]
        case _:
            return value


@pytest.mark.parametrize("name", RECORDED)
def test_the_text_of_a_deployment_is_the_one_recorded(golden: Compare, name: str) -> None:
    golden(f"deployments/{name}.txt", printed(report_of(name), width=WIDE))


@pytest.mark.parametrize("name", RECORDED)
def test_the_markdown_of_a_deployment_is_the_one_recorded(golden: Compare, name: str) -> None:
    golden(f"deployments/{name}.md", to_markdown(report_of(name)))


@pytest.mark.parametrize("name", RECORDED)
def test_the_junit_of_a_deployment_is_the_one_recorded(golden: Compare, name: str) -> None:
    golden(f"deployments/{name}.junit.xml", to_junit(report_of(name)))


@pytest.mark.parametrize("name", RECORDED)
def test_the_json_of_a_deployment_is_the_one_recorded(golden: Compare, name: str) -> None:
    text = json.dumps(rounded(to_document(report_of(name))), ensure_ascii=False, indent=1)

    golden(f"deployments/{name}.json", text + "\n")


@pytest.mark.parametrize("name", PAGES)
def test_the_page_of_a_deployment_is_the_one_recorded(golden: Compare, name: str) -> None:
    golden(f"deployments/{name}.html", to_html(report_of(name)))


@pytest.mark.parametrize("name", RECORDED)
def test_every_page_leads_with_the_verdict_and_shows_every_metric(name: str) -> None:
    report = report_of(name)

    page = to_html(report)

    assert page.index(str(report.verdict).upper()) < page.index("What to do")
    assert page.count('<details class="metric ') == len(report.metrics)
    assert all(page.count(f"<h3>{metric.name}") == 1 for metric in report.metrics)
    assert page.count("<svg") > 2 * len(report.metrics)
