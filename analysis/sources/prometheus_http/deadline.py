"""How long a whole call may take, and the way to end it early."""

from __future__ import annotations

import threading
import time


class Deadline:
    """The end of a call, known to all threads that work for it.

    Attributes:
        allowed_s: Seconds the call was given.
    """

    def __init__(self, allowed_s: float) -> None:
        """Start the clock."""
        self.allowed_s = allowed_s
        self._ends = time.monotonic() + allowed_s
        self._stopped = threading.Event()

    def left_s(self) -> float:
        """Tell how many seconds are left; none once stopped."""
        return 0.0 if self._stopped.is_set() else max(0.0, self._ends - time.monotonic())

    def pause(self, seconds: float) -> bool:
        """Wait, and tell whether there is time left after it; do not wait if there is not."""
        return seconds < self.left_s() and not self._stopped.wait(seconds)

    def rest(self) -> Deadline:
        """Give a deadline at the same time for a part of the call, which may be stopped alone."""
        return Deadline(self.left_s())

    def stop(self) -> None:
        """End the call now: nothing new is begun, and whoever pauses wakes up."""
        self._stopped.set()
