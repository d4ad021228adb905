"""What a browser sends and a person reads, as a command that a transcript can hold.

visit [--method M] [--as NAME:TOKEN] [--from SITE] [--type TYPE] ADDRESS [NAME=VALUE ...]

With values it sends the form that the page at ADDRESS belongs to, as a browser does: with where it
comes from. It prints the status and what is told, and waits for the first look of an analysis
that it was led to.
"""

from __future__ import annotations

import argparse
import base64
import time
from collections.abc import Iterator

import requests

from tests.support.reading import told

ENDS_WITHIN_S, POLL_S = 60.0, 0.05
_PARSER = argparse.ArgumentParser(prog="visit")
_PARSER.add_argument("--method")
_PARSER.add_argument("--as", dest="whose")
_PARSER.add_argument("--from", dest="site", default="same-origin")
_PARSER.add_argument("--type", default="application/x-www-form-urlencoded")
_PARSER.add_argument("address")
_PARSER.add_argument("fields", nargs="*")


def visit(words: list[str]) -> str:
    """Open a page or send a form; give the status and what a person is told."""
    given = _PARSER.parse_args(words)
    fields = dict(one.split("=", 1) for one in given.fields)
    headers = dict(_headers(given, is_form=bool(fields)))
    method = given.method or ("POST" if fields else "GET")
    limit = time.monotonic() + ENDS_WITHIN_S
    answer = requests.request(
        method, given.address, headers=headers, data=fields or None, timeout=ENDS_WITHIN_S
    )
    while 'data-stamp="0 running"' in answer.text and time.monotonic() < limit:
        time.sleep(POLL_S)
        answer = requests.get(answer.url, headers=headers, timeout=ENDS_WITHIN_S)
    return "\n".join([str(answer.status_code), *told(answer.text)])


def _headers(given: argparse.Namespace, *, is_form: bool) -> Iterator[tuple[str, str]]:
    yield "Accept", "text/html,application/xhtml+xml,*/*;q=0.8"
    yield "Sec-Fetch-Site", given.site
    if given.whose:
        yield "Authorization", f"Basic {base64.b64encode(given.whose.encode()).decode()}"
    if is_form or given.method == "POST":
        yield "Content-Type", given.type
