"""Lists of deployments: what is read, and how faults are told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from analysis.errors import ConfigError
from analysis.past.deployment import Truth
from analysis.past.tables import read_deployments
from tests.support.builders import START, written

HEAD = "id,start,end"
ROW = "one,1800000000,2027-01-15T09:00:00+01:00"


def test_a_row_says_what_when_and_how_it_went(tmp_path: Path) -> None:
    text = (
        f"{HEAD},truth,fault_start,service,set.namespace,canary.hash,canary.namespace\n"
        "one,1800000000,2027-01-15T09:10:00+01:00,bad,1800000120.5,shop,prod,7f9b,edge\n"
    )

    (read,) = read_deployments(written(tmp_path, text, "past.csv"))

    assert read.id == "one"
    assert read.start == datetime.fromtimestamp(START, tz=UTC)
    assert read.end == datetime.fromtimestamp(START + 600, tz=UTC)
    assert read.truth is Truth.BAD
    assert read.fault_start == datetime.fromtimestamp(START + 120.5, tz=UTC)
    assert read.service == "shop"
    assert read.variables == {
        "baseline": {"namespace": "prod"},
        "canary": {"namespace": "edge", "hash": "7f9b"},
    }


def test_empty_cells_say_nothing(tmp_path: Path) -> None:
    text = f"{HEAD},truth,fault_start,service,canary.hash\none,0,60,,,,\n"

    (read,) = read_deployments(written(tmp_path, text, "past.csv"))

    assert (read.truth, read.fault_start, read.service) == (None, None, "")
    assert read.variables == {"baseline": {}, "canary": {}}


def test_parquet_says_the_same_as_csv(tmp_path: Path) -> None:
    rows = written(tmp_path, f"{HEAD},truth,canary.hash\none,0,60,good,007\ntwo,60,90,,\n", "a.csv")
    parquet = tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.read_csv(str(rows), all_varchar=True).project(
            'id, to_timestamp(start::DOUBLE) AS start, to_timestamp("end"::DOUBLE) AS "end", '
            'truth, "canary.hash"'
        ).write_parquet(str(parquet))

    assert read_deployments(parquet) == read_deployments(rows)


FAULTS = {
    "a misspelt column has a neighbor": (
        f"{HEAD},turth\n{ROW},good",
        "turth.*did you mean 'truth'",
    ),
    "a stranger is refused": (f"{HEAD},author\n{ROW},me", "author.*known are id, start"),
    "a column is missing": ("id,start\none,0", "end: is missing among the columns"),
    "an instant has an offset": (f"{HEAD}\none,2027-01-15T08:00:00,1", "no offset from UTC"),
    "a truth is good or bad": (f"{HEAD},truth\n{ROW},ugly", "must be good, bad or empty"),
    "the end is not the start": (f"{HEAD}\none,60,60", "lies before the start"),
    "ids differ": (f"{HEAD}\none,0,60\none,0,60", "stands in row 2 too"),
    "an id is given": (f"{HEAD}\n,0,60", "id: is empty"),
    "rows are as long as the header": (f"{HEAD}\none,0", "has 2 cells, the header has 3"),
}


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_deployments(written(tmp_path, text, "past.csv"))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = f"{HEAD},truth\none,x,60,ugly\ntwo,0,60,bed\n"

    with pytest.raises(ConfigError) as refused:
        read_deployments(written(tmp_path, text, "past.csv"))

    assert [fault.line for fault in refused.value.faults] == [2, 2, 3]


@pytest.mark.parametrize("name", ["past.csv", "past.parquet"])
def test_a_list_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}: there is no such file"):
        read_deployments(tmp_path / name)


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no readable Parquet"):
        read_deployments(written(tmp_path, "id,start,end", "past.parquet"))
