"""Ten thousand analyses are kept: a list, a poll, a look that is due and a purge stay quick."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event

from analysis.store import AnalysisStore, Filter, Look, New, Status, open_database
from analysis.store.schema import ANALYSES
from tests.support.corpus import SHOP
from tests.support.postgres import RealPostgres
from tests.support.service import Client, serving

pytestmark = pytest.mark.e2e
MANY, CONFIGS, RUNNING = 10_000, 10, 20
REPORT = {"metrics": [{"name": "cpu", "series": "x" * 5000}]}
# Ended at second 10,000 + number.
T0, NOW = 10_000.0, 30_000.0
QUICK_S = 1.0  # on a machine that does much else; alone it is a tenth of that


@pytest.fixture(scope="module")
def postgres(requires_postgres: Path) -> Iterator[RealPostgres]:
    with RealPostgres(requires_postgres) as server:
        yield server


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """A store that is full, and the service on it."""

    engine: Engine
    store: AnalysisStore
    client: Client

    def plans(self, work: Callable[[], object]) -> list[str]:
        """Tell how SQLite finds the analyses that some work asks for."""
        asked: list[tuple[str, Any]] = []

        def note(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
            asked.append((statement, values))

        event.listen(self.engine, "before_cursor_execute", note)
        work()
        event.remove(self.engine, "before_cursor_execute", note)
        with self.engine.connect() as connection:
            return [
                row[3]
                for statement, values in asked
                if statement.lstrip().startswith(("SELECT", "DELETE", "UPDATE"))
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            ]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def full(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Full]:
    home = tmp_path_factory.mktemp("full")
    url = f"sqlite:///{home}/serinus.db"
    if request.param == "postgres":
        url = _database(request.getfixturevalue("postgres").url)
    for number in range(CONFIGS):
        (home / f"c{number}.yaml").write_text(SHOP.read_text())
    engine = open_database(url)
    store = AnalysisStore(engine)
    _fill(engine, store, is_sqlite=request.param == "sqlite")
    with serving(
        home, connect=lambda _: pytest.fail("nothing is due"), database_url=url, clock=lambda: NOW
    ) as client:
        yield Full(engine=engine, store=store, client=client)
    store.close()


def _database(url: str) -> str:
    admin = create_engine(
        url.replace("postgresql", "postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE many")
    admin.dispose()
    return url.removesuffix("postgres") + "many"


def _fill(engine: Engine, store: AnalysisStore, *, is_sqlite: bool) -> None:
    """Keep one analysis as the service does, and have the database copy it."""
    new = New(
        key="seed",
        identity="what",
        config="c0",
        config_text=SHOP.read_text(),
        version="v1",
        namespace="shop",
        request={"baseline": {}, "canary": {}, "start": 0.0, "end": 60.0},
        due=NOW + 1e6,
    )
    seed = store.begin(new, T0)
    numbers = "SELECT generate_series(1, {}) AS i"
    name = "lpad(to_hex(n.i), 28, '0')"
    if is_sqlite:
        numbers = (
            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {}) "
            "SELECT i FROM c"
        )
        name = "printf('%028x', n.i)"
    ended = f"n.i > {RUNNING}"
    changed = {
        "id": name,
        "key": "'key.' || n.i",
        "config": f"'c' || (n.i - n.i / {CONFIGS} * {CONFIGS})",
        "status": f"CASE WHEN {ended} THEN 'completed' ELSE 'running' END",
        "verdict": f"CASE WHEN {ended} THEN 'pass' END",
        "created": f"{T0} + n.i",
        "updated": f"{T0} + n.i",
        "report": "'" + str(REPORT).replace("'", '"') + "'",
    }
    columns = [column.name for column in ANALYSES.columns]
    values = ", ".join(changed.get(column, f'a."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    rows = f"FROM analyses a, ({numbers.format(MANY)}) n WHERE a.id = '{seed.id}'"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO analyses ({names}) SELECT {values} {rows}")
        if not is_sqlite:
            connection.exec_driver_sql("ANALYZE analyses")


def quickest(work: Callable[[], object]) -> float:
    """Give the seconds of the best of three."""
    took = []
    for _ in range(3):
        began = time.monotonic()
        work()
        took.append(time.monotonic() - began)
    return min(took)


ASKED = {
    "a poll": "/v1/analyses/" + "0" * 24 + "1770",
    "the newest": "/v1/analyses",
    "the most at once": "/v1/analyses?limit=500",
    "what runs": "/v1/analyses?status=running",
    "by key": "/v1/analyses?key=key.77",
    "by configuration": "/v1/analyses?config=c7",
    "what there is not": "/v1/analyses?config=none",
    "by verdict": "/v1/analyses?verdict=fail",
    "a later page": "/v1/analyses?cursor=" + "0" * 24 + "1000",
    "the facade": '/prom/api/v1/query?query=serinus_verdict{config="c7"}',
}


@pytest.mark.parametrize("path", ASKED.values(), ids=ASKED)
def test_an_answer_does_not_wait_for_what_is_kept(full: Full, path: str) -> None:
    assert full.client.get(path).status == 200
    assert quickest(lambda: full.client.get(path)) < QUICK_S


def test_a_page_holds_what_it_should(full: Full) -> None:
    told = full.client.get("/v1/analyses?status=running&limit=500").json

    assert len([one for one in told["analyses"] if one["key"] != "seed"]) == RUNNING


# PostgreSQL chooses by what is in its memory.
@pytest.mark.parametrize("full", ["sqlite"], indirect=True)
def test_what_is_asked_all_the_time_is_found_by_an_index(full: Full) -> None:
    store = full.store
    work: dict[str, Callable[[], object]] = {
        "a poll": lambda: store.get("0" * 28),
        "a call": lambda: store.latest("key.5"),
        "due": lambda: store.due(0.0, 8),
        "a lease": lambda: store.claim("0" * 28, "nobody", 0.0, 30.0),
        "a list of a key": lambda: store.find(Filter(key="key.77"), 50),
        "a purge": lambda: store.purge(before=0.0),
    }
    plans = {name: full.plans(one) for name, one in work.items()}

    assert all(plans.values()), plans
    scans = {
        name: [plan for plan in found if plan.startswith("SCAN analyses") and "INDEX" not in plan]
        for name, found in plans.items()
    }
    assert {name: found for name, found in scans.items() if found} == {}


def test_a_purge_removes_what_is_old_and_lets_others_write_meanwhile(full: Full) -> None:
    longest = 0.0
    done: list[int] = []

    def purge() -> None:
        done.append(full.store.purge(before=T0 + 5000.5))

    thread = threading.Thread(target=purge)
    began = time.monotonic()
    thread.start()
    while thread.is_alive():
        asked = time.monotonic()
        full.store.cancel("0" * 28, NOW)
        longest = max(longest, time.monotonic() - asked)
    took = time.monotonic() - began

    assert done == [5000 - RUNNING]
    assert took < 30.0
    assert longest < QUICK_S
    assert full.store.get(f"{5001:028x}") is not None
    assert full.store.get(f"{5000:028x}") is None
    assert full.store.get(f"{RUNNING:028x}") is not None


def test_a_look_that_is_kept_does_not_wait_for_what_is_kept(full: Full) -> None:
    look = Look(
        status=Status.COMPLETED,
        verdict="fail",
        score=0.0,
        summary="worse",
        report=REPORT,
        recording=b"x" * 100_000,
        due=NOW,
    )
    new = New(
        key="fresh",
        identity="what",
        config="c0",
        config_text=SHOP.read_text(),
        version="v1",
        namespace="shop",
        request={"start": 0.0, "end": 60.0},
        due=NOW,
    )

    began = time.monotonic()
    begun = full.store.begin(new, NOW)
    assert full.store.claim(begun.id, "me", NOW, NOW + 30)
    assert full.store.finish(begun.id, "me", look, NOW)

    assert time.monotonic() - began < QUICK_S
