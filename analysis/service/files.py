"""Files of the operator's, read again when they change."""

from __future__ import annotations

from pathlib import Path

Stamp = tuple[int, int]


def stamp(path: Path) -> Stamp:
    """Tell one version of a file from another: nanoseconds of its last change, and its size.

    Raises:
        OSError: It cannot be found.
    """
    status = path.stat()
    return status.st_mtime_ns, status.st_size
