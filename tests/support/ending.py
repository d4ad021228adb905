"""How the servers that tests start are ended: by their own process, and surely."""

from __future__ import annotations

import subprocess

ENDS_WITHIN_S = 15.0


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and kill it if it does not."""
    process.terminate()
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
