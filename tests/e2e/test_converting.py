"""`serinus convert` as its user meets it: what goes wrong, and what to do about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import Done, run_serinus
from tests.support.corpus import CORPUS, RECORDINGS, SHOP
from tests.support.past import some_recordings

pytest.importorskip("duckdb")
pytestmark = pytest.mark.e2e

RAW = CORPUS / "aa-1" / "raw.om.xz"


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    label = json.loads((CORPUS / "aa-1" / "label.json").read_text())
    path = tmp_path / "list.csv"
    path.write_text(f"id,start,end,set.run\naa-1,{label['start']},{label['end']},aa-1\n")
    return path


def convert(folder: Path, *words: str | Path) -> Done:
    """Convert into a folder of this test."""
    return run_serinus("convert", *words, "--output", folder / "to")


def test_a_replay_of_either_form_writes_the_same_bytes(tmp_path: Path) -> None:
    origin = some_recordings(tmp_path / "from", {"a": None, "b": 3, "c": 9})
    assert convert(tmp_path, origin).code == 0

    rows = []
    for place in (origin, tmp_path / "to"):
        done = run_serinus(
            *("replay", place, "--engine", "serial", "--looks", "5m"),
            *("--output", tmp_path / "rows.jsonl"),
        )
        assert done.code == 0, done.err
        rows.append((tmp_path / "rows.jsonl").read_bytes())
        (tmp_path / "rows.jsonl").unlink()

    assert rows[0] == rows[1]
    assert len(rows[0].splitlines()) == 3


def test_given_again_it_has_nothing_left_to_do(tmp_path: Path) -> None:
    origin = some_recordings(tmp_path / "from", {"a": None, "b": 3})
    first = convert(tmp_path, origin)

    again = convert(tmp_path, origin)

    assert (first.code, again.code) == (0, 0)
    assert "2 of them kept from an earlier run" in again.message


def test_damage_is_named_and_the_rest_converted(tmp_path: Path) -> None:
    origin = some_recordings(tmp_path / "from", {"a": None, "b": 3})
    (origin / "b" / "series.npz").write_bytes(b"")

    done = convert(tmp_path, origin, "--to", "npz")

    assert done.code == 4
    assert "not converted: b: " in done.message
    assert (tmp_path / "to" / "a" / "series.npz").is_file()


def test_an_expression_of_bare_series_is_refused_by_name(tmp_path: Path, listed: Path) -> None:
    done = convert(tmp_path, RAW, "--config", SHOP, "--deployments", listed)

    assert done.code == 4
    assert "not converted: aa-1: 'max(changes(process_start_time_seconds" in done.message
    assert "promtool tsdb create-blocks-from openmetrics" in done.message


MISUSED: dict[str, tuple[tuple[str | Path, ...], str]] = {
    "bare series without what to ask": ((RAW,), "give --config CONFIG and --deployments LIST"),
    "recordings with what to ask": ((RECORDINGS, "--config", SHOP), "leave out --config"),
    "a name of nothing": (("nowhere",), "is none of"),
    "a list whose series are on a server": (("past.parquet",), "serinus record"),
}


@pytest.mark.parametrize(("words", "message"), MISUSED.values(), ids=MISUSED)
def test_misuse_is_told_with_the_remedy(
    tmp_path: Path, words: tuple[str | Path, ...], message: str
) -> None:
    done = convert(tmp_path, *words)

    assert done.code == 2
    assert message in done.message
    assert not (tmp_path / "to").exists()
