"""A way to a real Prometheus that can be closed, slowed and opened again.

with flaky(prometheus.url) as way:
    way.is_open = False
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_PASSED_ON = ("Content-Type", "Accept-Encoding")
_HANDED_BACK = ("Content-Type", "Content-Encoding")


@dataclass(slots=True)
class Way:
    """What a proxy does with calls at the moment.

    Attributes:
        url: Where it listens.
        target: Host and port of the server behind it.
        is_open: Whether calls are passed on; otherwise they are cut off without an answer.
        delay_s: Seconds each call is held back.
        flaps_s: If above 0, it is open for so long, then closed for as long, and so on.
        calls: How many came.
        cut: How many were cut off.
    """

    url: str
    target: str
    is_open: bool = True
    delay_s: float = 0.0
    flaps_s: float = 0.0
    calls: int = 0
    cut: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def passes(self) -> bool:
        """Count a call, hold it back, and tell whether it is passed on."""
        time.sleep(self.delay_s)
        is_up = self.flaps_s == 0 or int(time.monotonic() / self.flaps_s) % 2 == 0
        with self._lock:
            self.calls += 1
            self.cut += not (self.is_open and is_up)
        return self.is_open and is_up


@contextmanager
def flaky(url: str) -> Iterator[Way]:
    """Put a proxy before a server, for as long as the block runs."""
    way = Way(url="", target=urlsplit(url).netloc)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Pass a call on, or hang up."""
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if not way.passes():
                self.close_connection = True
                return
            try:
                self._pass_on(body)
            except OSError:  # whoever called has gone
                self.close_connection = True

        do_GET = do_POST  # noqa: N815 - the name that the server looks for

        def _pass_on(self, body: bytes) -> None:
            server = HTTPConnection(way.target, timeout=60)
            sent = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
            server.request(self.command, self.path, body, sent)
            answer = server.getresponse()
            told = answer.read()
            server.close()
            self.send_response(answer.status)
            for name in _HANDED_BACK:
                if value := answer.headers.get(name):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        proxy.daemon_threads = True
        way.url = f"http://127.0.0.1:{proxy.server_address[1]}"
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield way
        finally:
            proxy.shutdown()
