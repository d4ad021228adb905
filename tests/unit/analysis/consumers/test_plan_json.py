"""The forecast for programs."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from analysis.consumers.plan_json import to_json
from analysis.forecast import Basis, Harm
from analysis.outlook import Ahead, Outlook
from analysis.report import AskedQuery
from judges import Limit, Scale
from tests.support.command import strict_json
from tests.support.outlooks import a_forecast, a_metric_outlook, a_remedy, an_outlook


def document(outlook: Outlook) -> dict[str, Any]:
    return strict_json(to_json(outlook))


def test_a_document_has_its_schema_and_ends_in_a_newline() -> None:
    assert document(an_outlook())["schema"] == "plan-v1"
    assert to_json(an_outlook()).endswith("}\n")


def test_everything_is_there() -> None:
    query = AskedQuery(side="baseline", role="query", kind="range", query="m", series=2)
    forecast = a_forecast(
        suffices=False,
        requests=900.5,
        remedies=(a_remedy("window.planned", "90m"),),
        warnings=("careful",),
    )
    metric = a_metric_outlook("cpu", forecast, queries=(query,))

    (found,) = document(an_outlook(metric))["metrics"]

    assert found == {
        "name": "cpu",
        "group": "resources",
        "critical": True,
        "muted": False,
        "judge": "mann_whitney",
        "suffices": False,
        "summary": "a canary equal to the baseline passes after 24 minutes",
        "minutes": 24.0,
        "requests": 900.5,
        "harm": {"value": 1.18, "scale": "ratio", "level": 118.0},
        "margin": {"ratio": 1.1234, "absolute": 0.0},
        "remedies": [
            {"change": "window.planned", "value": "90m", "summary": "window.planned: 90m"}
        ],
        "basis": {
            "steps": 240,
            "n_effective": 81.5,
            "autocorrelation": 0.4,
            "events": None,
            "requests": None,
        },
        "warnings": ["careful"],
        "queries": [
            {
                "side": "baseline",
                "role": "query",
                "kind": "range",
                "query": "m",
                "series": 2,
                "error": None,
            }
        ],
    }


def test_the_plan_and_the_past_are_there() -> None:
    short = a_metric_outlook("cpu", a_forecast(suffices=False, remedies=(a_remedy(),)))
    ahead = Ahead(planned=timedelta(hours=1), share=0.2, one_side=True)

    found = document(an_outlook(short, ahead=ahead))

    assert {
        name: found[name] for name in ("suffices", "short", "sufficient", "share", "power")
    } == {
        "suffices": False,
        "short": ["cpu"],
        "sufficient": "90m",
        "share": 0.2,
        "power": 0.8,
    }
    assert (found["planned_s"], found["warmup_s"], found["looks"]) == (3600.0, 180.0, "anytime")
    assert found["past"] == {
        "sides": "baseline",
        "from": "2027-01-15T08:00:00Z",
        "to": "2027-01-15T09:00:00Z",
        "step_s": 60,
        "steps": 60,
    }
    assert found["provenance"]["serinus"] == "1.2.3"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_null(number: float) -> None:
    forecast = a_forecast(
        minutes=number,
        requests=number,
        harm=Harm(value=number, scale=Scale.VALUE, level=number),
        margin=Limit(ratio=1.2),
        basis=Basis(steps=1, n_effective=number, autocorrelation=number, events=number),
    )

    (found,) = document(an_outlook(a_metric_outlook(forecast=forecast)))["metrics"]

    assert (found["minutes"], found["requests"], found["harm"]["value"]) == (None, None, None)
    assert found["basis"]["n_effective"] is None


def test_nothing_to_say_is_null() -> None:
    forecast = a_forecast(suffices=None, minutes=None, harm=None, margin=None)

    found = document(an_outlook(a_metric_outlook(forecast=forecast)))

    assert found["suffices"] is None
    assert (found["metrics"][0]["harm"], found["metrics"][0]["margin"]) == (None, None)
