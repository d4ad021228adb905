"""A recording answers as its server did, byte for byte, at every look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import Done, clean_environment, run_serinus
from tests.support.corpus import RECORDED, RECORDINGS, SHOP, run

JSON = ("--format", "json")
LOOKS_S = (75, 120, 171.5, 240)

Serinus = Callable[..., Done]


@pytest.mark.parametrize("name", ["aa-3", "err1-1"])
def test_judging_a_recording_twice_gives_the_same_bytes(name: str) -> None:
    # Another order of hashing must not show either.
    first, second = (
        run_serinus(
            *("judge", SHOP, "--recording", RECORDINGS / name, *JSON),
            environment=clean_environment(PYTHONHASHSEED=seed),
        )
        for seed in ("1", "2")
    )

    assert first.out
    assert first == second


@pytest.mark.e2e
@pytest.mark.parametrize("name", RECORDED)
def test_a_new_recording_says_what_the_server_says(
    serinus: Serinus, corpus_url: str, tmp_path: Path, name: str
) -> None:
    asked = (SHOP, "--prometheus", corpus_url, *run(name).selection)
    live = serinus("judge", *asked, *JSON)
    recorded = serinus("record", *asked, "--output", tmp_path / "rec")

    replayed = serinus("judge", SHOP, "--recording", tmp_path / "rec", *JSON)

    assert recorded.code == 0
    assert live.out
    assert replayed == live


@pytest.mark.e2e
@pytest.mark.parametrize("name", RECORDED)
def test_a_kept_recording_says_what_the_server_says(
    serinus: Serinus, corpus_url: str, name: str
) -> None:
    live = serinus("judge", SHOP, "--prometheus", corpus_url, *run(name).selection, *JSON)

    replayed = serinus("judge", SHOP, "--recording", RECORDINGS / name, *JSON)

    assert live.out
    assert replayed == live


@pytest.mark.e2e
@pytest.mark.parametrize("after_s", LOOKS_S)
@pytest.mark.parametrize("name", ["crash-1", "late-err"])
def test_an_earlier_look_into_a_recording_is_the_look_of_that_moment(
    serinus: Serinus, corpus_url: str, name: str, after_s: float
) -> None:
    one = run(name)
    end = f"--end={one.start + after_s}"
    live = serinus("judge", SHOP, "--prometheus", corpus_url, *one.selection[:2], end, *JSON)

    replayed = serinus("judge", SHOP, "--recording", RECORDINGS / name, end, *JSON)

    assert live.out
    assert replayed == live


@pytest.mark.e2e
def test_a_look_may_begin_later_than_its_recording(serinus: Serinus, corpus_url: str) -> None:
    one = run("err1-1")
    begin = f"--start={one.start + 61}"
    live = serinus(*("judge", SHOP, "--prometheus", corpus_url, *one.selection, begin, *JSON))

    replayed = serinus("judge", SHOP, "--recording", RECORDINGS / "err1-1", begin, *JSON)

    assert live.out
    assert replayed == live


def test_a_recording_may_be_judged_with_other_tolerances(serinus: Serinus, tmp_path: Path) -> None:
    lenient = tmp_path / "lenient.yaml"
    text = SHOP.read_text(encoding="utf-8").replace("ratio: 1.25", "ratio: 50")
    lenient.write_text(text.replace("ratio: 1.5", "ratio: 100"), encoding="utf-8")

    strict = serinus("judge", SHOP, "--recording", RECORDINGS / "err1-1")
    done = serinus("judge", lenient, "--recording", RECORDINGS / "err1-1", *JSON)

    assert strict.code == 1
    assert done.code != 1
    assert done.metric("error ratio")["verdict"] == "pass"
