"""What the store promises on both databases: nothing lost, nothing judged twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from analysis.errors import ConfigError
from analysis.store import (
    AnalysisStore,
    Document,
    DocumentStore,
    Filter,
    Kind,
    Look,
    New,
    Status,
    VersionStore,
    open_database,
)
from analysis.store.schema import METADATA
from tests.support.postgres import RealPostgres


@pytest.fixture(scope="session")
def postgres(requires_postgres: Path) -> Iterator[RealPostgres]:
    with RealPostgres(requires_postgres) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/serinus.db"
    server: RealPostgres = request.getfixturevalue("postgres")
    name = f"t{abs(hash(tmp_path)):x}"
    admin = create_engine(
        server.url.replace("postgresql", "postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    admin.dispose()
    return server.url.removesuffix("postgres") + name


@pytest.fixture
def store(url: str) -> Iterator[AnalysisStore]:
    opened = AnalysisStore(open_database(url))
    yield opened
    opened.close()


def new(key: str = "k", **changes: Any) -> New:
    told: dict[str, Any] = {
        "key": key,
        "identity": "what",
        "config": "shop",
        "config_text": "version: 1",
        "version": "v1",
        "namespace": "prod",
        "request": {"start": 0.0, "end": 60.0},
        "due": 0.0,
    }
    return New(**(told | changes))


def look(status: Status = Status.COMPLETED, **changes: Any) -> Look:
    told: dict[str, Any] = {
        "status": status,
        "verdict": "pass",
        "score": 100.0,
        "summary": "fine",
        "report": {"metrics": []},
        "recording": b"answers",
        "due": 30.0,
    }
    return Look(**(told | changes))


def test_the_migrations_make_the_tables_that_the_code_expects(url: str) -> None:
    engine = open_database(url)

    with engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), METADATA)
    engine.dispose()

    assert difference == []


def test_processes_that_start_together_migrate_once(url: str) -> None:
    with ThreadPoolExecutor(4) as processes:
        engines = list(processes.map(open_database, [url] * 4))

    for engine in engines:
        engine.dispose()


def test_a_key_is_begun_once_however_many_call(url: str) -> None:
    engine = open_database(url)
    stores = [AnalysisStore(engine), AnalysisStore(open_database(url))]

    with ThreadPoolExecutor(8) as callers:
        begun = list(callers.map(lambda n: stores[n % 2].begin(new(), now=float(n)), range(16)))

    assert len({record.id for record in begun}) == 1
    for one in stores:
        one.close()


def test_a_lease_is_held_by_one_and_free_when_it_has_run_out(store: AnalysisStore) -> None:
    begun = store.begin(new(), now=0.0)

    assert store.claim(begun.id, "a", now=1.0, until=30.0)
    assert not store.claim(begun.id, "b", now=2.0, until=30.0)
    assert store.due(now=2.0, limit=9) == []
    assert store.due(now=31.0, limit=9) == [begun.id]
    assert store.claim(begun.id, "b", now=31.0, until=60.0)


def test_of_many_replicas_one_gets_the_lease(url: str) -> None:
    store = AnalysisStore(open_database(url))
    begun = store.begin(new(), now=0.0)

    with ThreadPoolExecutor(8) as replicas:
        won = list(replicas.map(lambda n: store.claim(begun.id, f"r{n}", 1.0, 30.0), range(16)))

    assert sum(won) == 1
    store.close()


def test_who_lost_the_lease_keeps_nothing(store: AnalysisStore) -> None:
    begun = store.begin(new(), now=0.0)
    store.claim(begun.id, "slow", now=1.0, until=30.0)
    store.claim(begun.id, "quick", now=31.0, until=60.0)

    assert store.finish(begun.id, "quick", look(verdict="fail"), now=32.0)
    assert not store.finish(begun.id, "slow", look(verdict="pass"), now=33.0)

    kept = store.get(begun.id)
    assert kept is not None
    assert (kept.verdict, kept.looks) == ("fail", 1)


def test_a_renewed_lease_goes_on(store: AnalysisStore) -> None:
    begun = store.begin(new(), now=0.0)
    store.claim(begun.id, "a", now=1.0, until=30.0)

    store.renew([begun.id], "a", until=90.0)

    assert not store.claim(begun.id, "b", now=60.0, until=90.0)


HOUR_S = 3600.0


def test_a_clock_that_was_set_back_an_hour_delays_no_look(store: AnalysisStore) -> None:
    begun = store.begin(new(due=HOUR_S), now=HOUR_S)

    assert begun.is_due(1.0)
    assert store.due(now=1.0, limit=9) == [begun.id]
    assert store.claim(begun.id, "a", now=1.0, until=31.0)
    store.finish(begun.id, "a", look(Status.RUNNING, due=40.0), now=10.0)
    assert store.due(now=11.0, limit=9) == []
    assert store.due(now=40.0, limit=9) == [begun.id]


def test_the_lease_of_a_process_that_died_before_the_clock_was_set_back_ends(
    store: AnalysisStore,
) -> None:
    begun = store.begin(new(), now=0.0)
    store.claim(begun.id, "dead", now=HOUR_S, until=HOUR_S + 30)

    assert store.claim(begun.id, "a", now=1.0, until=31.0)


def test_clocks_that_differ_by_seconds_take_no_lease_away(store: AnalysisStore) -> None:
    begun = store.begin(new(), now=0.0)
    store.claim(begun.id, "ahead", now=25.0, until=55.0)

    assert not store.claim(begun.id, "behind", now=1.0, until=31.0)


def test_a_look_is_kept_with_its_answers(store: AnalysisStore) -> None:
    begun = store.begin(new(), now=0.0)
    for number in range(2):
        store.claim(begun.id, "a", now=31.0 * number, until=31.0 * number + 9)
        packed = f"answers {number}".encode()
        status = Status.COMPLETED if number else Status.RUNNING
        store.finish(begun.id, "a", look(status, recording=packed), now=1.0)

    kept = store.get(begun.id)
    assert kept is not None
    assert (kept.status, kept.looks, kept.report) == (Status.COMPLETED, 2, {"metrics": []})
    assert store.recording(begun.id) == b"answers 1"
    assert store.due(now=1e9, limit=9) == []


def test_a_list_reads_no_report_but_what_it_warned_of(store: AnalysisStore) -> None:
    begun = store.begin(new(), now=0.0)
    assert store.claim(begun.id, "me", now=0.0, until=30.0)
    store.finish(begun.id, "me", look(report={"metrics": [], "warnings": ["few pods"]}), now=1.0)

    (listed,) = store.find(Filter(), 10)
    (whole,) = store.find(Filter(), 10, reports=True)

    assert (listed.report, listed.warnings) == (None, ("few pods",))
    assert whole.report == {"metrics": [], "warnings": ["few pods"]}


def test_numbers_of_a_report_come_back_as_they_were_and_nan_as_nothing(
    store: AnalysisStore,
) -> None:
    begun = store.begin(new(), now=0.0)
    assert store.claim(begun.id, "me", now=0.0, until=30.0)
    report = {"levels": [np.float64(1 / 3), 5e-324, 2**63, float("nan")], "pod": "größer"}
    store.finish(begun.id, "me", look(report=report), now=1.0)

    found = store.get(begun.id)

    assert found is not None
    assert found.report == {"levels": [1 / 3, 5e-324, 2**63, None], "pod": "größer"}


def test_what_is_canceled_while_it_is_looked_at_stays_canceled(store: AnalysisStore) -> None:
    begun = store.begin(new(), now=0.0)
    store.claim(begun.id, "a", now=1.0, until=30.0)

    assert store.cancel(begun.id, now=2.0)
    assert not store.finish(begun.id, "a", look(), now=3.0)

    kept = store.get(begun.id)
    assert kept is not None
    assert kept.status is Status.CANCELED


def test_a_list_shows_what_is_asked_for_newest_first(store: AnalysisStore) -> None:
    ids = [
        store.begin(new(f"k{n}", namespace="prod" if n % 2 else "test"), now=float(n + 1)).id
        for n in range(4)
    ]

    assert [r.id for r in store.find(Filter(), limit=9)] == ids[::-1]
    assert [r.id for r in store.find(Filter(namespaces=("prod",)), limit=9)] == [ids[3], ids[1]]
    assert [r.id for r in store.find(Filter(before=ids[2]), limit=1)] == [ids[1]]
    assert store.find(Filter(configs=("other",)), limit=9) == []


def test_what_ended_long_ago_is_removed_and_what_runs_is_not(store: AnalysisStore) -> None:
    ended, runs = store.begin(new("a"), now=0.0), store.begin(new("b"), now=0.0)
    store.claim(ended.id, "x", now=1.0, until=9.0)
    store.finish(ended.id, "x", look(), now=2.0)

    assert store.purge(before=100.0) == 1
    assert store.get(ended.id) is None
    assert store.recording(ended.id) is None
    assert store.get(runs.id) is not None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "names no database"),
        ("sqlite:////no/such/folder/x.db", "unable to open"),
        ("postgresql://u:secret@127.0.0.1:1/x", "cannot use"),
        ("oracle9://x", "names no database"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_without_its_password(url: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        open_database(url)

    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_version_is_kept_once_with_when_it_was_used(url: str) -> None:
    engine = open_database(url)
    store, versions = AnalysisStore(engine), VersionStore(engine)

    store.begin(new("a", version="v1", config_text="one"), now=10.0)
    store.begin(new("b", version="v2", config_text="two"), now=20.0)
    store.begin(new("c", version="v1", config_text="one, with a comment"), now=30.0)
    store.begin(new("d", config="inline", keeps_version=False), now=40.0)

    found = [
        (one.version, one.text, one.first_used, one.last_used) for one in versions.of("shop", 9)
    ]
    assert found == [("v1", "one", 10.0, 30.0), ("v2", "two", 20.0, 20.0)]
    assert versions.of("inline", 9) == []
    assert versions.get("shop", "v3") is None
    store.close()


def test_documents_are_added_once_changed_found_and_removed(url: str) -> None:
    engine = open_database(url)
    documents = DocumentStore(engine)
    one = Document(
        kind=Kind.CANARY_CONFIG, id="shop", owner="ci", body={"a": 1}, created=1.0, updated=1.0
    )

    assert documents.add(one)
    assert not documents.add(one)
    assert documents.add(replace(one, kind=Kind.METRIC_SET_PAIRS))  # ids are of a kind
    assert documents.replace(Kind.CANARY_CONFIG, "shop", {"a": 2}, 2.0)
    assert not documents.replace(Kind.CANARY_CONFIG, "none", {}, 2.0)
    (found,) = documents.of(Kind.CANARY_CONFIG, 9)
    assert found == replace(one, body={"a": 2}, updated=2.0)
    assert documents.purge(Kind.METRIC_SET_PAIRS, before=2.0) == 1
    assert documents.remove(Kind.CANARY_CONFIG, "shop")
    assert documents.get(Kind.CANARY_CONFIG, "shop") is None
    engine.dispose()


def test_a_database_of_an_older_release_is_brought_up_to_date_and_loses_nothing(url: str) -> None:
    engine = open_database(url)
    begun = AnalysisStore(engine).begin(new(), now=0.0)
    with engine.begin() as connection:  # as release 2 left it
        for table in ("versions", "documents"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql("ALTER TABLE analyses DROP COLUMN version")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
    engine.dispose()

    store = AnalysisStore(open_database(url))

    assert store.get(begun.id) == replace(begun, version="")
    store.close()


def stamped(url: str, version: str) -> None:
    """Leave a database as if a program of that version had been there last."""
    engine = open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    engine.dispose()


def test_a_release_that_is_rolled_back_works_on_the_tables_of_the_newer_one(url: str) -> None:
    stamped(url, "9999")

    store = AnalysisStore(open_database(url))

    begun = store.begin(new(), now=0.0)
    assert store.get(begun.id) == begun
    store.close()


def test_the_tables_of_another_program_are_left_alone(url: str) -> None:
    stamped(url, "4f2a1c")

    with pytest.raises(ConfigError, match="none of Serinus'"):
        open_database(url)
