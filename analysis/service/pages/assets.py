"""The style and the script of the pages."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from analysis import charts
from analysis.consumers import html

ROUTER = APIRouter(include_in_schema=False)
STATIC = Path(__file__).with_name("static")


@ROUTER.get("/static/pages.css")
def style() -> Response:
    """Give the style of pages, reports and charts."""
    return Response(_style(), media_type="text/css")


@ROUTER.get("/static/pages.js")
def script() -> Response:
    """Give the script: progress and keys, which a page can do without."""
    return Response((STATIC / "pages.js").read_bytes(), media_type="text/javascript")


@lru_cache(maxsize=1)
def _style() -> str:
    own = (STATIC / "pages.css").read_text(encoding="utf-8")
    return html.stylesheet() + charts.compact(own)
