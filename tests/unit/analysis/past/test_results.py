"""Results survive what ends a replay, and nothing is judged twice."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest

from analysis.errors import ConfigError, DeliveryError
from analysis.past.deployment import Truth
from analysis.past.engines.serial import SerialEngine
from analysis.past.files import encode
from analysis.past.folder import RecordedDeployments
from analysis.past.looks import Schedule
from analysis.past.replaying import replay
from analysis.past.results import Results
from analysis.past.rows import Row
from analysis.past.work import Work
from tests.support.past import some_recordings

R = TypeVar("R")

FIVE = Schedule(every=timedelta(minutes=5))
SUFFIXES = ["jsonl", "csv", "parquet"]


@pytest.fixture
def past(tmp_path: Path) -> RecordedDeployments:
    return RecordedDeployments(folder=some_recordings(tmp_path / "past", dict.fromkeys("abc", 3)))


def replayed(past: RecordedDeployments, results: Results | None = None) -> list[Row]:
    return replay(Work(deployments=past, schedule=FIVE), past.listed(), SerialEngine(),
                  results=results)  # fmt: skip


class Watched:
    """A serial engine that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.workers = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map_chunks(
        self, work: Callable[[Sequence[Any]], R], chunks: Iterable[Sequence[Any]]
    ) -> Iterator[R]:
        for chunk in chunks:
            self.asked += [deployment.id for deployment in chunk]
            yield work(chunk)


def asked(past: RecordedDeployments, results: Results) -> list[str]:
    """Replay, and name the deployments that were judged for it."""
    engine = Watched()
    replay(Work(deployments=past, schedule=FIVE), past.listed(), engine, results=results)
    return engine.asked


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_rows_are_read_back_as_they_were(tmp_path: Path, suffix: str) -> None:
    folder = some_recordings(tmp_path / "past", {"a": None, "b, ü": 3})
    past, results = RecordedDeployments(folder=folder), Results(tmp_path / f"out.{suffix}")

    rows = replayed(past, results)

    assert list(Results(results.path).kept().values()) == rows
    assert not results.partial.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"out.{suffix}", "past"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_there_is_not_judged_again(
    tmp_path: Path, past: RecordedDeployments, suffix: str
) -> None:
    results = Results(tmp_path / f"out.{suffix}")
    first = asked(past, results)
    whole = results.path.read_bytes()

    again = asked(past, results)

    assert (first, again) == (["a", "b", "c"], [])
    assert suffix == "parquet" or results.path.read_bytes() == whole


def test_another_question_is_judged_anew(tmp_path: Path, past: RecordedDeployments) -> None:
    results, listed = Results(tmp_path / "out.jsonl"), past.listed()
    replayed(past, results)

    once = Work(deployments=past, schedule=Schedule())
    engine = Watched()
    replay(once, listed, engine, results=results)

    assert engine.asked == ["a", "b", "c"]


def test_an_interrupted_replay_goes_on_behind_the_last_whole_row(
    tmp_path: Path, past: RecordedDeployments
) -> None:
    results, rows = Results(tmp_path / "out.jsonl"), replayed(past)
    results.partial.write_bytes(encode(rows[0]) + b"\n" + encode(rows[1])[:40])

    assert asked(past, results) == ["b", "c"]
    assert list(results.kept().values()) == rows


def test_what_failed_is_tried_again_and_nothing_else(
    tmp_path: Path, past: RecordedDeployments
) -> None:
    results, series = Results(tmp_path / "out.jsonl"), past.folder / "b" / "series.npz"
    whole = series.read_bytes()
    series.write_bytes(whole[:100])
    broken = replayed(past, results)
    series.write_bytes(whole)

    again = asked(past, results)

    assert [row.error_code for row in broken] == [None, "malformed", None]
    assert "restore it" in str(broken[1].error)
    assert again == ["b"]
    assert [row.error for row in results.kept().values()] == [None, None, None]


def test_labels_are_corrected_without_judging_again(
    tmp_path: Path, past: RecordedDeployments
) -> None:
    results = Results(tmp_path / "out.jsonl")
    replayed(past, results)
    (past.folder / "deployments.csv").write_text("id,truth,service\na,good,shop\n")

    (row, *_) = replayed(past, results)

    assert (row.truth, row.service) == (Truth.GOOD, "shop")
    assert next(iter(results.kept().values())) == row


def test_a_row_that_cannot_be_written_ends_the_replay_and_keeps_the_rest(
    tmp_path: Path, past: RecordedDeployments
) -> None:
    results = Results(tmp_path / "missing" / "out.jsonl")
    (tmp_path / "missing").write_text("a file stands in the way")

    with pytest.raises(DeliveryError, match="the same command goes on from there"):
        replayed(past, results)


def test_two_replays_do_not_write_one_file(tmp_path: Path, past: RecordedDeployments) -> None:
    results = Results(tmp_path / "out.jsonl")

    with results.partial.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DeliveryError, match="another replay writes"):
            replayed(past, results)


def test_a_file_of_something_else_is_not_overwritten(
    tmp_path: Path, past: RecordedDeployments
) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"out.{suffix}"
        path.write_text("id,start\n1,2\n")

        with pytest.raises(ConfigError, match=r"holds no results of a replay|no readable Parquet"):
            replayed(past, Results(path))

        assert path.read_text() == "id,start\n1,2\n"


@pytest.mark.parametrize(("name", "hint"), [("out.json", ".jsonl"), ("out", "known are")])
def test_the_name_says_how_it_is_written(tmp_path: Path, name: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        Results(tmp_path / name)


# ---- one deployment never stops the others


def test_a_recording_of_other_queries_is_an_error_of_its_own(past: RecordedDeployments) -> None:
    recording = past.folder / "b" / "recording.json"
    recording.write_text(recording.read_text().replace("memory{", "other{"))

    rows = replayed(past)

    assert [row.error_code for row in rows] == [None, "not_recorded", None]
    assert rows[1].verdict is None


def test_a_deployment_without_configuration_says_so(
    tmp_path: Path, past: RecordedDeployments
) -> None:
    (past.folder / "b" / "canary.yaml").unlink()

    rows = replayed(past)

    assert rows[1].error_code == "configuration"
    assert "give --config" in str(rows[1].error)
    assert rows[0].verdict is not None


def test_the_key_is_that_of_the_question_and_not_of_the_labels(past: RecordedDeployments) -> None:
    one = past.listed()[0]
    same = replace(one, truth=None, service="else", fault_start=one.start)
    other = replace(one, end=one.end + timedelta(seconds=1))

    work = Work(deployments=past, schedule=FIVE)

    assert work.keys([one]) == work.keys([same])
    assert work.keys([one]) != work.keys([other])
