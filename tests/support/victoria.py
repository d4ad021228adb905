"""A real VictoriaMetrics on a free loopback port, for the length of a `with` block.

with RealVictoria(openmetrics=PAST) as victoria:
    PrometheusSource(url=victoria.url, form=Form.EXACT)
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.support.ending import end

READY_WITHIN_S = 60.0
POLL_S = 0.05
PROGRAMS = ("victoria-metrics", "victoria-metrics-prod")

_SAMPLE = re.compile(r"(?P<name>[\w:]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+) (?P<time>\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def program() -> str | None:
    """Find the server's program."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class RealVictoria:
    """A single node that holds the given past.

    Attributes:
        url: Where it listens; set while the `with` block runs.
    """

    def __init__(self, *, openmetrics: str) -> None:
        """Describe the server; entering the block starts it and imports the past."""
        self._openmetrics = openmetrics
        self._exits = ExitStack()
        self.url = ""

    def __enter__(self) -> Self:
        """Start, import, and wait until the past can be queried."""
        with ExitStack() as exits:
            home = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="victoria-")))
            port = _free_port()
            process = exits.enter_context(_start(home, port))
            exits.callback(end, process)
            self.url = f"http://127.0.0.1:{port}"
            _wait(self.url, process, home / "log")
            _post(f"{self.url}/api/v1/import", "".join(_lines(self._openmetrics)).encode())
            _post(f"{self.url}/internal/force_flush", b"")
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End the server and remove its data."""
        self._exits.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _start(home: Path, port: int) -> subprocess.Popen[bytes]:
    path = program()
    if path is None:
        raise FileNotFoundError("victoria-metrics is not on the path")
    command = [
        path,
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-storageDataPath={home / 'data'}",
        "-retentionPeriod=100y",  # the default is a month
        "-memory.allowedBytes=256MB",
    ]
    with (home / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=home)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < limit:
        try:
            with urlopen(f"{url}/health", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(POLL_S)
    raise RuntimeError(f"VictoriaMetrics did not start; its log:\n{log.read_text()}")


def _post(url: str, body: bytes) -> None:
    with urlopen(Request(url, data=body, method="POST"), timeout=60) as answer:
        answer.read()


def _lines(openmetrics: str) -> Iterator[str]:
    """Word samples as VictoriaMetrics imports them: a line a series, milliseconds."""
    found: dict[tuple[str, str], tuple[list[float | str], list[int]]] = {}
    for sample in _samples(openmetrics.splitlines()):
        key = sample["name"], sample["labels"] or ""
        values, times = found.setdefault(key, ([], []))
        values.append(float(sample["value"]))
        times.append(round(float(sample["time"]) * 1000))
    for (name, labels), (values, times) in found.items():
        metric = {"__name__": name, **dict(_LABEL.findall(labels))}
        yield json.dumps({"metric": metric, "values": values, "timestamps": times}) + "\n"


def _samples(lines: Iterable[str]) -> Iterator[re.Match[str]]:
    for line in lines:
        if (sample := _SAMPLE.fullmatch(line)) is not None:
            yield sample
        elif line and not line.startswith("#"):
            raise ValueError(f"no sample: {line!r}")
