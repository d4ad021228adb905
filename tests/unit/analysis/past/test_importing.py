"""Files of bare series become the recordings that a server would have given."""

from __future__ import annotations

import csv
import json
import lzma
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.config import CanaryConfig, load_config, parse_config
from analysis.consumers import json as report_json
from analysis.engine import analyze
from analysis.errors import ConfigError, SourceError
from analysis.past.dataset.importing import Imported, is_import, open_series
from analysis.past.looks import Schedule
from analysis.sources import recording as recordings
from analysis.sources.port import Answer, Request, RequestKind, Series
from analysis.sources.recording import Recording
from tests.support.corpus import ASKED, CORPUS, RECORDINGS, SHOP

RUN = "err1-1"


def without_expressions() -> CanaryConfig:
    """Read the configuration of the shop without the metric that needs an engine."""
    text = SHOP.read_text()
    begin, end = text.index("  # [4m] is"), text.index("  - name: memory")
    return parse_config(text[:begin] + text[end:])


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """Give the samples of a run that the configuration asks for, as OpenMetrics."""
    text = lzma.decompress((CORPUS / RUN / "raw.om.xz").read_bytes()).decode()
    return [line for line in text.splitlines() if line.startswith(ASKED)]


@pytest.fixture(scope="module")
def expected() -> Recording:
    return recordings.load(RECORDINGS / RUN)


@pytest.fixture
def listed(tmp_path: Path, expected: Recording) -> Path:
    """Write the list that names the run."""
    path, window = tmp_path / "list.csv", expected.window
    variables = ",".join(expected.variables["canary"])
    assert variables
    path.write_text(f"id,start,end,set.run\n{RUN},{window.start},{window.end},{RUN}\n")
    return path


def imported(listed: Path, file: Path, config: CanaryConfig) -> Recording:
    """Make the recording of the run out of a file."""
    series = open_series(file)
    origin = Imported(
        path=listed, config=config, text="", schedule=Schedule(every=None), series=series
    )
    (deployment,) = origin.listed()
    return origin.source(deployment)


def judged(config: CanaryConfig, recording: Recording, like: Recording) -> dict[str, Any]:
    """Judge a recording in another's window; of the report, what the series decide."""
    report = analyze(config, recording, like.window, like.variables)
    document: dict[str, Any] = json.loads(report_json.to_json(report))
    return {name: document[name] for name in ("verdict", "score", "metrics")}


def as_openmetrics(folder: Path, lines: list[str]) -> Path:
    """Write samples as they are exported, packed."""
    path = folder / "raw.om.xz"
    with lzma.open(path, "wt", preset=0) as file:
        file.write("# TYPE http_requests_total counter\n" + "\n".join(lines) + "\n# EOF\n")
    return path


def as_table(folder: Path, lines: list[str]) -> Path:
    """Write the same samples as a table, the newest first."""
    path = folder / "raw.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("metric", "labels", "time", "value"))
        for line in reversed(lines):
            series, value, time = line.rsplit(" ", 2)
            metric, _, labels = series.partition("{")
            writer.writerow((metric, labels.removesuffix("}"), time, value))
    return path


FILES: dict[str, Callable[[Path, list[str]], Path]] = {
    "OpenMetrics": as_openmetrics,
    "a long table": as_table,
}


@pytest.mark.parametrize("write", FILES.values(), ids=FILES)
def test_a_file_is_judged_as_the_server_that_held_its_samples(
    tmp_path: Path,
    lines: list[str],
    listed: Path,
    expected: Recording,
    write: Callable[[Path, list[str]], Path],
) -> None:
    config = without_expressions()

    found = imported(listed, write(tmp_path, lines), config)

    assert judged(config, found, expected) == judged(config, expected, expected)


def test_saved_answers_are_judged_as_the_server_that_gave_them(
    tmp_path: Path, listed: Path, expected: Recording
) -> None:
    config = load_config(SHOP)

    found = imported(listed, saved(tmp_path, expected), config)

    assert judged(config, found, expected) == judged(config, expected, expected)


def saved(folder: Path, recording: Recording) -> Path:
    """Save what a server answered as curl does, and list it in another notation of the queries."""
    rows = []
    for number, (request, answer) in enumerate(recording.answers.items()):
        (folder / f"{number}.json").write_text(json.dumps(api_answer(answer)))
        query = request.query.replace("{", "{ ").replace(", ", " ,  ")
        if request.kind is not RequestKind.RANGE:
            query += "[1h]"
        rows.append({"query": query, "file": f"{number}.json"})
    path = folder / "answers.yaml"
    path.write_text(json.dumps({"answers": rows}))
    return path


def api_answer(answer: Answer) -> dict[str, Any]:
    """Word an answer as the API does."""
    result = [
        {
            "metric": dict(one.labels),
            "values": [[t, repr(v)] for t, v in np.column_stack((one.times, one.values)).tolist()],
        }
        for one in answer.series
    ]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def test_an_expression_is_refused_by_name_with_the_remedy(
    tmp_path: Path, lines: list[str], listed: Path
) -> None:
    with pytest.raises(SourceError, match=r"max\(changes.*promtool tsdb create-blocks-from"):
        imported(listed, as_openmetrics(tmp_path, lines[:10]), load_config(SHOP))


OPENMETRICS = {
    "a sample without time is one scrape": ("up 1\n", r"raw\.om:1: has no timestamp"),
    "a line of something else": ("up 1 2\n<html>\n", r"raw\.om:2: is no sample"),
    "a value that is none": ("up one 2\n", "raw.om:1: .*one"),
    "a time that is none": ("up 1 NaN\n", "nan is no time"),
    "a series without a name": ('{pod="a"} 1 2\n', "has a name"),
    "labels that are none": ("up{pod=a} 1 2\n", "raw.om:1: is no series"),
}


@pytest.mark.parametrize(("text", "message"), OPENMETRICS.values(), ids=OPENMETRICS)
def test_a_faulty_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "raw.om").write_text(text)

    with pytest.raises(SourceError, match=message):
        open_series(tmp_path / "raw.om")


TABLES = {
    "other columns": ("a,b\n", "needed are time, metric, labels, value"),
    "a list of deployments": ("id,start,end\n", "is a list of deployments"),
    "a row too short": ("time,metric,labels,value\n1,up\n", r"raw\.csv:2"),
    "a time that is none": ("time,metric,labels,value\nsoon,up,,1\n", "soon"),
    "labels that are none": ("time,metric,labels,value\n1,up,pod,1\n", r"raw\.csv:2"),
}


@pytest.mark.parametrize(("text", "message"), TABLES.values(), ids=TABLES)
def test_a_faulty_table_is_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "raw.csv").write_text(text)

    with pytest.raises(SourceError, match=message):
        open_series(tmp_path / "raw.csv")


def ask(query: str, kind: RequestKind = RequestKind.SAMPLES) -> Request:
    """Ask for a minute."""
    step_s = 15.0 if kind is RequestKind.RANGE else 0.0
    return Request(kind=kind, query=query, start=0.0, end=60.0, step_s=step_s)


def only(file: Path, request: Request) -> Series:
    """Give the only series of an answer."""
    answer = open_series(file).answer([request])[request]
    assert isinstance(answer, Answer), answer
    (series,) = answer.series
    return series


def test_every_notation_of_openmetrics_is_read(tmp_path: Path) -> None:
    file = tmp_path / "raw.om"
    file.write_text(
        "# HELP x_bucket y\n\n"
        'x_bucket{le="+Inf",a="q\\"} \\\\ \\n"} 1e3 30.5 # {trace_id="a"} 1 2\n'
        'x_bucket{a="q\\"} \\\\ \\n",le="+Inf"} NaN 15\n'
        'x_bucket{le="+Inf",a="q\\"} \\\\ \\n"} +Inf 1\n'
        'x_bucket{le="+Inf",a="q\\"} \\\\ \\n"} -Inf 1\n'
        "# EOF\n"
    )

    found = only(file, ask("x_bucket"))

    assert found.labels == {"__name__": "x_bucket", "le": "+Inf", "a": 'q"} \\ \n'}
    assert found.times.tolist() == [1.0, 15.0, 30.5]
    assert found.values.tolist() == pytest.approx([-np.inf, np.nan, 1000.0], nan_ok=True)


LABELS = {
    "as JSON": '"{""pod"": ""a,b"", ""code"": ""500""}"',
    "as in PromQL": '"pod=""a,b"", code=""500"""',
    "as in PromQL with braces": '"{pod=""a,b"", code=""500""}"',
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_a_table_may_write_labels(tmp_path: Path, labels: str) -> None:
    file = tmp_path / "raw.csv"
    file.write_text(f"time,metric,labels,value\n1970-01-01T00:00:10Z,up,{labels},1\n")

    found = only(file, ask("up"))

    assert found.labels == {"__name__": "up", "pod": "a,b", "code": "500"}
    assert found.times.tolist() == [10.0]


def a_list(folder: Path, *answers: dict[str, object], **files: object) -> Path:
    """Write a list of saved answers, and the files."""
    for name, content in files.items():
        (folder / f"{name}.json").write_text(
            content if isinstance(content, str) else json.dumps(content)
        )
    path = folder / "answers.yaml"
    path.write_text(json.dumps({"answers": answers}))
    return path


def matrix(*times: float, **more: object) -> dict[str, object]:
    """Word a matrix of one series."""
    result = [{"metric": {"pod": "a"}, "values": [[time, "1"] for time in times]}]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}, **more}


RANGE = ask("sum(up)", RequestKind.RANGE)
UNFIT = {
    "nothing was saved": (
        [],
        {},
        r"no answer to 'sum\(up\)'; save it: curl .*range.*step",
    ),
    "the file is missing": ([{"query": "sum(up)", "file": "a.json"}], {}, "there is no file"),
    "another step": ([{"query": "sum(up)", "file": "a.json"}], {"a": matrix(0, 30, 60)}, "step"),
    "another start": ([{"query": "sum(up)", "file": "a.json"}], {"a": matrix(5, 20)}, "start"),
    "an error was saved": (
        [{"query": "sum(up)", "file": "a.json"}],
        {"a": {"status": "error", "errorType": "timeout", "error": "query timed out"}},
        "holds no answer but an error: query timed out",
    ),
    "a page was saved": ([{"query": "sum(up)", "file": "a.json"}], {"a": "<html>"}, "no JSON"),
}


@pytest.mark.parametrize(("answers", "files", "message"), UNFIT.values(), ids=UNFIT)
def test_what_was_not_saved_fittingly_is_told(
    tmp_path: Path, answers: list[dict[str, object]], files: dict[str, object], message: str
) -> None:
    error = open_series(a_list(tmp_path, *answers, **files)).answer([RANGE])[RANGE]

    assert isinstance(error, SourceError)
    assert re.search(message, str(error))


def test_pieces_of_an_answer_are_joined_with_their_warnings(tmp_path: Path) -> None:
    file = a_list(
        tmp_path,
        {"query": "sum( up )", "files": ["b.json", "a.json"]},
        a=matrix(0, 15, 30),
        b=matrix(30, 45, 60, warnings=["half of it"]),
    )

    answer = open_series(file).answer([RANGE])[RANGE]

    assert isinstance(answer, Answer)
    assert answer.series[0].times.tolist() == [0, 15, 30, 45, 60]
    assert answer.warnings == ("half of it",)


LISTS = {
    "no file": ([{"query": "up"}], "give file, or files"),
    "twice": ([{"query": "up", "file": "a"}, {"query": " up", "file": "b"}], "stands there twice"),
    "no PromQL": ([{"query": "sum(", "file": "a"}], "no PromQL"),
    "a misspelt key": ([{"query": "up", "fiel": "a"}], "did you mean 'file'"),
}


@pytest.mark.parametrize(("answers", "message"), LISTS.values(), ids=LISTS)
def test_a_faulty_list_of_answers_is_refused(
    tmp_path: Path, answers: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        open_series(a_list(tmp_path, *answers))


def test_folders_and_lists_are_no_imports(tmp_path: Path) -> None:
    assert [is_import(name) for name in ("a.om.gz", "a.CSV", "answers.yml")] == [True] * 3
    assert not any(map(is_import, (str(tmp_path), "sqlite:///x", "past.parquet")))
