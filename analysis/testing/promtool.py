"""Expressions about inline series, evaluated by Prometheus itself: `promtool test rules`.

Each instant of each query becomes a test that expects nothing; what promtool got instead is the
answer. So the notation, staleness and every function are Prometheus' own.

References:
    https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import SourceError
from analysis.sources.port import Answer, Answers, Request, Series
from analysis.sources.scraped import instants_of

# A thousand evaluations take a second; what takes longer hangs.
ENDS_WITHIN_S = 120.0

_STRING = r'"(?:[^"\\]|\\.)*"'
_HEADER = re.compile(rf"    expr: {_STRING}, time: (?P<time>[^\s,]+),(?: err: (?P<error>.*))?")
_GOT = re.compile(r"        got: (?P<got>.*)")
_SAMPLE = re.compile(rf"(?P<labels>\{{(?:[^\"{{}}]|{_STRING})*\}}) (?P<value>[-+.\w]+)(?:, |$)")
_LABEL = re.compile(rf'(?P<name>[^\s,{{}}="]+|{_STRING})=(?P<value>{_STRING})')
_PART = re.compile(r"(\d+)(ms|[ywdhms])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800, "y": 31_536_000}

# How it begins to tell the end of a file: without one of them it has told nothing.
_ENDS = ("SUCCESS", "FAILED:")
_SHOWN = 200

Labels = tuple[tuple[str, str], ...]
Points = dict[Labels, dict[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promtool:
    """The program, and the series it is to know.

    Attributes:
        program: Path of promtool.
        series: Name and labels, and values, of each series, as promtool reads them.
        interval_s: Distance of the values in seconds.
    """

    program: Path
    series: Sequence[tuple[str, str]]
    interval_s: float

    def evaluate(self, requests: Sequence[Request]) -> Answers:
        """Answer every request, all in one call of the program."""
        with tempfile.TemporaryDirectory(prefix="serinus-") as home:
            paths = [Path(home) / f"{number}.json" for number in range(len(requests))]
            for path, request in zip(paths, requests, strict=True):
                path.write_text(json.dumps(self._test(request), ensure_ascii=False))
            output = self._run(paths)
        parts = _by_file(output, paths)
        return {
            request: _answer(request, lines or [output])
            for request, lines in zip(requests, parts, strict=True)
        }

    def _test(self, request: Request) -> dict[str, Any]:
        instants = [
            t for t in instants_of(request).tolist() if t >= 0
        ]  # before it there is no data
        return {
            "rule_files": [],
            "evaluation_interval": _written(request.step_s),
            "tests": [
                {
                    "interval": _written(self.interval_s),
                    "input_series": [
                        {"series": series, "values": values} for series, values in self.series
                    ],
                    "promql_expr_test": [
                        {"expr": request.query, "eval_time": _written(t)} for t in instants
                    ],
                }
            ],
        }

    def _run(self, paths: Sequence[Path]) -> str:
        command = [str(self.program), "test", "rules", *map(str, paths)]
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and every word is ours
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                text=True,
                timeout=ENDS_WITHIN_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SourceError(f"promtool gave no answer: {error}", code="unavailable") from error
        return done.stdout


def _written(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def _by_file(output: str, paths: Sequence[Path]) -> list[list[str]]:
    """Cut the output at the names of the files, which are told in their order."""
    parts: list[list[str]] = [[] for _ in paths]
    current: list[str] = []
    heads = {f"Unit Testing:  {path}": part for path, part in zip(paths, parts, strict=True)}
    for line in output.splitlines():
        if line in heads:
            current = heads[line]
        else:
            current.append(line)
    return parts


def _answer(request: Request, lines: Sequence[str]) -> Answer | SourceError:
    try:
        points = _points(lines)
    except ValueError as error:
        return SourceError(f"promtool: {error}", code="refused", query=request.query)
    return Answer(
        series=tuple(
            Series(
                labels=dict(labels),
                times=np.array(list(values), dtype=np.float64),
                values=np.array(list(values.values()), dtype=np.float64),
            )
            for labels, values in sorted(points.items())
        )
    )


def _points(lines: Sequence[str]) -> Points:
    """Read what promtool got at each instant.

    Raises:
        ValueError: It refused the expression, or answers in a form that is not known here.
    """
    points: Points = defaultdict(dict)
    time = None
    if not any(line.strip() in _ENDS for line in lines):
        raise ValueError(f"its answer is not readable: {' '.join(lines).strip()[:_SHOWN]}")
    for line in lines:
        if header := _HEADER.fullmatch(line):
            if header["error"] is not None:
                raise ValueError(header["error"])
            time = _seconds(header["time"])
        elif got := _GOT.fullmatch(line):
            if time is None:
                raise ValueError(f"its answer is not readable: {line.strip()}")
            for labels, value in _samples(got["got"]):
                points[labels][time] = value
        elif not _is_frame(line):
            raise ValueError(f"its answer is not readable: {line.strip()}")
    return points


def _is_frame(line: str) -> bool:
    return line.strip() in {"", "exp: nil", *_ENDS}


def _samples(text: str) -> Iterator[tuple[Labels, float]]:
    position = 0
    while position < len(text):
        sample = _SAMPLE.match(text, position)
        if sample is None:
            raise ValueError(f"the answer is no numbers: {text[position : position + 80]}")
        yield _labels(sample["labels"]), float(sample["value"])
        position = sample.end()


def _labels(text: str) -> Labels:
    return tuple(sorted((_name(m["name"]), _text(m["value"])) for m in _LABEL.finditer(text)))


def _name(text: str) -> str:
    return _text(text) if text.startswith('"') else text


def _text(quoted: str) -> str:
    """Read what Go quoted; its escapes are Python's too."""
    read: str = ast.literal_eval(quoted)
    return read


def _seconds(text: str) -> float:
    return sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(text))
