"""The pages as people use them: a real browser, a real service, a real Prometheus behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from analysis.consumers.links import Links
from analysis.sources.connect import connect
from analysis.window import as_datetime
from tests.support.browser import NARROW, WIDE, Visit, a_browser, a_visit, violations
from tests.support.corpus import SHOP, run
from tests.support.service import Client, serving

pytestmark = pytest.mark.e2e
NOW = run("err1-1").end + 60.0
# A machine under load is slow, not wrong.
PATIENT_MS = 60_000
JUDGED = {"bad": "err1-1", "good": "aa-1"}


@dataclass(slots=True, kw_only=True)
class Clock:
    """A clock that a test sets."""

    now: float = NOW

    def __call__(self) -> float:
        """Give epoch seconds."""
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A service with two analyses of its shop."""

    client: Client
    clock: Clock
    ids: dict[str, str]

    def url(self, path: str) -> str:
        """Give the address of a page, where words stand for analyses."""
        return self.client.url + path.format(**self.ids)


@pytest.fixture(scope="module")
def served(corpus_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    configs = tmp_path_factory.mktemp("configs")
    (configs / "shop.yaml").write_text(SHOP.read_text())
    (configs / "faulty.yaml").write_text("version: 7\n")
    clock = Clock()
    with serving(
        configs,
        connect=lambda config: connect(config.source.prometheus, corpus_url, {}),
        clock=clock,
        look_every_s=1.0,
        links=Links(prometheus={"": corpus_url}),
    ) as client:
        ids = {name: begun(client, f"checkout.{one}", one) for name, one in JUDGED.items()}
        yield Served(client=client, clock=clock, ids=ids)


def begun(client: Client, key: str, name: str, mode: str = "sync") -> str:
    """Judge a recorded run; give the analysis' id."""
    one = run(name)
    variables = {"run": name, "namespace": "shop"}
    asked = {"config": "shop", "variables": variables, "start": one.start, "end": one.end}
    return str(client.put(key, **asked, mode=mode).json["id"])


@pytest.fixture(scope="module")
def browser(requires_chromium: Path) -> Iterator[Browser]:
    with a_browser(requires_chromium) as running:
        yield running


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open an empty page; whatever a test does there, nothing may complain or ask elsewhere."""
    with a_visit(browser) as opened:
        yield opened
        assert (opened.complaints, opened.elsewhere) == ([], [])


PAGES = {
    "the list": "/",
    "a fail": "/analyses/{bad}",
    "two analyses": "/compare?left={good}&right={bad}",
    "a history": "/services/shop",
    "the configurations": "/configs",
    "a dry run": "/configs/shop?dry=true&both=run%3Dr1",
    "a faulty configuration": "/configs/faulty",
    "the form": "/judge",
    "the presets": "/presets?metric=istio_requests",
    "a preset": "/presets/istio",
    "the API": "/docs",
}


@pytest.mark.parametrize(("width", "is_dark"), [(WIDE, False), (NARROW, True)])
def test_every_page_is_readable_and_accessible_and_asks_nobody_else(
    browser: Browser, served: Served, width: int, is_dark: bool
) -> None:
    with a_visit(browser, width=width, is_dark=is_dark) as visit:
        for path in PAGES.values():
            visit.page.goto(served.url(path))

            assert violations(visit.page) == [], path
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, path
            for details in visit.page.locator("details:not([open]) > summary").all()[:3]:
                details.click()
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, path

    assert len(visit.asked) >= len(PAGES)
    assert (visit.complaints, visit.elsewhere) == ([], [])


@pytest.mark.parametrize(("width", "is_dark"), [(WIDE, True), (NARROW, False)])
def test_the_other_theme_suits_the_other_width(
    browser: Browser, served: Served, width: int, is_dark: bool
) -> None:
    with a_visit(browser, width=width, is_dark=is_dark) as visit:
        visit.page.goto(served.url(PAGES["a fail"]))
        paper = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")

        assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 200) is is_dark
        assert violations(visit.page) == []
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_running_analysis_is_seen_to_end_without_a_reload(visit: Visit, served: Served) -> None:
    one, page = run("late-err"), visit.page
    served.clock.now = one.start + 100.0
    identity = begun(served.client, "rollout.live", one.name)
    page.goto(served.url(f"/analyses/{identity}"))
    page.evaluate("window.isTheSamePage = true")
    expect(page.locator(".bar")).to_contain_text("running")
    assert violations(page) == []
    opened = page.locator("details.metric", has_text="restarts")
    before = opened.evaluate("one => one.open")
    opened.locator(":scope > summary").click()

    served.clock.now = NOW + 86_400.0

    expect(page.locator(".bar .verdict")).to_have_text(re.compile("fail"), timeout=PATIENT_MS)
    expect(page.locator("#told")).to_contain_text("rollout.live: fail")
    expect(page).to_have_title(re.compile("^fail: rollout.live"))
    assert page.evaluate("window.isTheSamePage")
    assert page.locator("#cancel").count() == 0
    assert opened.evaluate("one => one.open") is not before
    assert page.evaluate("document.activeElement.textContent").count("restarts") == 1
    assert page.locator("#live").get_attribute("data-from") is None


def test_a_running_analysis_is_canceled_at_a_click(visit: Visit, served: Served) -> None:
    one, page = run("aa-3"), visit.page
    served.clock.now = one.start + 100.0
    identity = begun(served.client, "rollout.cancel", one.name)
    page.goto(served.url(f"/analyses/{identity}"))

    page.get_by_role("button", name="Cancel this analysis").click()

    expect(page.locator(".bar .verdict")).to_have_text(re.compile("canceled"))
    assert served.client.get(f"/v1/analyses/{identity}").json["status"] == "canceled"


def test_filters_and_search_narrow_the_list_to_a_permalink(visit: Visit, served: Served) -> None:
    page = visit.page
    page.goto(served.url("/"))
    page.get_by_label("Verdict").select_option("fail")
    page.get_by_role("searchbox", name="Key").fill("out.err1")
    page.get_by_role("button", name="Show").click()

    expect(page.locator(".analyses .key")).to_have_text(["checkout.err1-1"])
    with_filters = page.url
    page.goto(served.url("/"))
    page.goto(with_filters)
    expect(page.get_by_label("Verdict")).to_have_value("fail")
    page.get_by_role("link", name="Clear").click()
    expect(page.locator(".analyses .key", has_text="checkout.aa-1")).to_be_visible()


def test_two_analyses_are_ticked_and_compared(visit: Visit, served: Served) -> None:
    page = visit.page
    page.goto(served.url("/?key=checkout."))
    for name in ("checkout.aa-1", "checkout.err1-1"):
        page.get_by_label(f"Choose {name} to compare").check()
    page.get_by_role("button", name="Compare the two chosen").click()

    expect(page.locator(".metric-pair h3").first).to_have_text("error ratio")
    expect(page.locator(".metric-pair").first).to_contain_text("worse than tolerated")
    expect(page.locator(".pair > section h2")).to_have_count(2)


def test_a_stretch_of_the_past_is_judged_from_the_form_to_a_permalink(
    visit: Visit, served: Served
) -> None:
    one, page = run("lat30-1"), visit.page
    served.clock.now = one.end + 86_400.0
    page.goto(served.url("/configs/shop"))
    page.get_by_role("link", name="Judge a window").last.click()
    expect(page.get_by_label("Configuration")).to_have_value("shop")
    page.get_by_label("Both sides").fill(f"run={one.name}\nnamespace=shop")
    page.get_by_label("Start", exact=True).fill(f"{as_datetime(one.start):%Y-%m-%dT%H:%M:%S}")
    page.locator("[name=end]").fill(f"{as_datetime(one.end):%Y-%m-%dT%H:%M:%S}")
    page.get_by_role("button", name="Judge it now").click()

    expect(page.locator("header h1")).to_contain_text("FAIL", timeout=PATIENT_MS)
    expect(page.locator("header")).to_contain_text("mean latency")
    told = page.locator("header").inner_text()
    page.goto(page.url)
    assert page.locator("header").inner_text() == told


def test_a_mistake_in_the_form_is_told_and_nothing_written_is_lost(
    browser: Browser, served: Served
) -> None:
    with a_visit(browser) as visit:
        page = visit.page
        page.goto(served.url("/judge?config=shop"))
        page.get_by_label("Both sides").fill("rum=aa-1")
        page.get_by_role("button", name="Judge it now").click()

        expect(page.get_by_role("alert")).to_contain_text("run")
        expect(page.get_by_label("Both sides")).to_have_value("rum=aa-1")
        assert violations(page) == []
        # That the form was refused, and nothing else.
        assert [one for one in visit.complaints if "422" not in one] == []


def test_a_preset_is_found_by_a_metric_and_written_out(visit: Visit, served: Served) -> None:
    page = visit.page
    page.goto(served.url("/presets"))
    page.get_by_label("Reads the metric").fill("istio_requests_total")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Istio").first.click()
    page.get_by_label("Sides told apart by").select_option("flagger")
    page.get_by_role("button", name="Write it out").click()

    assert page.url.endswith("/presets/istio?separation=flagger#written-out")
    expect(page.locator("pre")).to_contain_text("istio_requests_total{")


def test_a_keyboard_is_enough(visit: Visit, served: Served) -> None:
    page = visit.page
    page.goto(served.url("/configs"))
    keys = page.keyboard
    keys.press("/")
    page.wait_for_url(served.url("/"))
    keys.press("/")
    expect(page.get_by_role("searchbox", name="Key")).to_be_focused()
    keys.type("err1")
    keys.press("Enter")
    expect(page.locator(".analyses .key")).to_have_text(["checkout.err1-1"])
    keys.press("?")
    expect(page.locator("#help")).to_be_visible()
    keys.press("Escape")
    expect(page.locator("#help")).to_be_hidden()

    keys.press("j")
    assert focused(page) == "checkout.err1-1"
    keys.press("Enter")
    page.wait_for_url(served.url("/analyses/{bad}"))
    keys.press("j")
    keys.press("j")
    second = page.locator(".metric").nth(1)
    before = second.evaluate("one => one.open")
    keys.press("Enter")
    assert second.evaluate("one => one.open") is not before
    keys.press("k")
    assert "error ratio" in focused(page)


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent"))


def test_the_first_tab_offers_to_skip_what_every_page_has(visit: Visit, served: Served) -> None:
    visit.page.goto(served.url("/"))
    visit.page.keyboard.press("Tab")

    expect(visit.page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()


def test_without_a_script_everything_can_be_seen_and_done(browser: Browser, served: Served) -> None:
    one = run("aa-7")
    served.clock.now = one.start + 100.0
    identity = begun(served.client, "rollout.plain", one.name)
    with a_visit(browser, java_script_enabled=False) as visit:
        page = visit.page
        page.goto(served.url(f"/analyses/{identity}"))
        assert '<meta http-equiv="refresh" content="10">' in page.content()
        page.get_by_role("button", name="Cancel this analysis").click()
        expect(page.locator(".bar .verdict")).to_have_text(re.compile("canceled"))
        page.goto(served.url("/?verdict=fail"))
        page.get_by_role("link", name="checkout.err1-1").click()
        expect(page.locator("header h1")).to_contain_text("FAIL")


def test_a_query_leads_to_the_prometheus_that_a_browser_reaches(
    visit: Visit, served: Served, corpus_url: str
) -> None:
    visit.page.goto(served.url("/analyses/{bad}"))
    visit.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    addresses = [
        str(link.get_attribute("href")) for link in visit.page.locator(".query a:visible").all()
    ]

    assert len(addresses) >= 8
    assert all(one.startswith(f"{corpus_url}/graph?g0.expr=") for one in addresses)
    answer = requests.get(addresses[0], timeout=60)
    assert (answer.status_code, "Prometheus" in answer.text) == (200, True)
    asked = parse_qs(urlsplit(addresses[0]).query)
    again = {"query": asked["g0.expr"][0], "time": str(run("err1-1").end)}
    counted = requests.get(f"{corpus_url}/api/v1/query", params=again, timeout=60).json()
    assert len(counted["data"]["result"]) == 1


def test_what_differs_between_two_versions_is_shown_by_keyboard_alone(
    visit: Visit, served: Served
) -> None:
    folder, page = served.client.service.settings.configs, visit.page  # type: ignore[union-attr]  # it runs in this process
    told = SHOP.read_text()
    (folder / "grown.yaml").write_text(told)
    one = run("aa-1")
    asked = {"config": "grown", "start": one.start, "end": one.end}
    served.client.put("grown.first", **asked, variables={"run": one.name})
    (folder / "grown.yaml").write_text(told.replace("margin: 15%", "margin: 20%"))
    try:
        page.goto(served.url("/configs/grown"))
        expect(page.get_by_role("row", name="not used yet")).to_contain_text("now")
        page.get_by_role("button", name="Show what differs").focus()
        page.keyboard.press("Enter")

        expect(page.locator(".difference .removed")).to_contain_text("margin: 15%")
        expect(page.locator(".difference .added")).to_contain_text("margin: 20%")
        assert violations(page) == []
        assert "left=" in page.url
        assert page.url.endswith("#versions")
    finally:
        (folder / "grown.yaml").unlink()


def test_the_report_in_the_service_is_the_report_in_a_file(visit: Visit, served: Served) -> None:
    visit.page.goto(served.url("/analyses/{bad}"))

    expect(visit.page.locator("header .sentence")).to_contain_text(
        "0.79 %, against 0.08 % at the baseline"
    )
    assert visit.page.locator(".metric svg").count() >= 8
