"""`serinus tune` and `serinus diff`, as somebody uses them on recordings."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.config import load_config
from tests.support.command import Done
from tests.support.corpus import GOOD, RECORDINGS, SHOP, edited_shop

pytestmark = pytest.mark.e2e

CONFIGURATION = 2
ONE_PROCESS = ("--engine", "serial")

Serinus = Callable[..., Done]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Give a folder of good recordings."""
    for name in GOOD:
        shutil.copytree(RECORDINGS / name, tmp_path / "good" / name)
    return tmp_path / "good"


def test_a_few_deployments_are_no_reason_to_change(serinus: Serinus, tmp_path: Path) -> None:
    config = edited_shop(tmp_path)
    before = config.read_bytes()

    done = serinus("tune", RECORDINGS, "--config", config, "--write", *ONE_PROCESS)

    assert done.code == 0
    assert "Keep what you have" in done.out
    assert "4 good deployments cannot show that 1 % is kept: it takes 299" in done.out
    assert config.read_bytes() == before


def test_without_bad_deployments_no_detection_is_invented(serinus: Serinus, good: Path) -> None:
    done = serinus("tune", good, "--config", SHOP, "--harm", "3", *ONE_PROCESS)

    assert "your data cannot tell what real faults would be found" in done.out
    assert "harm found" in done.out
    assert "bad found" not in done.out
    assert "mean latency × 3" in done.out


def test_programs_get_every_variant(serinus: Serinus, good: Path) -> None:
    report = serinus("tune", good, "--config", SHOP, "--format", "json", *ONE_PROCESS).report

    assert report["schema"] == "tune-v1"
    assert report["points"][0]["variant"] == "as it is"
    assert report["points"][0]["false_fails"] == {
        "hits": 0,
        "of": 4,
        "value": 0.0,
        "interval": [0.0, pytest.approx(0.4899, abs=1e-3)],
    }


def test_a_configuration_that_hardly_passes_good_ones_gets_a_suggestion_written_into_it(
    serinus: Serinus, tmp_path: Path, good: Path
) -> None:
    for copy in range(1, 8):  # enough of them for a difference that chance does not explain
        for name in ("aa-1", "aa-3"):
            shutil.copytree(RECORDINGS / name, good / f"{name}-{copy}")
    shutil.copytree(RECORDINGS / "err1-1", good / "err1-1")  # a bad one: none has to be made
    (good / "deployments.csv").write_text("id,truth\nerr1-1,bad\n")
    config = edited_shop(
        tmp_path,
        ("margin: {ratio: 1.5, absolute: 0.002}", "margin: {ratio: 1.3, absolute: 0.0003}"),
    )

    done = serinus("tune", good, "--config", config, "--write", *ONE_PROCESS)

    assert "Suggestion: " in done.out
    assert "# The shop of fixtures/corpus" in config.read_text()
    assert load_config(config) != load_config(SHOP)


def test_a_budget_that_is_no_share_is_refused(serinus: Serinus, good: Path) -> None:
    done = serinus("tune", good, "--config", SHOP, "--budget", "5")

    assert done.code == CONFIGURATION
    assert "'--budget': 5.0 is not in the range 0<x<1" in done.message


def test_a_pull_request_sees_what_it_flips(serinus: Serinus, tmp_path: Path) -> None:
    lax = edited_shop(
        tmp_path,
        ("tolerance: {ratio: 1.25, absolute: 0.0002}", "tolerance: {ratio: 3, absolute: 0.02}"),
        ("margin: {ratio: 1.5, absolute: 0.002}", "margin: {ratio: 5, absolute: 0.05}"),
    )

    done = serinus("diff", SHOP, lax, RECORDINGS, *ONE_PROCESS)

    assert done.code == 1
    assert "err1-1  fail → pass  (bad: WORSE)" in done.out


def test_nothing_flips_between_a_configuration_and_itself(serinus: Serinus) -> None:
    assert serinus("diff", SHOP, SHOP, RECORDINGS, *ONE_PROCESS).code == 0
