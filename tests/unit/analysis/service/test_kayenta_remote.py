"""Judging what a Kayenta sends, and refusing what cannot be judged."""

from __future__ import annotations

import math
from typing import Any

import pytest

from analysis.service.kayenta import forms, remote
from analysis.service.kayenta.documents import RemoteRequest
from analysis.translate.kayenta_judging import parameters

CALM = [10.0 + (n * 7 % 5) / 10 for n in range(60)]
WORSE = [20.0 + (n * 3 % 7) / 10 for n in range(60)]


def a_request(
    control: list[Any] = CALM,
    experiment: list[Any] = WORSE,
    *,
    chosen: dict[str, Any] | None = None,
    weights: dict[str, float] | None = None,
    **settings: Any,
) -> RemoteRequest:
    metric = {"name": "m", "groups": ["g"], "analysisConfigurations": {"canary": settings}}
    return RemoteRequest.model_validate(
        {
            "canaryConfig": {
                "judge": {"judgeConfigurations": chosen or {}},
                "metrics": [metric],
                "classifier": {"groupWeights": weights or {}},
            },
            "scoreThresholds": {"pass": 95, "marginal": 75},
            "metricSetPairList": [
                {"name": "m", "values": {"control": control, "experiment": experiment}}
            ],
        }
    )


def label(request: RemoteRequest) -> str:
    return str(remote.judge(request)["results"][0]["classification"])


@pytest.mark.parametrize("word", ["kind", "judge"])
def test_a_judge_of_ours_is_named_by_kind_or_judge(word: str) -> None:
    told = remote.judge(a_request(chosen={word: "mann_whitney"}))

    assert told["judgeName"] == "Serinus mann_whitney"
    assert told["results"][0]["classification"] == "High"
    assert told["score"]["classification"] == "Fail"


def test_parameters_hold_for_every_metric_unless_it_has_its_own() -> None:
    chosen = {"kind": "kayenta", "allowed_increase": 3.0}

    assert label(a_request(chosen=chosen)) == "Pass"
    assert label(a_request(chosen=chosen, effectSize={"allowedIncrease": 1.5})) == "High"


def test_a_metrics_direction_is_told_to_our_judges() -> None:
    chosen = {"kind": "mann_whitney"}

    assert label(a_request(WORSE, CALM, chosen=chosen, direction="increase")) == "Pass"
    assert label(a_request(WORSE, CALM, chosen=chosen, direction="decrease")) == "Low"


def test_what_our_judge_cannot_decide_is_nodata() -> None:
    assert label(a_request([1.0], [2.0], chosen={"kind": "mann_whitney"})) == "Nodata"


def test_our_judge_fails_the_canary_by_a_critical_metric() -> None:
    told = remote.judge(a_request(chosen={"kind": "mann_whitney"}, critical=True))

    assert told["results"][0]["critical"] is True
    assert told["score"]["classificationReason"].startswith("Canary Failed: m:")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt kind is no order for Kayenta's judge": (
        {"chosen": {"knd": "spike"}},
        "'knd' but no 'kind'",
    ),
    "an unknown judge is answered with those known": ({"chosen": {"kind": "magic"}}, "mann_w"),
    "a parameter is checked": ({"chosen": {"kind": "mann_whitney", "alpha": 5}}, "alpha"),
    "a text is no truth, as in Kayenta": ({"critical": "true"}, "critical"),
    "nor is a text for our judges": (
        {"chosen": {"kind": "mann_whitney"}, "critical": "false"},
        "critical must be",
    ),
    "nor does a text mute": ({"muted": "false"}, "muted must be"),
    "a factor beyond doubles": (
        {"outliers": {"strategy": "remove", "outlierFactor": 10**400}},
        "too large",
    ),
    "a judge of counts": ({"chosen": {"kind": "error_ratio"}}, "counts"),
    "weights that sum to infinity": ({"weights": {"g": 1.7e308}}, "inf"),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_judged_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError, ArithmeticError), match=message):
        remote.judge(a_request(**{"experiment": CALM, **changes}))


IGNORED: dict[str, dict[str, Any]] = {
    "an unknown word": {"direction": "sideways"},
    "a list for a word": {"nanStrategy": ["remove"]},
    "a word for a section": {"outliers": "remove", "effectSize": "cles"},
    "an unknown setting": {"tolerance": 0.1},
}


@pytest.mark.parametrize("settings", IGNORED.values(), ids=IGNORED)
def test_settings_that_kayenta_ignores_are_ignored(settings: dict[str, Any]) -> None:
    assert parameters(settings) == {}


def test_settings_are_translated() -> None:
    settings = {
        "direction": "increase",
        "nanStrategy": "replace",
        "critical": True,
        "mustHaveData": True,
        "outliers": {"strategy": "remove", "outlierFactor": 2.5},
        "effectSize": {"measure": "cles", "allowedIncrease": 0.8, "criticalDecrease": 0.1},
    }

    assert parameters(settings) == {
        "direction": "increase",
        "nan_strategy": "replace",
        "critical": True,
        "must_have_data": True,
        "outliers": "remove",
        "outlier_factor": 2.5,
        "effect_size": "cles",
        "allowed_increase": 0.8,
        "critical_decrease": 0.1,
    }


@pytest.mark.parametrize("kind", ["kayenta", "mann_whitney"])
@pytest.mark.parametrize(
    "values", [[], ["NaN"] * 5, ["Infinity", 1.0], [1e308, -1e308] * 20], ids=str
)
def test_the_strangest_values_have_an_answer(kind: str, values: list[Any]) -> None:
    one = remote.judge(a_request(values, CALM, chosen={"kind": kind}))["results"][0]

    assert one["classification"] in {"Pass", "High", "Low", "Nodata"}
    stats = one["controlMetadata"]["stats"].values()
    assert all(isinstance(x, str) or math.isfinite(x) for x in stats)


def test_a_number_that_is_none_is_a_text() -> None:
    given = [None, math.nan, math.inf, -math.inf, 1.5]

    assert [forms.number(x) for x in given] == ["NaN", "NaN", "Infinity", "-Infinity", 1.5]
