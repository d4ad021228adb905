"""What the two files of a recording hold, written and read back.

Version 1:

recording.json   version, window, variables, and of every request its question, the name of its
                 source if there were several, its warnings, the labels of its series, and which
                 of them are exponential buckets
series.npz       `times` and `values` of all series, one after the other, and `offsets`: series
                 i lies at offsets[i] to offsets[i + 1]
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, Any

import msgspec
import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from analysis.sources.port import Answer, Array, Request, RequestKind, Series
from analysis.sources.recording.source import Recording
from analysis.window import Window

VERSION = 1
DOCUMENT, SERIES = "recording.json", "series.npz"
# 50 million points are 800 MB in memory: a recording of one deployment is a thousandth of that.
MOST_POINTS = 50_000_000
# What the libraries raise over damaged files: RuntimeError over a zip that claims to be encrypted,
# TypeError over a bare array, MemoryError over a header that claims more than there is.
DAMAGED = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError, TypeError, MemoryError),
    *(msgspec.MsgspecError, zipfile.BadZipFile, zlib.error),
)


def write_series(recording: Recording, file: IO[bytes], *, level: int) -> None:
    """Write `series.npz`, as `np.savez_compressed` does, but at a given level of zlib."""
    series = [one for answer in recording.answers.values() for one in answer.series]
    offsets = np.cumsum([0, *(len(one.times) for one in series)])
    arrays: dict[str, NDArray[Any]] = {
        "times": np.concatenate([one.times for one in series]) if series else np.empty(0),
        "values": np.concatenate([one.values for one in series]) if series else np.empty(0),
        "offsets": offsets.astype(np.int64),
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)


def document(recording: Recording) -> dict[str, Any]:
    """Give what `recording.json` holds, as plain values."""
    window = recording.window
    return {
        "version": VERSION,
        "source": recording.source,
        "window": {
            "start": window.start,
            "end": window.end,
            "warmup_s": window.warmup_s,
            "step_s": window.step_s,
        },
        "variables": {side: dict(values) for side, values in recording.variables.items()},
        "requests": [
            {
                "kind": str(request.kind),
                "query": request.query,
                "start": request.start,
                "end": request.end,
                "step_s": request.step_s,
                **({"source": request.source} if request.source else {}),
                "warnings": list(answer.warnings),
                "infos": list(answer.infos),
                "series": [dict(one.labels) for one in answer.series],
                "exponential": [n for n, one in enumerate(answer.series) if one.exponential],
            }
            for request, answer in recording.answers.items()
        ],
    }


def read(text: bytes, series: IO[bytes]) -> Recording:
    """Read both files.

    Raises:
        Exception: One of `DAMAGED`.
    """
    return _recording(_read_document(text), *_read_arrays(series))


def _read_arrays(file: IO[bytes]) -> tuple[Array, Array, Array]:
    with np.load(file, allow_pickle=False) as kept:
        _check_size(kept)
        times, values, offsets = kept["times"], kept["values"], kept["offsets"]
    _check_arrays(times, values, offsets)
    return times, values, offsets


def _check_size(kept: NpzFile) -> None:
    """Refuse, before unpacking, what would not fit in memory."""
    packed = [info.file_size for info in kept.zip.infolist()] if kept.zip else []
    if sum(packed) > 2 * 8 * MOST_POINTS:
        raise ValueError(f"it holds more than {MOST_POINTS:,} points")


def _check_arrays(times: Array, values: Array, offsets: Array) -> None:
    """Refuse arrays that are no series, before anything is computed from them."""
    if not (times.dtype == values.dtype == np.float64 and offsets.dtype == np.int64):
        raise ValueError("series.npz holds other types than 64-bit floats and offsets")
    fits = times.ndim == offsets.ndim == 1 and times.shape == values.shape and offsets.size > 0
    if not fits or [offsets[0], offsets[-1]] != [0, len(times)] or np.any(np.diff(offsets) < 0):
        raise ValueError("series.npz and its offsets disagree")
    begins = np.isin(np.arange(1, len(times)), offsets)
    if not np.all(begins | (np.diff(times) > 0)) or not np.all(np.isfinite(times)):
        raise ValueError("the times of a series in series.npz do not increase")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Versioned:
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    kind: RequestKind
    query: str
    start: float
    end: float
    step_s: float
    warnings: tuple[str, ...]
    series: tuple[dict[str, str], ...]
    infos: tuple[str, ...] = ()
    exponential: frozenset[int] = frozenset()
    source: str = ""

    @property
    def request(self) -> Request:
        return Request(
            kind=self.kind,
            query=self.query,
            start=self.start,
            end=self.end,
            step_s=self.step_s,
            source=self.source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    source: str
    window: Window
    variables: dict[str, dict[str, str]]
    requests: tuple[_Entry, ...]


def _read_document(data: bytes) -> _Document:
    version = msgspec.json.decode(data, type=_Versioned).version
    if version != VERSION:
        raise ValueError(f"its version is {version}, this Serinus reads {VERSION}")
    return msgspec.json.decode(data, type=_Document)


def _recording(document: _Document, times: Array, values: Array, offsets: Array) -> Recording:
    bounds = [(int(a), int(b)) for a, b in pairwise(offsets)]
    if len(bounds) != sum(len(entry.series) for entry in document.requests):
        raise ValueError("recording.json names another number of series than series.npz holds")
    answers: dict[Request, Answer] = {}
    taken = 0
    for entry in document.requests:
        own = bounds[taken : taken + len(entry.series)]
        taken += len(own)
        series = tuple(
            Series(
                labels=labels,
                times=times[a:b],
                values=values[a:b],
                exponential=number in entry.exponential,
            )
            for number, (labels, (a, b)) in enumerate(zip(entry.series, own, strict=True))
        )
        answers[entry.request] = Answer(series=series, warnings=entry.warnings, infos=entry.infos)
    return Recording(
        window=document.window,
        variables=document.variables,
        source=document.source,
        answers=answers,
    )
