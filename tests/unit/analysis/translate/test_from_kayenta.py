"""A canary config of Kayenta's: what it becomes, and what is said of what it does not become."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.config import CanaryConfig
from analysis.config.load import parse_config
from analysis.errors import ConfigError
from analysis.translate.from_kayenta import from_kayenta
from analysis.translate.kayenta_document import Query
from analysis.translate.kayenta_queries import carried
from analysis.translate.writing import Imported
from judges import Sample

REFERENCE = Path(__file__).parents[4] / "fixtures" / "reference" / "kayenta_cases.json"


@cache
def cases(kind: str) -> dict[str, Any]:
    found = [c for c in json.loads(REFERENCE.read_text())["cases"] if c["kind"] == kind]
    return {f"{number}: {case['name']}": case for number, case in enumerate(found)}


def a_metric(**over: Any) -> dict[str, Any]:
    canary = over.pop("canary", {})
    return {
        "name": "cpu",
        "groups": ["resources"],
        "scopeName": "default",
        "query": {
            "type": "prometheus",
            "customInlineTemplate": 'PromQL:avg(cpu{pod=~"${scope}-.*"})',
        },
        "analysisConfigurations": {"canary": canary},
    } | over


def a_document(*metrics: dict[str, Any], **over: Any) -> dict[str, Any]:
    return {
        "name": "guestbook",
        "applications": ["guestbook"],
        "metrics": list(metrics or [a_metric()]),
        "classifier": {"scoreThresholds": {"pass": 95, "marginal": 75}},
    } | over


def imported(document: Any, judge: str = "kayenta") -> Imported:
    return from_kayenta(json.dumps(document, indent=1), origin="guestbook.json", judge=judge)


def config(document: Any, judge: str = "kayenta") -> CanaryConfig:
    return parse_config(imported(document, judge).text)


def notes(document: Any, judge: str = "kayenta") -> str:
    return "\n".join(f"{n.path}: {n.message}" for n in imported(document, judge).notes)


@pytest.mark.parametrize("case", cases("prometheus_query").values(), ids=cases("prometheus_query"))
def test_a_query_is_what_kayenta_sends(case: dict[str, Any]) -> None:
    given = case["judge_params"]
    names = ("metricName", "labelBindings", "customFilterTemplate", "customInlineTemplate")
    query = {name: given[name] for name in (*names, "resourceType") if given[name] is not None}
    bindings = {"scope": given["scope"], "location": given["location"]}
    bindings |= given["extendedScopeParams"] or {}

    sent = carried(Query.model_validate({"type": "prometheus", **query}), given["templates"]).promql
    for name, value in bindings.items():
        sent = sent.replace(f"${{{name}}}", str(value))

    assert sent.replace(", ", ",") == case["expected"]["query"].replace(", ", ",")


def judged_alike() -> dict[str, Any]:
    """Give the reference's cases of one metric whose sides have as many values."""

    def is_plain(case: dict[str, Any]) -> bool:
        sides = case["baseline"], case["canary"]
        settings = case["judge_params"]["analysisConfigurations"]
        return (
            len(settings) == 1
            and not any(one["canary"].get("muted") for one in settings.values())
            and all(isinstance(side, list) and side for side in sides)
            and all(isinstance(value, int | float) for side in sides for value in side)
            and len(sides[0]) == len(sides[1])
        )

    return {name: case for name, case in cases("judge").items() if is_plain(case)}


@pytest.mark.parametrize("case", judged_alike().values(), ids=judged_alike())
def test_a_metric_gets_the_label_that_kayenta_gave_it(case: dict[str, Any]) -> None:
    ((name, settings),) = case["judge_params"]["analysisConfigurations"].items()
    (metric,) = config(a_document(a_metric(name=name, canary=settings["canary"]))).metrics
    sides = (np.array(case[side], dtype=np.float64) for side in ("baseline", "canary"))

    judgment = metric.judge.create().judge(Sample.of_values(*sides, step_s=60.0))

    (expected,) = case["expected"]["results"]
    assert judgment.details["label"] == expected["classification"]
    assert judgment.details["critical"] == expected["critical"]


def test_the_reference_is_not_empty() -> None:
    assert len(judged_alike()) >= 15


def test_groups_weights_and_thresholds_are_carried_over() -> None:
    found = config(
        a_document(
            a_metric(canary={"critical": True, "direction": "increase"}),
            a_metric(name="errors", groups=["errors"], canary={"muted": True}),
            classifier={
                "groupWeights": {"resources": 60, "errors": 40},
                "scoreThresholds": {"pass": 90, "marginal": 60},
            },
        )
    )

    cpu, errors = found.metrics
    assert (cpu.group, cpu.critical, cpu.muted) == ("resources", True, False)
    assert (errors.group, errors.critical, errors.muted) == ("errors", False, True)
    assert found.scoring.weights == {"resources": 60, "errors": 40}
    assert (found.scoring.pass_, found.scoring.marginal) == (90, 60)
    assert cpu.judge.parameters == {"direction": "increase", "critical": True}


def test_a_call_tells_thresholds_step_length_and_parameters() -> None:
    scope = {"scope": "a", "location": "l", "step": 30, "extendedScopeParams": {"zone": "eu"}}
    template = {"type": "prometheus", "customInlineTemplate": 'PromQL:x{z="${zone}", s="${scope}"}'}
    found = config(
        {
            "canaryConfig": a_document(a_metric(query=template)),
            "executionRequest": {
                "scopes": {"default": {"controlScope": scope, "experimentScope": scope}},
                "thresholds": {"pass": 80, "marginal": 50},
                "lifetimeDurationMins": 45,
                "beginAfterMins": 5,
            },
        }
    )

    assert found.source.prometheus.step.total_seconds() == 30
    assert (found.window.planned.total_seconds(), found.window.warmup.total_seconds()) == (
        3000,
        300,
    )
    assert (found.scoring.pass_, found.scoring.marginal) == (80, 50)
    assert found.side_variables("canary") == {"zone": "eu", "scope": None}


def test_our_judge_gets_the_tolerance_that_the_effect_size_asks_for() -> None:
    def parameters(**canary: Any) -> dict[str, Any]:
        (metric,) = config(a_document(a_metric(canary=canary)), "mann_whitney").metrics
        return metric.judge.parameters

    rise = {"allowedIncrease": 1.1, "allowedDecrease": 0.5}

    assert parameters(direction="increase", effectSize=rise) == {
        "direction": "increase",
        "tolerance": "10%",
    }
    assert parameters(direction="decrease", effectSize=rise)["tolerance"] == "100%"
    assert parameters(effectSize=rise) == {"direction": "either", "tolerance": "100%"}
    assert "tolerance" not in parameters(effectSize={"measure": "cles", "allowedIncrease": 0.8})


def test_a_remote_judge_of_ours_stays_what_it_was() -> None:
    judge = {
        "name": "RemoteJudge-v1.0",
        "judgeConfigurations": {"kind": "mann_whitney", "tolerance": "10%", "margin": "25%"},
    }

    (metric,) = config(a_document(judge=judge)).metrics

    assert metric.judge.kind == "mann_whitney"
    assert metric.judge.parameters == {"tolerance": "10%", "margin": "25%"}


TOLD: dict[str, tuple[dict[str, Any], str]] = {
    "a store that is none of Prometheus": (
        a_metric(name="dd", query={"type": "datadog"}),
        "metrics[1].query: the metric dd is left out: its query is one of datadog",
    ),
    "a template that is not there": (
        a_metric(name="t", query={"type": "prometheus", "customFilterTemplate": "x"}),
        "the metric t is left out: its template 'x' is not there; known are none",
    ),
    "a word that Kayenta takes for another": (
        a_metric(name="d", canary={"direction": "up"}),
        "direction 'up' is none of Kayenta's, which takes it for either",
    ),
    "a text that is no truth": (
        a_metric(name="d", canary={"critical": "false"}),
        "critical is a text, over which Kayenta fails",
    ),
    "a text that is no number": (
        a_metric(name="d", canary={"effectSize": {"allowedIncrease": "1.1"}}),
        "allowedIncrease '1.1' is no number, over which Kayenta fails; it is left out",
    ),
    "a setting that is none": (
        a_metric(name="d", canary={"colour": 1}),
        "colour is no setting of Kayenta's judge",
    ),
    "no group": (a_metric(name="d", groups=[]), "in no group it had no say in the score"),
    "several groups": (a_metric(name="d", groups=["a", "b"]), "counted in a, b; here in the first"),
    "another scope": (a_metric(name="d", scopeName="other"), "the scope other is one with"),
    "a name that we cannot have": (
        a_metric(
            name="d", query={"type": "prometheus", "customInlineTemplate": "PromQL:x{a='${a.b}'}"}
        ),
        "${a.b} is called ${a_b} here",
    ),
    "a bound that is critical later": (
        a_metric(name="d", canary={"critical": True, "effectSize": {"criticalIncrease": 5}}),
        "Kayenta fails the canary only beyond criticalIncrease",
    ),
}


@pytest.mark.parametrize(("metric", "message"), TOLD.values(), ids=TOLD)
def test_what_changed_is_told_with_its_place_and_stands_beside_it(
    metric: dict[str, Any], message: str
) -> None:
    found = imported(a_document(a_metric(), metric))

    told = [note for note in found.notes if message in f"{note.path}: {note.message}"]
    assert len(told) == 1
    assert told[0].line is not None
    assert told[0].message.split(";")[0][:40] in found.text


WHOLE: dict[str, tuple[dict[str, Any], str]] = {
    "a group without metrics": ({"groupWeights": {"x": 1}}, "no metric is in the group x"),
    "a weight of nothing": ({"groupWeights": {"resources": 0}}, "a weight of 0 is left out"),
    "weights that are no percent": ({"groupWeights": {"resources": 60}}, "come to 60"),
    "thresholds without room": (
        {"scoreThresholds": {"pass": 50, "marginal": 50}},
        "pass 50 and marginal 50 leave no room between or below them; 50 and 49 do",
    ),
}


@pytest.mark.parametrize(("classifier", "message"), WHOLE.values(), ids=WHOLE)
def test_what_the_score_cannot_be_is_mended_and_told(
    classifier: dict[str, Any], message: str
) -> None:
    assert message in notes(a_document(classifier=classifier))


def test_our_judge_says_what_it_leaves_behind() -> None:
    canary = {
        "nanStrategy": "replace",
        "mustHaveData": True,
        "outliers": {"strategy": "remove"},
        "effectSize": {"measure": "cles"},
    }

    told = notes(a_document(a_metric(canary=canary)), "mann_whitney")

    for word in ("nanStrategy: replace", "mustHaveData", "outliers: remove", "effectSize: cles"):
        assert word in told


def test_a_metric_may_be_named_as_no_variable_may() -> None:
    template = {"type": "prometheus", "customInlineTemplate": 'PromQL:x{s="${step}", t="${1a}"}'}

    assert "${step_}" in str(config(a_document(a_metric(query=template))).metrics[0].query)


@pytest.mark.parametrize("name", ["guestbook", "caf\u00e9 \U0001f426", "a\\u b", "a\\\U0001f426/"])
def test_json_is_read_as_any_program_writes_it(name: str) -> None:
    text = json.dumps(a_document(name=name), indent="\t").replace("/", "\\/")

    found = from_kayenta(text, origin="guestbook.json")

    assert parse_config(found.text).name == name
    assert {note.line for note in found.notes} > {None}


REFUSED: dict[str, tuple[str, str]] = {
    "no JSON": ("{", "guestbook.json: is no JSON"),
    "no object": ("[]", "guestbook.json: a canary config is a JSON object"),
    "no metrics": ('{"name": "x"}', "metrics: is missing"),
    "a metric without a query": (
        json.dumps(a_document({"name": "x"})),
        r"metrics\[0\].query: is missing",
    ),
    "nothing to carry over": (
        json.dumps(a_document(a_metric(query={"type": "atlas"}))),
        "guestbook.json has no metric that can be carried over\nthe metric cpu is left out",
    ),
    "nothing that may speak": (
        json.dumps(a_document(a_metric(canary={"muted": True}))),
        "as a configuration of ours:.*all are muted",
    ),
    "a name twice": (
        json.dumps(a_document(a_metric(), a_metric())),
        "guestbook.json, as a configuration of ours:.*is the name of metrics",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_canary_config_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_kayenta(text, origin="guestbook.json")
