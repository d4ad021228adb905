"""What the tests of `analysis` are arranged with: configurations, series, sources, reports."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analysis.config import CanaryConfig, parse_config
from analysis.errors import SourceError
from analysis.report import AnalysisReport, AskedQuery, MetricReport, Provenance
from analysis.scoring import Group, Judged
from analysis.sources.port import (
    Answer,
    Answers,
    Progress,
    Request,
    Series,
    no_progress,
)
from analysis.window import Window
from judges import Estimate, Evidence, Interval, Judgment, Reason, Scale, Settlement, Verdict

START = 1_800_000_000.0  # 2027-01-15T08:00:00Z, a multiple of every step used here
SCRAPE_S = 15.0
SIDES = ("baseline", "canary")
# What a missing sample is written as in the builders of series.
GONE = None

Document = dict[str, Any]


# ---- configurations


def a_metric(name: str = "memory", **changes: Any) -> Document:
    """Describe a gauge, or with `counts`, `sums` or `histogram` another input."""
    inputs = {"query", "counts", "sums", "histogram"}
    given: Document = {} if inputs & changes.keys() else {"query": f'{_word(name)}{{v="${{v}}"}}'}
    return {"name": name, **given, **changes}


def some_counts(name: str = "errors", **changes: Any) -> Document:
    """Describe errors among requests."""
    word = _word(name)
    selectors = {"events": f'{word}_failed{{v="${{v}}"}}', "total": f'{word}_all{{v="${{v}}"}}'}
    return {"name": name, "counts": selectors, **changes}


def _word(name: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in name)


def a_document(*metrics: Document, **changes: Any) -> Document:
    """Describe a configuration whose sides differ in the variable `v`."""
    sides = {"baseline": {"v": "old"}, "canary": {"v": "new"}}
    return {
        "name": "shop",
        "variables": sides,
        "metrics": list(metrics) or [a_metric()],
        **changes,
    }


def a_config(*metrics: Document, **changes: Any) -> CanaryConfig:
    """Load a configuration through its door."""
    return parse_config(json.dumps(a_document(*metrics, **changes)))


def written(folder: Path, text: str, name: str = "canary.yaml") -> Path:
    """Write a file into a folder."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# ---- series


def a_series(points: Sequence[tuple[float, float]], **labels: str) -> Series:
    """Make a series from (epoch seconds, value)."""
    times, values = zip(*points, strict=True) if points else ((), ())
    return Series(
        labels=labels,
        times=np.array(times, dtype=np.float64),
        values=np.array(values, dtype=np.float64),
    )


def scraped(
    *values: float | None, start: float = START, every: float = SCRAPE_S, **labels: str
) -> Series:
    """Make a series scraped every `every` seconds; at `GONE` it was not there."""
    points = [
        (start + every * index, value) for index, value in enumerate(values) if value is not GONE
    ]
    return a_series(points, **{"__name__": "requests_total", **labels})


def bucketed(
    observed: Mapping[float, Sequence[float | None]],
    *,
    start: float = START,
    every: float = SCRAPE_S,
    **labels: str,
) -> list[Series]:
    """Make a classic histogram from the observations up to each edge, scrape by scrape."""
    named = {"__name__": "latency_bucket", **labels}
    return [
        scraped(*values, start=start, every=every, **named, le=f"{edge:g}".replace("inf", "+Inf"))
        for edge, values in observed.items()
    ]


def an_answer(*series: Series, warnings: Sequence[str] = ()) -> Answer:
    """Give series in the order a source promises: that of their sorted labels."""
    ordered = sorted(series, key=lambda one: sorted(one.labels.items()))
    return Answer(series=tuple(ordered), warnings=tuple(warnings))


def a_window(
    *, minutes: float = 30, step_s: float = 60, warmup_s: float = 0, start: float = START
) -> Window:
    """Make a window that begins at `start`."""
    return Window(start=start, end=start + 60 * minutes, warmup_s=warmup_s, step_s=step_s)


# ---- sources


@dataclass(eq=False)
class FakeSource:
    """A source that knows the answers by query; to any other it has no series.

    Attributes:
        answers: Series, a whole answer or an error, by query as sent.
        asked: Every request that came, in order.
    """

    answers: Mapping[str, Sequence[Series] | Answer | SourceError]
    asked: list[Request] = field(default_factory=list)

    @property
    def description(self) -> str:
        """Say what this is."""
        return "a table"

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Look the requests up.

        Raises:
            SourceError: None of them has an answer.
        """
        found: dict[Request, Answer | SourceError] = {}
        for request in requests:
            self.asked.append(request)
            found[request] = self._found(request.query)
            progress(len(found), len(requests))
        errors = [one for one in found.values() if isinstance(one, SourceError)]
        if errors and len(errors) == len(found):
            raise errors[0]
        return found

    def _found(self, query: str) -> Answer | SourceError:
        known = self.answers.get(query, ())
        return known if isinstance(known, Answer | SourceError) else Answer(series=tuple(known))


# ---- judgments and reports


def a_judgment(
    verdict: Verdict = Verdict.PASS,
    *,
    p: float | None = 0.6,
    log_e: float | None = -1.0,
    **changes: Any,
) -> Judgment:
    """Make a judgment whose evidence of harm is `p` and `log_e`; without `p` it has none."""
    reasons = {
        Verdict.PASS: Reason.WITHIN_MARGIN,
        Verdict.FAIL: Reason.BEYOND_TOLERANCE,
        Verdict.INCONCLUSIVE: Reason.UNDECIDED,
    }
    fields: Document = {
        "kind": "mann_whitney",
        "reason": reasons[verdict],
        "summary": f"summary of {verdict}",
        "harm": None if p is None else Evidence(p=p, log_e=log_e),
    }
    return Judgment(verdict=verdict, **{**fields, **changes})


def a_judged(
    judgment: Judgment,
    *,
    name: str = "memory",
    weight: float = 1.0,
    budget: float = 1.0,
    **metric: Any,
) -> Judged:
    """Pair a judgment with a metric as configured."""
    # A muted metric cannot stand alone in a configuration.
    config = a_config(a_metric(name, **metric), a_metric(f"beside {name}"))
    return Judged(metric=config.metrics[0], judgment=judgment, weight=weight, budget=budget)


def a_metric_report(
    judgment: Judgment | None = None,
    **changes: Any,
) -> MetricReport:
    """Make the report of a metric: ten steps on both sides."""
    times = START + 60 * np.arange(1.0, 11.0)
    fields: Document = {
        "name": "memory",
        "group": "resources",
        "critical": False,
        "muted": False,
        "weight": 1.0,
        "lost": 0.0,
        "judgment": judgment or a_judgment(),
        "queries": tuple(
            AskedQuery(side=side, role="query", kind="range", query=f'm{{v="{side}"}}', series=1)
            for side in SIDES
        ),
        "times": times,
        "baseline": np.linspace(100.0, 118.0, 10),
        "canary": np.linspace(101.0, 119.0, 10),
        "pods": dict.fromkeys(SIDES, 1),
    }
    return MetricReport(**{**fields, **changes})


def a_report(*metrics: MetricReport, **changes: Any) -> AnalysisReport:
    """Make a report that passes."""
    fields: Document = {
        "name": "shop",
        "verdict": Verdict.PASS,
        "score": 100.0,
        "summary": "no harm beyond any margin on 1 metric",
        "decided_by": (),
        "window": a_window(minutes=10),
        "planned_s": 3600.0,
        "metrics": metrics or (a_metric_report(),),
        "groups": (Group(name="resources", weight=1.0, score=100.0),),
        "false_fail": 0.01,
        "looks": "anytime",
        "log_e": -1.0,
        "pass_score": 95.0,
        "marginal_score": 75.0,
        "warnings": (),
        "provenance": Provenance(
            version="1.2.3",
            libraries={"numpy": "2.0.0", "scipy": "1.0.0"},
            config_digest="0123456789abcdef" * 4,
            variables={"baseline": {"v": "old"}, "canary": {"v": "new"}},
        ),
    }
    return AnalysisReport(**{**fields, **changes})


def an_estimate(value: float | None = 1.14, **changes: Any) -> Estimate:
    """Make an estimate: a ratio with its interval."""
    fields: Document = {
        "scale": Scale.RATIO,
        "interval": Interval(lower=1.09, upper=1.19, level=0.95),
        "baseline": 0.42,
        "canary": 0.479,
    }
    return Estimate(value=value, **{**fields, **changes})


def a_settlement(**changes: Any) -> Settlement:
    """Make what would settle a judgment."""
    fields: Document = {"summary": "about 12 minutes more at this noise", "minutes": 12.3}
    return Settlement(**{**fields, **changes})


def same_series(one: Series, other: Series) -> bool:
    """Tell whether two series are the same, bit by bit."""
    return (
        dict(one.labels) == dict(other.labels)
        and one.times.tobytes() == other.times.tobytes()
        and one.values.tobytes() == other.values.tobytes()
        and one.exponential == other.exponential
    )


def same_numbers(one: Sequence[float], other: Sequence[float]) -> bool:
    """Tell whether two rows are equal, where NaN equals NaN."""
    return len(one) == len(other) and all(
        a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(one, other, strict=True)
    )
