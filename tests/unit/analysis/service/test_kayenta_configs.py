"""A configuration of ours in Kayenta's form."""

from __future__ import annotations

from analysis.service.kayenta import configs
from tests.support.builders import a_config, a_metric


def test_a_list_has_what_argo_picks_by() -> None:
    assert configs.listed("shop", 1.5) == {
        "id": "shop",
        "name": "shop",
        "updatedTimestamp": 1_500,
        "updatedTimestampIso": "1970-01-01T00:00:01.500000Z",
        "applications": ["shop"],
    }


def test_metrics_show_their_group_and_flags_but_no_query() -> None:
    metric = a_metric(group="load", critical=True, query='secret{v="${v}"}')

    told = configs.shown("shop", a_config(metric), 0)

    (shown,) = told["metrics"]
    assert shown["groups"] == ["load"]
    assert shown["scopeName"] == "default"
    assert shown["analysisConfigurations"] == {"canary": {"critical": True, "muted": False}}
    assert "secret" not in str(told)


def test_weights_and_thresholds_are_those_of_the_score() -> None:
    scoring = {"pass": 90, "marginal": 60, "weights": {"load": 100}}
    config = a_config(a_metric(group="load"), scoring=scoring)

    assert configs.shown("shop", config, 0)["classifier"] == {
        "groupWeights": {"load": 100},
        "scoreThresholds": {"pass": 90, "marginal": 60},
    }
