"""Reports as people ask for them: from the command, into files, seen in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser

from analysis.consumers.html import card, to_html
from benchmarks.reports import LINKS, a_report
from tests.golden.reports import failing, inconclusive, passing
from tests.support.browser import NARROW, WIDE, Visit, a_browser, a_visit, violations
from tests.support.command import Done
from tests.support.corpus import RECORDINGS, SHOP

pytestmark = pytest.mark.e2e

NOTEBOOK = "<!doctype html><html lang=en><title>notebook</title><main><h1>notebook</h1>"
Serinus = Callable[..., Done]
JUDGED = ("judge", SHOP, "--recording", RECORDINGS / "err1-1")


def test_one_judgment_writes_every_report_that_is_asked_for(
    serinus: Serinus, tmp_path: Path
) -> None:
    names = {"html": "r.html", "junit": "r.xml", "markdown": "r.md", "json": "r.json"}
    wanted = [f"--report={form}={tmp_path / name}" for form, name in names.items()]

    done = serinus(*JUDGED, *wanted)

    assert done.code == 1
    assert "error ratio: 0.79 %, against 0.08 % at the baseline" in done.out
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert sorted(written) == sorted(names.values())
    assert written["r.html"].startswith("<!doctype html>")
    assert ET.fromstring(written["r.xml"]).get("failures") == "2"
    assert written["r.md"].startswith("## ❌ FAIL · shop")
    assert '"trace": {' in written["r.json"]


@pytest.mark.parametrize("form", ["text", "json", "markdown", "junit", "html"])
def test_the_same_recording_gives_the_same_bytes_in_every_format(
    serinus: Serinus, form: str
) -> None:
    first, second = (serinus(*JUDGED, "--format", form).out for _ in range(2))

    assert first == second


WRONG = {
    "an unknown format is told with its neighbor": (
        ("--report", "htm=x"),
        "one of text, json, markdown, junit, html; got 'htm=x'; did you mean 'html'?",
    ),
    "a report needs a file": (("--report", "html"), "got 'html'"),
    "a format is written once": (
        ("--report", "html=a", "--report", "html=b"),
        "html is given twice",
    ),
    "a link leads to a page": (("--link", "grafana=javascript:x"), "must be an address such as"),
    "a link holds no password": (
        ("--link", "grafana=http://a:b@c"),
        "must hold no user or password",
    ),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    serinus: Serinus, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    done = serinus("judge", SHOP, "--recording", tmp_path / "none", *options)

    assert done.code == 2
    assert message in done.message


@pytest.mark.usefixtures("requires_prometheus")
def test_queries_lead_to_the_server_that_was_asked_without_its_password(
    serinus: Serinus, corpus_url: str
) -> None:
    address = corpus_url.replace("http://", "http://me:secret@")
    selected = ("--set=run=aa-3", "--start=1795381218", "--end=1795381458")

    page = serinus("judge", SHOP, "--prometheus", address, *selected, "--format=html").out

    assert f'href="{corpus_url}/graph?g0.expr=' in page
    assert "secret" not in page


# ---- in a browser


@pytest.fixture(scope="module")
def browser(requires_chromium: Path) -> Iterator[Browser]:
    with a_browser(requires_chromium) as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write pages of every verdict, and a large one; give their addresses."""
    folder = tmp_path_factory.mktemp("pages")
    texts = {
        "failing": to_html(failing(), LINKS),
        "inconclusive": to_html(inconclusive()),
        "passing": to_html(passing()),
        "large": to_html(a_report(8), LINKS),
        "card": f"{NOTEBOOK}{card(failing())}</main>",
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in texts}


def unfolded(visit: Visit, url: str) -> None:
    """Open a page and everything that is folded on it."""
    visit.page.goto(url)
    visit.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", ["failing", "inconclusive", "passing", "large", "card"])
def test_a_page_can_be_read_by_everyone_and_asks_for_nothing(
    browser: Browser, pages: dict[str, str], name: str, width: int, is_dark: bool
) -> None:
    with a_visit(browser, width=width, is_dark=is_dark) as visit:
        unfolded(visit, pages[name])

        assert violations(visit.page) == []
        assert (visit.complaints, visit.elsewhere) == ([], [])
        overflow = visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0


def test_metrics_are_opened_by_the_keyboard_alone(browser: Browser, pages: dict[str, str]) -> None:
    with a_visit(browser) as visit:
        visit.page.goto(pages["passing"])
        metric = visit.page.locator("details.metric").first
        is_open = metric.get_attribute("open") is not None

        visit.page.keyboard.press("Tab")
        visit.page.keyboard.press("Enter")

        assert (metric.get_attribute("open") is not None) is not is_open


def test_a_page_is_readable_where_no_script_may_run(
    browser: Browser, pages: dict[str, str]
) -> None:
    with a_visit(browser, java_script_enabled=False) as visit:
        visit.page.goto(pages["failing"])

        assert visit.page.locator("h1").inner_text() == "✘ FAIL checkout"
        assert visit.page.locator("details.metric.fail svg").first.is_visible()


def test_labels_of_a_chart_stay_within_it(browser: Browser, pages: dict[str, str]) -> None:
    with a_visit(browser) as visit:
        unfolded(visit, pages["large"])

        outside = visit.page.evaluate(
            """[...document.querySelectorAll('figure svg.sr-chart')].flatMap(svg => {
              const room = svg.getBoundingClientRect();
              return [...svg.querySelectorAll('text')].filter(text => {
                const box = text.getBoundingClientRect();
                return box.left < room.left - 4 || box.right > room.right + 12;
              }).map(text => svg.getAttribute('aria-label') + ': ' + text.textContent);
            })"""
        )
        assert outside == []


def test_a_page_prints_on_paper_in_dark_mode_too(browser: Browser, pages: dict[str, str]) -> None:
    with a_visit(browser, is_dark=True) as visit:
        visit.page.goto(pages["failing"])
        visit.page.emulate_media(media="print")

        paper = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        assert re.match(rb"%PDF-", visit.page.pdf(format="A4"))
