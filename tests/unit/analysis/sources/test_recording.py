"""Recordings: what was answered comes back bit by bit, and nothing damaged comes back at all."""

from __future__ import annotations

import io
import json
import math
import pickle
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.errors import DeliveryError, SourceError
from analysis.sources.port import Answer, Request, RequestKind, Series
from analysis.sources.recording import Recording, load, save
from tests.support.builders import START, a_series, a_window, same_series

NAN, INF = math.nan, math.inf
CONFIG = "name: shop # wie früher\n"


def points(*values: float, every: float = 60, first: float = START) -> list[tuple[float, float]]:
    return [(first + every * n, value) for n, value in enumerate(values)]


def samples(query: str = "a_total", *, start: float = START, end: float = START + 600) -> Request:
    return Request(kind=RequestKind.SAMPLES, query=query, start=start, end=end)


def some_buckets(
    query: str = "a_bucket", *, start: float = START, end: float = START + 600
) -> Request:
    return Request(kind=RequestKind.BUCKETS, query=query, start=start, end=end)


def a_range(
    query: str = "memory", *, start: float = START, end: float = START + 600, step_s: float = 60
) -> Request:
    return Request(kind=RequestKind.RANGE, query=query, start=start, end=end, step_s=step_s)


def a_recording(answers: Mapping[Request, Answer] | None = None) -> Recording:
    return Recording(
        window=a_window(minutes=10, warmup_s=60),
        variables={"baseline": {"v": "old"}, "canary": {"v": "new", "n": "5"}},
        source="Prometheus at http://prometheus:9090",
        answers=SOME if answers is None else answers,
    )


SOME: Mapping[Request, Answer] = {
    samples("a_total"): Answer(
        series=(
            a_series(points(1, 2, 3), __name__="a_total", pod="ä\n\"'\\"),
            a_series(points(0.1, NAN, INF, -INF, -0.0, 5e-324, 1.7e308), pod="b"),
        ),
        warnings=("partial", "truncated"),
        infos=("not a counter",),
    ),
    a_range("memory"): Answer(series=(a_series(points(7, every=0.001)),)),
    a_range("memory", step_s=30): Answer(series=()),
    samples("empty"): Answer(series=(a_series([], pod="c"),)),
    some_buckets(): Answer(
        series=(
            a_series(points(1, 2), __name__="a_bucket", le="1"),
            replace(a_series(points(2, 4), __name__="a_bucket", le="2"), exponential=True),
            a_series(points(3, 6), __name__="a_sum"),
        )
    ),
}


def kept(folder: Path, recording: Recording | None = None) -> Path:
    """Write a recording."""
    path = folder / "kept"
    save(recording or a_recording(), path, config_text=CONFIG)
    return path


def answer_of(recording: Recording, request: Request) -> Answer:
    found = recording.answer([request])[request]
    assert isinstance(found, Answer), found
    return found


def assert_same(one: Answer, other: Answer) -> None:
    assert (one.warnings, one.infos) == (other.warnings, other.infos)
    assert len(one.series) == len(other.series)
    assert all(same_series(a, b) for a, b in zip(one.series, other.series, strict=True))


# ---- there and back


def test_what_was_recorded_comes_back_bit_by_bit(tmp_path: Path) -> None:
    recording, loaded = a_recording(), load(kept(tmp_path))

    assert (loaded.window, loaded.variables, loaded.source) == (
        recording.window,
        recording.variables,
        recording.source,
    )
    assert list(loaded.answers) == list(recording.answers)
    for request, answer in recording.answers.items():
        assert_same(loaded.answers[request], answer)


def test_a_recording_without_answers_comes_back(tmp_path: Path) -> None:
    assert load(kept(tmp_path, a_recording({}))).answers == {}


def test_a_recording_of_before_there_were_buckets_can_be_read(tmp_path: Path) -> None:
    path = kept(tmp_path, a_recording({samples(): SOME[samples()]}))
    rewritten(lambda document: document["requests"][0].pop("exponential"))(path)

    assert_same(load(path).answers[samples()], SOME[samples()])


def test_a_recording_kept_twice_is_the_same_but_for_the_hour(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
        kept(folder)

    texts = [(folder / "kept" / "recording.json").read_bytes() for folder in folders]

    assert texts[0] == texts[1]


def test_the_configuration_is_kept_as_it_was_written(tmp_path: Path) -> None:
    assert (kept(tmp_path) / "canary.yaml").read_text(encoding="utf-8") == CONFIG


def test_a_recording_says_where_it_comes_from(tmp_path: Path) -> None:
    description = load(kept(tmp_path)).description

    assert description == "recording of Prometheus at http://prometheus:9090"


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    save(a_recording(), tmp_path / "a" / "b" / "c", config_text=CONFIG)

    assert load(tmp_path / "a" / "b" / "c").window == a_recording().window


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()

    assert load(kept(tmp_path)).window == a_recording().window


def test_others_may_read_it(tmp_path: Path) -> None:
    assert kept(tmp_path).stat().st_mode & 0o777 == 0o755


# ---- as a source


def test_an_answer_is_found_by_its_request() -> None:
    for request, answer in SOME.items():
        assert_same(answer_of(a_recording(), request), answer)


LONG = points(*range(21), every=30)


@pytest.mark.parametrize(("first", "last"), [(0, 600), (60, 600), (0, 300), (120, 480), (300, 300)])
@pytest.mark.parametrize("make", [samples, some_buckets, a_range])
def test_a_cut_out_is_what_a_shorter_request_would_have_given(
    make: Callable[..., Request], first: float, last: float
) -> None:
    recording = a_recording({make(): Answer(series=(a_series(LONG, pod="a"),), warnings=("w",))})
    shorter = [(t, value) for t, value in LONG if START + first <= t <= START + last]

    found = answer_of(recording, make(start=START + first, end=START + last))

    assert_same(found, Answer(series=(a_series(shorter, pod="a"),), warnings=("w",)))


def test_a_cut_out_knows_which_buckets_are_exponential() -> None:
    found = answer_of(a_recording(), some_buckets(start=START + 60))

    assert [one.exponential for one in found.series] == [False, True, False]


def test_a_series_outside_a_cut_out_is_left_out() -> None:
    early, late = a_series(points(1, 2), pod="a"), a_series(points(3, first=START + 500), pod="b")
    recording = a_recording({samples(): Answer(series=(early, late))})

    found = answer_of(recording, samples(start=START + 300))

    assert [one.labels["pod"] for one in found.series] == ["b"]


def test_a_cut_out_on_a_grid_of_fractions_is_found() -> None:
    step_s = 0.1
    recorded = a_range(start=START + 0.1, end=START + 60, step_s=step_s)

    for place in range(1, 500):
        shorter = a_range(start=START + place * step_s, end=START + 60, step_s=step_s)
        assert isinstance(a_recording({recorded: Answer(series=())})._find(shorter), Answer)


NOT_RECORDED = {
    "another query": a_range("cpu"),
    "another kind": samples("memory"),
    "samples as buckets": some_buckets("a_total"),
    "another step": a_range("memory", step_s=15),
    "another grid": a_range("memory", start=START + 10),
    "an earlier start": a_range("memory", start=START - 60),
    "a later end": a_range("memory", end=START + 660),
}


@pytest.mark.parametrize("request_", NOT_RECORDED.values(), ids=NOT_RECORDED)
def test_what_was_not_recorded_is_said_to_be_missing(request_: Request) -> None:
    known = a_range("memory")

    found = a_recording().answer([known, request_])[request_]

    assert isinstance(found, SourceError)
    assert (found.code, found.query) == ("not_recorded", request_.query)
    assert "another configuration, other variables or a shorter window" in str(found)


def test_if_nothing_asked_was_recorded_it_is_said_once() -> None:
    with pytest.raises(SourceError, match="no answer to 'cpu'"):
        a_recording().answer([a_range("cpu"), a_range("disk")])


def test_a_recording_asked_nothing_answers_nothing() -> None:
    assert a_recording().answer([]) == {}


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[int, int]] = []

    a_recording().answer(list(SOME), progress=lambda done, asked: told.append((done, asked)))

    assert told == [(n, len(SOME)) for n in range(1, len(SOME) + 1)]


# ---- nothing half-written

TAKEN: dict[str, Callable[[Path], object]] = {
    "a recording": kept,
    "another file": lambda folder: (folder / "kept").write_text("mine"),
    "another folder": lambda folder: (folder / "kept" / "mine").mkdir(parents=True),
}


@pytest.mark.parametrize("take", TAKEN.values(), ids=TAKEN)
def test_what_stands_there_is_left_as_it_is(tmp_path: Path, take: Callable[[Path], object]) -> None:
    take(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(DeliveryError, match="exists already; choose another --output or remove it"):
        kept(tmp_path)

    assert sorted(tmp_path.rglob("*")) == before


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(DeliveryError, match="cannot write"):
        save(a_recording(), tmp_path / "file" / "kept", config_text=CONFIG)


def test_a_name_too_long_for_the_disk_is_said(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="cannot write"):
        save(a_recording(), tmp_path / ("x" * 250), config_text=CONFIG)

    assert list(tmp_path.iterdir()) == []


def test_a_failure_of_ours_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        save(a_recording(), tmp_path / "kept", config_text="half a pair \ud800")

    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, sys
from pathlib import Path
from analysis.errors import DeliveryError
from analysis.sources.recording import save
from tests.unit.analysis.sources.test_recording import a_recording

limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    save(a_recording(), Path(sys.argv[1]), config_text="x" * 100_000)
except DeliveryError as error:
    sys.exit(f"said: {error}")
"""


@pytest.mark.parametrize("limit", [100, 50_000])
def test_a_full_disk_leaves_nothing(tmp_path: Path, limit: int) -> None:
    # A limit on the size of files fails a write as a full disk does; at which file depends on it.
    assert hasattr(resource, "RLIMIT_FSIZE")

    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "kept"), str(limit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[4],
    )

    assert done.stderr.startswith(f"said: cannot write {tmp_path / 'kept'}")
    assert list(tmp_path.iterdir()) == []


# ---- nothing damaged


def damaged(folder: Path, damage: Callable[[Path], object]) -> SourceError:
    """Damage a recording and try to read it."""
    path = kept(folder)
    damage(path)
    with pytest.raises(SourceError) as caught:
        load(path)
    return caught.value


def rewritten(change: Callable[[Any], object]) -> Callable[[Path], object]:
    """Change what `recording.json` says."""

    def rewrite(folder: Path) -> None:
        path = folder / "recording.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document), encoding="utf-8")

    return rewrite


def with_arrays(**arrays: Any) -> Callable[[Path], object]:
    """Replace arrays of `series.npz`."""

    def rewrite(folder: Path) -> None:
        with np.load(folder / "series.npz") as loaded:
            whole = {**loaded, **arrays}
        np.savez(folder / "series.npz", **{k: v for k, v in whole.items() if v is not None})

    return rewrite


def truncated(name: str, size: int) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


def a_bare_array(folder: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3.0))
    (folder / "series.npz").write_bytes(buffer.getvalue())


def a_lie_about_the_size(folder: Path) -> None:
    """Claim a thousand times a thousand million points."""
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(folder / "series.npz", "w") as archive:
        for name in ("times", "values", "offsets"):
            archive.writestr(f"{name}.npy", header.getvalue())


POINTS = sum(len(one.times) for answer in SOME.values() for one in answer.series)
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no JSON": (truncated("recording.json", 100), "no readable recording"),
    "an empty document": (truncated("recording.json", 0), "no readable recording"),
    "another version": (
        rewritten(lambda d: d.update(version=2)),
        "its version is 2, this Serinus reads 1",
    ),
    "no version": (rewritten(lambda d: d.pop("version")), "version"),
    "no window": (rewritten(lambda d: d.pop("window")), "window"),
    "a window of words": (rewritten(lambda d: d["window"].update(start="early")), "window.start"),
    "variables that are a list": (rewritten(lambda d: d.update(variables=[])), "variables"),
    "a label that is a number": (
        rewritten(lambda d: d["requests"][0]["series"][0].update(pod=5)),
        "requests",
    ),
    "an unknown kind of request": (rewritten(lambda d: d["requests"][0].update(kind="x")), "kind"),
    "one series less": (
        rewritten(lambda d: d["requests"][0]["series"].pop()),
        "names another number of series",
    ),
    "one request more": (
        rewritten(lambda d: d["requests"].append(d["requests"][0])),
        "names another number of series",
    ),
    "no archive": (truncated("series.npz", 0), "no readable recording"),
    "half an archive": (truncated("series.npz", 300), "no readable recording"),
    "a bare array": (a_bare_array, "no readable recording"),
    "no times": (with_arrays(times=None), "times"),
    "a value more than times": (with_arrays(values=np.zeros(POINTS + 1)), "disagree"),
    "offsets beyond the end": (with_arrays(offsets=np.array([0, 3, 99])), "disagree"),
    "offsets that go back": (
        with_arrays(offsets=np.array([0, 10, 3, 11, POINTS])),
        "disagree",
    ),
    "no offsets": (with_arrays(offsets=np.array([], dtype=np.int64)), "disagree"),
    "offsets that are fractions": (with_arrays(offsets=np.array([0.0, POINTS])), "types"),
    "times that are words": (with_arrays(times=np.array(["x"] * POINTS)), "types"),
    "times that stand still": (with_arrays(times=np.zeros(POINTS)), "do not increase"),
    "times that are no numbers": (with_arrays(times=np.full(POINTS, NAN)), "do not increase"),
    "an archive that claims to be huge": (a_lie_about_the_size, "no readable recording"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_recording_is_refused(
    tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    error = damaged(tmp_path, damage)

    assert error.code == "malformed"
    assert str(error).startswith(f"{tmp_path / 'kept'} is no readable recording: ")
    assert message in str(error)
    assert str(error).endswith("restore it, or record it again")


class Trap:
    """What writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    trap = Trap(tmp_path / "sprung")
    pickle.loads(pickle.dumps(trap))  # the trap works
    trap.path.unlink()

    error = damaged(tmp_path, with_arrays(times=np.array([trap] * POINTS)))

    assert error.code == "malformed"
    assert not trap.path.exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    error = damaged(tmp_path, lambda folder: (folder / "series.npz").unlink())

    assert error.code == "not_recorded"
    assert "series.npz is missing; `serinus record` makes one" in str(error)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no folder .*; `serinus record` makes one"):
        load(tmp_path / "nowhere")


def test_the_series_are_what_the_port_promises(tmp_path: Path) -> None:
    for answer in load(kept(tmp_path)).answers.values():
        for one in answer.series:
            assert isinstance(one, Series)
            assert one.times.dtype == one.values.dtype == np.float64
            assert (np.diff(one.times) > 0).all()
