"""Past deployments replayed by the command, from a real Prometheus and from files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Done, strict_json
from tests.support.corpus import (
    ASKED,
    CORPUS,
    GOOD,
    RECORDED,
    RECORDINGS,
    SHOP,
    all_runs,
    listed,
    past,
)
from tests.support.prometheus import RealPrometheus

Serinus = Callable[..., Done]
Note = Callable[[str, object], None]

# What the configuration of the corpus asks for, beside that of the recordings.
WATCHED = (
    *ASKED,
    "process_cpu_seconds_total",
    "client_requests_total",
    "client_request_duration_seconds_bucket",
)
FAILED = ("err1-1", "lat30-1", "crash-1", "late-err", "leak-1", "cpu-1", "drop-1")
NEVER_PASSED = ("err03-1", "lat10-1", "tail-1")
LOOKS = ("--looks", "15s")

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def watched_url(requires_prometheus: object) -> Iterator[str]:
    """Run a real Prometheus that holds all of every run that the configuration asks for."""
    with RealPrometheus(openmetrics=past(all_runs(), WATCHED)) as prometheus:
        yield prometheus.url


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the list of all runs."""
    path = tmp_path_factory.mktemp("list") / "runs.csv"
    path.write_text(listed(all_runs()), encoding="utf-8")
    return path


def rows(path: Path) -> dict[str, dict[str, Any]]:
    """Read the rows of a replay by id."""
    return {row["id"]: row for row in map(strict_json, path.read_text().splitlines())}


def test_one_configuration_judges_every_run_of_the_corpus(
    serinus: Serinus, watched_url: str, runs: Path, tmp_path: Path, record_property: Note
) -> None:
    output = tmp_path / "verdicts.jsonl"
    live = ("--config", CORPUS / "canary.yaml", "--prometheus", watched_url)

    done = serinus(
        *("replay", runs, *live, *LOOKS, "--engine", "serial", "--output", output),
        *("--format", "json"),
    )

    assert done.code == 0, done.err
    found = rows(output)
    for name, row in found.items():
        by = ", ".join(row["decided_by"]) or "-"
        after = f"{row['seconds_to_decision']:.0f} s"
        record_property(
            "run", f"replay {name:<9} {row['truth']:<5} {row['verdict']:<13} {after}  {by}"
        )
    verdicts = {name: row["verdict"] for name, row in found.items()}
    assert [verdicts[name] for name in FAILED] == ["fail"] * len(FAILED)
    assert "pass" not in {verdicts[name] for name in NEVER_PASSED}
    assert "fail" not in {verdicts[name] for name in GOOD}
    assert sum(verdicts[name] == "pass" for name in GOOD) >= 3
    # No fault is found before it began, and each within the run.
    assert done.report["failed_before_fault"] == 0
    assert done.report["seconds"]["delay"]["p90"] < 240


def test_recordings_of_the_list_are_replayed_as_the_server_is(
    serinus: Serinus, watched_url: str, runs: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few.csv"
    few.write_text("".join(runs.read_text().splitlines(keepends=True)[:4]))
    asked = (CORPUS / "canary.yaml", "--prometheus", watched_url)
    kept = tmp_path / "kept"
    recorded = serinus("record", *asked, "--deployments", few, *LOOKS, "--output", kept)
    once_more = serinus("record", *asked, "--deployments", few, *LOOKS, "--output", kept)

    live, replayed = tmp_path / "live.jsonl", tmp_path / "replayed.jsonl"
    options = (*LOOKS, "--engine", "serial", "--output")
    serinus("replay", few, "--config", asked[0], *asked[1:], *options, live)
    serinus("replay", kept, *options, replayed)

    assert (recorded.code, once_more.code) == (0, 0), recorded.err
    assert "3 of them kept from an earlier run" in once_more.err
    of_server, of_files = rows(live), rows(replayed)
    assert of_server.keys() == of_files.keys()
    for name, row in of_server.items():
        # The list gives the variable, the recording keeps it: the same deployment, asked alike.
        assert of_files[name] == row


def test_a_replayed_recording_says_what_judge_says(serinus: Serinus, tmp_path: Path) -> None:
    output = tmp_path / "verdicts.jsonl"
    serinus("replay", RECORDINGS, "--engine", "serial", "--output", output)

    found = rows(output)

    assert found.keys() == set(RECORDED)
    for name, row in found.items():
        report = serinus("judge", SHOP, "--recording", RECORDINGS / name, "--format", "json").report
        assert (row["verdict"], row["score"]) == (report["verdict"], report["score"])
        assert row["reason"] == report["summary"]
        assert row["decided_by"] == report["decided_by"]
        assert row["config_digest"] == report["provenance"]["config_digest"]
        assert [m["summary"] for m in row["metrics"]] == [m["summary"] for m in report["metrics"]]
        assert [m["log_e"] for m in row["metrics"]] == [
            (m["harm"] or {}).get("log_e") for m in report["metrics"]
        ]


def test_what_a_server_no_longer_has_is_an_error_of_its_own(
    serinus: Serinus, runs: Path, tmp_path: Path
) -> None:
    output, two = tmp_path / "verdicts.jsonl", tmp_path / "two.csv"
    two.write_text("".join(runs.read_text().splitlines(keepends=True)[:3]))
    nobody = ("--prometheus", "http://127.0.0.1:9")

    done = serinus(
        *("replay", two, "--config", CORPUS / "canary.yaml", *nobody),
        *("--engine", "serial", "--output", output),
    )

    assert done.code == 4
    assert "0 judged, 2 not" in done.out
    assert {row["error_code"] for row in rows(output).values()} == {"unreachable"}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_results_may_be_tables(serinus: Serinus, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"verdicts.{suffix}"
    words = ("replay", RECORDINGS, "--engine", "serial", "--output", output)

    first = serinus(*words)
    again = serinus(*words)

    assert (first.code, again.code) == (0, 0)
    assert "8 of them kept from an earlier run" in again.err
    assert again.out == first.out


def test_the_summary_is_for_programs_too(serinus: Serinus, tmp_path: Path) -> None:
    done = serinus(
        *("replay", RECORDINGS, "--engine", "serial", "--output", tmp_path / "v.jsonl"),
        *("--format", "json"),
    )

    assert done.report["schema"] == "replay-v1"
    assert done.report["confusion"]["bad"] == {"pass": 0, "fail": 4, "inconclusive": 0}
    assert done.report["rates"]["false_fails"]["hits"] == 0
    assert json.dumps(done.report)


FAULTS = {
    "a list needs a configuration": (["list.csv"], "give --config CONFIG"),
    "a word is no place": (["somewhere"], "is none of: a folder of recordings"),
    "an empty folder holds nothing": (["."], "holds no recordings"),
    "an output has a known suffix": (
        [str(RECORDINGS), "--output", "v.json"],
        "did you mean .jsonl",
    ),
    "a scheduler is for clusters": (
        [str(RECORDINGS), "--scheduler", "tcp://a:1"],
        "--scheduler is for dask and ray",
    ),
}


@pytest.mark.parametrize(("words", "message"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_meant_is_refused(
    serinus: Serinus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    done = serinus("replay", "--output", "v.jsonl", *words)

    assert done.code in {2, 4}
    assert message in done.message
    assert list(tmp_path.iterdir()) == []
