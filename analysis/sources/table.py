"""A table as a source: one row for each value, with its time, its metric and its labels.

    time,metric,side,value
    2026-11-22T10:00:00Z,orders,baseline,812
    2026-11-22T10:00:00Z,orders,canary,98

A table answers plain selectors such as `orders{side="canary"}`: every column that is not time,
metric or value is a label. Importing this loads pandas; import it where a table is really read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import promql_parser

from analysis.errors import SourceError
from analysis.sources.port import (
    Answer,
    Answers,
    Array,
    Progress,
    Request,
    RequestKind,
    Series,
    no_progress,
)

NAME = "__name__"
_CSV, _PARQUET = (".csv", ".csv.gz"), (".parquet", ".pq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of the columns that are no labels.

    Attributes:
        time: Times with a zone or in UTC, or numbers: seconds since 1970.
        metric: Names of the metrics.
        value: Values; an empty one is unknown.
    """

    time: str = "time"
    metric: str = "metric"
    value: str = "value"


DEFAULT_COLUMNS = Columns()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableSource:
    """Series from a table.

    Attributes:
        description: What this source is and where.
        series: Every series of the table, in order of its labels.
        is_cumulative: Whether counters hold totals since the beginning, as Prometheus' do, or what
            happened since the row before.
    """

    description: str
    series: tuple[Series, ...]
    is_cumulative: bool = False

    @classmethod
    def read(
        cls, path: Path, columns: Columns = DEFAULT_COLUMNS, *, is_cumulative: bool = False
    ) -> TableSource:
        """Read a CSV or Parquet file.

        Raises:
            SourceError: The file cannot be read, or is no such table.
        """
        return cls.of_frame(
            _frame(path), columns, is_cumulative=is_cumulative, description=f"table {path}"
        )

    @classmethod
    def of_frame(
        cls,
        frame: pd.DataFrame,
        columns: Columns = DEFAULT_COLUMNS,
        *,
        is_cumulative: bool = False,
        description: str = "table in memory",
    ) -> TableSource:
        """Take a DataFrame.

        Raises:
            SourceError: It is no such table.
        """
        try:
            series = _series(frame, columns)
        except ValueError as error:
            raise SourceError(f"{description}: {error}", code="malformed") from error
        return cls(description=description, series=series, is_cumulative=is_cumulative)

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer every request, or say of each why it could not be answered.

        Raises:
            SourceError: No request could be answered.
        """
        answers: dict[Request, Answer | SourceError] = {}
        for request in dict.fromkeys(requests):
            answers[request] = self._answer(request)
            progress(len(answers), len(requests))
        faults = [one for one in answers.values() if isinstance(one, SourceError)]
        if faults and len(faults) == len(answers):
            raise faults[0]
        return answers

    def _answer(self, request: Request) -> Answer | SourceError:
        try:
            matches = _matcher(request.query)
        except ValueError as error:
            message = f"{self.description} cannot answer {request.query!r}: {error}"
            return SourceError(message, code="refused", query=request.query)
        chosen = [one for one in self.series if matches(one.labels)]
        read = self._means if request.kind is RequestKind.RANGE else self._samples
        found = (read(one, request) for one in chosen)
        return Answer(series=tuple(one for one in found if len(one.times)))

    def _means(self, one: Series, request: Request) -> Series:
        """Give the mean of each step's values, at the step's end."""
        place = np.ceil((one.times - request.start) / request.step_s - 1e-9)
        last = np.floor((request.end - request.start) / request.step_s + 1e-9)
        inside = (place >= 0) & (place <= last) & np.isfinite(one.values)
        places, index = np.unique(place[inside], return_inverse=True)
        totals = np.bincount(index, weights=one.values[inside], minlength=len(places))
        means = totals / np.maximum(np.bincount(index, minlength=len(places)), 1)
        times = request.start + places * request.step_s
        return Series(labels=one.labels, times=times, values=means)

    def _samples(self, one: Series, request: Request) -> Series:
        counted = one if self.is_cumulative else _counter(one)
        inside = (counted.times >= request.start) & (counted.times <= request.end)
        return Series(labels=one.labels, times=counted.times[inside], values=counted.values[inside])


def _counter(one: Series) -> Series:
    """Add up what happened from row to row; before the first row nothing had."""
    distance = float(np.median(np.diff(one.times))) if len(one.times) > 1 else 1.0
    return Series(
        labels=one.labels,
        times=np.insert(one.times, 0, one.times[0] - distance),
        values=np.insert(np.nancumsum(one.values), 0, 0.0),
    )


# ---- selectors


def _matcher(query: str) -> Callable[[Mapping[str, str]], bool]:
    """Read a selector.

    Raises:
        ValueError: The query is anything else.
    """
    parsed = promql_parser.parse(query)
    if not isinstance(parsed, promql_parser.VectorSelector) or parsed.offset or parsed.at:
        raise ValueError(
            'a table answers plain selectors such as orders{side="canary"}; '
            "aggregate in the table, or ask a Prometheus"
        )
    if parsed.matchers.or_matchers:
        raise ValueError("`or` between matchers is not understood here; use =~")
    tests = [_test(one.name, str(one.op), one.value) for one in parsed.matchers.matchers]
    if parsed.name is not None:
        tests.append(_test(NAME, "Equal", parsed.name))
    return lambda labels: all(test(labels) for test in tests)


def _test(name: str, operator: str, value: str) -> Callable[[Mapping[str, str]], bool]:
    kind = operator.rpartition(".")[2]
    if kind in ("Re", "NotRe"):
        pattern = re.compile(value)
        wanted = kind == "Re"
        return lambda labels: (pattern.fullmatch(labels.get(name, "")) is not None) is wanted
    wanted = kind == "Equal"
    return lambda labels: (labels.get(name, "") == value) is wanted


# ---- frames


def _frame(path: Path) -> pd.DataFrame:
    name = path.name.lower()
    try:
        if name.endswith(_CSV):
            return pd.read_csv(path, dtype=str, keep_default_na=False)
        if name.endswith(_PARQUET):
            return _parquet(path)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read as a table: {error}"
        raise SourceError(message, code="malformed") from error
    known = ", ".join(_CSV + _PARQUET)
    raise SourceError(f"{path} is no table; its name must end with one of {known}", code="refused")


def _parquet(path: Path) -> pd.DataFrame:
    try:
        import duckdb
    except ModuleNotFoundError as error:
        message = "duckdb is not installed; pip install 'serinus[replay]'"
        raise SourceError(message, code="refused") from error
    try:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).df()
    except duckdb.Error as error:
        message = f"{path} cannot be read as a table: {error}"
        raise SourceError(message, code="malformed") from error


def _series(frame: pd.DataFrame, columns: Columns) -> tuple[Series, ...]:
    wanted = (columns.time, columns.metric, columns.value)
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        found = ", ".join(map(str, frame.columns))
        raise ValueError(f"has no column {' and '.join(missing)}; its columns are {found}")
    times, values = _times(frame[columns.time]), _values(frame[columns.value])
    names = [columns.metric, *(str(n) for n in frame.columns if n not in wanted)]
    keys = pd.DataFrame({name: _words(frame[name]) for name in names})
    groups = keys.groupby(names, sort=True).indices
    return tuple(
        _one(dict(zip([NAME, *names[1:]], _tuple(key), strict=True)), times[rows], values[rows])
        for key, rows in groups.items()
    )


def _tuple(key: object) -> tuple[str, ...]:
    return tuple(map(str, key)) if isinstance(key, tuple) else (str(key),)


def _one(labels: Mapping[str, str], times: Array, values: Array) -> Series:
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    if len(twice := ordered[1:][np.diff(ordered) == 0]):
        at = pd.to_datetime(twice[0], unit="s", utc=True).isoformat()
        known = ", ".join(f"{name}={value!r}" for name, value in labels.items() if value)
        raise ValueError(f"holds two values of {known} at {at}; aggregate them first")
    present = {name: value for name, value in labels.items() if value}
    return Series(labels=present, times=ordered, values=values[order])


def _words(column: pd.Series) -> pd.Series:
    """Give labels as text; what is missing is empty, as in Prometheus."""
    return column.astype(object).where(column.notna(), "").astype(str)


def _times(column: pd.Series) -> Array:
    numbers = pd.to_numeric(column, errors="coerce")
    if not pd.api.types.is_datetime64_any_dtype(column) and numbers.notna().all():
        return numbers.to_numpy(dtype=np.float64)
    try:
        read = pd.to_datetime(column, utc=True, format=None if _is_time(column) else "ISO8601")
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"the column {column.name} holds something that is no time: {error}"
        ) from error
    if read.isna().any():
        row = int(np.argmax(read.isna().to_numpy())) + 1
        raise ValueError(f"the column {column.name} lacks a time in row {row}")
    return read.astype("datetime64[ns, UTC]").astype("int64").to_numpy() / 1e9


def _is_time(column: pd.Series) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(column))


def _values(column: pd.Series) -> Array:
    is_empty = column.isna() | (_words(column).str.strip() == "")
    read = pd.to_numeric(column.where(~is_empty, None), errors="coerce")
    wrong = read.isna() & ~is_empty & (_words(column).str.lower() != "nan")
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        found = column.iloc[row]
        raise ValueError(f"the column {column.name} holds no number in row {row + 1}: {found!r}")
    return read.to_numpy(dtype=np.float64)
