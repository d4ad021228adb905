"""What happens when a report cannot be delivered: a message, and nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import ENDS_WITHIN_S, Done, clean_environment, command_line
from tests.support.corpus import RECORDINGS, SHOP

DELIVERY, INTERRUPTED_CODE = 5, 130
SELECTED = ("--set=run=aa-3", "--start=1795381218", "--end=1795381458")
RECORDING = RECORDINGS / "aa-3"
ANY_URL = "http://127.0.0.1:9"  # nothing listens there, and no case gets that far

Serinus = Callable[..., Done]

PLACES = {
    "a folder that does not exist": "nowhere/report.json",
    "a file where a folder must be": "file/report.json",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_report_that_cannot_be_written_is_told(
    serinus: Serinus, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()

    done = serinus("judge", SHOP, "--recording", RECORDING, "--output", tmp_path / place)

    assert done.code == DELIVERY
    assert f"cannot write {tmp_path / place}: " in done.message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_recording_that_exists_is_not_overwritten(serinus: Serinus, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(RECORDING, tmp_path / "recording"))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    done = serinus("record", SHOP, "--prometheus", ANY_URL, *SELECTED, "--output", folder)

    assert done.code == DELIVERY
    assert done.message.endswith("exists already; choose another --output or remove it")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_starter_does_not_overwrite_a_configuration(serinus: Serinus, tmp_path: Path) -> None:
    path = tmp_path / "canary.yaml"
    path.write_text("mine", encoding="utf-8")

    done = serinus("init", "--output", path)

    assert done.code == DELIVERY
    assert "exists already and was left as it is" in done.message
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_report_in_a_file_is_whole(serinus: Serinus, tmp_path: Path) -> None:
    path = tmp_path / "report.json"

    done = serinus(*("judge", SHOP, "--recording", RECORDING, "--format", "json", "--output", path))

    assert (done.code, done.out) == (0, "")
    assert json.loads(path.read_text(encoding="utf-8"))["verdict"] == "pass"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_behind_standard_output_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command_line("judge", SHOP, "--recording", RECORDING),
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

    assert done.returncode == DELIVERY
    assert done.stderr == ("serinus: cannot write to standard output: No space left on device\n")


PRINTED = {
    "a report": ["judge", SHOP, "--recording", RECORDING],
    "a report as JSON": ["judge", SHOP, "--recording", RECORDING, "--format", "json"],
    "a schema": ["schema"],
    "a starter": ["init"],
}


@pytest.mark.parametrize("words", PRINTED.values(), ids=PRINTED)
def test_a_reader_who_has_gone_is_neither_a_verdict_nor_a_bug(words: list[str | Path]) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # as `head` does once it has read enough
    try:
        done = subprocess.run(
            command_line(*words), stdout=writer, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writer)

    assert done.returncode == 128 + signal.SIGPIPE
    assert done.stderr == ""


def test_a_pipe_to_head_shows_the_verdict_first() -> None:
    with subprocess.Popen(
        command_line("judge", SHOP, "--recording", RECORDING),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as judging:  # fmt: skip
        shown = subprocess.run(
            ["head", "-1"], stdin=judging.stdout, capture_output=True, text=True, check=True
        )
        assert judging.stdout is not None
        assert judging.stderr is not None
        judging.stdout.close()
        err = judging.stderr.read()

    assert shown.stdout.startswith(" PASS  shop ")
    assert judging.returncode in {0, 128 + signal.SIGPIPE}  # head may be slower
    assert err == b""


INTERRUPTED = {
    "a report": ["judge", "--output", "report.json"],
    "a recording": ["record", "--output", "recording"],
}


@pytest.mark.parametrize(("command", "option", "name"), INTERRUPTED.values(), ids=INTERRUPTED)
def test_ctrl_c_leaves_nothing_half_written(
    tmp_path: Path, command: str, option: str, name: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(ENDS_WITHIN_S)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with subprocess.Popen(
            command_line(command, SHOP, "--prometheus", url, *SELECTED, option, name),
            cwd=tmp_path, env=clean_environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as waiting:  # fmt: skip
            try:
                connection, _ = server.accept()  # it asks, and will wait for an answer
                waiting.send_signal(signal.SIGINT)
                out, err = waiting.communicate(timeout=ENDS_WITHIN_S)
                connection.close()
            finally:
                waiting.kill()

    assert waiting.returncode == INTERRUPTED_CODE
    assert (out, err.strip()) == ("", "serinus: interrupted; nothing was left half-written")
    assert list(tmp_path.iterdir()) == []
