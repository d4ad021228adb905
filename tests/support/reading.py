"""A page as somebody reads it: what is wrong if anything is, else its words.

told("<main><h1>Judge</h1><p role=alert>no configuration is chosen; choose one</p>…")
    == ["Judge", "no configuration is chosen; choose one"]
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

# A line of its own on the screen.
BLOCKS = frozenset(["p", "h1", "h2", "h3", "li", "dt", "dd", "section", "main", "div", "header"])
# What is the same everywhere, what is to be filled in, and what is a picture.
PASSED_OVER = frozenset(["head", "nav", "form", "dialog", "noscript", "svg", "details"])
MOST_LINES = 8


class _Reader(HTMLParser):
    """Gather the words of a page, and apart from them those that are told aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.alert: list[str] = []
        self._passed: list[str] = []
        self._alert: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in PASSED_OVER:
            self._passed.append(tag)
        if ("role", "alert") in attrs or (self._alert and tag == self._alert[0]):
            self._alert.append(tag)
        self._write("\n" if tag in BLOCKS else "")

    def handle_endtag(self, tag: str) -> None:
        self._write("\n" if tag in BLOCKS else "")
        for opened in (self._passed, self._alert):
            if opened and opened[-1] == tag:
                opened.pop()

    def handle_data(self, data: str) -> None:
        self._write(data)

    def _write(self, words: str) -> None:
        if not self._passed:
            (self.alert if self._alert else self.words).append(words)


def told(html: str) -> list[str]:
    """Give the heading and what is wrong, or else the page's first lines."""
    reader = _Reader()
    reader.feed(html)
    words, alert = _lines(reader.words), _lines(reader.alert)
    return [*words[:1], *alert] if alert else words[:MOST_LINES]


def _lines(words: list[str]) -> list[str]:
    lines = (re.sub(r"\s+", " ", line).strip() for line in "".join(words).splitlines())
    return [line for line in lines if line]
