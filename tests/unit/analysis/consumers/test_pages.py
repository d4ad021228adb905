"""The page and the card: small, whole, ordered, and without anything from outside."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from analysis.consumers.html import card, to_html
from analysis.consumers.junit import to_junit
from analysis.consumers.markdown import to_markdown
from benchmarks.reports import LINKS, a_report
from judges import Verdict
from tests.golden.reports import failing, inconclusive, passing
from tests.support.builders import a_judgment, a_metric_report
from tests.support.builders import a_report as a_small_report

# Of issue 7, for 20 metrics; 200 metrics with 10 pods may have ten times as much.
MOST_BYTES = 300_000
# What GitHub takes as a comment.
MOST_COMMENT = 65_536


@pytest.fixture(scope="module")
def large_page() -> str:
    return to_html(a_report(20), LINKS)


def test_a_page_of_twenty_metrics_with_ten_pods_is_small(large_page: str) -> None:
    assert len(large_page.encode()) < MOST_BYTES


def test_a_page_asks_for_nothing_and_runs_nothing(large_page: str) -> None:
    assert not re.search(r"<(script|link|img|iframe|object|form)\b|@import|url\(", large_page)
    assert not re.search(r"\bon\w+=|\bstyle=", large_page)


def test_what_is_not_fine_is_open_and_what_is_fine_is_folded() -> None:
    page = to_html(failing())

    is_open = dict(re.findall(r'<details class="metric (\w+)"( open)?>', page))
    assert is_open == {"fail": " open", "inconclusive": " open", "pass": ""}


def test_the_reader_meets_verdict_advice_score_and_metrics_in_this_order() -> None:
    page = to_html(failing())

    order = [
        page.index(text)
        for text in ("FAIL</span>", "What to do", "How sure", "Score</h2>", "<h3>mean latency",
                     "<h3>error ratio", "Evidence over time", "Data quality", "get this again")
    ]  # fmt: skip
    assert order == sorted(order)


def test_a_page_without_any_finding_says_that_comparisons_are_valid() -> None:
    assert "Every comparison is valid" in to_html(passing())
    assert "Every comparison is valid" not in to_html(failing())


def test_pods_of_what_failed_are_listed() -> None:
    page = to_html(failing())

    assert page.count("<td>checkout-7f9b-") == 2
    assert "Pod by pod" in page


def test_a_number_stays_on_one_line_with_its_percent_sign() -> None:
    page = to_html(failing())

    sentence = re.search(r'<p class="sentence">(.*?)</p>', page)
    assert sentence is not None
    assert " %" not in sentence[1]


def test_a_card_shows_verdict_score_and_every_metric() -> None:
    shown = card(inconclusive())

    assert shown.lstrip().startswith('<div class="serinus card">')
    assert "INCONCLUSIVE" in shown
    assert "<b>error ratio" in shown
    assert not re.search(r"<(html|body|script)\b", shown)


def test_markdown_fits_into_a_comment_and_leaves_out_what_is_fine() -> None:
    text = to_markdown(a_report(20), LINKS)

    assert len(text) < MOST_COMMENT
    assert text.count("| ✅ | metric") > 10
    assert "<summary>metric 4</summary>" not in text


def test_junit_counts_the_rollout_too() -> None:
    metric = a_metric_report(a_judgment(), name="fine")
    report = replace(a_small_report(metric), verdict=Verdict.FAIL)

    text = to_junit(report)

    assert '<testsuites name="serinus" tests="2" failures="1" errors="0" skipped="0">' in text


def test_a_muted_metric_is_never_a_failure() -> None:
    muted = a_metric_report(a_judgment(Verdict.FAIL), name="noisy", muted=True)

    text = to_junit(a_small_report(muted, a_metric_report(name="fine")))

    assert "<failure" not in text
    assert 'skipped message="muted, without a say: ' in text
