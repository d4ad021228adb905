"""`serinus plan`: on recordings, on a real Prometheus, and where it cannot be meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import Done, strict_json
from tests.support.corpus import RECORDED, RECORDINGS, SHOP, edited_shop, run

ENOUGH, CONFIGURATION, NOT_ENOUGH, SOURCE, DELIVERY = 0, 2, 3, 4, 5
NAMES = ["error ratio", "mean latency", "restarts", "memory per pod"]

Serinus = Callable[..., Done]


def of_recording(serinus: Serinus, name: str, *words: str | Path) -> Done:
    folder = RECORDINGS / name
    return serinus("plan", folder / "canary.yaml", "--recording", folder, *words)


# ---- recordings


@pytest.mark.parametrize("name", RECORDED)
def test_every_recording_is_learnt_from(serinus: Serinus, name: str) -> None:
    done = of_recording(serinus, name, "--format", "json")

    assert done.code in {ENOUGH, NOT_ENOUGH}
    assert done.err == ""
    assert [metric["name"] for metric in strict_json(done.out)["metrics"]] == NAMES
    assert done.report["past"]["sides"] == "both"


def test_a_plan_that_is_too_short_says_what_would_do(serinus: Serinus) -> None:
    done = of_recording(serinus, "aa-1", "--format", "json")
    longer = done.report["sufficient"]

    assert (done.code, done.report["suffices"]) == (NOT_ENOUGH, False)
    assert done.report["short"] == ["error ratio"]
    assert of_recording(serinus, "aa-1", "--planned", longer).code == ENOUGH


def test_a_smaller_share_takes_longer(serinus: Serinus) -> None:
    half, tenth = (
        of_recording(serinus, "aa-1", "--share", share, "--format", "json").metric("error ratio")
        for share in ("0.5", "0.1")
    )

    assert tenth["minutes"] > half["minutes"]
    assert tenth["requests"] < half["requests"]


def test_part_of_a_recording_is_enough(serinus: Serinus) -> None:
    whole = of_recording(serinus, "aa-1", "--format", "json")
    part = of_recording(serinus, "aa-1", "--end", "2026-11-22T20:53:00Z", "--format", "json")

    assert part.report["past"]["steps"] < whole.report["past"]["steps"]


def test_a_person_reads_a_table(serinus: Serinus) -> None:
    done = of_recording(serinus, "aa-1")

    lines = done.out.splitlines()
    assert lines[0].startswith(" 4m: TOO SHORT  shop")
    assert [name for line in lines for name in NAMES if line[2:].startswith(f"{name}  ")] == NAMES
    assert not [line for line in lines if line != line.rstrip()]


def test_the_forecast_goes_into_a_file(serinus: Serinus, tmp_path: Path) -> None:
    done = of_recording(serinus, "aa-1", "--format", "json", "--output", tmp_path / "plan.json")

    assert done.out == ""
    assert strict_json((tmp_path / "plan.json").read_text(encoding="utf-8"))["schema"] == "plan-v1"


def test_the_same_recording_gives_the_same_bytes(serinus: Serinus) -> None:
    assert of_recording(serinus, "err1-1").out == of_recording(serinus, "err1-1").out


# ---- what cannot be meant


CALLS = {
    "a recording and a server": (
        ["--recording", str(RECORDINGS / "aa-1"), "--prometheus=http://127.0.0.1:9"],
        CONFIGURATION,
        "give --recording or --prometheus, not both",
    ),
    "all of the traffic": (["--share", "1"], CONFIGURATION, "'--share'"),
    "more than all of it": (["--share", "20"], CONFIGURATION, "'--share'"),
    "a length that is none": (["--planned", "45"], CONFIGURATION, "'--planned'"),
    "a length within the warm-up": (
        ["--recording", str(RECORDINGS / "aa-1"), "--planned", "30s"],
        CONFIGURATION,
        "--planned: must be longer than window.warmup (35s), got 30s",
    ),
    "a variable without a value": (
        ["--prometheus=http://127.0.0.1:9"],
        CONFIGURATION,
        "the variable 'run' has no value; give --baseline run=…",
    ),
    "no server": (["--set=run=aa-1"], CONFIGURATION, "PROMETHEUS_URL"),
    "no recording": (["--recording", "nowhere"], SOURCE, "there is no folder nowhere"),
    "a server that is not there": (
        [
            "--set=run=aa-1",
            "--prometheus=http://127.0.0.1:9",
            "--start=1795380840",
            "--end=1795381080",
        ],
        SOURCE,
        "http://127.0.0.1:9",
    ),
    "a folder to write to that does not exist": (
        ["--recording", str(RECORDINGS / "aa-1"), "--output", "/nowhere/plan.json"],
        DELIVERY,
        "cannot write /nowhere/plan.json",
    ),
}


@pytest.mark.parametrize(("words", "code", "message"), CALLS.values(), ids=CALLS)
def test_a_call_that_cannot_be_meant_is_explained(
    serinus: Serinus, tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    hasty = edited_shop(tmp_path, ("lag: 2s", "lag: 2s, timeout: 500ms, deadline: 800ms"))

    done = serinus("plan", hasty, *words)

    assert done.code == code
    assert message in done.message


def test_what_was_not_recorded_is_told_and_the_rest_is_forecast(
    serinus: Serinus, tmp_path: Path
) -> None:
    other = edited_shop(tmp_path, ("process_resident_memory_bytes", "go_memstats_alloc_bytes"))

    done = serinus("plan", other, "--recording", RECORDINGS / "aa-1", "--format", "json")

    assert done.code == SOURCE
    assert "the recording holds no answer" in done.message
    assert done.metric("memory per pod")["suffices"] is None
    assert done.metric("mean latency")["suffices"] is True


# ---- a real server


def of_server(serinus: Serinus, url: str, name: str, *words: str) -> Done:
    """Learn from the second half of a run: the first is the window before it."""
    one = run(name)
    stretch = (f"--start={(one.start + one.end) // 2}", f"--end={one.end}")
    chosen = (f"--baseline=run={name}", *stretch, "--format", "json")
    return serinus("plan", SHOP, "--prometheus", url, *chosen, *words)


@pytest.mark.e2e
def test_the_past_of_the_baseline_alone_is_enough(serinus: Serinus, corpus_url: str) -> None:
    done = of_server(serinus, corpus_url, "aa-3")

    assert done.code in {ENOUGH, NOT_ENOUGH}
    report = done.report
    assert report["past"]["sides"] == "baseline"
    assert {
        query["query"].count("baseline") for m in report["metrics"] for query in m["queries"]
    } == {1}
    # One request of a thousand fails, and thirty a second are served.
    basis = done.metric("error ratio")["basis"]
    assert 2000 < basis["requests"] < 12_000
    assert done.metric("error ratio")["minutes"] > 2
    assert done.metric("restarts")["suffices"] is True


@pytest.mark.e2e
def test_the_canary_s_share_counts(serinus: Serinus, corpus_url: str) -> None:
    half, tenth = (
        of_server(serinus, corpus_url, "aa-3", *share).metric("error ratio")
        for share in ((), ("--share=0.1",))
    )

    assert tenth["minutes"] > half["minutes"]


@pytest.mark.e2e
def test_a_time_without_data_is_told_with_a_remedy(serinus: Serinus, corpus_url: str) -> None:
    done = serinus(
        *("plan", SHOP, "--prometheus", corpus_url, "--baseline=run=aa-3"),
        *("--start=1700000000", "--end=1700000600"),
    )

    assert done.code == NOT_ENOUGH
    assert "choose a shorter --lookback" in " ".join(done.out.split())
