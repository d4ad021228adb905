"""What a process takes: memory and processor time, read from Linux' /proc."""

from __future__ import annotations

import os
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A process at one moment.

    Attributes:
        at_s: Seconds since it was first read.
        cpu_s: Processor time so far, of all its threads.
        resident_mb: Memory it holds.
    """

    at_s: float
    cpu_s: float
    resident_mb: float


@dataclass(slots=True)
class Watch:
    """Reads a process at even distances for as long as a `with` block runs.

    Attributes:
        pid: The process.
        every_s: Seconds between readings.
        readings: What was read, in time order.
    """

    pid: int
    every_s: float = 2.0
    readings: list[Reading] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin."""
        began = time.monotonic()
        self.readings.append(read(self.pid, began))
        self._thread = threading.Thread(target=self._run, args=(began,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, began: float) -> None:
        while not self._stopped.wait(self.every_s):
            self.readings.append(read(self.pid, began))

    @property
    def cores(self) -> float:
        """Give the mean number of cores that were busy with it."""
        first, last = self.readings[0], self.readings[-1]
        return (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s)

    def resident_mb(self, since: float, until: float) -> float:
        """Give the mean memory between two shares of the time, such as from 0.5 to 0.75."""
        count = len(self.readings)
        part = self.readings[int(since * count) : max(int(until * count), int(since * count) + 1)]
        return sum(one.resident_mb for one in part) / len(part)


def read(pid: int, began: float) -> Reading:
    """Read a process now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    resident = _RESIDENT.search(Path(f"/proc/{pid}/status").read_text())
    return Reading(
        at_s=time.monotonic() - began,
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS,
        resident_mb=int(resident[1]) / 1024 if resident else 0.0,
    )
