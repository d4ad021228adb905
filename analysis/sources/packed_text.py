"""Text files as they are kept: bare, or packed by gzip or xz."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from analysis.errors import SourceError

PACKED = (".gz", ".xz")
_UNREADABLE = (OSError, EOFError, UnicodeDecodeError, lzma.LZMAError)


def kind_of(path: Path) -> str:
    """Give the suffix of what a file holds, in small letters: `.om` of `metrics.om.xz`."""
    return Path(path.stem if path.suffix in PACKED else path.name).suffix.lower()


@contextmanager
def reading(path: Path, *, newline: str | None = None) -> Iterator[IO[str]]:
    """Open a file for reading, unpacked.

    Raises:
        SourceError: There is no such file, or it cannot be read, also where it is cut short.
    """
    try:
        with _opened(path, newline) as file:
            yield file
    except FileNotFoundError as error:
        raise SourceError(f"there is no file {path}", code="not_recorded") from error
    except _UNREADABLE as error:
        message = f"{path} cannot be read: {error}; copy it again"
        raise SourceError(message, code="malformed") from error


def _opened(path: Path, newline: str | None) -> IO[str]:
    encoding = "utf-8-sig"  # some programs begin a file with a mark of its bytes' order
    match path.suffix:
        case ".gz":
            return gzip.open(path, "rt", encoding=encoding, newline=newline)
        case ".xz":
            return lzma.open(path, "rt", encoding=encoding, newline=newline)
        case _:
            return path.open(encoding=encoding, newline=newline)
