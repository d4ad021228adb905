"""Whatever ends a replay, nothing that was judged is lost, and the same command goes on."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import Done, clean_environment, command_line, run_serinus
from tests.support.past import some_recordings

MANY = 48
WITHIN_S = 60.0

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record many deployments, so that a replay lasts."""
    steps = {f"{n:03}": (None, 3, 12)[n % 3] for n in range(MANY)}
    return some_recordings(tmp_path_factory.mktemp("past"), steps)


@pytest.fixture(scope="module")
def whole(past: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Replay without interruption."""
    output = tmp_path_factory.mktemp("whole") / "v.jsonl"
    done = run_serinus(*words(past, output, "serial"))
    assert done.code == 0, done.err
    return output.read_bytes()


def words(past: Path, output: Path, engine: str = "process") -> tuple[str | Path, ...]:
    """Word a replay of many looks."""
    options = ("--looks", "2m", "--promote", "end", "--engine", engine, "--workers", "2")
    return ("replay", past, *options, "--output", output)


def lines(path: Path) -> int:
    """Count the whole rows of a journal that may not be there yet."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def interrupted(past: Path, output: Path, how: Callable[[int], None]) -> tuple[int, str, set[int]]:
    """Begin a replay, end it once rows are there; its code, its words, and its workers."""
    process = subprocess.Popen(
        command_line(*words(past, output)),
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    journal = output.with_name(f"{output.name}.partial")
    limit = time.monotonic() + WITHIN_S
    while lines(journal) == 0 and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.005)
    workers = children(process.pid)
    how(process.pid)
    _, err = process.communicate(timeout=WITHIN_S)
    return process.returncode, err, workers


def children(pid: int) -> set[int]:
    """Name the processes that a process has started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text().split()}


def gone(pids: set[int]) -> bool:
    """Wait until processes have ended."""
    limit = time.monotonic() + WITHIN_S
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def resumed(past: Path, output: Path) -> Done:
    return run_serinus(*words(past, output))


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def press_ctrl_c(pid: int) -> None:
    os.killpg(pid, signal.SIGINT)


def test_a_killed_replay_goes_on_and_leaves_no_workers(
    past: Path, whole: bytes, tmp_path: Path
) -> None:
    output = tmp_path / "v.jsonl"

    code, _, workers = interrupted(past, output, kill)
    kept = lines(tmp_path / "v.jsonl.partial")
    ended = gone(workers)
    done = resumed(past, output)

    assert code == -signal.SIGKILL
    assert 0 < kept < MANY
    assert workers
    assert ended
    assert f"{kept} of them kept from an earlier run" in done.err
    assert output.read_bytes() == whole


def test_ctrl_c_ends_at_once_and_says_how_to_go_on(
    past: Path, whole: bytes, tmp_path: Path
) -> None:
    output = tmp_path / "v.jsonl"

    code, err, workers = interrupted(past, output, press_ctrl_c)

    assert code == 130
    assert "Traceback" not in err
    assert f"of {MANY} deployments are kept in" in err
    assert gone(workers)
    assert not output.exists()
    assert resumed(past, output).code == 0
    assert output.read_bytes() == whole


def test_a_killed_worker_costs_nothing(past: Path, whole: bytes, tmp_path: Path) -> None:
    output = tmp_path / "v.jsonl"

    def kill_a_worker(pid: int) -> None:
        busy = [
            c for c in children(pid) if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()
        ]
        kill(busy[0])

    code, err, _ = interrupted(past, output, kill_a_worker)

    assert code == 0, err
    assert output.read_bytes() == whole


def test_a_full_disk_ends_a_replay_that_goes_on_when_there_is_room(
    past: Path, whole: bytes, tmp_path: Path
) -> None:
    output = tmp_path / "v.jsonl"
    room = len(whole) // 3

    full = subprocess.run(
        command_line(*words(past, output, "serial")),
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    kept = lines(tmp_path / "v.jsonl.partial")
    done = resumed(past, output)

    assert full.returncode == 5
    assert "Traceback" not in full.stderr
    assert "the same command goes on from there" in full.stderr
    assert 0 < kept < MANY
    assert f"{kept} of them kept from an earlier run" in done.err
    assert output.read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v.jsonl"]
