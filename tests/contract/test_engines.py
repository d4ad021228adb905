"""What every engine promises: the same results in the same order, whatever happens to workers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from analysis.errors import ConfigError, SourceError
from analysis.past.engines.chunks import LARGEST, chunk_size, chunked
from analysis.past.engines.making import EngineKind, make_engine
from analysis.past.engines.port import Engine, Lost
from analysis.past.folder import RecordedDeployments
from analysis.past.looks import Schedule
from analysis.past.replaying import replay
from analysis.past.work import Work
from tests.conftest import IN_CI
from tests.support.past import some_recordings

ENGINES = [
    EngineKind.SERIAL,
    EngineKind.PROCESS,
    pytest.param(EngineKind.DASK, marks=pytest.mark.e2e),
    pytest.param(EngineKind.RAY, marks=pytest.mark.e2e),
]
APART = [kind for kind in ENGINES if kind is not EngineKind.SERIAL]


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Start an engine with two workers, once for all tests of it; Ray is an extra."""
    kind: EngineKind = request.param
    if kind is EngineKind.RAY and find_spec("ray") is None:
        (pytest.fail if IN_CI else pytest.skip)("Ray is not installed: pip install 'serinus[ray]'")
    with make_engine(kind, workers=2) as engine:
        yield engine


def doubled(chunk: Sequence[int]) -> list[int]:
    return [2 * item for item in chunk]


def refused(chunk: Sequence[int]) -> list[int]:
    raise SourceError(f"no {chunk[0]}", code="refused")


def where(chunk: Sequence[int]) -> int:
    return os.getpid()


class Deadly:
    """Work whose first tries at a chunk end the process, as one that is out of memory does."""

    def __init__(self, folder: Path, *, deaths: int, of: int) -> None:
        self._folder, self._deaths, self._of = folder, deaths, of

    def __call__(self, chunk: Sequence[int]) -> list[int]:
        if self._of in chunk:
            for death in range(self._deaths):
                with suppress(FileExistsError):
                    (self._folder / str(death)).touch(exist_ok=False)
                    os.kill(os.getpid(), signal.SIGKILL)
        return doubled(chunk)


@pytest.mark.parametrize("running", ENGINES, indirect=True)
class TestEveryEngine:
    def test_results_come_in_the_order_of_the_chunks(self, running: Engine) -> None:
        results = list(running.map_chunks(doubled, chunked(range(100), 7)))

        assert results == [doubled(chunk) for chunk in chunked(range(100), 7)]

    def test_no_chunks_have_no_results(self, running: Engine) -> None:
        assert list(running.map_chunks(doubled, chunked([], 7))) == []

    def test_what_work_raises_is_raised_and_the_engine_goes_on(self, running: Engine) -> None:
        with pytest.raises(SourceError, match="no 0"):
            list(running.map_chunks(refused, chunked(range(20), 7)))

        assert list(running.map_chunks(doubled, [[1]])) == [[2]]

    def test_whoever_stops_early_leaves_the_engine_usable(self, running: Engine) -> None:
        first = next(iter(running.map_chunks(doubled, chunked(range(100), 7))))

        assert first == doubled(range(7))
        assert list(running.map_chunks(doubled, [[1]])) == [[2]]

    def test_rows_of_a_replay_are_the_same_on_each(self, running: Engine, tmp_path: Path) -> None:
        steps = {f"{n:02}": (None, 3, 12)[n % 3] for n in range(9)}
        past = RecordedDeployments(folder=some_recordings(tmp_path, steps))
        work = Work(deployments=past, schedule=Schedule(every=timedelta(minutes=5)))

        rows = replay(work, past.listed(), running)

        with make_engine(EngineKind.SERIAL) as serial:
            assert rows == replay(work, past.listed(), serial)


@pytest.mark.parametrize("running", APART, indirect=True)
class TestEnginesWithProcesses:
    def test_work_runs_elsewhere(self, running: Engine) -> None:
        assert os.getpid() not in set(running.map_chunks(where, chunked(range(8), 1)))

    def test_the_chunk_of_a_killed_worker_runs_again(self, running: Engine, tmp_path: Path) -> None:
        work = Deadly(tmp_path, deaths=1, of=20)

        results = list(running.map_chunks(work, chunked(range(50), 5)))

        assert (tmp_path / "0").exists()
        assert results == [doubled(chunk) for chunk in chunked(range(50), 5)]

    def test_a_chunk_that_kills_every_worker_is_lost_alone(
        self, running: Engine, tmp_path: Path
    ) -> None:
        work = Deadly(tmp_path, deaths=100, of=20)

        results = list(running.map_chunks(work, chunked(range(50), 5)))

        assert isinstance(results[4], Lost)
        assert "killed" in results[4].why or "lost" in results[4].why
        others = [chunk for chunk in chunked(range(50), 5) if 20 not in chunk]
        assert [r for r in results if not isinstance(r, Lost)] == [doubled(c) for c in others]


def test_processes_end_with_the_engine() -> None:
    with make_engine(EngineKind.PROCESS, workers=2) as engine:
        pids = set(engine.map_chunks(where, chunked(range(20), 1)))

    for pid in pids:
        assert isinstance(pid, int)
        assert not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_scheduler_is_for_clusters() -> None:
    with pytest.raises(ConfigError, match="--scheduler is for dask and ray"):
        make_engine(EngineKind.PROCESS, scheduler="tcp://somewhere:8786")


@pytest.mark.e2e
def test_two_replays_with_dask_share_a_machine() -> None:
    with (
        make_engine(EngineKind.DASK, workers=1) as one,
        make_engine(EngineKind.DASK, workers=1) as two,
    ):
        assert list(one.map_chunks(doubled, [[1]])) == list(two.map_chunks(doubled, [[1]]))


@pytest.mark.e2e
def test_a_dask_scheduler_that_is_not_there_is_named() -> None:
    began = time.monotonic()

    with (
        pytest.raises(SourceError, match=r"tcp://127\.0\.0\.1:9 does not answer"),
        make_engine(EngineKind.DASK, scheduler="tcp://127.0.0.1:9"),
    ):
        pass

    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("items", "workers", "size"), [(0, 2, 1), (8, 2, 1), (80, 2, 10), (10_000, 2, LARGEST)]
)
def test_chunks_are_small_enough_to_share(items: int, workers: int, size: int) -> None:
    assert chunk_size(items, workers) == size
    assert [one for chunk in chunked(range(items), size) for one in chunk] == list(range(items))
