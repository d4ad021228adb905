"""The door for what Kayenta's clients send."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from analysis.service.kayenta.documents import (
    MOST_POINTS,
    ExecutionRequest,
    PairValues,
    RemoteRequest,
    Scope,
)

SPAN = {"start": "2026-11-22T10:00:00Z", "end": "2026-11-22T11:00:00Z"}


def a_scope(**changes: Any) -> Scope:
    return Scope.model_validate({"scope": "5d4c", "location": "shop", **SPAN, **changes})


def an_execution(passing: float = 95, marginal: float = 75) -> dict[str, Any]:
    side = {"scope": "5d4c", **SPAN}
    return {
        "scopes": {"default": {"controlScope": side, "experimentScope": side}},
        "thresholds": {"pass": passing, "marginal": marginal},
    }


VARIABLES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a location is a namespace": ({}, {"location": "shop", "namespace": "shop"}),
    "so is a region": (
        {"location": None, "region": "eu"},
        {"location": "eu", "namespace": "eu"},
    ),
    "a location stands over a region": (
        {"region": "eu"},
        {"location": "shop", "namespace": "shop"},
    ),
    "without either there is none": ({"location": ""}, {}),
    "further parameters stand over both": (
        {"extendedScopeParams": {"namespace": "n", "zone": 3}},
        {"location": "shop", "namespace": "n", "zone": "3"},
    ),
    "no configuration refers to step, window or a name with a dash": (
        {"extendedScopeParams": {"step": "5", "window": "1m", "app-name": "x"}},
        {"location": "shop", "namespace": "shop"},
    ),
}


@pytest.mark.parametrize(("changes", "variables"), VARIABLES.values(), ids=VARIABLES)
def test_a_scope_gives_variables(changes: dict[str, Any], variables: dict[str, str]) -> None:
    assert a_scope(**changes).variables == {"scope": "5d4c", "hash": "5d4c", **variables}


def test_null_and_unknown_fields_are_as_good_as_absent() -> None:
    assert a_scope(step=None, extendedScopeParams=None, offset=7) == a_scope()


REFUSED_SCOPES: dict[str, dict[str, Any]] = {
    "a step of nothing": {"step": 0},
    "a step without end": {"step": math.inf},
    "a scope beyond reason": {"scope": "x" * 1025},
    "half a character": {"extendedScopeParams": {"a": "\ud800"}},
    "more parameters than anybody has": {"extendedScopeParams": dict.fromkeys(map(str, range(65)))},
}


@pytest.mark.parametrize("changes", REFUSED_SCOPES.values(), ids=REFUSED_SCOPES)
def test_a_scope_that_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        a_scope(**changes)


@pytest.mark.parametrize(("passing", "marginal"), [(0, 0), (50, 60), (101, 0), (math.nan, 0)])
def test_thresholds_that_no_fail_could_be_told_by_are_refused(
    passing: float, marginal: float
) -> None:
    with pytest.raises(ValidationError):
        ExecutionRequest.model_validate(an_execution(passing, marginal))


def test_what_was_sent_is_given_back_under_kayentas_names() -> None:
    given = ExecutionRequest.model_validate(an_execution()).model_dump(mode="json", by_alias=True)

    assert given["thresholds"] == {"pass": 95, "marginal": 75}
    assert given["scopes"]["default"]["controlScope"]["scope"] == "5d4c"


def test_values_without_a_number_come_as_texts() -> None:
    values = PairValues.model_validate({"control": [1, "NaN", "-Infinity", None, "2.5"]}).control

    assert values[1] is not None
    assert math.isnan(values[1])
    assert [values[0], *values[2:]] == [1.0, -math.inf, None, 2.5]


REFUSED_VALUES: dict[str, list[Any]] = {
    "a word": ["much"],
    "a list": [[1.0]],
    "an integer beyond doubles": [10**400],
    "more points than any source answers": [0.0] * (MOST_POINTS + 1),
}


@pytest.mark.parametrize("values", REFUSED_VALUES.values(), ids=REFUSED_VALUES)
def test_values_that_are_none_are_refused(values: list[Any]) -> None:
    with pytest.raises(ValidationError):
        PairValues.model_validate({"control": values})


def test_a_metric_may_lack_all_but_its_name() -> None:
    request = RemoteRequest.model_validate(
        {
            "canaryConfig": {"metrics": [{"name": "m"}], "judge": None, "classifier": None},
            "scoreThresholds": {"pass": 95, "marginal": 75},
            "metricSetPairList": [{"name": "m"}],
        }
    )

    assert request.canary_config.metrics[0].groups == []
    assert request.metric_set_pair_list[0].values.control == []
