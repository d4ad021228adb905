"""What can go wrong on the way to an answer, put so that whoever runs the server can mend it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from analysis.errors import SourceError
from analysis.sources.prometheus_http.decoding import Complaint, UnreadableError, complaint

_SHOWN_QUERY = 200  # characters: enough to recognize a query in a terminal
_SHOWN_WORDS = 300  # characters of a server's own sentence; a stack trace is not one
_READ_BYTES = 64 * 1024  # of a page, to find that sentence in


class ServerError(SourceError):
    """A fault of the server or of the way to it: another query could have met it as well.

    Attributes:
        is_passing: Asking again may help.
        wait_s: Seconds the server wants to be left alone first; 0 if it did not say.
        is_final: No other query can fare better; asking on is useless.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        is_passing: bool = False,
        wait_s: float = 0.0,
        is_final: bool = False,
    ) -> None:
        """Add to the message what it means for the other queries."""
        super().__init__(message, code=code)
        self.is_passing = is_passing
        self.wait_s = wait_s
        self.is_final = is_final


def too_slow(said: str) -> ServerError:
    """Say that an answer took too long."""
    return ServerError(
        f"{said}; shorten the window, lengthen the step or allow more time", code="timeout"
    )


def refused(url: str, query: str, words: str) -> SourceError:
    """Say that the server understood and will not answer this query."""
    return SourceError(
        f"{url} refused the query {excerpt(query)}: {words}; mend the query or ask for less",
        code="refused",
        query=query,
    )


def too_large(url: str, query: str, limit_bytes: int) -> SourceError:
    """Say that an answer was not read to its end."""
    return SourceError(
        f"the answer of {url} to {excerpt(query)} is larger than {limit_bytes:,} bytes; "
        "aggregate in the query, shorten the window or lengthen the step",
        code="refused",
        query=query,
    )


def of_complaint(url: str, query: str, error: Complaint) -> SourceError:
    """Sort an error that came under HTTP status 200, as some gateways send it."""
    match error.kind:
        case "timeout":
            return too_slow(f"{url} gave up: {error.words}")
        case "unavailable" | "internal" | "canceled":
            return ServerError(f"{url} answered: {error.words}; try later", code="unavailable")
        case _:
            return refused(url, query, error.words)


def of_unreadable(url: str, query: str, error: UnreadableError, page: str) -> SourceError:
    """Say what came instead of an answer; `page` is what it says if it is an HTML page."""
    if not error.is_foreign:
        return SourceError(
            f"{url} did not answer {excerpt(query)} usably: {error}", code="malformed", query=query
        )
    if page:
        what = f"an HTML page ({page}), perhaps a login page"
        remedy = "the URL must lead to the Prometheus API itself, not to a page in front of it"
        return ServerError(f"{url} answered with {what}; {remedy}", code="malformed")
    remedy = "check that the URL is a Prometheus API and what the proxies before it do"
    return ServerError(f"{url} answered with {error}; {remedy}", code="malformed")


def excerpt(query: str) -> str:
    """Quote a query, shortened for a message."""
    return f"`{_shortened(query, _SHOWN_QUERY)}`"


def said(body: bytes, clean: Callable[[str], str]) -> Complaint:
    """Find the server's own words, cleaned of secrets and shortened for a message."""
    found = complaint(body) or Complaint(kind="", words=_sentence(body[:_READ_BYTES]))
    return replace(found, words=_shortened(clean(found.words), _SHOWN_WORDS))


def without(words: str, secrets: Iterable[str]) -> str:
    """Blank secrets out, the longest first."""
    for secret in sorted({secret for secret in secrets if secret}, key=len, reverse=True):
        words = words.replace(secret, "***")
    return words


def is_page(body: bytes) -> bool:
    """Tell whether it looks like HTML."""
    return body.lstrip()[:1] == b"<"


def _sentence(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    if title := re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL):
        text = title.group(1)
    bare = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", text, flags=re.IGNORECASE | re.DOTALL)
    return " ".join(bare.split())


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"
