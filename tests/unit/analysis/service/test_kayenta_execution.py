"""An analysis of ours in the words of Kayenta's clients."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.service.kayenta import execution, pairs, results
from analysis.store import Record, Status

Limits = tuple[float, float]


def a_record(verdict: str | None = "pass", score: float | None = 100.0, **changes: Any) -> Record:
    told: dict[str, Any] = {
        "id": "01",
        "key": "k",
        "generation": 1,
        "identity": "i",
        "config": "shop",
        "config_text": "",
        "version": "",
        "namespace": "",
        "request": {},
        "warnings": (),
        "status": Status.COMPLETED,
        "verdict": verdict,
        "score": score,
        "summary": "p99 rose",
        "report": None,
        "looks": 1,
        "due": 0.0,
        "created": 0.0,
        "updated": 60.0,
    }
    return Record(**{**told, **changes})


def a_metric(verdict: str = "pass", **changes: Any) -> dict[str, Any]:
    return {
        "name": "errors",
        "group": "g",
        "verdict": verdict,
        "summary": "",
        "critical": True,
        "muted": False,
        "estimate": {"baseline": 2.0, "canary": 3.0},
        "series": {"times": [60.0, 120.0], "baseline": [1.0, None], "canary": [None, None]},
        "queries": [
            {"side": "baseline", "query": "a"},
            {"side": "baseline", "query": "b"},
            {"side": "canary", "query": "c"},
        ],
        **changes,
    }


def result_of(metric: dict[str, Any]) -> dict[str, Any]:
    report = {"metrics": [metric], "groups": [{"name": "g", "score": 100.0}]}
    told = execution.status(a_record(report=report), None)["result"]["judgeResult"]["results"]
    return dict(told[0])


def phase(score: float, limits: Limits) -> str:
    """Read a score as Argo does."""
    passing, marginal = limits
    return "pass" if int(score) >= passing else "open" if int(score) >= marginal else "fail"


LIMITS: list[Limits] = [(95, 75), (60, 50), (100, 99), (90, 1), (2, 1), (94.5, 70.5)]
OWN = [None, 0.0, 49.9, 74.99, 94.99, 100.0]


@pytest.mark.parametrize("limits", LIMITS, ids=str)
@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize(
    ("verdict", "expected"), [("pass", "pass"), ("inconclusive", "open"), ("fail", "fail")]
)
def test_a_score_says_the_verdict_to_argo(
    verdict: str, expected: str, own: float | None, limits: Limits
) -> None:
    told = results.score(a_record(verdict, own), limits)

    assert phase(told, limits) == expected
    assert 0 <= told <= 100


@pytest.mark.parametrize("own", OWN)
def test_an_undecided_canary_is_no_failure_to_spinnaker_either(own: float | None) -> None:
    assert results.score(a_record("inconclusive", own), (95, 75)) > 75  # <= is a failure there


def test_a_score_within_its_band_is_not_moved() -> None:
    records = [a_record("pass", 97.5), a_record("inconclusive", 82.5), a_record("fail", 12.5)]

    assert [results.score(one, (95, 75)) for one in records] == [97.5, 82.5, 12.5]


ENDS = {
    "a running one has no result": (Status.RUNNING, None, (False, "running", False)),
    "nor has one that is running without data": (
        Status.RUNNING,
        "inconclusive",
        (False, "running", False),
    ),
    "a canceled one has ended without": (Status.CANCELED, None, (True, "canceled", False)),
    "an undecided one has ended": (Status.COMPLETED, "inconclusive", (True, "succeeded", True)),
}


@pytest.mark.parametrize(("status", "verdict", "expected"), ENDS.values(), ids=ENDS)
def test_an_execution_is_complete_when_its_analysis_is(
    status: Status, verdict: str | None, expected: tuple[bool, str, bool]
) -> None:
    told = execution.status(a_record(verdict, None, status=status), None)

    assert (told["complete"], told["status"], "result" in told) == expected


LABELS: dict[str, tuple[dict[str, Any], str]] = {
    "what passes": ({}, "Pass"),
    "what rose": ({"verdict": "fail"}, "High"),
    "what fell": ({"verdict": "fail", "estimate": {"baseline": 3.0, "canary": 2.0}}, "Low"),
    "what fails without a level": ({"verdict": "fail", "estimate": None}, "High"),
    "what is undecided": ({"verdict": "inconclusive"}, "Nodata"),
}


@pytest.mark.parametrize(("changes", "label"), LABELS.values(), ids=LABELS)
def test_a_metric_has_one_of_kayentas_labels(changes: dict[str, Any], label: str) -> None:
    told = result_of(a_metric(**changes))

    assert told["classification"] == label
    assert told["critical"] is (label != "Pass")


RATIOS: dict[str, tuple[dict[str, Any] | None, float | str]] = {
    "of both levels": ({"baseline": 2.0, "canary": 3.0}, 1.5),
    "from zero there is none": ({"baseline": 0.0, "canary": 3.0}, "NaN"),
    "nor one beyond doubles": ({"baseline": 1e-300, "canary": 1e300}, "NaN"),
    "nor without levels": (None, "NaN"),
}


@pytest.mark.parametrize(("estimate", "ratio"), RATIOS.values(), ids=RATIOS)
def test_a_ratio_is_a_number_or_says_that_it_is_none(
    estimate: dict[str, Any] | None, ratio: float | str
) -> None:
    assert result_of(a_metric(estimate=estimate))["resultMetadata"] == {"ratio": ratio}


def test_statistics_are_numbers_even_without_data() -> None:
    told = result_of(a_metric())

    one = {"count": 1, "mean": 1.0, "min": 1.0, "max": 1.0, "std": 0.0}
    assert told["controlMetadata"]["stats"] == one
    assert told["experimentMetadata"]["stats"] == dict.fromkeys(one, 0)


def test_a_pair_holds_series_queries_and_the_id_of_its_result() -> None:
    report = {"metrics": [a_metric()], "window": {"step_s": 60.0, "steps": 2}}
    (pair,) = pairs.pairs(a_record(report=report))

    assert pair["id"] == result_of(a_metric())["id"]
    assert pair["values"] == {"control": [1.0, "NaN"], "experiment": ["NaN", "NaN"]}
    assert pair["attributes"]["control"] == {"query": "a; b"}
    assert pair["scopes"]["experiment"] == {
        "startTimeIso": "1970-01-01T00:01:00Z",
        "startTimeMillis": 60_000,
        "stepMillis": 60_000,
    }


def test_without_thresholds_of_the_caller_the_configurations_stand() -> None:
    config = {"classifier": {"scoreThresholds": {"pass": 95, "marginal": 75}}}

    told = execution.status(a_record("inconclusive", None), config)

    assert phase(told["result"]["judgeResult"]["score"]["score"], (95, 75)) == "open"


def test_an_analysis_that_kayentas_clients_did_not_start_is_told_all_the_same() -> None:
    told = execution.status(a_record(), None)

    assert told["application"] == "shop"
    assert told["canaryExecutionRequest"] == {}
    assert told["result"]["judgeResult"]["score"]["score"] == 100.0
