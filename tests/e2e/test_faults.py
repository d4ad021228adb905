"""Faults, made for real: nothing is lost, nothing judged twice, nothing promoted.

docs/reference/faults.md has a row for each.
"""

from __future__ import annotations

import json
import resource
import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from analysis.cli.serve import _connect
from analysis.service.outcomes import RETRY_S
from analysis.service.runner import LEASE_S
from tests.support.corpus import SHOP, past, run
from tests.support.flaky import Way, flaky
from tests.support.postgres import RealPostgres
from tests.support.prometheus import RealPrometheus
from tests.support.service import Answer, Client, served, serving

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
BAD, GOOD = "err1-1", "aa-1"
AT_ONCE = 50
OUTAGE_S = 30.0
HOUR_S = 3600.0


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


@pytest.fixture
def way(corpus_url: str) -> Iterator[Way]:
    with flaky(corpus_url) as open_way:
        yield open_way


def body(name: str, **changes: Any) -> dict[str, Any]:
    one = run(name)
    told = {"config": "shop", "variables": {"run": name}, "start": one.start, "end": one.end}
    return told | {"budget": "60s"} | changes


def ask(client: Client, name: str, key: str, **changes: Any) -> Answer:
    return client.put(key, **body(name, **changes))


def begin(client: Client, name: str, keys: list[str]) -> list[str]:
    """Begin analyses without waiting for a look; give their ids."""
    return [ask(client, name, key, mode="async").json["id"] for key in keys]


def completed(client: Client) -> int:
    return len(client.get("/v1/analyses?status=completed&limit=500").json["analyses"])


def until(is_so: Any, within_s: float = 60.0) -> None:
    limit = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.1)


def test_of_fifty_runs_of_a_killed_replica_none_is_lost_or_judged_twice(
    corpus_url: str, configs: Path, postgres: RealPostgres
) -> None:
    options = ("--configs", configs, "--database-url", postgres.url, "--workers", "4")
    with ExitStack() as replicas:
        killed, left = (
            replicas.enter_context(served(*options, PROMETHEUS_URL=corpus_url)) for _ in range(2)
        )
        before = completed(left.client)
        ids = begin(killed.client, BAD, [f"kill.{number}" for number in range(AT_ONCE)])
        until(lambda: completed(left.client) > before)
        killed.process.send_signal(signal.SIGKILL)
        killed.process.wait()
        were_done, began = completed(left.client) - before, time.monotonic()
        told = [left.client.until_completed(one, LEASE_S + 60) for one in ids]
        took = time.monotonic() - began

    assert were_done < AT_ONCE
    assert {one["verdict"] for one in told} == {"fail"}
    assert {one["looks"] for one in told} == {1}
    assert took < LEASE_S + 60


def test_an_outage_of_the_database_of_half_a_minute_is_borne(
    corpus_url: str, configs: Path, postgres: RealPostgres
) -> None:
    options = ("--configs", configs, "--database-url", postgres.url)
    with served(*options, PROMETHEUS_URL=corpus_url) as running:
        client = running.client
        before = ask(client, BAD, "outage.0").json
        ids = begin(client, GOOD, [f"outage.{number}" for number in range(1, 11)])
        postgres.stop()
        ends, down, alive = time.monotonic() + OUTAGE_S, [], client.get("/healthz")
        while time.monotonic() < ends:
            down += [ask(client, BAD, "outage.0"), client.get("/readyz")]
            alive = client.get("/healthz")
            time.sleep(1)
        postgres.start()
        after = ask(client, BAD, "outage.0").json
        told = [client.until_completed(one, LEASE_S + 60) for one in ids]

    assert {(one.status, one.json["error"]["code"]) for one in down} == {(503, "store_down")}
    assert alive.status == 200
    assert after == before
    assert {(one["verdict"], one["looks"]) for one in told} == {("pass", 1)}


def test_a_prometheus_that_goes_and_comes_back_is_waited_for(way: Way, configs: Path) -> None:
    with served("--configs", configs, PROMETHEUS_URL=way.url) as running:
        way.is_open = False
        down = ask(running.client, BAD, "down")
        way.is_open = True
        up = running.client.until_completed(down.json["id"], RETRY_S + 60)

    assert down.status == 200
    assert (down.json["status"], down.json["verdict"]) == ("running", "inconclusive")
    assert up["verdict"] == "fail"


def test_a_slow_prometheus_delays_a_verdict_and_no_answer(way: Way, configs: Path) -> None:
    way.delay_s = 2.0
    with served("--configs", configs, PROMETHEUS_URL=way.url) as running:
        began = time.monotonic()
        first = ask(running.client, BAD, "slow", budget="1s")
        took = time.monotonic() - began
        told = running.client.until_completed(first.json["id"])

    assert (first.status, first.json["argo"][1]) == (202, "running")
    assert took < 2.0
    assert (told["verdict"], told["looks"]) == ("fail", 1)


def test_a_flapping_prometheus_turns_no_verdict(way: Way, configs: Path) -> None:
    way.flaps_s = 1.5
    with served("--configs", configs, "--workers", "2", PROMETHEUS_URL=way.url) as running:
        client = running.client
        ids = {
            name: begin(client, name, [f"{name}.{n}" for n in range(10)]) for name in (BAD, GOOD)
        }
        said: dict[str, set[Any]] = {name: set() for name in ids}

        def have_ended() -> bool:
            now = {
                name: [client.get(f"/v1/analyses/{one}").json for one in ids[name]] for name in ids
            }
            for name, found in now.items():
                said[name] |= {one["verdict"] for one in found}
            return all(one["status"] == "completed" for found in now.values() for one in found)

        until(have_ended, within_s=120.0)

    assert way.cut > 0
    assert said[BAD] <= {None, "inconclusive", "fail"}
    assert said[GOOD] <= {None, "inconclusive", "pass"}
    assert "fail" in said[BAD]
    assert "pass" in said[GOOD]


def test_a_full_disk_changes_nothing_and_is_forgotten_when_there_is_room(
    corpus_url: str, configs: Path, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path}/serinus.db"
    options = ("--configs", configs, "--database-url", database)
    with served(*options, PROMETHEUS_URL=corpus_url) as running:
        client, pid = running.client, running.process.pid
        before = ask(client, BAD, "full.1").json
        ids = begin(client, GOOD, [f"full.async.{number}" for number in range(5)])
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))  # no file takes a byte
        full = ask(client, BAD, "full.2")
        read = client.get(f"/v1/analyses/{before['id']}")
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        after = ask(client, BAD, "full.2").json
        told = [client.until_completed(one, LEASE_S + 60) for one in ids]

    assert (full.status, full.json["error"]["code"]) == (503, "store_down")
    assert (read.status, read.json) == (200, before)
    assert (after["verdict"], after["generation"], after["looks"]) == ("fail", 1, 1)
    assert {(one["verdict"], one["looks"]) for one in told} == {("pass", 1)}


@dataclass
class Clock:
    """A clock that somebody sets."""

    now: float

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("name", [BAD, GOOD])
def test_a_clock_that_jumps_ahead_ends_analyses_without_promoting_them(
    requires_prometheus: object, configs: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    one = run(name)
    seen_s = one.start + 60.0
    clock = Clock(seen_s)
    with RealPrometheus(openmetrics=_until(past([name]), seen_s)) as prometheus:
        monkeypatch.setenv("PROMETHEUS_URL", prometheus.url)
        with serving(configs, connect=_connect, clock=clock) as client:
            before = ask(client, name, "ahead").json
            clock.now += HOUR_S
            told = client.until_completed(before["id"])

    assert before["verdict"] != "pass"
    assert told["verdict"] == "inconclusive"


def test_a_clock_that_jumps_back_stops_no_look(
    corpus_url: str, configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = run(GOOD)
    clock = Clock(one.start + 60.0)
    monkeypatch.setenv("PROMETHEUS_URL", corpus_url)
    with serving(configs, connect=_connect, clock=clock) as client:
        before = ask(client, GOOD, "back").json
        clock.now -= HOUR_S
        until(lambda: client.get(f"/v1/analyses/{before['id']}").json["looks"] > before["looks"])
        back = client.get(f"/v1/analyses/{before['id']}").json
        clock.now = one.end + 60.0
        told = client.until_completed(before["id"])

    assert (before["status"], back["status"], back["verdict"]) == ("running", "running", None)
    assert told["verdict"] == "pass"


def _until(openmetrics: str, end: float) -> str:
    """Keep the samples up to an instant."""
    kept = (line for line in openmetrics.splitlines() if float(line.rpartition(" ")[2]) <= end)
    return "\n".join([*kept, ""])


def test_callers_that_hang_up_take_no_verdict_and_no_worker_with_them(
    way: Way, configs: Path
) -> None:
    way.delay_s = 0.3
    with served("--configs", configs, PROMETHEUS_URL=way.url) as running:
        client = running.client
        for number in range(AT_ONCE):
            _hang_up(client, f"gone.{number % 5}")
        told = [ask(client, BAD, f"gone.{number}").json for number in range(5)]
        for one in told:
            _hang_up(client, "", f"/v1/analyses/{one['id']}/series", after_bytes=100)
        began = time.monotonic()
        assert client.get("/readyz").status == 200
        took, log = time.monotonic() - began, running.log.read_text()

    assert {(one["verdict"], one["looks"]) for one in told} == {("fail", 1)}
    assert took < 2.0
    assert "Traceback" not in log


def _hang_up(client: Client, key: str, path: str = "", after_bytes: int = 0) -> None:
    """Call, read so many bytes, and reset the connection."""
    host, _, port = urlsplit(client.url).netloc.partition(":")
    sent = json.dumps(body(BAD)).encode() if key else b""
    method, where = ("PUT", f"/v1/analyses/{key}") if key else ("GET", path)
    head = (
        f"{method} {where} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(sent)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode() + sent)
        if after_bytes:
            connection.recv(after_bytes)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
