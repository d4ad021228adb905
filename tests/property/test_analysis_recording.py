"""Whatever was recorded comes back; whatever befalls the files, nothing else does."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from analysis.errors import SourceError
from analysis.sources.port import Answer, Request, RequestKind, Series
from analysis.sources.recording import Recording, load, save
from tests.support.builders import START, a_window, same_series

# Halves of surrogate pairs are no text: neither PromQL nor JSON can hold them.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def series(draw: st.DrawFn) -> Series:
    """Draw a series as the port promises it."""
    size = draw(st.integers(0, 12))
    gaps = draw(arrays.arrays(np.float64, size, elements=st.floats(0.001, 1e6)))
    values = draw(arrays.arrays(np.float64, size, elements=st.floats(width=64)))
    return Series(
        labels=draw(st.dictionaries(TEXT, TEXT, max_size=3)),
        times=START + np.cumsum(gaps),
        values=values,
        exponential=draw(st.booleans()),
    )


REQUESTS = st.builds(
    Request,
    kind=st.sampled_from(RequestKind),
    query=TEXT,
    start=st.floats(0, 2e9),
    end=st.floats(0, 2e9),
    step_s=st.floats(0, 1e6),
)
ANSWERS = st.builds(
    Answer,
    series=st.lists(series(), max_size=3).map(tuple),
    warnings=st.lists(TEXT, max_size=2).map(tuple),
    infos=st.lists(TEXT, max_size=2).map(tuple),
)


@contextmanager
def kept(answers: dict[Request, Answer]) -> Iterator[Path]:
    """Write a recording for the length of a block; hypothesis shares a test's own folder."""
    recording = Recording(
        window=a_window(), variables={"canary": {"v": "new"}}, source="a table", answers=answers
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kept"
        save(recording, path, config_text="name: shop\n")
        yield path


@given(answers=st.dictionaries(REQUESTS, ANSWERS, max_size=3))
@settings(max_examples=50)
def test_whatever_was_recorded_comes_back_bit_by_bit(answers: dict[Request, Answer]) -> None:
    with kept(answers) as path:
        loaded = load(path)

    assert list(loaded.answers) == list(answers)
    for request, answer in answers.items():
        found = loaded.answers[request]
        assert (found.warnings, found.infos) == (answer.warnings, answer.infos)
        assert [
            same_series(one, other) for one, other in zip(found.series, answer.series, strict=True)
        ] == [True] * len(answer.series)


SOME = {
    Request(kind=RequestKind.SAMPLES, query="a", start=0.0, end=9.0): Answer(
        series=tuple(
            Series(labels={"pod": pod}, times=np.arange(1.0, 9.0), values=np.arange(8.0) ** 2)
            for pod in "abc"
        )
    )
}


@pytest.mark.parametrize("name", ["recording.json", "series.npz"])
@given(place=st.floats(0, 1), scrap=st.binary(max_size=4), cut=st.booleans())
@settings(max_examples=60)
def test_damaged_files_are_read_or_refused_and_nothing_else(
    name: str, place: float, scrap: bytes, *, cut: bool
) -> None:
    with kept(SOME) as path:
        data = (path / name).read_bytes()
        at = round(place * len(data))
        (path / name).write_bytes(data[:at] + scrap + (b"" if cut else data[at + len(scrap) :]))
        try:
            loaded = load(path)
        except SourceError as error:
            code = error.code
        else:
            # Damage that only changes a number, or nothing, cannot be told.
            code = "malformed"
            assert sum(len(answer.series) for answer in loaded.answers.values()) == 3
        shutil.rmtree(path)

    assert code == "malformed"
