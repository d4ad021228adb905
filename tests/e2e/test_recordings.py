"""The recordings that are kept as fixtures: what they hold, and what is made of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.support.command import Done
from tests.support.corpus import CORPUS, FAILED_BY, GOOD, RECORDED, RECORDINGS, SHOP, all_runs

MOST_BYTES = 200_000
EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 3}

Serinus = Callable[..., Done]


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_gives_the_verdict_that_stands_beside_it(serinus: Serinus, name: str) -> None:
    folder = RECORDINGS / name
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))

    done = serinus("judge", folder / "canary.yaml", "--recording", folder, "--format", "json")

    assert done.report["verdict"] == expected["verdict"]
    assert done.report["decided_by"] == expected["decided_by"]
    assert done.code == EXIT_CODES[expected["verdict"]]


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_expected_is_true_of_the_run(name: str) -> None:
    expected = json.loads((RECORDINGS / name / "expected.json").read_text(encoding="utf-8"))

    if name in GOOD:
        assert expected["verdict"] != "fail"
    else:
        assert expected == {"verdict": "fail", "decided_by": [FAILED_BY[name]]}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_is_small_and_says_where_it_comes_from(name: str) -> None:
    folder = RECORDINGS / name
    document = json.loads((folder / "recording.json").read_text(encoding="utf-8"))

    assert {path.name for path in folder.iterdir()} == {
        *("recording.json", "series.npz", "canary.yaml"),
        *("expected.json", "ORIGIN.md"),
    }
    assert sum(path.stat().st_size for path in folder.iterdir()) < MOST_BYTES
    assert document["source"].endswith(f"fixtures/corpus/{name}")
    assert not re.search(r"https?://|:\d{4,}", document["source"])


@pytest.mark.parametrize("name", RECORDED)
def test_all_recordings_are_judged_by_the_same_configuration(name: str) -> None:
    assert (RECORDINGS / name / "canary.yaml").read_bytes() == SHOP.read_bytes()


@pytest.mark.parametrize("name", all_runs())
def test_a_run_of_the_corpus_has_its_samples_its_label_and_its_story(name: str) -> None:
    folder = CORPUS / name

    assert {path.name for path in folder.iterdir()} == {"raw.om.xz", "label.json", "ORIGIN.md"}
    assert "**Verdict to expect.**" in (folder / "ORIGIN.md").read_text(encoding="utf-8")
