"""Write a dataset, a part at a time; what was interrupted goes on after its last whole part."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from analysis.config import SIDES
from analysis.errors import DeliveryError
from analysis.past.dataset import layout
from analysis.past.dataset.reading import DatasetDeployments
from analysis.past.dataset.target import Kept
from analysis.past.deployment import Deployment
from analysis.past.parquet import connect_duckdb, write_parquet
from analysis.sources.port import Array, Request, Series

# 2 million samples are 100 MB while they are written; a tenth of that is a file worth its overhead.
MOST_SAMPLES, MOST_DEPLOYMENTS = 2_000_000, 500
# DuckDB reads whole row groups, and knows of each its first and last deployment. Of 2,048 (its
# least) to 16,384 samples, 4,096 were read soonest for recordings of 8,000, in files no larger.
_SAMPLES_IN_GROUP, _ROWS_IN_GROUP = 4_096, 2_048
# DuckDB takes NaN in numpy's arrays for NULL, and one NaN for another.
_WRITE_SAMPLES = """
COPY (
    SELECT name AS deployment, series, time, coalesce(value, 'NaN'::DOUBLE) AS value,
           if(value IS NULL, bits, NULL) AS nan_bits
    FROM samples JOIN names USING (number) ORDER BY number, series, time
) TO '{file}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {rows})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetTarget:
    """A dataset that grows.

    Attributes:
        folder: Where it is.
        origin: What it is made of, in words.
    """

    folder: Path
    origin: str
    _waiting: list[Kept] = field(default_factory=list, init=False, repr=False)
    _sizes: list[int] = field(default_factory=list, init=False, repr=False)

    def names(self) -> frozenset[str]:
        """Give the ids of the deployments that are there.

        Raises:
            ConfigError: DuckDB is not installed.
            DeliveryError: Something else is there.
            SourceError: The dataset that is there cannot be read.
        """
        connect_duckdb().close()  # before hours of work, not after
        if not layout.is_dataset(self.folder):
            if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
                message = f"{self.folder} exists and is no dataset; choose another --output"
                raise DeliveryError(message)
            return frozenset()
        layout.read_head(self.folder)
        return frozenset(DatasetDeployments(folder=self.folder).ids())

    def add(self, kept: Kept) -> None:
        """Put a deployment into the part that is being gathered.

        Raises:
            DeliveryError: The part is full and cannot be written.
        """
        self._waiting.append(kept)
        self._sizes.append(_size(kept))
        if sum(self._sizes) >= MOST_SAMPLES or len(self._sizes) >= MOST_DEPLOYMENTS:
            self._write()

    def finish(self, listed: Sequence[Deployment]) -> None:  # noqa: ARG002 - each part knows its own
        """Write what was gathered.

        Raises:
            DeliveryError: It cannot be written.
        """
        if self._waiting:
            self._write()

    def _write(self) -> None:
        kept = sorted(self._waiting, key=lambda one: one.deployment.id)
        with _telling(self.folder):
            self._write_head()
            part = max(layout.parts(self.folder), default=-1) + 1
            _write_part(self.folder, part, kept)
        self._waiting.clear()
        self._sizes.clear()

    def _write_head(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        before = layout.read_head(self.folder).made_of if layout.is_dataset(self.folder) else ()
        head = msgspec.json.encode(layout.head_of((*before, self.origin)))
        temporary = self.folder / f".{layout.HEAD}-{os.getpid()}"
        temporary.write_bytes(msgspec.json.format(head, indent=2) + b"\n")
        temporary.replace(self.folder / layout.HEAD)


@contextmanager
def _telling(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DeliveryError(f"cannot write {folder}: {error}") from error


def _write_part(folder: Path, part: int, kept: Sequence[Kept]) -> None:
    """Write the files of a part beside the others, then put each in its place."""
    temporary = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
    try:
        _write_samples(temporary / layout.SAMPLES, kept)
        for table, rows in (
            (layout.SERIES, (row for one in kept for row in _series_rows(one))),
            (layout.REQUESTS, (row for one in kept for row in _request_rows(one))),
            (layout.DEPLOYMENTS, (_deployment_row(one) for one in kept)),
        ):
            lines = (_line(row) for row in rows)
            columns = layout.COLUMNS[table]
            write_parquet(temporary / table, lines, columns=columns, rows_in_group=_ROWS_IN_GROUP)
        for table in layout.TABLES:
            place = layout.part_path(folder, table, part)
            place.parent.mkdir(exist_ok=True)
            (temporary / table).replace(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_samples(file: Path, kept: Sequence[Kept]) -> None:
    import duckdb

    series = [(number, index, one) for number, whole in enumerate(kept)
              for index, (_, one) in enumerate(_series(whole))]  # fmt: skip
    lengths = [len(one.times) for _, _, one in series]
    values = _joined(one.values for _, _, one in series)
    columns = {
        "number": np.repeat(np.array([n for n, _, _ in series], dtype=np.int32), lengths),
        "series": np.repeat(np.array([i for _, i, _ in series], dtype=np.int32), lengths),
        "time": _joined(one.times for _, _, one in series),
        "value": values,
        "bits": values.view(np.int64),
    }
    connection = connect_duckdb()
    try:
        connection.execute("CREATE TABLE names (number INTEGER, name VARCHAR)")
        names = [(number, one.deployment.id) for number, one in enumerate(kept)]
        connection.executemany("INSERT INTO names VALUES (?, ?)", names)
        connection.register("samples", columns)
        name = str(file).replace("'", "''")
        connection.execute(_WRITE_SAMPLES.format(file=name, rows=_SAMPLES_IN_GROUP))
    except duckdb.Error as error:
        raise OSError(f"DuckDB: {error}") from error
    finally:
        connection.close()


def _joined(arrays: Iterable[Array]) -> Array:
    return np.concatenate([np.empty(0), *arrays])


def _size(kept: Kept) -> int:
    return sum(len(one.times) for _, one in _series(kept))


def _series(kept: Kept) -> Iterator[tuple[int, Series]]:
    """Give all series of a deployment in the order of their numbers, each with its request's."""
    for number, answer in enumerate(kept.recording.answers.values()):
        for one in answer.series:
            yield number, one


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, allow_nan=False).encode()


def _series_rows(kept: Kept) -> Iterator[dict[str, Any]]:
    for index, (request, one) in enumerate(_series(kept)):
        yield {
            "deployment": kept.deployment.id,
            "series": index,
            "request": request,
            "labels": dict(one.labels),
            "exponential": one.exponential,
            "samples": len(one.times),
        }


def _request_rows(kept: Kept) -> Iterator[dict[str, Any]]:
    for number, (request, answer) in enumerate(kept.recording.answers.items()):
        yield {
            "deployment": kept.deployment.id,
            "request": number,
            **_asked(request),
            "warnings": list(answer.warnings),
            "infos": list(answer.infos),
        }


def _asked(request: Request) -> dict[str, Any]:
    return {
        "kind": str(request.kind),
        "query": request.query,
        "start": request.start,
        "end": request.end,
        "step_s": request.step_s,
        "source": request.source,
    }


def _deployment_row(kept: Kept) -> dict[str, Any]:
    one, window = kept.deployment, kept.recording.window
    return {
        "id": one.id,
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "truth": one.truth,
        "fault_start": _written(one.fault_start),
        "service": one.service,
        **{side: dict(one.variables.get(side, {})) for side in SIDES},
        "config": kept.config_text,
        "recording": {
            "source": kept.recording.source,
            "start": window.start,
            "end": window.end,
            "warmup_s": window.warmup_s,
            "step_s": window.step_s,
            **{side: dict(kept.recording.variables.get(side, {})) for side in SIDES},
        },
    }


def _written(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
