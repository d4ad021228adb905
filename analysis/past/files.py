"""Rows in files: JSONL, CSV and Parquet, told apart by their suffix.

A cell of a CSV file that holds a list is JSON; the other two hold lists as they are.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path

import msgspec

from analysis.errors import ConfigError
from analysis.past.parquet import read_parquet, write_parquet
from analysis.past.rows import Row

_LISTS = ("decided_by", "metrics")
_NAMES = [field.name for field in fields(Row)]
# Over whatever is no file of ours.
_UNREADABLE = (OSError, UnicodeDecodeError, msgspec.MsgspecError, csv.Error, KeyError)

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Row).decode


def suffix_of(path: Path) -> str:
    """Give the suffix that says how a file is written.

    Raises:
        ConfigError: It is none of those that are known.
    """
    if path.suffix in _WRITERS:
        return path.suffix
    near = difflib.get_close_matches(path.suffix, _WRITERS, n=1)
    meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(_WRITERS)}"
    raise ConfigError(f"the name of {path} must say how it is written; {meant}", origin="--output")


def write_rows(path: Path, rows: Iterable[Row], *, suffix: str) -> None:
    """Write rows to a file, which is then complete or of no use; see `results`.

    Raises:
        ConfigError: DuckDB is needed and not installed.
        OSError: It cannot be written.
    """
    _WRITERS[suffix](path, rows)


def read_rows(path: Path) -> list[Row]:
    """Read rows back, as they were written.

    Raises:
        ConfigError: The file cannot be read, or holds no rows of a replay.
    """
    try:
        return _READERS[suffix_of(path)](path)
    except _UNREADABLE as error:
        message = f"holds no results of a replay: {error}; choose another file, or remove it"
        raise ConfigError(message, origin=str(path)) from error


def decode(line: bytes) -> Row:
    """Read a line of JSONL.

    Raises:
        msgspec.MsgspecError: It is no row.
    """
    return _decode(line)


def _write_jsonl(path: Path, rows: Iterable[Row]) -> None:
    with path.open("wb") as file:
        for row in rows:
            file.write(encode(row) + b"\n")


def _read_jsonl(path: Path) -> list[Row]:
    return [decode(line) for line in path.read_bytes().splitlines()]


def _write_csv(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _NAMES, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            plain = msgspec.to_builtins(row)
            plain |= {name: encode(plain[name]).decode() for name in _LISTS}
            writer.writerow(plain)


def _read_csv(path: Path) -> list[Row]:
    # Sentences may hold line breaks, which `splitlines` would cut at.
    reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), strict=True)
    return [msgspec.convert(_of_cells(cells), Row, strict=False) for cells in reader]


def _of_cells(cells: Mapping[str, str]) -> dict[str, object]:
    texts = ("reason", "service", "schedule", "config_digest", "id")
    read: dict[str, object] = {
        name: text if text or name in texts else None for name, text in cells.items()
    }
    return read | {name: msgspec.json.decode(cells[name]) for name in _LISTS}


def _write_parquet(path: Path, rows: Iterable[Row]) -> None:
    write_parquet(path, (encode(row) for row in rows), columns=_PARQUET)


def _read_parquet(path: Path) -> list[Row]:
    _, rows = read_parquet(path)
    return [msgspec.convert(row, Row) for row in rows]


_METRIC = (
    'STRUCT(name VARCHAR, "group" VARCHAR, verdict VARCHAR, reason VARCHAR, estimate DOUBLE, '
    "lower DOUBLE, upper DOUBLE, p_harm DOUBLE, log_e DOUBLE, n BIGINT, summary VARCHAR)"
)
_PARQUET: Mapping[str, str] = {
    **dict.fromkeys(_NAMES, "VARCHAR"),
    **dict.fromkeys(("decided_at", "fault_start", "start", "end"), "TIMESTAMPTZ"),
    **dict.fromkeys(("score", "seconds_to_decision"), "DOUBLE"),
    "looks": "BIGINT",
    "decided_by": "VARCHAR[]",
    "metrics": f"{_METRIC}[]",
}
_WRITERS: Mapping[str, Callable[[Path, Iterable[Row]], None]] = {
    ".jsonl": _write_jsonl,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
_READERS: Mapping[str, Callable[[Path], list[Row]]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
