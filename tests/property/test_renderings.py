"""Whatever others wrote, a rendering shows it as words: it never becomes markup or structure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from analysis.consumers.html import card, to_html
from analysis.consumers.json import to_json
from analysis.consumers.junit import to_junit
from analysis.consumers.links import Links
from analysis.consumers.markdown import to_markdown
from analysis.guards import Finding
from analysis.report import AnalysisReport, AskedQuery, Provenance
from analysis.scoring import Group
from analysis.sides import PodSeries
from judges import Verdict
from tests.golden.reports import failing
from tests.golden.test_reports import printed
from tests.support.builders import a_settlement

LINKS = Links(prometheus={"": "https://p.example.com"}, grafana="https://g.example.com")
NASTY = (
    "<script>alert(1)</script>",
    "</style></title><img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "&lt;b&gt; & ' \" `",
    "{{ 7 * 7 }} {% raw %}",
    "]]><!-- --> <?xml?> <![CDATA[",
    "[click](javascript:alert(1)) ![](x) **bold** | cell | ~~no~~",
    "```\n</details>\n# heading\n- item\n1. one\n> quote\n---\n===",
    "@everyone #1 https://evil.example.com",
    "\x00\x1b[31m\x07\u2028\ufffe",
)
# A report is rendered twice for each; a hundred would take half a minute.
EXAMPLES = 40
WORDS = st.one_of(st.sampled_from(NASTY), st.text(max_size=40))


def told_by(text: str) -> AnalysisReport:
    """Make a report in which whatever comes from elsewhere is this text."""
    report = failing()
    return replace(
        report,
        name=text,
        summary=text,
        warnings=(text,),
        decided_by=(text + "0",),
        groups=tuple(Group(name=text, weight=g.weight, score=g.score) for g in report.groups),
        metrics=tuple(
            replace(
                metric,
                name=f"{text}{place}",
                group=text,
                judgment=replace(
                    metric.judgment,
                    kind="error_ratio",
                    summary=text,
                    warnings=(text,),
                    settlement=a_settlement(summary=text),
                    details={"note": text + "."},
                ),
                findings=(Finding(code=text, summary=text, remedy=text),),
                queries=(
                    AskedQuery(
                        side="canary",
                        role="total",
                        kind="range",
                        query=text,
                        series=1,
                        error=text + ".",
                    ),
                ),
                by_pod={
                    side: PodSeries(
                        names=(text + "a", text + "b"),
                        levels=np.array([1.0, 2.0]),
                        series=np.ones((2, 40)),
                    )
                    for side in ("baseline", "canary")
                },
            )
            for place, metric in enumerate(report.metrics)
        ),
        provenance=Provenance(
            version=text,
            libraries={text: text},
            config_digest="0" * 64,
            variables={"baseline": {"v": text}, "canary": {"v": text}},
        ),
    )


class Structure(HTMLParser):
    """The tags of a page with the names of their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def structure(page: str) -> Structure:
    parsed = Structure()
    parsed.feed(page)
    parsed.close()
    return parsed


PAGES: dict[str, Callable[[AnalysisReport], str]] = {
    "the page": lambda report: to_html(report, LINKS),
    "the card": card,
}


@pytest.mark.parametrize("render", PAGES.values(), ids=PAGES)
@given(text=WORDS)
@settings(max_examples=EXAMPLES)
def test_a_page_has_the_same_elements_whatever_the_words(
    render: Callable[[AnalysisReport], str], text: str
) -> None:
    found, plain = (structure(render(told_by(words))) for words in (text, "x"))

    assert found.tags == plain.tags
    assert all(link.startswith("https://") for link in found.links)


@given(text=WORDS)
@settings(max_examples=EXAMPLES)
def test_a_page_shows_the_words_themselves_and_can_be_stored(text: str) -> None:
    page = to_html(told_by(text), LINKS)

    page.encode("utf-8")
    clean = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
    shown = " ".join(structure(page).text.split())
    assert " ".join(clean.split()) in shown


# How pages of repositories read it; raw HTML is allowed there, which is the danger.
GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@given(text=WORDS)
@settings(max_examples=EXAMPLES)
def test_markdown_has_the_same_elements_whatever_the_words(text: str) -> None:
    assume(text.split())  # of nothing at all a paragraph is none

    found, plain = (
        structure(GITHUB.render(to_markdown(told_by(words), LINKS))) for words in (text, "x")
    )

    assert found.tags == plain.tags
    assert all(link.startswith("https://") for link in found.links)


@given(text=WORDS)
@settings(max_examples=EXAMPLES)
def test_markdown_mentions_nobody(text: str) -> None:
    folded = re.sub(
        r"^(`{3,})promql\n.*?\n\1$", "", to_markdown(told_by(text)), flags=re.MULTILINE | re.DOTALL
    )

    assert not re.search(r"[@#]\w", folded.replace("&#", ""))


@given(text=WORDS)
@settings(max_examples=EXAMPLES)
def test_junit_is_a_document_with_the_same_elements_whatever_the_words(text: str) -> None:
    found, plain = (
        [(one.tag, *one.keys()) for one in ET.fromstring(to_junit(told_by(words))).iter()]
        for words in (text, "x")
    )

    assert found == plain


@given(text=WORDS)
@settings(max_examples=EXAMPLES)
def test_json_holds_the_words_themselves(text: str) -> None:
    def refuse(constant: str) -> Any:
        raise AssertionError(constant)

    document = json.loads(to_json(told_by(text)), parse_constant=refuse)

    assert document["name"] == document["warnings"][0] == text
    assert document["metrics"][0]["queries"][0]["query"] == text


@given(text=WORDS)
@settings(max_examples=EXAMPLES)
def test_text_moves_no_cursor(text: str) -> None:
    shown = printed(told_by(text), width=120, full=True)

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", shown)


@given(verdict=st.sampled_from(Verdict))
def test_every_verdict_has_its_words_in_every_rendering(verdict: Verdict) -> None:
    report = replace(failing(), verdict=verdict)

    for text in (to_html(report), to_markdown(report), to_junit(report), printed(report, width=90)):
        assert str(verdict) in text.lower()
