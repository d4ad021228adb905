"""Data that cannot decide is an answer, not an error: what a real Prometheus holds of odd pods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.command import Done
from tests.support.prometheus import RealPrometheus

T = 1_700_000_000
SCRAPES = range(-4, 25)  # every 5 s, from 20 s before the window to its end
INCONCLUSIVE = 3
LEAST_REQUESTS = 30

# Everything that is special to PromQL, to a regular expression, to YAML or to a shell.
ODD = """v2"} or up{x=~".*|v1|(a+)+$"}[5m] # '`$(id) ${version} \\d \\ %s ü 金"""

CONFIG = """\
version: 1
name: odd
source: {{prometheus: {{step: 10s, lag: 0s}}}}
variables:
  case: null
  baseline: {{version: v1}}
  canary: {{version: v2}}
window: {{planned: 2m, warmup: 0s}}
metrics:
  - name: error ratio
    counts:
      events: requests_total{{case="${{case}}", version{match}"${{version}}", code="500"}}
      total: requests_total{{case="${{case}}", version{match}"${{version}}"}}
"""

Serinus = Callable[..., Done]
pytestmark = pytest.mark.e2e


def counter(case: str, version: str, values: Sequence[float]) -> str:
    """Write a counter's samples, one a scrape."""
    escaped = version.replace("\\", "\\\\").replace('"', '\\"')
    labels = f'case="{case}",version="{escaped}",code="200"'
    samples = zip(values, SCRAPES, strict=True)
    return "".join(f"requests_total{{{labels}}} {v} {T + 5 * i}\n" for v, i in samples)


STEADY = [10.0 * i for i in range(len(SCRAPES))]
IDLE = [7.0] * len(SCRAPES)
FALLING = [float(28 - i) for i in range(len(SCRAPES))]
PAST = "".join(
    [
        counter("one side", "v1", STEADY),
        counter("idle", "v1", STEADY),
        counter("idle", "v2", IDLE),
        counter("only resets", "v1", STEADY),
        counter("only resets", "v2", FALLING),
        counter("odd", "v1", STEADY),
        counter("odd", "v2", STEADY),
        counter("odd", ODD, STEADY),
    ]
)


@pytest.fixture(scope="module")
def url(requires_prometheus: object) -> Iterator[str]:
    with RealPrometheus(openmetrics=PAST) as prometheus:
        yield prometheus.url


@pytest.fixture
def judge(serinus: Serinus, tmp_path: Path, url: str) -> Serinus:
    def call(case: str, *words: str, match: str = "=") -> Done:
        config = tmp_path / "canary.yaml"
        config.write_text(CONFIG.format(match=match), encoding="utf-8")
        when = (f"--start={T}", f"--end={T + 120}", "--format=json")
        return serinus("judge", config, "--prometheus", url, f"--set=case={case}", *when, *words)

    return call


def guards(done: Done) -> dict[str, str]:
    """Give the summaries of what was found, by code."""
    return {guard["code"]: guard["summary"] for guard in done.metric("error ratio")["guards"]}


def series_of(done: Done, side: str) -> list[int]:
    """Count the series that each of a side's queries matched."""
    queries = done.metric("error ratio")["queries"]
    return [query["series"] for query in queries if query["side"] == side]


def test_a_side_without_series_is_inconclusive(judge: Serinus) -> None:
    done = judge("one side")

    assert done.code == INCONCLUSIVE
    assert guards(done) == {"side_missing": "canary: the query matched no series"}


def test_neither_side_having_series_is_inconclusive(judge: Serinus) -> None:
    done = judge("nobody")

    assert done.code == INCONCLUSIVE
    assert guards(done) == {"side_missing": "baseline and canary: the query matched no series"}


def test_a_side_without_requests_is_inconclusive(judge: Serinus) -> None:
    done = judge("idle")

    assert done.code == INCONCLUSIVE
    assert guards(done) == {
        "little_exposure": "canary: 0 requests in the judged steps, 30 are needed"
    }


def test_both_sides_being_the_same_series_is_inconclusive(judge: Serinus) -> None:
    # The queries differ, what they match does not.
    done = judge("idle", "--baseline=version=nobody", "--canary=version=somebody", match="!=")

    assert done.code == INCONCLUSIVE
    assert set(guards(done)) == {"same_series"}


def test_a_counter_that_only_resets_counts_what_it_shows_each_time(judge: Serinus) -> None:
    done = judge("only resets")

    shown = sum(FALLING[-24:])  # of every restart at least what the next scrape saw
    assert done.code in {0, INCONCLUSIVE}
    assert guards(done) == {}
    assert f"0 of {shown:.0f} against 0 of 240" in done.metric("error ratio")["summary"]


@pytest.mark.parametrize("match", ["=", "=~"])
def test_a_value_with_metacharacters_arrives_as_a_value(judge: Serinus, match: str) -> None:
    done = judge("odd", f"--canary=version={ODD}", match=match)

    assert done.code in {0, INCONCLUSIVE}
    assert guards(done) == {}
    assert series_of(done, "canary") == [0, 1]  # no errors, and its own requests only
    assert done.report["provenance"]["variables"]["canary"]["version"] == ODD


@pytest.mark.parametrize("value", [".*", "v1|v2", "v[2]", "^v2$", "v2.*"])
def test_a_pattern_given_as_a_value_matches_nothing(judge: Serinus, value: str) -> None:
    done = judge("odd", f"--canary=version={value}", match="=~")

    assert done.code == INCONCLUSIVE
    assert series_of(done, "canary") == [0, 0]


@pytest.mark.parametrize("value", ["", "v2\nor up", "v2\x00"])
def test_a_value_that_is_no_name_is_refused(judge: Serinus, value: str) -> None:
    done = judge("odd", f"--canary=version={value}")

    assert done.code == 2
    assert "the variable 'version'" in done.message
