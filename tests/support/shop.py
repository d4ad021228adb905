"""A small real shop: an HTTP service that exposes metrics, and the load on it.

    python -m tests.support.shop serve --errors-every 20
    python -m tests.support.shop load --rate 80 --seconds 60 HOST:PORT…

`serve` prints its port and ends with its standard input; `load` ends by itself.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

# Mostly waiting, as for a database: latency then says little of how busy the machine is.
LEAST_S, MEAN_EXTRA_S = 0.004, 0.003
CLIENTS = 4  # for each target; at 7 ms an answer they manage 500 requests a second


@dataclass(slots=True)
class Shop:
    """What one process counts.

    Attributes:
        errors_every: Each request of this number is answered with 500.
        started: When the process began, epoch seconds.
    """

    errors_every: int
    started: float
    _answered: dict[int, int] = field(default_factory=dict)
    _seconds: float = 0.0
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _waits: random.Random = field(default_factory=lambda: random.Random(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def serve_one(self) -> int:
        """Work on a request, and give the status of its answer."""
        began = time.monotonic()
        with self._lock:
            number, extra_s = next(self._numbers), self._waits.expovariate(1 / MEAN_EXTRA_S)
        time.sleep(LEAST_S + extra_s)
        code = 500 if number % self.errors_every == 0 else 200
        with self._lock:
            self._answered[code] = self._answered.get(code, 0) + 1
            self._seconds += time.monotonic() - began
        return code

    def metrics(self) -> str:
        """Expose the counters; a status that never came has no series, as with real clients."""
        with self._lock:
            requests = [
                f'http_requests_total{{code="{code}"}} {number}'
                for code, number in sorted(self._answered.items())
            ]
            total, seconds = sum(self._answered.values()), self._seconds
        lines = [
            "# TYPE http_requests_total counter",
            *requests,
            "# TYPE http_request_duration_seconds summary",
            f"http_request_duration_seconds_sum {seconds}",
            f"http_request_duration_seconds_count {total}",
            "# TYPE process_start_time_seconds gauge",
            f"process_start_time_seconds {self.started}",
        ]
        return "\n".join([*lines, ""])


def serve(errors_every: int) -> None:
    """Serve until standard input ends, which it does at the latest with the parent process."""
    shop = Shop(errors_every=errors_every, started=time.time())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            is_scrape = self.path == "/metrics"
            body = shop.metrics().encode() if is_scrape else b"tea\n"
            self.send_response(200 if is_scrape else shop.serve_one())
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # open connections would hold it up


def load(targets: list[str], rate: float, seconds: float) -> None:
    """Send requests to every target, evenly in time, whether or not the answers keep up."""
    begin = time.monotonic()
    clients = [
        threading.Thread(target=_client, args=(target, begin, rate, seconds, first))
        for target in targets
        for first in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()


def _client(target: str, begin: float, rate: float, seconds: float, first: int) -> None:
    """Send every fourth request of a target."""
    connection = HTTPConnection(target, timeout=10)
    for number in range(first, int(rate * seconds), CLIENTS):
        time.sleep(max(0.0, begin + number / rate - time.monotonic()))
        if time.monotonic() > begin + seconds:
            break
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, HTTPException):
            connection.close()  # the next request opens it again
    connection.close()


def main() -> None:
    """Serve or load, as the command line says."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve")
    serving.add_argument("--errors-every", type=int, required=True)
    loading = commands.add_parser("load")
    loading.add_argument("--rate", type=float, required=True)
    loading.add_argument("--seconds", type=float, required=True)
    loading.add_argument("targets", nargs="+")
    arguments = parser.parse_args()
    if arguments.command == "serve":
        serve(arguments.errors_every)
    else:
        load(arguments.targets, arguments.rate, arguments.seconds)


if __name__ == "__main__":
    main()
