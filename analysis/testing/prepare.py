"""From a file of tests to what can be run: every fault of it at once, before anything runs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from analysis.config import SIDES, CanaryConfig, load_config
from analysis.config.load import (
    fault_at,
    in_order,
    misread_in,
    parse_mapping,
    read_text,
    validate,
)
from analysis.errors import ConfigError, Fault, SourceError, TooEarlyError
from analysis.planning import HISTORY, Ask, plan_all
from analysis.sources import recording as recordings
from analysis.sources.matching import selection
from analysis.sources.port import MetricSource, Request, RequestKind
from analysis.sources.recording import Recording
from analysis.sources.scraped import ScrapedSeries
from analysis.testing import notation
from analysis.testing.document import AnswerSeries, Case, Suite
from analysis.testing.inline import NOBODY, InlineSource, laid_out
from analysis.testing.promtool import Promtool
from analysis.window import Window, as_datetime, select_window

Place = tuple[str | int, ...]
Variables = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A test that can be run.

    Attributes:
        file: The file it stands in, as the user named it.
        case: What the file says.
        line: Where.
        config: The configuration under test.
        window: The time to judge.
        variables: Values of each side, by side.
        source: Where the series come from.
    """

    file: str
    case: Case
    line: int | None
    config: CanaryConfig
    window: Window
    variables: Variables
    source: MetricSource


Faults = Iterator[tuple[Place, str]]


class _UnfitError(Exception):
    """What is wrong with one test, at places below it."""

    def __init__(self, *found: tuple[Place, str]) -> None:
        self.found = found
        super().__init__(found)


def load_suite(path: Path, promtool: Path | None) -> tuple[Prepared, ...]:
    """Read a file of tests.

    Args:
        path: The file.
        promtool: The program that evaluates expressions; `None` where there is none.

    Raises:
        ConfigError: With every fault of the file, of its tests and of their configurations.
    """
    text = read_text(path, remedy="`serinus init --tests` writes a commented starter")
    document = parse_mapping(text, str(path), rule="a file of tests is a mapping with tests")
    misread = list(_misread(document, text.splitlines()))
    suite, faults = validate(document, Suite)
    prepared: list[Prepared] = []
    if suite is not None:
        bench = _Bench(path=path, suite=suite, document=document, promtool=promtool, configs={})
        for index in range(len(suite.tests)):
            ready, unfit = bench.prepare(index)
            prepared += ready
            faults += unfit
    if faults or misread:
        raise ConfigError(in_order([*misread, *faults]), origin=str(path))
    return tuple(prepared)


def _misread(document: CommentedMap, lines: Sequence[str]) -> Iterator[Fault]:
    """Find hashes and series that YAML takes for numbers: 12e5, and 0x120, which is hexadecimal."""
    tests = document.get("tests")
    for index, case in enumerate(tests if isinstance(tests, list) else ()):
        for path, block in _blocks(case):
            if isinstance(block, CommentedMap):
                yield from misread_in(block, f"tests[{index}].{path}", lines)


def _blocks(case: object) -> Iterator[tuple[str, object]]:
    if not isinstance(case, CommentedMap):
        return
    yield from ((key, case.get(key)) for key in ("set", *SIDES))
    for key in ("input_series", "answers"):
        entries = case.get(key)
        if isinstance(entries, list):
            yield from ((f"{key}[{number}]", entry) for number, entry in enumerate(entries))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Bench:
    """What the tests of one file share."""

    path: Path
    suite: Suite
    document: CommentedMap
    promtool: Path | None
    configs: dict[str, CanaryConfig | ConfigError]

    def prepare(self, index: int) -> tuple[list[Prepared], list[Fault]]:
        """Make one test ready, or tell all that is wrong with it."""
        root = ("tests", index)
        try:
            return [self._ready(self.suite.tests[index], root)], []
        except _UnfitError as unfit:
            return [], [fault_at(self.document, (*root, *p), text) for p, text in unfit.found]
        except ConfigError as error:
            found = [f"{fault.path}: {fault.message}".removeprefix(": ") for fault in error.faults]
            return [], [fault_at(self.document, root, text) for text in found]

    def _ready(self, case: Case, root: Place) -> Prepared:
        config = self._config(case)
        _refuse((*_unknown_names(case, config), *_twice(case)))
        recording = self._recording(case)
        window = self._window(case, config, recording)
        variables = _over(recording, case.variables())
        asks = plan_all(config, window, variables)
        return Prepared(
            file=str(self.path),
            case=case,
            line=fault_at(self.document, root, "").line,
            config=config,
            window=window,
            variables=variables,
            source=recording or self._inline(case, config, asks),
        )

    def _config(self, case: Case) -> CanaryConfig:
        name = case.config or self.suite.config
        if name is None:
            rule = "names no config; give one here, or one for the whole file"
            raise _UnfitError(((), rule))
        if name not in self.configs:
            try:
                self.configs[name] = load_config(self.path.parent / name)
            except ConfigError as error:
                self.configs[name] = error
        found = self.configs[name]
        if isinstance(found, ConfigError):
            first, *others = str(found).splitlines()
            more = f" (and {len(others)} more; see `serinus check`)" if others else ""
            raise _UnfitError((("config",), f"{first}{more}"))
        return found

    def _recording(self, case: Case) -> Recording | None:
        if case.recording is None:
            return None
        try:
            return recordings.load(self.path.parent / case.recording)
        except SourceError as error:
            raise _UnfitError((("recording",), str(error))) from error

    def _window(self, case: Case, config: CanaryConfig, recording: Recording | None) -> Window:
        """Choose what is judged: all there is, unless the test says which part of it."""
        origin = as_datetime(recording.window.start if recording else 0.0)
        last = as_datetime(recording.window.end if recording else self._last_s(case, config))
        end = case.window.end
        try:
            return select_window(
                now=last if end is None else max(last, origin + end),
                start=origin + case.window.start,
                end=None if end is None else origin + end,
                lookback=None,
                planned=config.window.planned,
                warmup=config.window.warmup,
                step=config.step,
                lag=timedelta(0),
            )
        except (TooEarlyError, ValueError) as error:
            raise _UnfitError((("window",), str(error))) from error

    def _last_s(self, case: Case, config: CanaryConfig) -> float:
        counts = [len(one.samples) for one in (*case.input_series, *case.answers)]
        return (max(counts) - 1) * self._interval_s(case, config)

    def _interval_s(self, case: Case, config: CanaryConfig) -> float:
        chosen = case.interval or self.suite.interval or config.step
        return chosen.total_seconds()

    def _inline(self, case: Case, config: CanaryConfig, asks: Sequence[Ask]) -> InlineSource:
        interval_s = self._interval_s(case, config)
        given = _given(case, asks, interval_s)
        left = {ask.request: ask for ask in asks if ask.request not in given}
        _refuse(_unanswerable(left, has_engine=self.promtool is not None))
        written = [(notation.written(one.labels), one.values) for one in case.input_series]
        return InlineSource(
            series=tuple(
                laid_out(one.labels, one.samples, interval_s) for one in case.input_series
            ),
            given=given,
            evaluator=None
            if self.promtool is None
            else Promtool(program=self.promtool, series=written, interval_s=interval_s),
        )


def _refuse(found: Iterable[tuple[Place, str]]) -> None:
    if faults := tuple(found):
        raise _UnfitError(*faults)


def _unanswerable(asked: Mapping[Request, Ask], *, has_engine: bool) -> Faults:
    for request, ask in asked.items():
        try:
            is_selector = selection(request.query) is not None
        except ValueError as error:
            yield (), f"{ask.metric}, {ask.side}: {error}"
            continue
        if is_selector:
            continue
        if request.kind is not RequestKind.RANGE:
            text = "is no plain selector; mend it (see `serinus check`), or give its answers"
            yield (), f"{ask.metric}, {ask.side}: {request.query!r} {text}"
        elif not has_engine:
            yield (), f"{ask.metric}, {ask.side}: {request.query!r}: {NOBODY}"


def _over(recording: Recording | None, given: Variables) -> Variables:
    recorded = recording.variables if recording else {}
    return {side: {**recorded.get(side, {}), **given[side]} for side in SIDES}


def _unknown_names(case: Case, config: CanaryConfig) -> Faults:
    """Find names of metrics and roles that the configuration does not have."""
    metrics = {metric.name: metric for metric in config.metrics}
    named: list[tuple[Place, str]] = [
        (("expect", "metrics", name), name) for name in case.expect.metrics
    ]
    named += [(("expect", "decided_by", i), n) for i, n in enumerate(case.expect.decided_by or ())]
    named += [(("answers", i, "metric"), one.metric) for i, one in enumerate(case.answers)]
    for place, name in named:
        if name not in metrics:
            yield place, f"{name!r} is no metric of {config.name}; {_nearest(name, metrics)}"
    for index, one in enumerate(case.answers):
        roles = (
            [r for r, _ in metrics[one.metric].templates(one.side)] if one.metric in metrics else []
        )
        if roles and one.role not in (roles if len(roles) > 1 else (None, *roles)):
            yield ("answers", index), f"role must be {' or '.join(roles)}, got {one.role}"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"


def _twice(case: Case) -> Faults:
    first: dict[tuple[tuple[str, str], ...], int] = {}
    for index, one in enumerate(case.input_series):
        key = tuple(sorted(one.labels.items()))
        if (same := first.setdefault(key, index)) != index:
            yield ("input_series", index, "series"), f"is the series of input_series[{same}] too"


def _given(
    case: Case, asks: Sequence[Ask], interval_s: float
) -> dict[Request, tuple[ScrapedSeries, ...]]:
    """Put the answers that stand in the file to the requests they answer."""
    found: dict[Request, list[ScrapedSeries]] = {}
    owner: dict[Request, tuple[str, str]] = {}
    for index, one in enumerate(case.answers):
        for ask in asks:
            if not _is_for(one, ask):
                continue
            if owner.setdefault(ask.request, (ask.metric, ask.role)) != (ask.metric, ask.role):
                text = f"{one.metric} asks the same as {owner[ask.request][0]}; answer it once"
                raise _UnfitError((("answers", index), text))
            series = laid_out(one.labels, one.samples, interval_s)
            found.setdefault(ask.request, []).append(series)
    return {request: tuple(series) for request, series in found.items()}


def _is_for(one: AnswerSeries, ask: Ask) -> bool:
    # A metric's past is asked with the same query, over another stretch of the same series.
    role = ask.role.removeprefix(HISTORY)
    return (one.metric, one.side) == (ask.metric, ask.side) and one.role in {None, role}
