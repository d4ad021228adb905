"""What a person is told at night when a recording is damaged, missing, or of something else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import Done
from tests.support.corpus import RECORDINGS, SHOP, edited_shop

FAIL, SOURCE = 1, 4
RECORDING = RECORDINGS / "aa-3"

Serinus = Callable[..., Done]


def damaged(tmp_path: Path) -> Path:
    """Copy a recording, to be damaged."""
    return Path(shutil.copytree(RECORDING, tmp_path / "recording"))


def cut(path: Path) -> None:
    """Leave half of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def reworded(old: str, new: str) -> Callable[[Path], None]:
    """Replace words in recording.json."""

    def change(path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


DAMAGES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a missing list of queries": (
        "recording.json",
        Path.unlink,
        "is no recording: recording.json is missing; `serinus record` makes one",
    ),
    "missing series": ("series.npz", Path.unlink, "is no recording: series.npz is missing"),
    "half a list of queries": ("recording.json", cut, "is no readable recording: "),
    "half of the series": ("series.npz", cut, "is no readable recording: "),
    "a later version": (
        "recording.json",
        reworded('"version": 1', '"version": 2'),
        "its version is 2, this Serinus reads 1; restore it, or record it again",
    ),
    "a word where a number must stand": (
        "recording.json",
        reworded('"step_s": 5.0', '"step_s": "five"'),
        "Expected `float`, got `str` - at `$.",
    ),
    "a series more than there are": (
        "recording.json",
        reworded('"series": [\n', '"series": [\n    {},\n'),
        "recording.json names another number of series than series.npz holds",
    ),
}


@pytest.mark.parametrize(("file", "damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_recording_is_no_source(
    serinus: Serinus,
    tmp_path: Path,
    file: str,
    damage: Callable[[Path], None],
    message: str,
) -> None:
    folder = damaged(tmp_path)
    damage(folder / file)

    done = serinus("judge", SHOP, "--recording", folder)

    assert done.code == SOURCE
    assert str(folder) in done.message
    assert message in done.message


def test_a_recording_that_is_not_there_is_told(serinus: Serinus, tmp_path: Path) -> None:
    done = serinus("judge", SHOP, "--recording", tmp_path / "nowhere")

    assert done.code == SOURCE
    assert done.message.endswith("nowhere; `serinus record` makes one")


def test_a_recording_of_another_deployment_does_not_answer(serinus: Serinus) -> None:
    done = serinus("judge", SHOP, "--recording", RECORDING, "--set=run=err1-1")

    assert done.code == SOURCE
    assert "the recording holds no answer to" in done.message
    assert "it was made with another configuration, other variables or a" in done.message


def test_a_query_that_was_not_recorded_leaves_its_metric_open(
    serinus: Serinus, tmp_path: Path
) -> None:
    other = edited_shop(tmp_path, ("process_resident_memory_bytes", "process_open_fds"))

    done = serinus("judge", other, "--recording", RECORDING, "--format", "json")

    assert done.code == SOURCE
    assert done.metric("memory per pod")["reason"] == "source"
    assert done.metric("error ratio")["verdict"] == "pass"
    assert "process_open_fds" in done.err


def test_harm_that_is_shown_stands_whatever_else_had_no_answer(
    serinus: Serinus, tmp_path: Path
) -> None:
    other = edited_shop(tmp_path, ("process_resident_memory_bytes", "process_open_fds"))

    done = serinus("judge", other, "--recording", RECORDINGS / "err1-1", "--format", "json")

    assert done.code == 1
    assert done.report["decided_by"] == ["error ratio"]
    assert "process_open_fds" in done.err
