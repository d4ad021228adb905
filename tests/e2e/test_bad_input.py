"""What a person is told at night when the configuration or the call is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import Done
from tests.support.corpus import RECORDINGS, SHOP, edited_shop

CONFIGURATION = 2
SELECTED = ("--set=run=aa-3", "--start=1795381218", "--end=1795381458")
RECORDING = RECORDINGS / "aa-3"
ANY_URL = "http://127.0.0.1:9"  # nothing listens there, and no case gets that far

Serinus = Callable[..., Done]

FAULTS = {
    "a line that is no YAML": (
        [("  - name: mean latency", "  - name: [mean latency")],
        r"canary\.yaml:\d+: is no YAML: ",
    ),
    "a key that stands twice": ([("    critical: true\n", "    critical: true\n" * 2)], "twice"),
    "a misspelt key": (
        [("warmup", "warmpu")],
        r"canary\.yaml:14: window\.warmpu: is no key here; did you mean 'warmup'\?",
    ),
    "a misspelt parameter": (
        [("statistic: last", "statistik: last")],
        r"yaml:\d+: metrics\[2\]\.judge\.statistik: threshold has no parameter 'statistik'; did",
    ),
    "an unknown judge": (
        [("kind: threshold", "kind: treshold")],
        r"metrics\[2\]\.judge\.kind: no judge 'treshold'; did you mean 'threshold'\? \(known: ",
    ),
    "a duration without its unit": (
        [("planned: 4m", "planned: 240")],
        r"window\.planned: expected a duration with a unit, such as 15s or 5m, got 240",
    ),
    "a tag that would build an object": (
        [("name: shop", "name: !!python/object/apply:os.getcwd []")],
        r"canary\.yaml",
    ),
}


@pytest.mark.parametrize(("edits", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_configuration_is_told_with_its_place(
    serinus: Serinus, tmp_path: Path, edits: list[tuple[str, str]], message: str
) -> None:
    done = serinus("judge", edited_shop(tmp_path, *edits), "--prometheus", ANY_URL, *SELECTED)

    assert done.code == CONFIGURATION
    assert re.search(message, done.message)


def test_every_fault_is_told_at_once(serinus: Serinus, tmp_path: Path) -> None:
    path = edited_shop(tmp_path, ("critical:", "critcal:"), ("kind: threshold", "kind: treshold"))

    done = serinus("judge", path, "--prometheus", ANY_URL, *SELECTED)

    assert done.err.count("did you mean 'critical'?") == 3
    assert done.err.count("did you mean 'threshold'?") == 1


def test_a_missing_file_is_told_with_a_way_to_begin(serinus: Serinus, tmp_path: Path) -> None:
    done = serinus("judge", tmp_path / "nowhere.yaml")

    assert done.code == CONFIGURATION
    assert "nowhere.yaml: there is no such file; `serinus init` writes a" in done.message


CALLS = {
    "a variable without a value": (
        ["--start=1795381218", "--end=1795381458"],
        "the variable 'run' has no value; give --baseline run=… or --set run=…",
    ),
    "both sides the same": (
        [*SELECTED, "--canary=track=baseline"],
        "both sides ask the same query (it uses run, track); use a variable that differs",
    ),
    "an assignment without its sign": (
        ["--set", "run"],
        "--set: expected NAME=VALUE, got 'run'",
    ),
    "an instant that is none": (
        ["--start", "yesterday"],
        "Invalid isoformat string: 'yesterday'; expected an instant such as 2026-11-22T10:00:00Z",
    ),
    "an instant without its offset from UTC": (
        ["--start", "2026-11-22T10:00:00"],
        "'2026-11-22T10:00:00' has no offset from UTC; add Z or +01:00",
    ),
    "an end before the start": (
        ["--set=run=aa-3", "--start=1795381458", "--end=1795381218"],
        "is no time at all; choose a later end or an earlier start",
    ),
    "a window of years": (
        ["--set=run=aa-3", "--start=0"],
        "steps",
    ),
    "a start and a length": (
        ["--set=run=aa-3", "--start=now-1h", "--lookback=30m"],
        "give start or lookback, not both",
    ),
    "a server without its scheme": (
        [*SELECTED, "--prometheus=prometheus:9090"],
        "must start with http:// or https://",
    ),
    "a recording and a server": (
        [*SELECTED, "--recording", str(RECORDING)],
        "give --recording or --prometheus, not both",
    ),
    "an option that is none": (["--lokback=5m"], "No such option '--lokback'"),
}


@pytest.mark.parametrize(("options", "message"), CALLS.values(), ids=CALLS)
def test_a_call_that_cannot_be_meant_is_explained(
    serinus: Serinus, options: list[str], message: str
) -> None:
    done = serinus("judge", SHOP, "--prometheus", ANY_URL, *options)

    assert done.code == CONFIGURATION
    assert message in done.message


def test_a_server_that_nobody_named_is_asked_for(serinus: Serinus) -> None:
    done = serinus("judge", SHOP, *SELECTED)

    assert done.code == CONFIGURATION
    assert done.message == (
        "serinus: source.prometheus.url: the variable 'PROMETHEUS_URL' has no value in the "
        "environment; set it, or give --prometheus URL"
    )


def test_a_look_taken_too_early_is_inconclusive(serinus: Serinus) -> None:
    """A pipeline that looks at once must wait, not abort."""
    early = ["--start=1795381218", "--end=1795381250"]
    config = RECORDING / "canary.yaml"

    done = serinus("judge", config, "--recording", RECORDING, *early)
    leaning = serinus(
        "judge", config, "--recording", RECORDING, *early, "--exit-code-inconclusive=0"
    )

    assert (done.code, leaning.code) == (3, 0)
    assert "nothing is left to judge after a warmup of 35s" in done.message
    assert "ask again later" in done.message
