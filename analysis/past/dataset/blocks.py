"""Recordings out of a dataset: neighbors are read together, and taken apart one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from analysis.config import SIDES
from analysis.past.dataset import layout
from analysis.sources.port import Answer, Array, Request, RequestKind, Series
from analysis.sources.recording import Recording
from analysis.window import Window

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Row = tuple[Any, ...]

_SOME = "FROM read_parquet($file) WHERE deployment BETWEEN $first AND $last"
_HEADS = "SELECT id, recording FROM read_parquet($file) WHERE id BETWEEN $first AND $last"
_REQUESTS = f"""
SELECT deployment, kind, query, start, "end", step_s, source, warnings, infos
{_SOME} ORDER BY deployment, request
"""
# Labels as text, for DuckDB makes dictionaries of maps three times as slowly.
_SERIES = f"""
SELECT deployment, request, labels::JSON::VARCHAR, exponential, samples
{_SOME} ORDER BY deployment, series
"""
# In the order of the file, which is checked: sorting would take as long as reading.
_SAMPLES = f"""
SELECT list_position($ids, deployment) AS place, series, time, value, nan_bits {_SOME}
"""
_labels = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stored:
    """What the tables hold of one deployment.

    Attributes:
        head: Window, variables and source.
        requests: Its rows of that table.
        series: Likewise.
        samples: Columns of its rows, by name.
    """

    head: Mapping[str, Any]
    requests: Sequence[Row]
    series: Sequence[Row]
    samples: Mapping[str, Any]

    def recording(self) -> Recording:
        """Put it together.

        Raises:
            ValueError: The tables disagree, or samples are not sorted by series and time.
        """
        series = self._series()
        answers = {}
        for number, (_, kind, query, start, end, step_s, source, warnings, infos) in enumerate(
            self.requests
        ):
            request = Request(
                kind=RequestKind(kind),
                query=query,
                start=start,
                end=end,
                step_s=step_s,
                source=source or "",
            )
            own = tuple(series.get(number, ()))
            answers[request] = Answer(series=own, warnings=tuple(warnings), infos=tuple(infos))
        return Recording(
            window=Window(**{name: self.head[name] for name in _BOUNDS}),
            variables={side: dict(self.head[side]) for side in SIDES},
            source=self.head["source"],
            answers=answers,
        )

    def _series(self) -> Mapping[int, Sequence[Series]]:
        """Cut the samples into the series of each request."""
        counts = [count for *_, count in self.series]
        times, values = np.ma.getdata(self.samples["time"]), _values(self.samples)
        _check_order(self.samples["series"], times, counts)
        found: dict[int, list[Series]] = {}
        end = 0
        for _, request, labels, exponential, count in self.series:
            begin, end = end, end + count
            one = Series(
                labels=_labels.decode(labels),
                times=times[begin:end],
                values=values[begin:end],
                exponential=exponential,
            )
            found.setdefault(request, []).append(one)
        return found


_BOUNDS = ("start", "end", "warmup_s", "step_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Deployments that stand one after the other in a part, and are read together.

    Attributes:
        folder: The dataset.
        part: Number of the part.
        stamp: When it was written, in nanoseconds: a dataset made anew is read anew.
        ids: Which, in their order.
    """

    folder: Path
    part: int
    stamp: int
    ids: tuple[str, ...]


# Those that were read along are asked for next; two, for a chunk may end inside a block.
@lru_cache(maxsize=2)
def read_block(connection: DuckDBPyConnection, block: Block) -> Mapping[str, Stored]:
    """Read the deployments of a block.

    Raises:
        duckdb.Error: A table cannot be read.
        ValueError: Samples are not sorted by deployment.
    """
    ids = block.ids

    def found(query: str, table: str, **more: object) -> DuckDBPyConnection:
        file = str(layout.part_path(block.folder, table, block.part))
        return connection.execute(query, {"file": file, "first": ids[0], "last": ids[-1], **more})

    heads = dict(found(_HEADS, layout.DEPLOYMENTS).fetchall())
    requests = _by_first(found(_REQUESTS, layout.REQUESTS).fetchall())
    series = _by_first(found(_SERIES, layout.SERIES).fetchall())
    samples = found(_SAMPLES, layout.SAMPLES, ids=list(ids)).fetchnumpy()
    places = np.ma.getdata(samples.pop("place"))
    if np.any(np.diff(places) < 0):
        raise ValueError("the samples are not sorted by deployment")
    bounds = np.searchsorted(places, np.arange(1, len(ids) + 2))
    return {
        name: Stored(
            head=heads[name],
            requests=requests.get(name, ()),
            series=series.get(name, ()),
            samples={key: col[bounds[n] : bounds[n + 1]] for key, col in samples.items()},
        )
        for n, name in enumerate(ids)
    }


def _by_first(rows: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
    return {name: list(own) for name, own in groupby(rows, key=itemgetter(0))}


def _values(columns: Mapping[str, Any]) -> Array:
    """Give the values; Parquet knows one NaN, so the bits of each stand beside it.

    Raises:
        ValueError: One is missing.
    """
    values: Array = np.ma.getdata(columns["value"])
    if np.ma.getmaskarray(columns["value"]).any():
        raise ValueError("a sample has no value")
    bits = columns["nan_bits"]
    marked = ~np.ma.getmaskarray(bits)
    if marked.any():
        values = values.copy()
        values.view(np.int64)[marked] = np.ma.getdata(bits)[marked]
    return values


def _check_order(numbers: Array, times: Array, counts: Sequence[int]) -> None:
    """Refuse samples that are not those of the series, one after the other.

    Raises:
        ValueError: They are not.
    """
    if not np.array_equal(numbers, np.repeat(np.arange(len(counts)), counts)):
        raise ValueError("the samples are not sorted by series, or some are missing")
    begins = np.isin(np.arange(1, len(times)), np.cumsum([0, *counts]))
    if not np.all(begins | (np.diff(times) > 0)) or not np.all(np.isfinite(times)):
        raise ValueError("the times of a series do not increase")
