"""A real browser, without a window: Debian's Chromium, driven by playwright.

with a_browser(chromium) as browser, a_visit(browser, width=390, is_dark=True) as visit:
    visit.page.goto(url)
    assert visit.complaints == [] and violations(visit.page) == []
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # carries none
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

WIDE, NARROW = 1280, 390
HEIGHT = 900
# Nothing of its own on the network, and no need of rights that a container lacks.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
LOCAL = {"", "127.0.0.1", "localhost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A page under observation.

    Attributes:
        page: The page, of playwright.
        complaints: What the console and uncaught errors said, in order.
        asked: Every address that was asked for.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def elsewhere(self) -> list[str]:
        """Addresses of other machines that were asked for: a page needs none."""
        return [url for url in self.asked if (urlsplit(url).hostname or "") not in LOCAL]


@contextmanager
def a_browser(chromium: Path) -> Iterator[Browser]:
    """Run the browser; its profile is new, and gone afterwards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium), headless=True, args=list(ARGUMENTS)
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def a_visit(
    browser: Browser, *, width: int = WIDE, is_dark: bool = False, **options: Any
) -> Iterator[Visit]:
    """Open an empty page of this width that notes what it asks for and complains of.

    Args:
        browser: Whose page.
        width: In CSS pixels.
        is_dark: Whether the reader prefers dark colors.
        **options: Further ones of playwright's `new_context`.
    """
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme="dark" if is_dark else "light",
        reduced_motion="reduce",
        **options,
    )
    visit = Visit(page=context.new_page())
    visit.page.on("console", lambda message: visit.complaints.extend(_complaint(message)))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    visit.page.on("request", lambda request: visit.asked.append(_address(request)))
    try:
        yield visit
    finally:
        context.close()


def _complaint(message: ConsoleMessage) -> list[str]:
    return [message.text] if message.type in ("error", "warning") else []


def _address(request: Request) -> str:
    # What stands in the page itself is asked of nobody.
    return "" if request.url.startswith(("data:", "blob:", "file:")) else request.url


def violations(page: Page, *, context: str | None = None) -> list[str]:
    """Let axe examine a page; one line for each rule that is broken, with the first element."""
    found = Axe().run(page, context=context).response["violations"]
    return [_told(cast(Mapping[str, Any], one)) for one in found]


def _told(violation: Mapping[str, Any]) -> str:
    nodes = violation["nodes"]
    return f"{violation['id']}: {violation['help']} ({len(nodes)}×, {nodes[0]['html'][:160]})"
