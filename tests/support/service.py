"""The service as its callers meet it: over HTTP, on a free loopback port.

with serving(configs, connect=lambda _: source, clock=lambda: 1_000.0) as service:
    service.put("rollout-1", config="shop", canary={"hash": "b"})
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import uvicorn

from analysis.service import listening
from analysis.service.app import create_app, make_service
from analysis.service.context import Service
from analysis.service.listening import Listening
from analysis.service.looking import Connect
from analysis.service.settings import Settings
from analysis.service.tls import Certificates
from analysis.service.tracing import Tracing
from tests.support.command import clean_environment, command_line, strict_json

# pytest shows the log of a test that fails.
QUIET: dict[str, Any] = {"version": 1, "disable_existing_loggers": False}
READY_WITHIN_S = 60.0
ANSWERS_WITHIN_S = 60.0
_LISTENS = re.compile(r"running on (https?://127\.0\.0\.1:\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer over HTTP.

    Attributes:
        status: Its status.
        headers: Its headers.
        text: Its body.
    """

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """Read the body as strictly as any JSON parser would."""
        return strict_json(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A caller of the service.

    Attributes:
        url: Where it listens.
        token: Sent along, if there is one.
        tls: What `requests` is told of certificates: `verify`, `cert`.
        service: What it consists of, where it runs in this process.
    """

    url: str
    token: str = ""
    tls: Mapping[str, Any] = field(default_factory=dict)
    service: Service | None = field(default=None, repr=False)

    def call(self, method: str, path: str, **options: Any) -> Answer:
        """Send a request."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        done = requests.request(
            method,
            f"{self.url}{path}",
            headers=headers,
            timeout=ANSWERS_WITHIN_S,
            **self.tls,
            **options,
        )
        return Answer(status=done.status_code, headers=done.headers, text=done.text)

    def get(self, path: str) -> Answer:
        """Send a GET."""
        return self.call("GET", path)

    def put(self, key: str, **body: Any) -> Answer:
        """Start or fetch an analysis."""
        return self.call("PUT", f"/v1/analyses/{key}", json=body)

    def until_looked_again(self, analysis: str, looks: int, within_s: float = 60.0) -> Any:
        """Poll an analysis until there were more looks than so many."""
        limit = time.monotonic() + within_s
        while time.monotonic() < limit:
            told = self.get(f"/v1/analyses/{analysis}").json
            if told["looks"] > looks:
                return told
            time.sleep(0.1)
        raise TimeoutError(f"analysis {analysis} had no further look within {within_s:g} s")

    def until_completed(self, analysis: str, within_s: float = 60.0) -> Any:
        """Poll an analysis until it has ended."""
        limit = time.monotonic() + within_s
        while time.monotonic() < limit:
            told = self.get(f"/v1/analyses/{analysis}").json
            if told["status"] != "running":
                return told
            time.sleep(0.1)
        raise TimeoutError(f"analysis {analysis} is still running after {within_s:g} s")


@contextmanager
def serving(
    configs: Path,
    *,
    connect: Connect,
    clock: Any = time.time,
    token: str = "",
    certificates: Certificates | None = None,
    traces: Tracing | None = None,
    **settings: Any,
) -> Iterator[Client]:
    """Serve from a thread of this process, with a source and a clock of the test's own."""
    with tempfile.TemporaryDirectory(prefix="serinus-") as home:
        chosen = {"database_url": f"sqlite:///{home}/serinus.db", **settings}
        service = make_service(Settings(configs=configs, **chosen), connect, clock, traces)
        where = Listening(log=QUIET, certificates=certificates, renew_every_s=0)
        server = listening.server(create_app(service), where)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield Client(url=_url(server, thread), token=token, service=service)
        finally:
            server.should_exit = True
            thread.join()


def _url(server: uvicorn.Server, thread: threading.Thread) -> str:
    limit = time.monotonic() + READY_WITHIN_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > limit:
            raise RuntimeError("the service did not start")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    return f"{'https' if server.config.is_ssl else 'http'}://127.0.0.1:{port}"


@contextmanager
def served(*options: str | Path, token: str = "", **environment: str) -> Iterator[RunningService]:
    """Run `serinus serve` as a process of its own."""
    with tempfile.TemporaryDirectory(prefix="serinus-") as home:
        log = Path(home) / "log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command_line("serve", "--port", "0", *options),
                cwd=home,
                env=clean_environment(**environment),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        try:
            client = Client(url=_announced(process, log), token=token)
            yield RunningService(client=client, process=process, log=log)
        finally:
            process.kill()
            process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningService:
    """A service in a process of its own.

    Attributes:
        client: Calls it.
        process: Its process.
        log: What it writes.
    """

    client: Client
    process: subprocess.Popen[bytes]
    log: Path


def _announced(process: subprocess.Popen[bytes], log: Path) -> str:
    limit = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < limit:
        if found := _LISTENS.search(log.read_text()):
            return found.group(1)
        time.sleep(0.05)
    raise RuntimeError(f"the service did not start; its log:\n{log.read_text()}")
