"""A server that speaks HTTP as badly as it likes: every byte it sends is the test's."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

Behavior = Callable[[socket.socket, bytes, int], None]


class HostileServer:
    """A loopback server whose answers are written by hand, one thread a connection.

    Attributes:
        url: Where it listens.
        requests: What arrived, head and body, in order.
        ended: Set when the test is over: whoever dribbles stops.
    """

    def __init__(self, behave: Behavior, *, tls: ssl.SSLContext | None = None) -> None:
        """Listen; `behave` gets the connection, the request, and how many came before it."""
        self._behave = behave
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._one_by_one = threading.Lock()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[bytes] = []
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes up whoever accepts
        self._listener.close()

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _greeted(self, connection: socket.socket) -> socket.socket:
        """Shake hands, if that is wanted; a client that is refused is told why before all ends."""
        if self._tls is None:
            return connection
        stream = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            stream.do_handshake()
        except OSError:  # what ssl raises is one too
            _linger(socket.socket(fileno=stream.detach()))
            raise
        return stream

    def _serve(self, connection: socket.socket) -> None:
        # A client that goes away in the middle is what most of these tests want.
        with suppress(OSError), connection:
            connection.settimeout(30)
            with self._greeted(connection) as stream:
                while request := _read(stream):
                    with self._one_by_one:
                        before = len(self.requests)
                        self.requests.append(request)
                    self._behave(stream, request, before)


def _linger(connection: socket.socket) -> None:
    """Wait for the client to go, or what was said last might not reach it."""
    with suppress(OSError), connection:
        while connection.recv(65536):
            pass


def _read(stream: socket.socket) -> bytes:
    """Read one request with its body; nothing if the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := stream.recv(65536)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        body += stream.recv(65536)
    return head + b"\r\n\r\n" + body


def response(
    body: bytes, status: str = "200 OK", *headers: str, length: int | None = None
) -> bytes:
    """Word an answer; `length` is what it claims, if not the truth."""
    claimed = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {claimed}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
