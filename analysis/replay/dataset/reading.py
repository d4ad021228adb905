"""A dataset as an origin of deployments: one is read without looking at the others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from analysis.config import SIDES, CanaryConfig, parse_config
from analysis.errors import SourceError
from analysis.replay.dataset import layout
from analysis.replay.deployment import Deployment, Truth
from analysis.replay.parquet import connect_duckdb
from analysis.sources.port import Answer, Array, Request, RequestKind, Series
from analysis.sources.recording import Recording
from analysis.window import Window

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LIST = """
SELECT id, start, "end", truth, fault_start, service, baseline, canary
FROM read_parquet($files) ORDER BY id
"""
_IDS = "SELECT id, parse_filename(filename) FROM read_parquet($files, filename = true)"
_CONFIG = "SELECT config FROM read_parquet($file) WHERE id = $id"
_HEAD = "SELECT recording FROM read_parquet($file) WHERE id = $id"
_REQUESTS = """
SELECT request, kind, query, start, "end", step_s, source, warnings, infos
FROM read_parquet($file) WHERE deployment = $id ORDER BY request
"""
_SERIES = """
SELECT request, labels::JSON::VARCHAR, exponential, samples
FROM read_parquet($file) WHERE deployment = $id ORDER BY series
"""
# As text, for DuckDB makes dictionaries of maps three times as slowly.
_labels = msgspec.json.Decoder(dict[str, str])
_SAMPLES = """
SELECT time, value, nan_bits
FROM read_parquet($file) WHERE deployment = $id ORDER BY series, time
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDeployments:
    """The deployments of a dataset.

    Attributes:
        folder: Where it is.
    """

    folder: Path

    @property
    def description(self) -> str:
        """Say where it is."""
        return f"dataset in {self.folder}"

    def ids(self) -> Sequence[str]:
        """Give the ids alone, in no order.

        Raises:
            SourceError: They cannot be read.
        """
        return list(self._places())

    def listed(self) -> Sequence[Deployment]:
        """List them by id.

        Raises:
            ConfigError: DuckDB is not installed.
            SourceError: The dataset is damaged, empty or of another version.
        """
        layout.read_head(self.folder)
        if not (files := self._files()):
            message = f"the dataset in {self.folder} holds no deployments; convert some into it"
            raise SourceError(message, code="not_recorded")
        with _reading(self.folder) as connection:
            rows = connection.execute(_LIST, {"files": files}).fetchall()
            return [_deployment(row) for row in rows]

    def source(self, deployment: Deployment) -> Recording:
        """Read the series of one.

        Raises:
            ConfigError: DuckDB is not installed.
            SourceError: It is not there, or damaged.
        """
        part = self._part(deployment)
        with _reading(self.folder) as connection:

            def found(query: str, table: str) -> DuckDBPyConnection:
                file = str(layout.part_path(self.folder, table, part))
                return connection.execute(query, {"file": file, "id": deployment.id})

            ((head,),) = found(_HEAD, layout.DEPLOYMENTS).fetchall()
            requests = found(_REQUESTS, layout.REQUESTS).fetchall()
            series = found(_SERIES, layout.SERIES).fetchall()
            samples = _arrays(found(_SAMPLES, layout.SAMPLES).fetchnumpy())
            return _recording(head, requests, _cut(series, *samples))

    def own_config(self, deployment: Deployment) -> CanaryConfig | None:
        """Read the configuration that is kept with one.

        Raises:
            ConfigError: It is no configuration any more.
            SourceError: It cannot be read.
        """
        text = self.config_text(deployment)
        return None if text is None else _parsed(text)

    def config_text(self, deployment: Deployment) -> str | None:
        """Read the text of that configuration.

        Raises:
            SourceError: It cannot be read.
        """
        part = self._part(deployment)
        file = str(layout.part_path(self.folder, layout.DEPLOYMENTS, part))
        with _reading(self.folder) as connection:
            given = {"file": file, "id": deployment.id}
            ((text,),) = connection.execute(_CONFIG, given).fetchall()
            return None if text is None else str(text)

    def _files(self) -> list[str]:
        return [
            str(layout.part_path(self.folder, layout.DEPLOYMENTS, part))
            for part in layout.parts(self.folder)
        ]

    def _places(self) -> Mapping[str, int]:
        """Give the part of each deployment."""
        files = tuple(self._files())
        with _reading(self.folder):
            return _places(files)

    def _part(self, deployment: Deployment) -> int:
        part = self._places().get(deployment.id)
        if part is None:
            message = f"the dataset in {self.folder} does not hold {deployment.id!r}"
            raise SourceError(message, code="not_recorded")
        return part


@contextmanager
def _reading(folder: Path) -> Iterator[DuckDBPyConnection]:
    """Lend the connection, and say of what is damaged where it is."""
    connection = _connection(os.getpid())
    import duckdb

    try:
        yield connection
    except (duckdb.Error, ValueError, KeyError, TypeError) as error:
        message = f"{folder} is no readable dataset: {error}; restore it, or convert it again"
        raise SourceError(message, code="malformed") from error


@lru_cache(maxsize=1)
def _connection(process: int) -> DuckDBPyConnection:  # noqa: ARG001 - a fork may not use its parent's
    """Open DuckDB once in each process; many processes read at a time, so one thread is enough."""
    connection = connect_duckdb()
    connection.execute("SET threads = 1")
    connection.execute("SET parquet_metadata_cache = true")
    return connection


# A dataset only grows, by whole files: the same files hold the same deployments.
@lru_cache(maxsize=8)
def _places(files: tuple[str, ...]) -> Mapping[str, int]:
    if not files:
        return {}
    rows = _connection(os.getpid()).execute(_IDS, {"files": list(files)}).fetchall()
    return {name: int(Path(file).stem) for name, file in rows}


# The deployments of one dataset were mostly recorded with one configuration.
@lru_cache(maxsize=32)
def _parsed(text: str) -> CanaryConfig:
    return parse_config(text, origin="configuration in the dataset")


def _deployment(row: tuple[Any, ...]) -> Deployment:
    name, start, end, truth, fault_start, service, *values = row
    return Deployment(
        id=name,
        start=start,
        end=end,
        truth=None if truth is None else Truth(truth),
        fault_start=fault_start,
        service=service or "",
        variables={side: dict(own or {}) for side, own in zip(SIDES, values, strict=True)},
    )


def _arrays(columns: Mapping[str, Any]) -> tuple[Array, Array]:
    """Give times and values; Parquet knows one NaN, so the bits of each stand beside it."""
    times, values = (np.ma.getdata(columns[name]) for name in ("time", "value"))
    bits = columns["nan_bits"]
    marked = ~np.ma.getmaskarray(bits)
    if marked.any():
        values = values.copy()
        values.view(np.int64)[marked] = np.ma.getdata(bits)[marked]
    return times, values


def _cut(
    rows: Sequence[tuple[Any, ...]], times: Array, values: Array
) -> Mapping[int, Sequence[Series]]:
    """Cut the samples into the series of each request.

    Raises:
        ValueError: The tables disagree, or times do not increase.
    """
    ends = np.cumsum([0, *(count for *_, count in rows)])
    if ends[-1] != len(times):
        raise ValueError(f"it names {ends[-1]:,} samples and holds {len(times):,}")
    begins = np.isin(np.arange(1, len(times)), ends)
    if not np.all(begins | (np.diff(times) > 0)) or not np.all(np.isfinite(times)):
        raise ValueError("the times of a series do not increase")
    found: dict[int, list[Series]] = {}
    for number, (request, labels, exponential, _) in enumerate(rows):
        own = slice(ends[number], ends[number + 1])
        one = Series(
            labels=_labels.decode(labels),
            times=times[own],
            values=values[own],
            exponential=exponential,
        )
        found.setdefault(request, []).append(one)
    return found


def _recording(
    head: Mapping[str, Any],
    requests: Sequence[tuple[Any, ...]],
    series: Mapping[int, Sequence[Series]],
) -> Recording:
    answers = {}
    for number, kind, query, start, end, step_s, source, warnings, infos in requests:
        request = Request(
            kind=RequestKind(kind), query=query, start=start, end=end, step_s=step_s, source=source
        )
        own = tuple(series.get(number, ()))
        answers[request] = Answer(series=own, warnings=tuple(warnings), infos=tuple(infos))
    bounds = {name: head[name] for name in ("start", "end", "warmup_s", "step_s")}
    return Recording(
        window=Window(**bounds),
        variables={side: dict(head[side]) for side in SIDES},
        source=head["source"],
        answers=answers,
    )
