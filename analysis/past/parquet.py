"""Parquet through DuckDB, the extra `replay`; loaded only where a Parquet file is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import ConfigError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MISSING = "Parquet needs DuckDB; install it with: pip install 'serinus[replay]'"


def connect_duckdb() -> DuckDBPyConnection:
    """Open a database in memory, in UTC.

    Raises:
        ConfigError: DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError as error:
        raise ConfigError(MISSING) from error
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def read_parquet(path: Path) -> tuple[list[str], list[Mapping[str, object]]]:
    """Read a Parquet file: the names of its columns, and its rows in order.

    Raises:
        ConfigError: There is no such file, it is no Parquet, or DuckDB is not installed.
    """
    if not path.is_file():
        raise ConfigError("there is no such file", origin=str(path))
    connection = connect_duckdb()
    import duckdb

    try:
        found = connection.execute("SELECT * FROM read_parquet($file)", {"file": str(path)})
        columns = [column[0] for column in found.description]
        return columns, [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    except duckdb.Error as error:
        raise ConfigError(f"is no readable Parquet: {error}", origin=str(path)) from error
    finally:
        connection.close()


def write_parquet(
    path: Path,
    lines: Iterable[bytes],
    *,
    columns: Mapping[str, str],
    rows_in_group: int | None = None,
) -> None:
    """Write a Parquet file.

    Args:
        path: The file.
        lines: A JSON object for each row.
        columns: DuckDB's type of each column, by name.
        rows_in_group: How many rows are read at a time at least; `None` leaves it to DuckDB.

    Raises:
        ConfigError: DuckDB is not installed.
        OSError: It cannot be written.
    """
    connection = connect_duckdb()
    import duckdb

    kinds = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    source = path.with_name(f"{path.name}.jsonl")
    try:
        with source.open("wb") as file:
            file.writelines(line + b"\n" for line in lines)
        options = f"format = 'newline_delimited', columns = {{{kinds}}}"
        rows = connection.sql(f"FROM read_json($source, {options})", params={"source": str(source)})
        rows.write_parquet(str(path), row_group_size=rows_in_group)
    except duckdb.Error as error:
        raise OSError(f"DuckDB: {error}") from error
    finally:
        connection.close()
        source.unlink(missing_ok=True)
