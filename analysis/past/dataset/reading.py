"""A dataset as an origin of deployments: one is read without looking at the others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.config import SIDES, CanaryConfig, parse_config
from analysis.errors import SourceError
from analysis.past.dataset import layout
from analysis.past.dataset.blocks import Block, read_block
from analysis.past.deployment import Deployment, Truth
from analysis.past.parquet import connect_duckdb
from analysis.sources.recording import Recording

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LIST = """
SELECT id, start, "end", truth, fault_start, service, baseline, canary
FROM read_parquet($files) ORDER BY id
"""
_IDS = "SELECT id, parse_filename(filename) FROM read_parquet($files, filename = true)"
_CONFIG = "SELECT config FROM read_parquet($file) WHERE id = $id"
# A query takes milliseconds before it reads anything, and replays read neighbors. On recordings of
# 20,000 samples, CPU time for one in order and at random: 20 and 21 ms read alone, 7 and 26 ms with
# three neighbors, 11 and 46 ms with seven (2026-11-26, on a busy machine).
_NEIGHBORS = 4


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
        return list(self._blocks())

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
        block = self._block(deployment)
        with _reading(self.folder) as connection:
            return read_block(connection, block)[deployment.id].recording()

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
        part = self._block(deployment).part
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

    def _blocks(self) -> Mapping[str, Block]:
        """Give the block of each deployment."""
        stamped = tuple((file, Path(file).stat().st_mtime_ns) for file in self._files())
        with _reading(self.folder):
            return _blocks(self.folder, stamped)

    def _block(self, deployment: Deployment) -> Block:
        block = self._blocks().get(deployment.id)
        if block is None:
            message = f"the dataset in {self.folder} does not hold {deployment.id!r}"
            raise SourceError(message, code="not_recorded")
        return block


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


@lru_cache(maxsize=8)
def _blocks(folder: Path, stamped: tuple[tuple[str, int], ...]) -> Mapping[str, Block]:
    names: dict[int, list[str]] = {}
    if stamped:
        files = [file for file, _ in stamped]
        rows = _connection(os.getpid()).execute(_IDS, {"files": files}).fetchall()
        for name, file in sorted(rows):
            names.setdefault(int(Path(file).stem), []).append(name)
    stamps = {int(Path(file).stem): stamp for file, stamp in stamped}
    return {
        name: Block(folder=folder, part=part, stamp=stamps[part], ids=ids)
        for part, own in names.items()
        for first in range(0, len(own), _NEIGHBORS)
        for ids in [tuple(own[first : first + _NEIGHBORS])]
        for name in ids
    }


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
