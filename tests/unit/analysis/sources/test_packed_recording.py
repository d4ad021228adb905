"""Packed recordings: what the service keeps of a look comes back, in later releases too."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from analysis.errors import SourceError
from analysis.sources.recording import Recording, pack, save, unpack
from tests.support.builders import same_series
from tests.unit.analysis.sources.test_recording import a_recording


def of_release_one(recording: Recording, folder: Path) -> bytes:
    """Pack a folder as the first releases did: as it lay there, at zlib's usual level."""
    save(recording, folder, config_text=None)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(folder / "recording.json", "recording.json", zipfile.ZIP_DEFLATED)
        archive.write(folder / "series.npz", "series.npz")
    return packed.getvalue()


def assert_same(found: Recording, kept: Recording) -> None:
    assert (found.window, found.variables, found.source) == (
        kept.window,
        kept.variables,
        kept.source,
    )
    assert list(found.answers) == list(kept.answers)
    for request, answer in kept.answers.items():
        assert found.answers[request].warnings == answer.warnings
        pairs = zip(found.answers[request].series, answer.series, strict=True)
        assert all(same_series(one, other) for one, other in pairs)


def test_what_is_packed_comes_back_bit_by_bit() -> None:
    assert_same(unpack(pack(a_recording())), a_recording())


def test_a_recording_without_answers_comes_back() -> None:
    assert_same(unpack(pack(a_recording({}))), a_recording({}))


def test_what_an_earlier_release_packed_is_read(tmp_path: Path) -> None:
    assert_same(unpack(of_release_one(a_recording(), tmp_path / "kept")), a_recording())


def test_what_is_packed_is_read_by_who_unpacks_it_by_hand(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(pack(a_recording()))) as archive:
        archive.extractall(tmp_path)

    with np.load(tmp_path / "series.npz") as series:
        assert set(series) == {"times", "values", "offsets"}


def test_a_damaged_archive_is_refused() -> None:
    packed = pack(a_recording())

    with pytest.raises(SourceError, match="not readable"):
        unpack(packed[: len(packed) // 2])
