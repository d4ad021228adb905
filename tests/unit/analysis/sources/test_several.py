"""Several sources: each is asked what is its own, at the same time, and answers for itself."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.config import CanaryConfig
from analysis.engine import analyze
from analysis.errors import SourceError
from analysis.planning import plan, unique_requests
from analysis.sources.keeping import Keeping
from analysis.sources.port import (
    Answer,
    Answers,
    MetricSource,
    Progress,
    Request,
    RequestKind,
    no_progress,
)
from analysis.sources.recording import Recording, load, save
from analysis.sources.several import Several
from tests.support.builders import FakeSource, a_config, a_metric, a_series, a_window

SIDES = {"baseline": {"v": "old"}, "canary": {"v": "new"}}
WINDOW = a_window(minutes=10)


def asked(query: str, source: str) -> Request:
    return Request(kind=RequestKind.RANGE, query=query, start=0, end=60, step_s=60, source=source)


def points(value: float) -> list[tuple[float, float]]:
    return [(WINDOW.start + 60 * n, value + n % 3) for n in range(1, 11)]


def two_sources() -> dict[str, FakeSource]:
    """Let both sources know the same queries, and answer them differently."""
    queries = [f'{name}{{v="{side}"}}' for name in ("memory", "orders") for side in ("old", "new")]
    return {
        name: FakeSource(answers={query: [a_series(points(value))] for query in queries})
        for name, value in (("metrics", 1.0), ("business", 100.0))
    }


def two_metrics() -> CanaryConfig:
    return a_config(
        a_metric("memory"),
        a_metric("orders", source="business"),
        sources={"metrics": {}, "business": {"prometheus": {"url": "http://business"}}},
        window={"planned": "10m", "warmup": "0s"},
    )


def test_every_request_goes_to_the_source_it_names() -> None:
    sources = two_sources()
    requests = [asked('memory{v="old"}', "metrics"), asked('memory{v="old"}', "business")]

    answers = Several(sources=sources).answer(requests)

    assert sources["metrics"].asked == requests[:1]
    assert sources["business"].asked == requests[1:]
    values = [
        answer.series[0].values[0]
        for request in requests
        if isinstance(answer := answers[request], Answer)
    ]
    assert values == [2.0, 101.0]


def test_a_metric_is_read_from_its_source_and_the_others_from_the_first() -> None:
    report = analyze(two_metrics(), Several(sources=two_sources()), WINDOW, SIDES)

    memory, orders = report.metrics
    assert (memory.baseline.max(), orders.baseline.max()) == (3.0, 102.0)
    assert [query.source for query in memory.queries] == ["metrics", "metrics"]
    assert [query.source for query in orders.queries] == ["business", "business"]


def test_one_source_that_fails_does_not_hide_the_others() -> None:
    down = FakeSource(answers={"m": SourceError("it is down", code="unreachable")})
    requests = [asked("m", "business"), asked('memory{v="old"}', "metrics")]

    answers = Several(sources={**two_sources(), "business": down}).answer(requests)

    assert isinstance(answers[requests[0]], SourceError)
    assert isinstance(answers[requests[1]], Answer)


def test_a_reason_common_to_all_sources_is_raised() -> None:
    down = FakeSource(answers={"m": SourceError("it is down", code="unreachable")})

    with pytest.raises(SourceError, match="it is down"):
        Several(sources={"a": down, "b": down}).answer([asked("m", "a"), asked("m", "b")])


@dataclass(frozen=True, slots=True)
class Meeting:
    """A source that answers once the other one is being asked as well."""

    barrier: threading.Barrier
    description: str = "a meeting"

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        self.barrier.wait(30)
        progress(1, 1)
        return {request: Answer(series=()) for request in requests}


def test_sources_are_asked_at_the_same_time_and_progress_is_of_all() -> None:
    barrier, seen = threading.Barrier(2), []
    sources: dict[str, MetricSource] = {"a": Meeting(barrier), "b": Meeting(barrier)}

    Several(sources=sources).answer(
        [asked("m", "a"), asked("m", "b")], progress=lambda *told: seen.append(told)
    )

    assert seen == [(1, 2), (2, 2)]


def test_what_is_broken_in_a_source_is_not_swallowed() -> None:
    barrier = threading.Barrier(2)
    barrier.abort()

    with pytest.raises(threading.BrokenBarrierError):
        Several(sources={"a": Meeting(barrier)}).answer([asked("m", "a")])


# ---- recordings


def recorded(folder: Path, config: CanaryConfig, source: MetricSource) -> Recording:
    kept = Keeping(source)
    kept.answer(unique_requests(plan(config, WINDOW, SIDES)))
    save(kept.recording(WINDOW, SIDES), folder / "kept", config_text="")
    return load(folder / "kept")


def test_a_recording_keeps_which_source_a_request_belongs_to(tmp_path: Path) -> None:
    config = two_metrics()
    live = analyze(config, Several(sources=two_sources()), WINDOW, SIDES)

    recording = recorded(tmp_path, config, Several(sources=two_sources()))
    again = analyze(config, recording, WINDOW, SIDES)

    assert {request.source for request in recording.answers} == {"metrics", "business"}
    assert [one.judgment for one in again.metrics] == [one.judgment for one in live.metrics]
    assert recording.source == "metrics: a table; business: a table"


def test_a_recording_of_one_source_is_judged_after_it_was_given_a_name(tmp_path: Path) -> None:
    before = a_config(a_metric("memory"), window={"planned": "10m", "warmup": "0s"})
    after = a_config(
        a_metric("memory"), sources={"metrics": {}}, window={"planned": "10m", "warmup": "0s"}
    )

    recording = recorded(tmp_path, before, two_sources()["metrics"])

    assert '"source": ""' not in (tmp_path / "kept" / "recording.json").read_text()
    report = analyze(after, recording, WINDOW, SIDES)
    assert report.metrics[0].baseline.max() == 3.0
