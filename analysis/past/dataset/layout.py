"""The layout of a dataset, version 1: four tables, each in parts of some hundred deployments.

dataset.json                version, who made it, and of what
samples/0000.parquet        deployment, series, time, value, nan_bits
series/0000.parquet         deployment, series, request, labels, exponential, samples
requests/0000.parquet       deployment, request, kind, query, start, end, step_s, source, …
deployments/0000.parquet    id, start, end, truth, …, config, recording

A part is there once its file in `deployments` is: that one is written last. The rows of a part are
sorted by deployment (then by request, series and time), in small row groups, so that a deployment
is read without most of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

import msgspec

from analysis.errors import SourceError

VERSION = 1
HEAD = "dataset.json"
DEPLOYMENTS, REQUESTS, SERIES, SAMPLES = "deployments", "requests", "series", "samples"
# In the order in which the files of a part are written.
TABLES = (SAMPLES, SERIES, REQUESTS, DEPLOYMENTS)

_VALUES = "MAP(VARCHAR, VARCHAR)"
_RECORDED = (
    'STRUCT(source VARCHAR, start DOUBLE, "end" DOUBLE, warmup_s DOUBLE, step_s DOUBLE, '
    f"baseline {_VALUES}, canary {_VALUES})"
)
# DuckDB's type of each column, by table; those of the samples stand in the query that writes them.
COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        DEPLOYMENTS: {
            "id": "VARCHAR",
            "start": "TIMESTAMPTZ",
            "end": "TIMESTAMPTZ",
            "truth": "VARCHAR",
            "fault_start": "TIMESTAMPTZ",
            "service": "VARCHAR",
            "baseline": _VALUES,
            "canary": _VALUES,
            "config": "VARCHAR",
            "recording": _RECORDED,
        },
        REQUESTS: {
            "deployment": "VARCHAR",
            "request": "INTEGER",
            "kind": "VARCHAR",
            "query": "VARCHAR",
            "start": "DOUBLE",
            "end": "DOUBLE",
            "step_s": "DOUBLE",
            "source": "VARCHAR",
            "warnings": "VARCHAR[]",
            "infos": "VARCHAR[]",
        },
        SERIES: {
            "deployment": "VARCHAR",
            "series": "INTEGER",
            "request": "INTEGER",
            "labels": _VALUES,
            "exponential": "BOOLEAN",
            "samples": "BIGINT",
        },
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a dataset says of itself.

    Attributes:
        version: Of its layout.
        made_by: The Serinus that made it.
        made_of: Where its deployments came from, a line for each origin.
    """

    version: int
    made_by: str
    made_of: tuple[str, ...]


def head_of(origins: Sequence[str]) -> Head:
    """Say what a dataset of these origins is, made now by this Serinus."""
    made_of = tuple(dict.fromkeys(origins))
    return Head(version=VERSION, made_by=f"serinus {version('serinus')}", made_of=made_of)


def is_dataset(folder: Path) -> bool:
    """Tell whether a folder says that it is a dataset."""
    return (folder / HEAD).is_file()


def read_head(folder: Path) -> Head:
    """Read what a dataset says of itself.

    Raises:
        SourceError: It cannot be read, or has a layout of another version.
    """
    try:
        head = msgspec.json.decode((folder / HEAD).read_bytes(), type=Head)
    except (OSError, msgspec.MsgspecError) as error:
        message = f"{folder / HEAD} says of no dataset what it is: {error}; restore it"
        raise SourceError(message, code="malformed") from error
    if head.version != VERSION:
        message = (
            f"the layout of {folder} has version {head.version}, this Serinus reads {VERSION}; "
            f"it was made by {head.made_by}, which can convert it to npz"
        )
        raise SourceError(message, code="malformed")
    return head


def part_path(folder: Path, table: str, part: int) -> Path:
    """Give the file of one table of one part."""
    return folder / table / f"{part:04d}.parquet"


def parts(folder: Path) -> list[int]:
    """Give the numbers of the parts that are there as a whole, in order."""
    found = (folder / DEPLOYMENTS).glob("*.parquet")
    return sorted(int(path.stem) for path in found if path.stem.isdecimal())
