"""Recordings: the answers of a source kept in a folder, read back as a source.

Layout, version 1:

    recording.json   version, window, variables, and of every request its question, the name of its
                     source if there were several, its warnings, the labels of its series, and which
                     of them are exponential buckets
    series.npz       `times` and `values` of all series, one after the other, and `offsets`: series
                     i lies at offsets[i] to offsets[i + 1]
    canary.yaml      the configuration it was made with, for people; not read back
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec
import numpy as np
from numpy.lib.npyio import NpzFile

from analysis.errors import DeliveryError, SourceError
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
from analysis.window import Window

T = TypeVar("T")

VERSION = 1
# 50 million points are 800 MB in memory: a recording of one deployment is a thousandth of that.
MOST_POINTS = 50_000_000
# In steps: rounding of epoch seconds where a step is a fraction; anything more is another grid.
OFF_GRID = 1e-3
# What the libraries raise over damaged files: RuntimeError over a zip that claims to be encrypted,
# TypeError over a bare array, MemoryError over a header that claims more than there is.
_DAMAGED = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError, TypeError, MemoryError),
    *(msgspec.MsgspecError, zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """One deployment's answers, with the window and variables they belong to.

    Attributes:
        window: The recorded window.
        variables: Values of each side, by side.
        source: Where the answers came from.
        answers: What was asked, and answered.
    """

    window: Window
    variables: Mapping[str, Mapping[str, str]]
    source: str
    answers: Mapping[Request, Answer]
    _alike: Mapping[tuple[RequestKind, str, float], Sequence[Request]] = field(
        init=False, repr=False
    )

    def __post_init__(self) -> None:
        """Find, for each question, over which stretches it was asked."""
        alike: dict[tuple[RequestKind, str, float], list[Request]] = {}
        for request in self.answers:
            alike.setdefault(_question(request), []).append(request)
        object.__setattr__(self, "_alike", alike)

    @property
    def description(self) -> str:
        """Say where the answers came from."""
        return f"recording of {self.source}"

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer from what was recorded; a shorter stretch of a recorded request is cut out."""
        found: dict[Request, Answer | SourceError] = {}
        for request in dict.fromkeys(requests):
            found[request] = self._find(request)
            progress(len(found), len(requests))
        if found and all(isinstance(answer, SourceError) for answer in found.values()):
            raise next(a for a in found.values() if isinstance(a, SourceError))
        return found

    def _find(self, request: Request) -> Answer | SourceError:
        if exact := self.answers.get(request):
            return exact
        for recorded in self._alike.get(_question(request), ()):
            if _covers(recorded, request):
                return _cut(self.answers[recorded], request)
        return SourceError(
            f"the recording holds no answer to {request.query!r}; it was made with another "
            f"configuration, other variables or a shorter window",
            code="not_recorded",
            query=request.query,
        )


def _question(request: Request) -> tuple[RequestKind, str, float]:
    return request.kind, request.query, request.step_s


def _covers(recorded: Request, asked: Request) -> bool:
    """Tell whether a recorded answer to the same question holds all of a shorter stretch."""
    # A recording of one source may be judged by a configuration that has given it a name since.
    if recorded.source not in ("", asked.source):
        return False
    if asked.start < recorded.start or asked.end > recorded.end:
        return False
    if asked.kind is not RequestKind.RANGE:
        return True
    steps = (asked.start - recorded.start) / asked.step_s
    return abs(steps - round(steps)) < OFF_GRID


def _cut(answer: Answer, request: Request) -> Answer:
    cut = []
    for series in answer.series:
        first = int(np.searchsorted(series.times, request.start, side="left"))
        stop = int(np.searchsorted(series.times, request.end, side="right"))
        if stop > first:
            times, values = series.times[first:stop], series.values[first:stop]
            exponential = series.exponential
            cut.append(
                Series(labels=series.labels, times=times, values=values, exponential=exponential)
            )
    return Answer(series=tuple(cut), warnings=answer.warnings, infos=answer.infos)


def check_free(folder: Path) -> None:
    """Make sure that a recording can stand there, before anything is asked for it.

    Raises:
        DeliveryError: Something stands there already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DeliveryError(f"{folder} exists already; choose another --output or remove it")


def save(recording: Recording, folder: Path, *, config_text: str | None) -> None:
    """Write a recording; the folder appears whole or not at all.

    Args:
        recording: What to write.
        folder: Where.
        config_text: The configuration it was made with; `None` where nobody knows.

    Raises:
        DeliveryError: The folder exists already, or cannot be written.
    """
    check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise DeliveryError(f"cannot write {folder}: {error}") from error
    try:
        _write(recording, temporary, config_text)
        temporary.chmod(0o755)
        temporary.replace(folder)
    except OSError as error:
        raise DeliveryError(f"cannot write {folder}: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def pack(recording: Recording) -> bytes:
    """Give a recording as one archive, with the files that it would have in a folder."""
    packed, series = io.BytesIO(), io.BytesIO()
    _write_series(recording, series)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("recording.json", _text(recording), zipfile.ZIP_DEFLATED)
        archive.writestr("series.npz", series.getvalue())
    return packed.getvalue()


def unpack(packed: bytes) -> Recording:
    """Read what `pack` gave.

    Raises:
        SourceError: The archive is no recording, or is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            document = _read_document(archive.read("recording.json"))
            return _recording(document, *_read_arrays(io.BytesIO(archive.read("series.npz"))))
    except _DAMAGED as error:
        message = f"the packed recording is not readable: {error}; judge the rollout again"
        raise SourceError(message, code="malformed") from error


def _write(recording: Recording, folder: Path, config_text: str | None) -> None:
    with (folder / "series.npz").open("wb") as file:
        _write_series(recording, file)
    (folder / "recording.json").write_text(_text(recording), encoding="utf-8")
    if config_text is not None:
        (folder / "canary.yaml").write_text(config_text, encoding="utf-8")


def _write_series(recording: Recording, file: IO[bytes]) -> None:
    series = [one for answer in recording.answers.values() for one in answer.series]
    offsets = np.cumsum([0, *(len(one.times) for one in series)])
    np.savez_compressed(
        file,
        times=np.concatenate([one.times for one in series]) if series else np.empty(0),
        values=np.concatenate([one.values for one in series]) if series else np.empty(0),
        offsets=offsets.astype(np.int64),
    )


def _text(recording: Recording) -> str:
    return json.dumps(_document(recording), indent=1, sort_keys=True, allow_nan=False) + "\n"


def _document(recording: Recording) -> dict[str, Any]:
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


def load(folder: Path) -> Recording:
    """Read a recording.

    Raises:
        SourceError: The folder is no recording, or is damaged.
    """
    return _reading(folder, lambda: _load(folder))


def _load(folder: Path) -> Recording:
    document = _read_document((folder / "recording.json").read_bytes())
    # numpy leaves a file open that it finds to be no archive.
    with (folder / "series.npz").open("rb") as file:
        return _recording(document, *_read_arrays(file))


def load_packed(file: Path) -> Recording:
    """Read a packed recording from a file.

    Raises:
        SourceError: There is no such file, or it is no recording, or damaged.
    """
    return unpack(_reading(file, file.read_bytes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a recording says of itself before its answers; read without its series.

    Attributes:
        window: The recorded window.
        variables: Values of each side, by side.
    """

    window: Window
    variables: Mapping[str, Mapping[str, str]]


def read_head(place: Path) -> Head:
    """Read the head of a recording, from its folder or its packed file.

    Raises:
        SourceError: There is no recording, or it is damaged.
    """
    return _reading(place, lambda: msgspec.json.decode(_text_of(place), type=Head))


def _text_of(place: Path) -> bytes:
    if place.is_dir():
        return (place / "recording.json").read_bytes()
    with zipfile.ZipFile(place) as archive:
        return archive.read("recording.json")


def _reading(place: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except FileNotFoundError as error:
        raise SourceError(_missing(place, Path(error.filename)), code="not_recorded") from error
    except _DAMAGED as error:
        message = f"{place} is no readable recording: {error}; restore it, or record it again"
        raise SourceError(message, code="malformed") from error


def _missing(folder: Path, file: Path) -> str:
    if not folder.exists():
        return f"there is no folder {folder}; `serinus record` makes one"
    return f"{folder} is no recording: {file.name} is missing; `serinus record` makes one"


def _read_arrays(file: IO[bytes]) -> tuple[Array, Array, Array]:
    with np.load(file, allow_pickle=False) as arrays:
        _check_size(arrays)
        times, values, offsets = arrays["times"], arrays["values"], arrays["offsets"]
    _check_arrays(times, values, offsets)
    return times, values, offsets


def _check_size(arrays: NpzFile) -> None:
    """Refuse, before unpacking, what would not fit in memory."""
    packed = [info.file_size for info in arrays.zip.infolist()] if arrays.zip else []
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
