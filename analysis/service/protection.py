"""What stands before every route: the size of a body, and headers for whoever opens a page."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from analysis.service.pages.refusal import tell
from analysis.service.problems import Problem

# They take series, not questions: a remote judge is sent all that a Kayenta fetched.
OF_SERIES = frozenset({"/judge", "/kayenta/judge", "/kayenta/metricSetPairList"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class _TooLargeError(Exception):
    """The body went on beyond the limit."""


@dataclass(frozen=True, slots=True)
class Protection:
    """Middleware that bounds bodies and adds headers.

    Attributes:
        app: What it stands before.
        most_bytes: Size of a body.
        most_series_bytes: Size of a body that holds series.
    """

    app: ASGIApp
    most_bytes: int
    most_series_bytes: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, unless its body is too large."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)  # a page says itself what it may load
            await send(message)

        most = self.most_series_bytes if scope["path"] in OF_SERIES else self.most_bytes
        message = f"a body has at most {most:,} bytes here; send less"
        refusal = tell(scope, Problem(413, "too_large", message))
        if _announced(scope) > most:
            await refusal(scope, receive, protected)
            return
        try:
            await self.app(scope, _bounded(receive, most), protected)
        except _TooLargeError:
            await refusal(scope, receive, protected)


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _bounded(receive: Receive, most_bytes: int) -> Receive:
    got = 0

    async def bounded() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > most_bytes:
            raise _TooLargeError
        return message

    return bounded
