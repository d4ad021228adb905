"""How Argo Rollouts comes from answers to the phase of a run: its rules, in Python.

Of its controller: the conditions on one answer (`utils/evaluate`), the counters and limits of a
metric (`analysis/analysis.go`, `assessMetricStatus`), the retry after an error, and what it refuses
before it runs anything (`utils/analysis/factory.go`, `ValidateMetric`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

DEFAULT_ERRORS = 4  # consecutive ones that are borne
ERROR_RETRY_S = 10.0
_CONDITION = re.compile(r'result\[(\d)\] == "(\w+)"')
_ARGUMENT = re.compile(r"{{\s*args\.([\w-]+)\s*}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back from one call: a status of 0 is nobody there.

    Attributes:
        status: HTTP status.
        body: What came with it.
    """

    status: int = 200
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended.

    Attributes:
        phase: `Successful`, `Failed`, `Inconclusive`, `Error`, or `Running` if it did not end.
        calls: How many calls it made.
        seconds: How long it took from its first call.
    """

    phase: str
    calls: int
    seconds: float


def documents(path: Path) -> list[Any]:
    """Read the documents of a YAML file."""
    return [one for one in YAML(typ="safe").load_all(path) if one is not None]


def used_arguments(node: object) -> set[str]:
    """Name the arguments that a metric refers to."""
    return set(_ARGUMENT.findall(json.dumps(node)))


def run_metric(metric: Mapping[str, Any], replies: Iterable[Reply]) -> Ended:
    """Run a metric against the replies, one for each call, until it ends or they are used up."""
    tally = _Tally(metric)
    seconds = 0.0
    for reply in replies:
        measured = measure(metric, reply)
        if (phase := tally.add(measured)) is not None:
            return Ended(phase=phase, calls=tally.calls, seconds=seconds)
        seconds += ERROR_RETRY_S if measured == "Error" else duration_s(metric["interval"])
    return Ended(phase="Running", calls=tally.calls, seconds=seconds)


def refusals(metric: Mapping[str, Any]) -> list[str]:
    """Say why the controller would not run a metric; an empty list if it would."""
    count, failures = metric.get("count", 0), metric.get("failureLimit", 0)
    successes = metric.get("consecutiveSuccessLimit", 0)
    inconclusive, least = metric.get("inconclusiveLimit", 0), max(failures, 0) + successes
    rules = {
        "failureLimit and consecutiveSuccessLimit are both off": failures < 0 and successes == 0,
        "count is below failureLimit + consecutiveSuccessLimit": 0 < count < least,
        "count is below inconclusiveLimit": 0 < count < inconclusive,
        "count has no interval": count > 1 and "interval" not in metric,
        "there is not one provider": len(metric["provider"]) != 1,
    }
    return [rule for rule, is_broken in rules.items() if is_broken]


def lasts_s(metric: Mapping[str, Any]) -> float:
    """Give the time from the first to the last call of a metric that nothing ends early."""
    return (float(metric["count"]) - 1) * duration_s(metric["interval"])


def measure(metric: Mapping[str, Any], reply: Reply) -> str:
    """Give the phase of one measurement."""
    if not 200 <= reply.status < 300:  # anything else is thrown away with its body
        return "Error"
    selected = _select(metric["provider"]["web"]["jsonPath"], reply.body)
    if selected is None:
        return "Error"
    success = _holds(metric["successCondition"], selected)
    if _holds(metric["failureCondition"], selected):
        return "Failed"
    return "Successful" if success else "Inconclusive"


def duration_s(text: str) -> float:
    """Read a duration such as 30s or 1m."""
    return float(text[:-1]) * {"s": 1.0, "m": 60.0, "h": 3600.0}[text[-1]]


class _Tally:
    """The counters of a metric, and what they mean after each measurement."""

    def __init__(self, metric: Mapping[str, Any]) -> None:
        self.metric = metric
        self.calls = 0
        self.counted = dict.fromkeys(("Successful", "Failed", "Inconclusive"), 0)
        self.errors_in_a_row = self.successes_in_a_row = 0

    def add(self, measured: str) -> str | None:
        """Count a measurement; give the phase if the metric has ended by it."""
        self.calls += 1
        self.errors_in_a_row = self.errors_in_a_row + 1 if measured == "Error" else 0
        self.successes_in_a_row = self.successes_in_a_row + 1 if measured == "Successful" else 0
        if measured != "Error":
            self.counted[measured] += 1
        return self._beyond_a_limit() or self._done()

    def _beyond_a_limit(self) -> str | None:
        """The last limit that is crossed wins."""
        phase = None
        failures = self.metric.get("failureLimit", 0)  # below 0 it is off
        if 0 <= failures < self.counted["Failed"]:
            phase = "Failed"
        if self.counted["Inconclusive"] > self.metric.get("inconclusiveLimit", 0):
            phase = "Inconclusive"
        if self.errors_in_a_row > self.metric.get("consecutiveErrorLimit", DEFAULT_ERRORS):
            phase = "Error"
        return phase

    def _done(self) -> str | None:
        wanted = self.metric.get("consecutiveSuccessLimit", 0)
        if wanted and self.successes_in_a_row >= wanted:
            return "Successful"
        if sum(self.counted.values()) >= self._count():
            return self._used_up() if wanted else "Successful"
        return None

    def _used_up(self) -> str:
        return "Inconclusive" if self.metric.get("failureLimit", 0) >= 0 else "Failed"

    def _count(self) -> int:
        once = 1 if "interval" not in self.metric else 10**9
        return int(self.metric.get("count", once))


def _select(path: str, body: Mapping[str, Any] | None) -> Any:
    name = re.fullmatch(r"{\$\.(\w+)}", path)
    return path if name is None else (body or {}).get(name[1])  # without braces it is a text


def _holds(condition: str, selected: Any) -> bool:
    found = _CONDITION.fullmatch(condition)
    if found is None:
        raise ValueError(f"the simulator does not know the condition {condition!r}")
    return bool(selected[int(found[1])] == found[2])
