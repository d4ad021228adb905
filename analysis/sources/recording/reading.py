"""Recordings read from disk: from folders, and from packed files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from analysis.errors import SourceError
from analysis.sources.recording import layout
from analysis.sources.recording.packed import unpack
from analysis.sources.recording.source import Recording
from analysis.window import Window

T = TypeVar("T")


def load(folder: Path) -> Recording:
    """Read a recording.

    Raises:
        SourceError: The folder is no recording, or is damaged.
    """
    return _reading(folder, lambda: _load(folder))


def _load(folder: Path) -> Recording:
    text = (folder / layout.DOCUMENT).read_bytes()
    # numpy leaves a file open that it finds to be no archive.
    with (folder / layout.SERIES).open("rb") as file:
        return layout.read(text, file)


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
        return (place / layout.DOCUMENT).read_bytes()
    with zipfile.ZipFile(place) as archive:
        return archive.read(layout.DOCUMENT)


def _reading(place: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except FileNotFoundError as error:
        raise SourceError(_missing(place, Path(error.filename)), code="not_recorded") from error
    except layout.DAMAGED as error:
        message = f"{place} is no readable recording: {error}; restore it, or record it again"
        raise SourceError(message, code="malformed") from error


def _missing(folder: Path, file: Path) -> str:
    if not folder.exists():
        return f"there is no folder {folder}; `serinus record` makes one"
    return f"{folder} is no recording: {file.name} is missing; `serinus record` makes one"
