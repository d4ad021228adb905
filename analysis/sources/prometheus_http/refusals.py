"""Answers with another status than 200, sorted by who can mend them."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import responses

from analysis.errors import SourceError
from analysis.sources.prometheus_http.faults import ServerError, refused, too_slow

# Over load or in a restart; the same request may well succeed a second later.
_PASSING = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer other than 200.

    Attributes:
        url: The server, without secrets.
        query: What was asked.
        status: The HTTP status.
        words: The server's own words, without secrets.
        kind: Prometheus' `errorType`; empty if the answer is not Prometheus'.
        location: Where a redirect points to, without secrets.
        wait_s: What `Retry-After` asks for, in seconds.
    """

    url: str
    query: str
    status: int
    words: str
    kind: str = ""
    location: str = ""
    wait_s: float = 0.0


def of_refusal(refusal: Refusal) -> SourceError:
    """Sort an answer other than 200 by who can mend it."""
    said = ": ".join(filter(None, (_answered(refusal), refusal.words)))
    match refusal.status:
        case 401 | 403 as status:
            return _unauthorized(said, is_final=status == 401)
        case 404 | 405:
            return _misdirected(said)
        case 413 | 414 | 431:
            return _too_long(said, refusal)
        case status if 300 <= status < 400:
            return _redirected(refusal)
        case status if status in _PASSING or status >= 500:
            return _unavailable(said, refusal)
        case _:
            return refused(refusal.url, refusal.query, refusal.words or str(refusal.status))


def _unauthorized(said: str, *, is_final: bool) -> ServerError:
    return ServerError(
        f"{said}; check the user and password or the token, and the tenant header "
        "(X-Scope-OrgID, THANOS-TENANT) if the server has tenants",
        code="unauthorized",
        is_final=is_final,
    )


def _misdirected(said: str) -> ServerError:
    return ServerError(
        f"{said}; the URL must be what stands before /api/v1, such as "
        "http://prometheus:9090 or http://gateway/prometheus, and POST must be allowed",
        code="refused",
    )


def _too_long(said: str, refusal: Refusal) -> SourceError:
    return SourceError(
        f"{said}; let the proxy take longer bodies, or shorten the query "
        f"({len(refusal.query)} characters)",
        code="refused",
        query=refusal.query,
    )


def _redirected(refusal: Refusal) -> ServerError:
    target = refusal.location or "an address it does not give"
    return ServerError(
        f"{_answered(refusal)} and points to {target}; redirects are "
        "not followed, for they would take the credentials along: give the final address",
        code="refused",
    )


def _unavailable(said: str, refusal: Refusal) -> ServerError:
    if refusal.kind == "timeout":  # the same query would burn the same time again
        return too_slow(said)
    return ServerError(
        f"{said}; the server is overloaded or unwell: try later or ask for less",
        code="unavailable",
        is_passing=refusal.status in _PASSING,
        wait_s=refusal.wait_s,
    )


def _answered(refusal: Refusal) -> str:
    phrase = responses.get(refusal.status, "")
    return f"{refusal.url} answered {refusal.status} {phrase}".rstrip()
