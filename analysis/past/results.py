"""Results that survive whatever ends a replay: a journal while it runs, then the file, whole.

FILE            the results, written once all are there; in the order of the list
FILE.partial    JSONL, a row a deployment, on the disk before the next chunk is asked for
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Self

import msgspec

from analysis.errors import DeliveryError
from analysis.past.files import decode, encode, read_rows, suffix_of, write_rows
from analysis.past.rows import Row


class Results:
    """The results file of a replay, its journal, and what both hold already."""

    def __init__(self, path: Path) -> None:
        """Choose the file.

        Raises:
            ConfigError: Its name does not say how it is written.
        """
        self.path = path
        self.partial = path.with_name(f"{path.name}.partial")
        self._suffix = suffix_of(path)
        self._journal: IO[bytes] | None = None

    def kept(self) -> dict[str, Row]:
        """Give the rows of an earlier run by their key, those that failed left out.

        Raises:
            ConfigError: The file is no file of results.
            DeliveryError: It cannot be read.
        """
        rows = read_rows(self.path) if self.path.exists() else []
        try:
            rows += _whole_lines(self.partial.read_bytes()) if self.partial.exists() else []
        except OSError as error:
            raise self._failed(self.partial, error) from error
        return {row.key: row for row in rows if row.error is None}

    def __enter__(self) -> Self:
        """Open the journal, behind the last row that is whole.

        Raises:
            DeliveryError: It cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._journal = self.partial.open("ab")
        except OSError as error:
            raise self._failed(self.partial, error) from error
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._journal.truncate(self.partial.read_bytes().rfind(b"\n") + 1)
        except OSError as error:
            self._journal.close()
            if isinstance(error, BlockingIOError):
                message = f"another replay writes {self.path}; wait for it, or choose another file"
                raise DeliveryError(message) from error
            raise self._failed(self.partial, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Close the journal; it stays until `finish`."""
        if self._journal is not None:
            self._journal.close()

    def add(self, rows: Sequence[Row]) -> None:
        """Put rows on the disk.

        Raises:
            DeliveryError: They cannot be written.
        """
        if self._journal is None:
            raise ValueError("results are added within the `with` block")
        try:
            self._journal.write(b"".join(encode(row) + b"\n" for row in rows))
            self._journal.flush()
            os.fsync(self._journal.fileno())
        except OSError as error:
            raise self._failed(self.partial, error) from error

    def finish(self, rows: Iterable[Row]) -> None:
        """Write the file, whole or not at all, and remove the journal.

        Raises:
            ConfigError: Parquet needs DuckDB, which is not installed.
            DeliveryError: It cannot be written.
        """
        try:
            folder = Path(tempfile.mkdtemp(prefix=f".{self.path.name}-", dir=self.path.parent))
            try:
                made = folder / self.path.name
                write_rows(made, rows, suffix=self._suffix)
                _flush(made)
                made.replace(self.path)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            self.partial.unlink(missing_ok=True)
        except OSError as error:
            raise self._failed(self.path, error) from error

    def _failed(self, path: Path, error: OSError) -> DeliveryError:
        return DeliveryError(
            f"cannot write {path}: {error.strerror or error}; what has been judged so far is kept "
            f"in {self.partial}, and the same command goes on from there"
        )


def _whole_lines(text: bytes) -> list[Row]:
    """Read the rows of a journal; a line that a full disk or a kill cut short is none."""
    rows = []
    for line in text.splitlines():
        try:
            rows.append(decode(line))
        except msgspec.MsgspecError:
            continue
    return rows


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
