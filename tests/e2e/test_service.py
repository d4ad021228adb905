"""`serinus serve` against real servers: the verdicts of the corpus, restarts, replicas."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.authorities import Authority
from tests.support.command import Done, run_serinus, strict_json
from tests.support.corpus import FAILED_BY, GOOD, SHOP, run
from tests.support.postgres import RealPostgres
from tests.support.service import Answer, Client, served

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "shop.yaml").write_text(SHOP.read_text())
    return folder


@pytest.fixture(scope="module")
def postgres(requires_postgres: Path) -> Iterator[RealPostgres]:
    with RealPostgres(requires_postgres) as server:
        yield server


def ask(client: Client, name: str, key: str = "", **body: Any) -> Answer:
    one = run(name)
    told = {"config": "shop", "variables": {"run": name}, "start": one.start, "end": one.end}
    return client.put(key or f"shop.{name}", **(told | {"budget": "60s"} | body))


def test_the_verdict_on_every_recorded_rollout_is_that_of_the_command(
    corpus_url: str, configs: Path
) -> None:
    with served("--configs", configs, PROMETHEUS_URL=corpus_url) as running:
        said = {name: ask(running.client, name).json["verdict"] for name in [*GOOD, *FAILED_BY]}

    assert {name: said[name] for name in FAILED_BY} == dict.fromkeys(FAILED_BY, "fail")
    assert "fail" not in {said[name] for name in GOOD}


def test_a_restart_between_two_calls_changes_nothing(
    corpus_url: str, configs: Path, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path}/serinus.db"
    options = ("--configs", configs, "--database-url", database)
    told = []
    for _ in range(2):
        with served(*options, "--public-url", "http://judge", PROMETHEUS_URL=corpus_url) as running:
            told.append(ask(running.client, "aa-1").json)

    assert told[0] == told[1]


def test_sigterm_lets_the_look_under_way_end_and_its_caller_have_the_answer(
    corpus_url: str, configs: Path
) -> None:
    with (
        served("--configs", configs, PROMETHEUS_URL=corpus_url) as running,
        ThreadPoolExecutor() as callers,
    ):
        waiting = [callers.submit(ask, running.client, "err1-1", f"k{n}") for n in range(3)]
        time.sleep(0.2)
        running.process.terminate()
        answers = [one.exception() or one.result().status for one in waiting]

        assert running.process.wait(60) in {0, -signal.SIGTERM}
    # A call that came before the signal is answered; one that came after finds nobody.
    assert all(one == 200 or isinstance(one, Exception) for one in answers)


def test_two_replicas_on_one_database_judge_a_key_once(
    corpus_url: str, configs: Path, postgres: RealPostgres
) -> None:
    options = ("--configs", configs, "--database-url", postgres.url, "--public-url", "http://judge")
    with ExitStack() as replicas, ThreadPoolExecutor(16) as callers:
        clients = [
            replicas.enter_context(served(*options, PROMETHEUS_URL=corpus_url)).client
            for _ in range(2)
        ]
        asked = [
            callers.submit(ask, clients[number % 2], "err1-1", f"race.{number // 8}")
            for number in range(32)
        ]
        told = [one.result().json for one in asked]

    assert {one["verdict"] for one in told} == {"fail"}
    assert {one["looks"] for one in told} == {1}
    assert len({one["id"] for one in told}) == 4


def test_each_look_is_a_line_of_json_that_names_its_analysis(
    corpus_url: str, configs: Path
) -> None:
    with served("--configs", configs, PROMETHEUS_URL=corpus_url) as running:
        told = ask(running.client, "err1-1").json
        lines = [strict_json(line) for line in running.log.read_text().splitlines()]

    (look,) = (line for line in lines if line["logger"] == "serinus.runner")
    assert (look["analysis"], look["key"], look["result"]) == (told["id"], told["key"], "fail")
    assert look["message"] == told["summary"]


def test_settings_are_checked_before_anything_listens(configs: Path, tmp_path: Path) -> None:
    good = run_serinus("serve", "--configs", configs, "--check", cwd=tmp_path)
    (configs / "bad.yaml").write_text("version: 7\n")
    bad = run_serinus("serve", "--configs", configs, "--check", cwd=tmp_path)

    assert (good.code, good.out.strip()) == (0, "settings and 1 configurations are good: shop")
    assert bad.code == 2
    assert "bad" in bad.message


MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "an open address without tokens": (("--host", "0.0.0.0"), "give --tokens"),
    "a database that is none": (("--database-url", "nonsense"), "names no database"),
    "tokens that are not there": (("--tokens", "none.json"), "none.json"),
}


@pytest.mark.parametrize(("options", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_setting_that_cannot_be_used_is_named(
    configs: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    done: Done = run_serinus("serve", "--configs", configs, *options, cwd=tmp_path)

    assert done.code == 2
    assert words in done.message


def test_the_command_speaks_tls_with_the_certificates_of_its_settings(
    configs: Path, tmp_path: Path, requires_openssl: Path
) -> None:
    authority = Authority(requires_openssl, tmp_path)
    pair, client = authority.issue("service"), authority.issue("client")
    settings = tmp_path / "serinus.yaml"
    settings.write_text(
        "configs: configs\ntls_cert: service.pem\ntls_key: service.key\nclient_ca: authority.pem\n"
    )
    with served("--settings", settings) as running:
        told = running.client.call(
            "GET",
            "/v1/configs",
            verify=str(authority.certificate),
            cert=(str(client.certificate), str(client.key)),
        )

    assert pair.certificate.exists()
    assert told.json == {"configs": ["shop"]}


def test_an_address_that_is_taken_is_named_and_is_no_verdict(configs: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_serinus("serve", "--configs", configs, "--port", port, cwd=tmp_path)

    assert done.code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in done.message
