"""A page: its frame, its headers, and how times and results are written on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import jinja2
from fastapi.responses import HTMLResponse

from analysis.config.load import short
from analysis.consumers import html
from analysis.service.answers import said
from analysis.store import Record, Status
from analysis.window import as_datetime

TEMPLATES = Path(__file__).with_name("templates")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # With less than that a browser hides from us that a form is our own.
    "Referrer-Policy": "same-origin",
}
MARKS = {"pass": "✔", "fail": "✘", "inconclusive": "?", "running": "…", "canceled": "–"}


def page(
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **shown: object,
) -> HTMLResponse:
    """Render a page.

    Args:
        template: Its template.
        status: HTTP status.
        headers: What goes along, beside what every page has.
        **shown: What the template shows.
    """
    text = _templates().get_template(template).render(shown)
    return HTMLResponse(text, status, headers={**HEADERS, **(headers or {})})


def result(record: Record) -> str:
    """Give in one word what became of an analysis: a verdict, `running` or `canceled`."""
    return "canceled" if record.status is Status.CANCELED else said(record)


def utc(epoch_s: float) -> str:
    """Write an instant."""
    return f"{as_datetime(epoch_s):%Y-%m-%d %H:%M:%S}"


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    made = html.environment(TEMPLATES)
    made.filters |= {"utc": utc, "result": result, "short": short}
    made.globals |= {"MARKS": MARKS}
    return made
