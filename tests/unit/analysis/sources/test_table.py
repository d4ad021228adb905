"""A table as a source: rows in, series out, every misfit told."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from analysis.engine import analyze
from analysis.errors import SourceError
from analysis.sources.port import Answer, Request, RequestKind
from analysis.sources.table import Columns, TableSource
from analysis.window import Window
from judges import Verdict
from tests.support.builders import a_config

START = 1_800_000_000
ROWS = """\
time,metric,side,value
2027-01-15T08:01:00Z,orders,baseline,10
2027-01-15T08:02:00Z,orders,baseline,12
2027-01-15T09:03:00+01:00,orders,baseline,14
2027-01-15T08:01:00Z,orders,canary,3
2027-01-15T08:02:00Z,orders,canary,
2027-01-15T08:01:00Z,basket,canary,17.5
"""


def frame(text: str = ROWS) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


def a_range(query: str, *, minutes: int = 5) -> Request:
    end = START + 60 * minutes
    return Request(kind=RequestKind.RANGE, query=query, start=START, end=end, step_s=60)


def samples(query: str, *, minutes: int = 5) -> Request:
    return Request(kind=RequestKind.SAMPLES, query=query, start=START, end=START + 60 * minutes)


def answered(source: TableSource, request: Request) -> dict[str, list[tuple[float, float]]]:
    """Give the points of each side, with minutes since the start for times."""
    answer = source.answer([request])[request]
    assert isinstance(answer, Answer), answer
    return {
        one.labels.get("side", ""): list(
            zip(((one.times - START) / 60).tolist(), one.values.tolist(), strict=True)
        )
        for one in answer.series
    }


def test_a_selector_finds_its_rows() -> None:
    source = TableSource.of_frame(frame())

    assert answered(source, a_range('orders{side="baseline"}')) == {
        "baseline": [(1, 10), (2, 12), (3, 14)]
    }


SELECTORS = {
    "orders": {"baseline", "canary"},
    'orders{side!="canary"}': {"baseline"},
    'orders{side=~"can.*"}': {"canary"},
    'orders{side!~"can.*|x"}': {"baseline"},
    '{__name__="basket"}': {"canary"},
    'orders{region=""}': {"baseline", "canary"},
    'orders{side=~"can"}': set(),
    'orders{region="eu"}': set(),
}


@pytest.mark.parametrize(("query", "sides"), SELECTORS.items(), ids=SELECTORS)
def test_matchers_are_those_of_prometheus(query: str, sides: set[str]) -> None:
    assert answered(TableSource.of_frame(frame()), a_range(query)).keys() == sides


def test_a_step_has_the_mean_of_its_rows_and_nothing_where_there_are_none() -> None:
    rows = "time,metric,value\n" + "".join(
        f"{START + second},m,{value}\n" for second, value in ((1, 1), (60, 3), (61, 5), (200, 7))
    )

    assert answered(TableSource.of_frame(frame(rows)), a_range("m")) == {
        "": [(1, 2), (2, 5), (4, 7)]
    }


def test_increments_become_a_counter_that_begins_before_the_first_row() -> None:
    source = TableSource.of_frame(frame())

    assert answered(source, samples("orders"))["baseline"] == [(0, 0), (1, 10), (2, 22), (3, 36)]


def test_an_unknown_increment_adds_nothing() -> None:
    source = TableSource.of_frame(frame())

    assert answered(source, samples('orders{side="canary"}'))["canary"] == [(0, 0), (1, 3), (2, 3)]


def test_cumulative_counters_are_taken_as_they_are() -> None:
    source = TableSource.of_frame(frame(), is_cumulative=True)

    assert answered(source, samples("orders"))["baseline"] == [(1, 10), (2, 12), (3, 14)]


def test_a_window_cuts_rows_without_losing_what_came_before() -> None:
    source = TableSource.of_frame(frame())

    assert answered(source, samples("orders", minutes=2))["baseline"] == [(0, 0), (1, 10), (2, 22)]


def as_csv(rows: pd.DataFrame, folder: Path) -> Path:
    rows.to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


def as_gzip(rows: pd.DataFrame, folder: Path) -> Path:
    rows.to_csv(folder / "t.csv.gz", index=False)
    return folder / "t.csv.gz"


def as_parquet(rows: pd.DataFrame, folder: Path) -> Path:
    path = folder / "t.parquet"
    typed = rows.assign(time=pd.to_datetime(rows["time"], utc=True, format="ISO8601"))
    with duckdb.connect() as connection:
        connection.register("rows", typed)
        connection.execute(f"COPY rows TO '{path}' (FORMAT parquet)")
    return path


@pytest.mark.parametrize("write", [as_csv, as_gzip, as_parquet])
def test_every_kind_of_file_holds_the_same(tmp_path: Path, write: Any) -> None:
    expected, query = TableSource.of_frame(frame()), a_range("orders")

    assert answered(TableSource.read(write(frame(), tmp_path)), query) == answered(expected, query)


def test_columns_may_have_other_names() -> None:
    rows = frame().rename(columns={"time": "at", "metric": "what", "value": "how_much"})

    source = TableSource.of_frame(rows, Columns(time="at", metric="what", value="how_much"))

    assert answered(source, a_range("orders")).keys() == {"baseline", "canary"}


def test_times_may_be_seconds_or_pandas_own() -> None:
    seconds = frame().assign(time=[START + 60 * n for n in (1, 2, 3, 1, 2, 1)])
    stamps = seconds.assign(time=pd.to_datetime(seconds["time"], unit="s"))

    one, other = (
        answered(TableSource.of_frame(rows), a_range("orders")) for rows in (seconds, stamps)
    )

    assert one == other == answered(TableSource.of_frame(frame()), a_range("orders"))


def test_labels_that_are_numbers_are_written_as_text() -> None:
    rows = frame().assign(shard=[1, 2, 3, 4, 5, 6])

    found = answered(TableSource.of_frame(rows), a_range('orders{shard="4"}'))

    assert found == {"canary": [(1, 3)]}


UNUSABLE = {
    "a column is missing": ("time,name,value\n1,a,2\n", "has no column metric; its columns are"),
    "a time is none": ("time,metric,value\nnoon,a,2\n", "holds something that is no time"),
    "a time is missing": (
        "time,metric,value\n2027-01-15T08:01:00Z,a,2\n,a,2\n",
        "lacks a time in row 2",
    ),
    "a value is none": ("time,metric,value\n1,a,2\n2,a,two\n", "no number in row 2: 'two'"),
    "a value stands twice": ("time,metric,value\n1,a,2\n1,a,3\n", "two values of __name__='a' at"),
}


@pytest.mark.parametrize(("text", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_table_that_cannot_be_meant_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)

    with pytest.raises(SourceError, match=message) as raised:
        TableSource.read(path)

    assert str(path) in str(raised.value)


def test_files_that_are_no_tables_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_text("no parquet")
    (tmp_path / "t.xlsx").write_text("")

    with pytest.raises(SourceError, match="cannot be read as a table"):
        TableSource.read(tmp_path / "t.parquet")
    with pytest.raises(SourceError, match=r"must end with one of \.csv"):
        TableSource.read(tmp_path / "t.xlsx")
    with pytest.raises(SourceError, match="No such file"):
        TableSource.read(tmp_path / "nowhere.csv")


QUESTIONS = {
    "an expression": "rate(orders[5m])",
    "an aggregate": "sum(orders)",
    "an offset": "orders offset 5m",
    "no PromQL": "orders{",
}


@pytest.mark.parametrize("query", QUESTIONS.values(), ids=QUESTIONS)
def test_what_a_table_cannot_answer_is_refused_with_the_remedy(query: str) -> None:
    source = TableSource.of_frame(frame())
    requests = [a_range(query), a_range("orders")]

    answers = source.answer(requests)

    error = answers[requests[0]]
    assert isinstance(error, SourceError)
    assert (error.code, error.query) == ("refused", query)
    assert isinstance(answers[requests[1]], Answer)


# ---- judged


def an_hour(failing: float) -> pd.DataFrame:
    """Draw an hour of orders a minute, with failures among them and response times in buckets."""
    rng = np.random.default_rng(1)
    rows: list[dict[str, object]] = []
    for side, share in (("baseline", 0.01), ("canary", failing)):
        for minute in range(1, 61):
            at, drawn = START + 60 * minute, int(rng.poisson(400))
            slow = int(rng.binomial(drawn, 0.1))
            counted = {"orders": drawn, "failed": int(rng.binomial(drawn, share))}
            rows += [
                {"time": at, "metric": name, "side": side, "le": "", "value": value}
                for name, value in counted.items()
            ]
            rows += [
                {"time": at, "metric": "latency_bucket", "side": side, "le": le, "value": value}
                for le, value in (("0.1", drawn - slow), ("1", drawn), ("+Inf", drawn))
            ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("failing", "verdict"), [(0.01, Verdict.PASS), (0.03, Verdict.FAIL)], ids=["good", "bad"]
)
def test_a_table_is_judged(failing: float, verdict: Verdict) -> None:
    counts = {"events": 'failed{side="${side}"}', "total": 'orders{side="${side}"}'}
    judge = {"kind": "error_ratio", "margin": {"ratio": 1.5, "absolute": 0.005}}
    config = a_config(
        {"name": "failed orders", "critical": True, "counts": counts, "judge": judge},
        {
            "name": "slow",
            "histogram": 'latency_bucket{side="${side}"}',
            "judge": {"kind": "exceedance", "edge": 0.1},
        },
        source={"table": {"path": "unused.csv"}},
        variables={"baseline": {"side": "baseline"}, "canary": {"side": "canary"}},
        window={"planned": "1h", "warmup": "0s"},
    )
    window = Window(start=START, end=START + 3600, warmup_s=0, step_s=60)

    report = analyze(config, TableSource.of_frame(an_hour(failing)), window, {})

    assert report.verdict is verdict
    assert report.metrics[1].judgment.verdict is Verdict.PASS
