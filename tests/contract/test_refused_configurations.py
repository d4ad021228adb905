"""What an earlier release took and this one refuses is named, and hides nothing else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from analysis.sources import recording as recordings
from tests.support.corpus import RECORDINGS, run
from tests.support.service import Client, serving

ONE = run("err1-1")
CONFIG = (RECORDINGS / "canary.yaml").read_text()
REFUSED = f"{CONFIG}\nretired_option: 1\n"
BROWSER = {"Accept": "text/html"}


@dataclass
class Upgraded:
    """A service whose database an earlier release wrote to."""

    client: Client
    database: Path
    now: list[float]

    def ask(self, key: str, **body: Any) -> Any:
        told = {"config": "shop", "variables": {"run": ONE.name}, "start": ONE.start}
        return self.client.put(key, **(told | {"end": ONE.end} | body)).json

    def write(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            assert connection.execute(statement, values).rowcount == 1

    def refuse(self, analysis: str) -> None:
        self.write("UPDATE analyses SET config_text = ? WHERE id = ?", REFUSED, analysis)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Upgraded]:
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "shop.yaml").write_text(CONFIG)
    tape, now = recordings.load(RECORDINGS / ONE.name), [ONE.end + 60.0]
    database = tmp_path / "serinus.db"
    with serving(
        configs,
        connect=lambda _: tape,
        clock=lambda: now[0],
        inline=True,
        database_url=f"sqlite:///{database}",
    ) as client:
        yield Upgraded(client=client, database=database, now=now)


def test_a_list_names_what_is_refused_and_shows_the_rest(shop: Upgraded) -> None:
    old, new = shop.ask("old"), shop.ask("new")
    shop.refuse(old["id"])

    told = shop.client.get("/v1/analyses")

    listed = {one["id"]: one for one in told.json["analyses"]}
    newer, older = listed[new["id"]], listed[old["id"]]
    assert told.status == 200
    assert newer["warnings"] == new["warnings"]
    assert older["verdict"] == old["verdict"]
    assert "refuses the configuration" in older["warnings"][-1]
    assert "retired_option" in older["warnings"][-1]


def test_an_analysis_keeps_its_verdict_and_has_no_limits_to_tell(shop: Upgraded) -> None:
    old = shop.ask("old")
    shop.refuse(old["id"])

    told = shop.client.get(f"/v1/analyses/{old['id']}").json
    asked_again = shop.ask("old", final=True)

    assert asked_again == told
    assert (told["verdict"], told["score"]) == (old["verdict"], old["score"])
    assert (told["pass"], told["marginal"]) == (None, None)
    assert "retired_option" in told["warnings"][-1]


@pytest.mark.parametrize("page", ["/", "/analyses/{id}", "/compare?left={id}", "/services/shop"])
def test_the_pages_of_what_is_refused_answer(shop: Upgraded, page: str) -> None:
    old = shop.ask("old")
    shop.refuse(old["id"])

    told = shop.client.call("GET", page.format(**old), headers=BROWSER)

    assert told.status == 200
    assert "old" in told.text


def test_the_page_of_an_analysis_names_what_is_refused(shop: Upgraded) -> None:
    old = shop.ask("old")
    shop.refuse(old["id"])

    told = shop.client.call("GET", f"/analyses/{old['id']}", headers=BROWSER).text

    assert "This version of Serinus cannot judge what was recorded" in told
    assert "retired_option" in told


def test_what_runs_and_is_refused_is_neither_passed_nor_failed(shop: Upgraded) -> None:
    shop.now[0] = ONE.start  # nothing is there yet
    old = shop.ask("old")
    shop.refuse(old["id"])
    shop.now[0] = ONE.end + 60.0

    looked = shop.client.until_looked_again(old["id"], old["looks"])
    shop.now[0] += 30 * 86400.0
    ended = shop.client.until_completed(old["id"])

    assert (looked["status"], looked["verdict"]) == ("running", "inconclusive")
    assert "retired_option" in looked["summary"]
    assert (ended["status"], ended["verdict"]) == ("completed", "inconclusive")


def test_judging_again_by_a_version_that_is_refused_says_so(shop: Upgraded) -> None:
    old = shop.ask("old")
    shop.write("UPDATE versions SET text = ?", REFUSED)

    path = f"/v1/analyses/{old['id']}/rejudge"
    told = shop.client.call("POST", path, json={"version": old["version"]})

    assert (told.status, told.json["error"]["code"]) == (422, "faulty_configuration")
    assert "retired_option" in told.json["error"]["message"]


def test_an_execution_whose_canary_config_is_refused_ends_as_kayentas_failures_do(
    shop: Upgraded,
) -> None:
    old = shop.ask("old")
    kept = {"application": "a", "config": {"metrics": 5}, "request": LIMITS}
    request = json.dumps({**old["request"], "kayenta": kept})
    shop.write("UPDATE analyses SET request = ? WHERE id = ?", request, old["id"])

    listed = shop.client.get("/kayenta/canary/executions").json
    alone = shop.client.get(f"/kayenta/standalone_canary_analysis/{old['id']}").json

    assert [one["status"] for one in listed] == ["terminal"]
    assert "result" not in listed[0]
    assert "canaryConfig.metrics" in listed[0]["exception"]["details"]["errors"][0]
    assert (alone["executionStatus"], alone["exception"]) == ("TERMINAL", listed[0]["exception"])


LIMITS = {"thresholds": {"pass": 95, "marginal": 75}}
