"""A real Prometheus on a free loopback port, for the length of a `with` block.

with RealPrometheus(openmetrics=PAST) as prometheus:
    PrometheusSource(url=prometheus.url)
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.support.ending import end

READY_WITHIN_S = 60.0  # a start takes 0.1 s alone, and seconds on a machine busy with other tests
POLL_S = 0.02

_ADDRESS = re.compile(r'msg="Listening on".*?address=(127\.0\.0\.1:\d+)')
_READY = "Server is ready to receive web requests"


class RealPrometheus:
    """A server that holds the given past, or scrapes the given targets, or both.

    The first scrape comes about six seconds after the start: discovery hands out its targets
    every five, and then the scrape has its own offset within the interval.

    Attributes:
        url: Where it listens; set while the `with` block runs.
        pid: Its process; set while the `with` block runs.
    """

    def __init__(
        self,
        *,
        openmetrics: str | Path = "",
        scrape_configs: Sequence[Mapping[str, Any]] = (),
        scrape_interval: str = "1s",
        config: Mapping[str, Any] | None = None,
        flags: Sequence[str] = (),
        program: str | Path = "",
    ) -> None:
        """Describe the server; entering the block starts it.

        Args:
            openmetrics: Samples with timestamps in OpenMetrics text; `# EOF` is added if missing.
                What is too much for the memory is a file, ready for promtool.
            scrape_configs: What to scrape, in Prometheus' own form.
            scrape_interval: How often, where a scrape config does not say.
            config: Further top-level keys of the configuration file.
            flags: Further command line flags, such as `--web.route-prefix=/metrics`.
            program: Another server than `TESTED_PROMETHEUS` names, or else the one on the path.
        """
        self._openmetrics = openmetrics
        self._config = {
            "global": {"scrape_interval": scrape_interval, "scrape_timeout": scrape_interval},
            "scrape_configs": list(scrape_configs),
            **(config or {}),
        }
        self._flags = tuple(flags)
        self._program = str(program or os.environ.get("TESTED_PROMETHEUS", "prometheus"))
        self._exits = ExitStack()
        self.url = ""
        self.pid = 0

    def __enter__(self) -> Self:
        """Backfill, start, and wait until queries are answered."""
        with ExitStack() as exits:
            home = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="prometheus-")))
            if self._openmetrics:
                _backfill(self._openmetrics, home)
            process = exits.enter_context(self._start(home))
            exits.callback(end, process)
            self.pid = process.pid
            self.url = f"http://{_address(process, home / 'log')}"
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End the server and remove its data."""
        self._exits.close()

    def _start(self, home: Path) -> subprocess.Popen[bytes]:
        (home / "prometheus.yml").write_text(json.dumps(self._config))  # JSON is YAML
        command = [
            _binary(self._program),
            f"--config.file={home / 'prometheus.yml'}",
            f"--storage.tsdb.path={home / 'data'}",
            "--storage.tsdb.retention.time=100y",  # the default deletes what is older than 15 days
            "--web.listen-address=127.0.0.1:0",  # the kernel chooses; the log tells
            *self._flags,
        ]
        with (home / "log").open("wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=home)


def _binary(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"{name} is not on the path; install the prometheus package")
    return path


def _backfill(openmetrics: str | Path, home: Path) -> None:
    file = openmetrics if isinstance(openmetrics, Path) else home / "past.om"
    if isinstance(openmetrics, str):
        text = openmetrics if openmetrics.endswith("# EOF\n") else f"{openmetrics}# EOF\n"
        file.write_text(text)
    subprocess.run(
        [
            *(_binary("promtool"), "tsdb", "create-blocks-from"),
            "--max-block-duration=48h",  # the file is read once a block
            *("openmetrics", "--quiet", str(file), str(home / "data")),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    limit = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < limit:
        text = log.read_text()
        if _READY in text and (found := _ADDRESS.search(text)):
            return found.group(1)
        time.sleep(POLL_S)
    raise RuntimeError(f"Prometheus did not start; its log:\n{log.read_text()}")
