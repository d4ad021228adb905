"""`serinus check` on a real server: its exit code says whether anything has to be mended."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import Done, strict_json
from tests.support.corpus import SHOP, edited_shop, run

FINE, MEND, SOURCE = 0, 2, 4

pytestmark = pytest.mark.e2e

Serinus = Callable[..., Done]


def checked(serinus: Serinus, config: Path, url: str, name: str, *words: str) -> Done:
    return serinus("check", config, "--prometheus", url, *run(name).selection, *words)


def test_a_setup_in_which_all_metrics_could_pass_is_fine(serinus: Serinus, corpus_url: str) -> None:
    done = checked(serinus, SHOP, corpus_url, "aa-1")

    assert (done.code, done.err) == (FINE, "")
    assert done.out.startswith(" READY  shop")
    assert not [line for line in done.out.splitlines() if line != line.rstrip()]


def test_a_program_reads_the_same(serinus: Serinus, corpus_url: str) -> None:
    done = checked(serinus, SHOP, corpus_url, "aa-1", "--format=json")

    report = strict_json(done.out)
    assert (done.code, report["schema"], report["ready"]) == (FINE, "check-v1", True)
    asked = [query for metric in report["metrics"] for query in metric["queries"]]
    assert len(asked) == 12
    assert all(query["series"] > 0 and query["seconds"] > 0 for query in asked)


@pytest.mark.parametrize(
    ("name", "weight", "code"),
    [("aa-1", "50%", FINE), ("aa-7", "10%", FINE), ("aa-7", "50%", MEND), ("drop-1", "50%", MEND)],
)
def test_real_requests_are_held_against_the_weight(
    serinus: Serinus, corpus_url: str, tmp_path: Path, name: str, weight: str, code: int
) -> None:
    config = edited_shop(tmp_path, ("\nrisk:", f"\ntraffic: {{canary_weight: {weight}}}\nrisk:"))

    done = checked(serinus, config, corpus_url, name)

    assert done.code == code
    assert ("traffic_share" in done.out) is (code == MEND)


def test_a_side_that_is_not_there_has_to_be_mended(serinus: Serinus, corpus_url: str) -> None:
    done = checked(serinus, SHOP, corpus_url, "aa-1", "--canary=track=canry")

    assert done.code == MEND
    assert 'http_requests_total has no track="canry"; did you mean canary?' in done.out


def test_the_same_side_twice_has_to_be_mended_before_anything_is_asked(serinus: Serinus) -> None:
    done = checked(serinus, SHOP, "http://127.0.0.1:9", "aa-1", "--canary=track=baseline")

    assert done.code == MEND
    assert "both sides ask the same query" in done.message


def test_a_server_that_is_not_there_is_the_operators_to_mend(serinus: Serinus) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: nobody else takes it
        done = checked(serinus, SHOP, f"http://127.0.0.1:{free.getsockname()[1]}", "aa-1")

    assert (done.code, done.out) == (SOURCE, "")
    assert "cannot be reached" in done.message


def test_strict_counts_warnings_as_faults(
    serinus: Serinus, corpus_url: str, tmp_path: Path
) -> None:
    config = edited_shop(tmp_path, ("planned: 4m, warmup: 35s", "planned: 2m, warmup: 10s"))
    lenient, strict = (
        checked(serinus, config, corpus_url, "aa-1", *words) for words in ((), ("--strict",))
    )

    assert "warning: window: the planned window has 22 steps" in lenient.out
    assert (lenient.code, strict.code) == (FINE, MEND)


def test_a_selection_without_a_server_is_no_question(serinus: Serinus) -> None:
    done = serinus("check", SHOP, "--canary=track=canary")

    assert done.code == MEND
    assert "give --prometheus URL or --live as well" in done.message


@pytest.mark.parametrize("server", [("--prometheus", "http://127.0.0.1:9"), ("--live",)])
def test_a_server_is_not_asked_in_order_to_show_the_configuration(
    serinus: Serinus, server: tuple[str, ...]
) -> None:
    done = serinus("check", SHOP, "--show", *server)

    assert done.code == MEND
    assert "--show: prints the configuration, which no server changes" in done.message
    assert done.out == ""


def test_the_source_that_the_configuration_names_is_asked_where_that_is_wanted(
    serinus: Serinus, corpus_url: str, tmp_path: Path
) -> None:
    config = edited_shop(tmp_path, ("${PROMETHEUS_URL}", corpus_url))

    done = serinus("check", config, "--live", *run("aa-1").selection)

    assert done.code == FINE
    assert done.out.startswith(" READY  shop")


SEVERAL = """\
version: 1
name: shop
sources:
  pods: {prometheus: {url: "%s", step: 5s, lag: 2s}}
  balancer: {prometheus: {url: "%s", step: 5s, lag: 2s}}
variables: {run: null, baseline: {track: baseline}, canary: {track: canary}}
window: {planned: 4m, warmup: 35s}
metrics:
  - name: memory
    source: pods
    query: process_resident_memory_bytes{run="${run}", track="${track}"}
  - name: load
    source: balancer
    query: process_resident_memory_byte{run="${run}", track="${track}"}
"""


def test_each_of_several_sources_is_asked_for_its_own_names(
    serinus: Serinus, corpus_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "canary.yaml"
    config.write_text(SEVERAL % (corpus_url, corpus_url), encoding="utf-8")

    done = serinus("check", config, "--live", *run("aa-1").selection)

    assert done.code == MEND
    assert "1 of 2 metrics could not pass: load" in done.out
    assert "no metric is called process_resident_memory_byte; did you mean process_res" in done.out


def test_a_diagnosis_can_be_written_to_a_file(
    serinus: Serinus, corpus_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "check.json"

    done = checked(serinus, SHOP, corpus_url, "aa-1", "--format=json", f"--output={path}")

    assert (done.code, done.out) == (FINE, "")
    assert strict_json(path.read_text())["name"] == "shop"
