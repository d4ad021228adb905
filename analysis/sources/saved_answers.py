"""Answers of Prometheus' API, saved by curl: a list says which query each file answers.

answers:
- query: avg(go_goroutines{hash="5d4c"})           # from /api/v1/query_range
file: goroutines-old.json
- query: http_requests_total{hash="5d4c"}[65m]     # raw samples, from /api/v1/query
files: [requests-1.json, requests-2.json]
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
import promql_parser
from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.config.load import parse_mapping, read_text, validate
from analysis.errors import ConfigError, SourceError
from analysis.sources.packed_text import reading
from analysis.sources.port import (
    Answer,
    Answers,
    Progress,
    Request,
    RequestKind,
    Series,
    no_progress,
)
from analysis.sources.prometheus_http import plan
from analysis.sources.prometheus_http.decoding import Reply, UnreadableError, complaint, decode
from analysis.sources.prometheus_http.native import as_classic

# In steps, as in `recording`: rounding where a step is a fraction.
_OFF_GRID = 1e-3
RULE = "a list of saved answers is a mapping with answers"


class SavedAnswer(BaseModel):
    """A query, and the files that hold its answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    query: str = Field(min_length=1, description="as it was sent")
    file: str | None = Field(default=None, description="what was answered")
    files: tuple[str, ...] = Field(default=(), description="the same, in pieces of time")

    @model_validator(mode="after")
    def _has_files(self) -> Self:
        if (self.file is None) == (not self.files):
            raise ValueError("give file, or files")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """Give the files, one or several."""
        return self.files or (self.file or "",)


class SavedAnswersList(BaseModel):
    """The list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answers: tuple[SavedAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SavedAnswers:
    """The saved answers as a source.

    Attributes:
        folder: Where the files are.
        origin: The list, for people.
        files: Of each query, written in one way, the files; of raw samples with `[]` behind it.
    """

    folder: Path
    origin: str
    files: Mapping[str, Sequence[str]]

    @property
    def description(self) -> str:
        """Say which list it is."""
        return f"the answers in {self.origin}"

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer what was saved, and say of the rest how to save it."""
        found: dict[Request, Answer | SourceError] = {}
        for request in dict.fromkeys(requests):
            try:
                found[request] = self._answer(request)
            except SourceError as error:
                found[request] = error
            progress(len(found), len(requests))
        return found

    def _answer(self, request: Request) -> Answer:
        asked = request.query if request.kind is RequestKind.RANGE else f"{request.query}[1m]"
        files = self.files.get(_key(asked))
        if files is None:
            message = f"{self.origin} has no answer to {request.query!r}; save it: {curl(request)}"
            raise SourceError(message, code="not_recorded", query=request.query)
        replies = [_read(self.folder / file) for file in files]
        if request.kind is RequestKind.RANGE:
            for file, reply in zip(files, replies, strict=True):
                _check_grid(request, reply, file)
        return Answer(
            series=plan.join(request, map(_series, replies)),
            warnings=_once([reply.warnings for reply in replies]),
            infos=_once([reply.infos for reply in replies]),
        )


def read_saved_answers(path: Path) -> SavedAnswers:
    """Read a list of saved answers; the files are read when they are asked for.

    Raises:
        ConfigError: The list cannot be read, with every fault of it.
    """
    text = read_text(path, remedy="see the page on datasets for its form")
    found, faults = validate(parse_mapping(text, str(path), rule=RULE), SavedAnswersList)
    if found is None:
        raise ConfigError(tuple(faults), origin=str(path))
    files: dict[str, Sequence[str]] = {}
    for one in found.answers:
        try:
            key = _key(one.query)
        except ValueError as error:
            raise ConfigError(f"{one.query!r} is no PromQL: {error}", origin=str(path)) from error
        if key in files:
            message = f"{one.query!r} stands there twice; put its pieces under files"
            raise ConfigError(message, origin=str(path))
        files[key] = one.paths
    return SavedAnswers(folder=path.parent, origin=path.name, files=files)


def curl(request: Request) -> str:
    """Word how to save the answer to a request."""
    query = next(plan.queries(request))
    is_range = request.kind is RequestKind.RANGE
    given = {"query": query.text, **query.params}
    words = " ".join(f"--data-urlencode {shlex.quote(f'{k}={v}')}" for k, v in given.items())
    return f"curl -G $PROMETHEUS_URL/api/v1/{'query_range' if is_range else 'query'} {words}"


def _key(query: str) -> str:
    """Write a query in one way, whatever its spaces and the order of its matchers."""
    parsed = promql_parser.parse(query)
    if isinstance(parsed, promql_parser.MatrixSelector):
        return f"{parsed.vector_selector.prettify()}[]"
    return str(parsed.prettify())


def _read(path: Path) -> Reply:
    with reading(path) as file:
        body = file.read().encode()
    if said := complaint(body):
        message = f"{path} holds no answer but an error: {said.words}; save it again"
        raise SourceError(message, code="refused")
    try:
        return decode(body)
    except UnreadableError as error:
        raise SourceError(f"{path}: {error}", code="malformed") from error


def _series(reply: Reply) -> tuple[Series, ...]:
    return (*reply.series, *chain.from_iterable(map(as_classic, reply.natives)))


def _check_grid(request: Request, reply: Reply, file: str) -> None:
    """Refuse values at other instants than those that are judged.

    Raises:
        SourceError: The file was asked with another start or step.
    """
    times = np.unique(np.concatenate([[], *(one.times for one in reply.series)]))
    steps = (times - request.start) / request.step_s
    is_on_grid = np.all(np.abs(steps - np.rint(steps)) < _OFF_GRID)
    is_as_fine = len(times) < 2 or np.diff(steps).min() < 1 + _OFF_GRID
    if not (is_on_grid and is_as_fine):
        message = f"{file} was asked with another start or step; ask again: {curl(request)}"
        raise SourceError(message, code="not_recorded", query=request.query)


def _once(groups: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(groups)))
