"""The report for programs: strict JSON, and all that the report knows."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from analysis.consumers.json import to_document, to_json
from analysis.guards import Finding
from analysis.report import SCHEMA, AnalysisReport, AskedQuery
from judges import Estimate, Evidence, Interval, Reason, Scale, Verdict
from tests.support.builders import (
    a_judgment,
    a_metric_report,
    a_report,
    a_settlement,
    a_window,
    an_estimate,
)

NAN, INF = math.nan, math.inf


def strict(report: AnalysisReport) -> Any:
    """Read a rendering as a strict parser does."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(to_json(report), parse_constant=refuse)


def the_metric(**changes: Any) -> Any:
    return strict(a_report(a_metric_report(**changes)))["metrics"][0]


def test_the_schema_comes_first_and_has_a_version() -> None:
    assert next(iter(to_document(a_report()).items())) == ("schema", SCHEMA)


def test_it_is_one_document_that_ends_in_a_newline() -> None:
    text = to_json(a_report())

    assert text.endswith("}\n")
    assert json.loads(text)["name"] == "shop"


def test_times_are_written_in_rfc_3339() -> None:
    window = strict(a_report(window=a_window(minutes=10, warmup_s=120)))["window"]

    assert window == {
        "start": "2027-01-15T08:00:00Z",
        "end": "2027-01-15T08:10:00Z",
        "judged_from": "2027-01-15T08:02:00Z",
        "judged_to": "2027-01-15T08:10:00Z",
        "step_s": 60.0,
        "steps": 8,
        "planned_s": 3600.0,
        "baseline_offset_s": 0.0,
    }


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_what_is_no_number_is_null(value: float) -> None:
    judgment = a_judgment(
        p=value,
        log_e=value,
        safety=Evidence(p=value, log_e=value),
        estimate=Estimate(
            value=value,
            scale=Scale.RATIO,
            interval=Interval(lower=value, upper=value, level=0.95),
            baseline=value,
            canary=value,
        ),
        n_effective=value,
        autocorrelation=value,
        settlement=a_settlement(minutes=value, events=value, requests=value),
        details={"dispersion": value, "method": "placements", "n": 3},
    )
    sides = {"baseline": np.array([1.0, value]), "canary": np.array([value, 2.0])}

    metric = the_metric(judgment=judgment, times=np.array([1.0, 2.0]), **sides)

    assert metric["harm"] == metric["safety"] == {"p": None, "log_e": None}
    assert metric["estimate"] == {
        "value": None,
        "scale": "ratio",
        "baseline": None,
        "canary": None,
        "interval": {"lower": None, "upper": None, "level": 0.95},
    }
    assert (metric["n_effective"], metric["autocorrelation"]) == (None, None)
    assert set(metric["settlement"].values()) == {None, "about 12 minutes more at this noise"}
    assert metric["details"] == {"dispersion": None, "method": "placements", "n": 3}
    assert metric["series"] == {"times": [1, 2], "baseline": [1, None], "canary": [None, 2]}


@pytest.mark.parametrize("value", [NAN, INF, -INF, None])
def test_evidence_of_the_rollout_that_is_no_number_is_null(value: float | None) -> None:
    assert strict(a_report(log_e=value))["risk"]["log_e"] is None


def test_what_a_judge_does_not_know_is_null() -> None:
    metric = the_metric(judgment=a_judgment(p=None))

    unknown = [name for name, value in metric.items() if value is None]
    assert unknown == [
        *("estimate", "harm", "safety", "n_effective", "autocorrelation", "settlement"),
        *("limits", "distribution", "trace"),
    ]


def test_a_metric_tells_everything_that_decided() -> None:
    metric = the_metric(
        critical=True,
        weight=0.5,
        lost=25.0,
        judgment=a_judgment(
            Verdict.INCONCLUSIVE,
            p=0.2,
            log_e=-0.5,
            estimate=an_estimate(),
            n=30,
            n_effective=12.5,
            autocorrelation=0.4,
            settlement=a_settlement(),
            warnings=("few steps",),
        ),
        pods={"baseline": 3, "canary": 1},
    )

    expected = {
        "name": "memory",
        "group": "resources",
        "critical": True,
        "muted": False,
        "weight": 0.5,
        "points_lost": 25.0,
        "judge": "mann_whitney",
        "verdict": "inconclusive",
        "reason": "undecided",
        "summary": "summary of inconclusive",
        "estimate": {
            "value": 1.14,
            "scale": "ratio",
            "baseline": 0.42,
            "canary": 0.479,
            "interval": {"lower": 1.09, "upper": 1.19, "level": 0.95},
        },
        "harm": {"p": 0.2, "log_e": -0.5},
        "safety": None,
        "n": 30,
        "n_effective": 12.5,
        "autocorrelation": 0.4,
        "settlement": {
            "summary": "about 12 minutes more at this noise",
            "minutes": 12.3,
            "events": None,
            "requests": None,
        },
        "warnings": ["few steps"],
        "pods": {"baseline": 3, "canary": 1},
    }
    assert {name: metric[name] for name in expected} == expected


def test_a_finding_is_told_with_its_remedy() -> None:
    finding = Finding(code="side_missing", summary="canary: no series", remedy="check the labels")

    metric = the_metric(
        judgment=a_judgment(Verdict.INCONCLUSIVE, p=None, reason=Reason.GUARD), findings=(finding,)
    )

    assert metric["guards"] == [
        {
            "code": "side_missing",
            "severity": "invalid",
            "summary": "canary: no series",
            "remedy": "check the labels",
            "page": "reference/guards/side_missing.md",
        }
    ]


def test_a_query_is_told_as_it_was_sent_with_its_error() -> None:
    query = AskedQuery(
        side="canary", role="total", kind="samples", query='a{b="ü"}', series=None, error="timeout"
    )

    assert the_metric(queries=(query,))["queries"] == [
        {
            "side": "canary",
            "role": "total",
            "kind": "samples",
            "query": 'a{b="ü"}',
            "series": None,
            "error": "timeout",
        }
    ]


def test_the_provenance_is_enough_to_get_it_again() -> None:
    assert strict(a_report())["provenance"] == {
        "serinus": "1.2.3",
        "libraries": {"numpy": "2.0.0", "scipy": "1.0.0"},
        "config_digest": "0123456789abcdef" * 4,
        "variables": {"baseline": {"v": "old"}, "canary": {"v": "new"}},
    }


def test_letters_beyond_ascii_are_written_as_they_are() -> None:
    assert '"name": "Kasse ✔ 漢"' in to_json(a_report(name="Kasse ✔ 漢"))


def test_errors_of_the_source_are_collected_once() -> None:
    asked = [
        AskedQuery(side="canary", role="query", kind="range", query=q, series=None, error=error)
        for q, error in (("a", "timeout"), ("b", "timeout"), ("c", None), ("d", "refused"))
    ]

    report = a_report(
        a_metric_report(queries=tuple(asked[:2])), a_metric_report(queries=tuple(asked[2:]))
    )

    assert report.source_errors == ("timeout", "refused")
