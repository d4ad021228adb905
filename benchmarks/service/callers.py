"""AnalysisRuns: each starts its analysis and polls it, as deploy/argo/poll.yaml does."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 20.0  # as in the template
SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call and what became of it.

    Attributes:
        seconds: From its first byte to its answer's last.
        status: HTTP status; 0 if there was no answer.
        said: Verdict or `running`; empty without an answer.
    """

    seconds: float
    status: int
    said: str = ""

    @property
    def is_answered(self) -> bool:
        """Tell whether Argo would have taken it for an answer."""
        return self.status in {200, 202} and bool(self.said)


@dataclass(slots=True)
class Callers:
    """So many runs, each on a thread of its own; a new connection for each call.

    Attributes:
        url: Where the service listens.
        every_s: Seconds from one call of a run to its next.
        calls: What became of each call, by run.
    """

    url: str
    every_s: float
    calls: dict[str, list[Call]] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, bodies: Mapping[str, dict[str, Any]], lasts: timedelta) -> None:
        """Poll every key with its body until the time is over."""
        rng = random.Random(SEED)
        self.calls = {key: [] for key in bodies}
        timer = threading.Timer(lasts.total_seconds(), self._stopped.set)
        timer.start()
        try:
            with ThreadPoolExecutor(len(bodies)) as threads:
                for key, body in bodies.items():
                    threads.submit(self._poll, key, body, rng.uniform(0, self.every_s))
                try:
                    self._stopped.wait()
                finally:
                    self._stopped.set()  # Ctrl-C ends the threads too
        finally:
            timer.cancel()

    def _poll(self, key: str, body: dict[str, Any], waits_s: float) -> None:
        sent = json.dumps(body).encode()
        while not self._stopped.wait(waits_s):
            call = self._call(key, sent)
            self.calls[key].append(call)
            waits_s = max(0.0, self.every_s - call.seconds)

    def _call(self, key: str, sent: bytes) -> Call:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_S)
        began = time.monotonic()
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("PUT", f"/v1/analyses/{key}", sent, headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
        except (OSError, HTTPException, ValueError):
            return Call(seconds=time.monotonic() - began, status=0)
        finally:
            connection.close()
        seconds = time.monotonic() - began
        if "argo" not in told:
            return Call(seconds=seconds, status=answer.status)
        return Call(seconds=seconds, status=answer.status, said=told["argo"][1])


def bodies(
    namespaces: Sequence[str], runs: int, start: float, planned: str
) -> dict[str, dict[str, Any]]:
    """Give what each run sends, by key."""
    return {
        f"load.{number}": {
            "mode": "async",
            "config": "load",
            "start": start,
            "planned": planned,
            "baseline": {"namespace": namespaces[number % len(namespaces)], "hash": "baseline"},
            "canary": {"namespace": namespaces[number % len(namespaces)], "hash": "canary"},
        }
        for number in range(runs)
    }
