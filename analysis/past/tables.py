"""Lists of deployments as CSV or Parquet: a row a deployment, every fault told at once.

Columns: `id`, `start`, `end`; optional `truth` (good or bad), `fault_start`, `service`, and
`set.NAME`, `baseline.NAME`, `canary.NAME` for variables of both sides or of one.
"""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from analysis.config import SIDES
from analysis.errors import ConfigError, Fault
from analysis.past.deployment import Deployment, Truth
from analysis.past.parquet import read_parquet
from analysis.window import parse_instant

COLUMNS = ("id", "start", "end", "truth", "fault_start", "service")
SHARED = "set"
SUFFIXES = (".csv", ".parquet")
_INSTANTS = ("start", "end", "fault_start")

Row = Mapping[str, object]
Cells = Mapping[str, str | datetime | Truth]


def read_deployments(path: Path) -> list[Deployment]:
    """Read a list of deployments, in its order.

    Raises:
        ConfigError: The file cannot be read, or rows say what cannot be meant.
    """
    cells = read_cells(path, needed=("id", "start", "end"))
    return [_deployment(row) for row in cells]


def read_cells(path: Path, *, needed: Sequence[str]) -> list[Cells]:
    """Read a list as typed cells by column, empty ones left out.

    Args:
        path: A CSV or Parquet file.
        needed: Columns that every row must fill.

    Raises:
        ConfigError: The file cannot be read, or rows say what cannot be meant.
    """
    columns, rows = _rows(path)
    faults = list(_wrong_columns(columns, needed))
    cells: list[Cells] = []
    if not faults:
        for line, row in enumerate(rows, start=2):
            found, wrong = _cells(row, needed, line)
            cells.append(found)
            faults += wrong
        faults += _repeated(cells)
    if faults:
        raise ConfigError(tuple(faults), origin=str(path))
    return cells


def variables_of(cells: Cells) -> dict[str, dict[str, str]]:
    """Give the variables of each side: the shared ones, and the side's own over them."""
    by_prefix: dict[str, dict[str, str]] = {prefix: {} for prefix in (SHARED, *SIDES)}
    for column, value in cells.items():
        prefix, dot, name = column.partition(".")
        if dot:
            by_prefix[prefix][name] = str(value)
    return {side: {**by_prefix[SHARED], **by_prefix[side]} for side in SIDES}


def _deployment(cells: Cells) -> Deployment:
    fields = {name: value for name, value in cells.items() if name in COLUMNS}
    return Deployment(**fields, variables=variables_of(cells))  # type: ignore[arg-type]  # typed by `_cell`


def _rows(path: Path) -> tuple[list[str], list[Row]]:
    if path.suffix == ".parquet":
        return read_parquet(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            columns, *lines = [line for line in csv.reader(file, strict=True) if line] or [[]]
    except FileNotFoundError as error:
        raise ConfigError("there is no such file", origin=str(path)) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"is no readable list: {error}", origin=str(path)) from error
    _check_lengths(columns, lines, path)
    return columns, [dict(zip(columns, line, strict=True)) for line in lines]


def _check_lengths(columns: Sequence[str], lines: Sequence[Sequence[str]], path: Path) -> None:
    faults = tuple(
        Fault(path="", message=f"has {len(line)} cells, the header has {len(columns)}", line=number)
        for number, line in enumerate(lines, start=2)
        if len(line) != len(columns)
    )
    if faults:
        raise ConfigError(faults, origin=str(path))


def _wrong_columns(columns: Sequence[str], needed: Sequence[str]) -> Iterator[Fault]:
    for column in dict.fromkeys(columns):
        if columns.count(column) > 1:
            yield Fault(path=column, message="is the name of two columns; give each its own")
        if column not in COLUMNS and not _is_variable(column):
            near = difflib.get_close_matches(column, COLUMNS, n=1)
            meant = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(COLUMNS)}"
            message = f"is no column here; {meant} Variables are set.NAME, baseline.NAME or so"
            yield Fault(path=column, message=message, line=1)
    for column in needed:
        if column not in columns:
            yield Fault(path=column, message="is missing among the columns", line=1)


def _is_variable(column: str) -> bool:
    prefix, dot, name = column.partition(".")
    return bool(dot) and prefix in (SHARED, *SIDES) and name.isidentifier()


def _cells(row: Row, needed: Sequence[str], line: int) -> tuple[Cells, list[Fault]]:
    found: dict[str, str | datetime | Truth] = {}
    faults = []
    for column, value in row.items():
        if _is_empty(value):
            if column in needed:
                faults.append(Fault(path=column, message="is empty", line=line))
            continue
        try:
            found[column] = _cell(column, value)
        except (ValueError, OverflowError) as error:
            faults.append(Fault(path=column, message=str(error), line=line))
    begin, end = found.get("start"), found.get("end")
    if isinstance(begin, datetime) and isinstance(end, datetime) and end <= begin:
        faults.append(Fault(path="end", message="lies before the start", line=line))
    return found, faults


def _is_empty(value: object) -> bool:
    is_nan = isinstance(value, float) and math.isnan(value)
    return value is None or is_nan or (isinstance(value, str) and not value.strip())


def _cell(column: str, value: object) -> str | datetime | Truth:
    if column in _INSTANTS:
        return _instant(value)
    text = str(value).strip()
    if column == "truth":
        if text not in list(Truth):
            raise ValueError(f"must be good, bad or empty, got {text!r}")
        return Truth(text)
    return text


def _instant(value: object) -> datetime:
    if not isinstance(value, datetime):
        try:
            return parse_instant(str(value).strip())
        except (ValueError, OverflowError) as error:
            form = "an instant such as 2026-11-22T10:00:00Z or 1795380620"
            raise ValueError(f"{error}; expected {form}") from error
    # Parquet's TIMESTAMP has no zone; what writes one without meaning UTC is rare.
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _repeated(rows: Sequence[Cells]) -> Iterator[Fault]:
    first: dict[object, int] = {}
    for line, row in enumerate(rows, start=2):
        if "id" in row and (known := first.setdefault(row["id"], line)) != line:
            message = f"{row['id']!r} stands in row {known} too; ids name one deployment each"
            yield Fault(path="id", message=message, line=line)
