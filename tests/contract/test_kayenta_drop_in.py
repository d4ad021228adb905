"""Canary configs that clients bring: kept, run ad hoc, judged over a lifetime, judged again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.errors import SourceError
from analysis.service.routes.kayenta import absent
from analysis.sources.port import Answer as SourceAnswer
from analysis.sources.port import Series
from tests.support.builders import START, FakeSource, a_document, a_metric, a_series
from tests.support.service import Answer, Client, serving

STEPS = 30
END = START + 60.0 * STEPS
KAYENTAS, OURS = "NetflixACAJudge-v1.0", "Serinus"
Levels = Mapping[str, float]


def instant(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, tz=UTC).isoformat().replace("+00:00", "Z")


def canary_config(judge: str = KAYENTAS, **changes: Any) -> dict[str, Any]:
    """Write what Deck and Referee write."""
    metric = {
        "name": "memory",
        "groups": ["resources"],
        "scopeName": "default",
        "query": {
            "type": "prometheus",
            "metricName": "x",
            "customInlineTemplate": 'PromQL:mem{hash="$\\{scope}"}',
        },
        "analysisConfigurations": {"canary": {"direction": "increase", "critical": True}},
    }
    return {
        "name": "mine",
        "applications": ["shop"],
        "configVersion": "1.0",
        "judge": {"name": judge, "judgeConfigurations": {}},
        "metrics": [metric],
        "templates": {},
        "classifier": {"groupWeights": {"resources": 100}},
    } | changes


def execution_request(**limits: float) -> dict[str, Any]:
    scope = {"location": "ns", "step": 60, "start": instant(START), "end": instant(END)}
    sides = {"controlScope": {"scope": "old"}, "experimentScope": {"scope": "new"}}
    return {
        "scopes": {"default": {name: side | scope for name, side in sides.items()}},
        "thresholds": {"pass": 95, "marginal": 75} | limits,
    }


def noisy(level: float, seed: int) -> Series:
    noise = np.random.default_rng(seed).normal(1.0, 0.02, STEPS + 1)
    return a_series([(START + 60.0 * n, level * noise[n]) for n in range(STEPS + 1)])


def a_source(old: float = 10.0, new: float = 10.0) -> FakeSource:
    levels = {"old": (old, 1), "new": (new, 2)}
    return FakeSource({f'mem{{hash="{side}"}}': [noisy(*level)] for side, level in levels.items()})


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    (tmp_path / "operators.yaml").write_text(json.dumps(a_document(a_metric())))
    with ExitStack() as services:

        def make(source: Any = None, *, inline: bool = True, **settings: Any) -> Client:
            running = serving(
                tmp_path,
                connect=lambda _: source or a_source(),
                clock=lambda: END + 120.0,
                inline=inline,
                **settings,
            )
            return services.enter_context(running)

        yield make


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    configs = tmp_path_factory.mktemp("configs")
    with serving(configs, connect=lambda _: a_source(), inline=True) as client:
        yield client


def post(client: Client, path: str, body: Any = None) -> Answer:
    return client.call("POST", f"/kayenta{path}", json=body)


def ended(client: Client, started: Answer, name: str = "canaryExecutionId") -> str:
    assert started.status == 200, started.text
    analysis = str(started.json[name])
    client.until_completed(analysis)
    return analysis


def ad_hoc(client: Client, config: Any, **limits: float) -> Any:
    """Do as Referee does: start, poll, read."""
    body = {"canaryConfig": config, "executionRequest": execution_request(**limits)}
    analysis = ended(client, post(client, "/canary?application=referee", body))
    return client.get(f"/kayenta/canary/{analysis}").json


@pytest.mark.parametrize(
    ("new", "label", "grade"), [(10.0, "Pass", "Pass"), (20.0, "High", "Fail")]
)
@pytest.mark.parametrize("judge", [KAYENTAS, OURS])
def test_an_ad_hoc_execution_is_judged_by_the_judge_that_its_config_names(
    clients: Callable[..., Client], judge: str, new: float, label: str, grade: str
) -> None:
    told = ad_hoc(clients(a_source(new=new)), canary_config(judge))

    judged = told["result"]["judgeResult"]
    assert (told["canaryConfigId"], told["application"]) == ("ad-hoc", "referee")
    assert told["config"]["metrics"][0]["analysisConfigurations"]["canary"]["critical"] is True
    assert [one["classification"] for one in judged["results"]] == [label]
    assert judged["score"]["classification"] == grade
    assert judged["judgeName"] == ("Serinus kayenta" if judge == KAYENTAS else "Serinus")


def test_kayentas_score_keeps_kayentas_rules(clients: Callable[..., Client]) -> None:
    bad, good = (dict(one) for one in canary_config()["metrics"] * 2)
    bad |= {"name": "bad", "analysisConfigurations": {"canary": {"direction": "increase"}}}
    good |= {"name": "good", "analysisConfigurations": {"canary": {"direction": "decrease"}}}
    config = canary_config(metrics=[bad, good])

    told = ad_hoc(clients(a_source(new=20.0)), config)

    # Half of a group: to Kayenta 50 points, though neither metric is critical.
    assert told["result"]["judgeResult"]["score"]["score"] == 50.0
    assert told["result"]["judgeResult"]["score"]["classification"] == "Fail"


def test_a_source_that_is_down_is_never_passed_over_as_kayenta_does(
    clients: Callable[..., Client],
) -> None:
    down: dict[str, Any] = {
        query: SourceError("down", code="unreachable") if "new" in query else answer
        for query, answer in a_source().answers.items()
    }
    one = canary_config()["metrics"][0]
    query = one["query"] | {"customInlineTemplate": 'PromQL:up{hash="${scope}"}'}
    fine: dict[str, Any] = {
        'up{hash="old"}': SourceAnswer(series=(noisy(1.0, 3),)),
        'up{hash="new"}': SourceAnswer(series=(noisy(1.0, 4),)),
    }
    others = [{**one, "name": f"up {n}", "query": query} for n in range(3)]
    source = FakeSource(down | fine)

    told = ad_hoc(clients(source, patience_s=0.0), canary_config(metrics=[one, *others]))

    assert told["result"]["judgeResult"]["score"]["classification"] == "Marginal"


def test_a_kept_config_is_listed_shown_run_changed_and_removed(
    clients: Callable[..., Client],
) -> None:
    client = clients(a_source(new=20.0))

    assert post(client, "/canaryConfig", canary_config()).json == {"canaryConfigId": "mine"}
    listed = {one["id"]: one for one in client.get("/kayenta/canaryConfig").json}
    assert set(listed) == {"mine", "operators"}
    assert listed["mine"]["applications"] == ["shop"]
    shown = client.get("/kayenta/canaryConfig/mine").json
    assert {name: shown[name] for name in canary_config()} == canary_config()
    assert isinstance(shown["createdTimestamp"], int)

    analysis = ended(client, post(client, "/canary/mine", execution_request()))
    told = client.get(f"/kayenta/canary/{analysis}").json
    assert told["canaryConfigId"] == "mine"
    assert told["result"]["judgeResult"]["score"]["classification"] == "Fail"
    assert client.get(f"/kayenta/canaryResultArchive/{analysis}").json == told

    changed = canary_config(description="other")
    assert client.call("PUT", "/kayenta/canaryConfig/mine", json=changed).status == 200
    assert client.get("/kayenta/canaryConfig/mine").json["description"] == "other"
    assert client.call("DELETE", "/kayenta/canaryConfig/mine").status == 200
    assert client.get("/kayenta/canaryConfig/mine").status == 404
    assert client.get(f"/kayenta/canary/{analysis}").json == told  # what was judged stays


def one_metric(**changes: Any) -> dict[str, Any]:
    (metric,) = canary_config()["metrics"]
    return canary_config(metrics=[metric | changes])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no name": (canary_config(name=None), "name"),
    "a name that is a path": (canary_config(name="../x"), "name"),
    "a name of the operator's": (canary_config(name="operators"), "is taken, by a file"),
    "the name of what comes along": (canary_config(name="inline"), "is taken"),
    "an id of its own": (canary_config(id="4f2a"), "id must be the name"),
    "no application": (canary_config(applications=[]), "applications"),
    "no metric": (canary_config(metrics=[]), "metrics"),
    "a query for another source": (
        one_metric(query={"type": "datadog"}), "only Prometheus is asked"
    ),
    "a query of nothing": (one_metric(query={"type": "prometheus"}), "neither PromQL nor a metric"),
    "a template that is not there": (
        one_metric(query={"type": "prometheus", "customFilterTemplate": "t"}), "is not there"
    ),
    "a flag as a text": (
        one_metric(analysisConfigurations={"canary": {"critical": "true"}}),
        "critical must be true or false",
    ),
    "a judge that is none": (
        canary_config() | {"judge": {"judgeConfigurations": {"kind": "mann_witney"}}},
        "mann_whitney",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("config", "words"), REFUSED.values(), ids=REFUSED)
def test_a_config_that_cannot_be_judged_is_refused_when_it_is_written(
    clients: Callable[..., Client], config: dict[str, Any], words: str
) -> None:
    told = post(clients(), "/canaryConfig", config)

    assert told.status == 400, told.text
    assert words in told.json["message"]


def test_every_metric_that_cannot_be_asked_is_named_at_once(
    clients: Callable[..., Client],
) -> None:
    first = one_metric(query={"type": "atlas"})["metrics"][0]
    second = one_metric(name="cpu", query={"type": "prometheus"})["metrics"][0]

    told = post(clients(), "/canaryConfig", canary_config(metrics=[first, second])).json["message"]

    assert "metrics[0] 'memory'" in told
    assert "metrics[1] 'cpu'" in told


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/canaryConfig"),
        ("PUT", "/canaryConfig/mine"),
        ("DELETE", "/canaryConfig/mine"),
        ("POST", "/canary"),
        ("POST", "/standalone_canary_analysis"),
        ("POST", "/fetch/prometheus/query"),
    ],
)
def test_where_callers_bring_no_promql_they_bring_none_in_kayentas_form(
    clients: Callable[..., Client], method: str, path: str
) -> None:
    request = standalone_request() if "standalone" in path else execution_request()
    brought = {"canaryConfig": canary_config(), "executionRequest": request}
    body = brought if path in {"/canary", "/standalone_canary_analysis"} else canary_config()

    told = clients(inline=False).call(method, f"/kayenta{path}", json=body)

    assert told.status == 403
    assert "--inline" in told.json["message"]


def test_scope_and_location_are_values_and_never_promql(clients: Callable[..., Client]) -> None:
    source = a_source()
    body = execution_request()
    body["scopes"]["default"]["experimentScope"]["scope"] = 'x"} or vector(0) #'

    started = post(
        clients(source), "/canary", {"canaryConfig": canary_config(), "executionRequest": body}
    )

    assert started.status == 200
    assert all("vector" not in one.query or '\\"} or' in one.query for one in source.asked)


def standalone_request(**changes: Any) -> dict[str, Any]:
    scope = {
        "scopeName": "default",
        "controlScope": "old",
        "experimentScope": "new",
        "startTimeIso": instant(START),
        "endTimeIso": instant(END),
        "step": 60,
    }
    request = {
        "scopes": [scope],
        "thresholds": {"pass": 95, "marginal": 75},
        "lifetimeDurationMins": 30,
        "analysisIntervalMins": 10,
    }
    return request | changes


@pytest.mark.parametrize(
    ("new", "status", "passed"), [(10.0, "SUCCEEDED", True), (20.0, "TERMINAL", False)]
)
@pytest.mark.parametrize("brought", [True, False])
def test_a_standalone_analysis_ends_as_kayentas_does(
    clients: Callable[..., Client], new: float, status: str, passed: bool, brought: bool
) -> None:
    client = clients(a_source(new=new))
    post(client, "/canaryConfig", canary_config(OURS))
    path, body = "/standalone_canary_analysis/mine?user=me", standalone_request()
    if brought:
        path = "/standalone_canary_analysis?user=me"
        body = {"canaryConfig": canary_config(OURS), "executionRequest": body}

    analysis = ended(client, post(client, path, body), "canaryAnalysisExecutionId")
    told = client.get(f"/kayenta/standalone_canary_analysis/{analysis}").json

    assert (told["complete"], told["executionStatus"], told["user"]) == (True, status, "me")
    result = told["canaryAnalysisExecutionResult"]
    assert result["didPassThresholds"] is passed
    (one,) = result["canaryExecutionResults"]
    assert one["result"]["judgeResult"]["score"]["score"] == result["canaryScores"][0]
    assert one["judgementEndTimeIso"] == instant(END)
    assert result["hasWarnings"]  # 30 points are fewer than 50


NOT_MEANT = {
    "an end beyond all calendars": (
        {
            "lifetimeDurationMins": 43_200,
            "scopes": [
                {
                    "controlScope": "a",
                    "experimentScope": "b",
                    "startTimeIso": "9999-12-31T00:00:00Z",
                }
            ],
        },
        "beyond the year 9999",
    ),
    "a step of many years": (
        {"scopes": [standalone_request()["scopes"][0] | {"step": 1e308}]},
        "step",
    ),
    "a sliding window": ({"lookbackMins": 5}, "lookbackMins"),
    "no end": (
        {"lifetimeDurationMins": 0, "scopes": [{"controlScope": "a", "experimentScope": "b"}]},
        "lifetimeDurationMins",
    ),
    "sides at different times": (
        {"scopes": [standalone_request()["scopes"][0] | {"controlOffsetInMinutes": 60}]},
        "controlOffsetInMinutes",
    ),
}


@pytest.mark.parametrize(("changes", "words"), NOT_MEANT.values(), ids=NOT_MEANT)
def test_a_standalone_analysis_that_cannot_be_done_is_refused(
    clients: Callable[..., Client], changes: dict[str, Any], words: str
) -> None:
    told = post(clients(), "/standalone_canary_analysis/operators", standalone_request(**changes))

    assert told.status == 400
    assert words in told.json["message"]


def test_series_of_ones_own_are_kept_judged_and_removed(clients: Callable[..., Client]) -> None:
    client = clients()
    post(client, "/canaryConfig", canary_config())
    values = {"control": [1.0, "NaN", 3.0] * 10, "experiment": [9.0, 11.0, 10.0] * 10}

    kept = post(client, "/metricSetPairList", [{"name": "memory", "values": values}])
    name = kept.json["metricSetPairListId"]
    (pair,) = client.get(f"/kayenta/metricSetPairList/{name}").json
    query = f"canaryConfigId=mine&metricSetPairListId={name}&passThreshold=95&marginalThreshold=75"
    judged = post(client, f"/judges/judge?{query}")

    assert pair["values"] == values
    assert client.get(f"/kayenta/metricSetPairList/{name}/{pair['id']}").json == pair
    assert [one["id"] for one in client.get("/kayenta/metricSetPairList").json] == [name]
    assert judged.json["results"][0]["classification"] == "High"
    assert judged.json["score"]["classification"] == "Fail"
    assert client.call("DELETE", f"/kayenta/metricSetPairList/{name}").status == 200
    assert client.get(f"/kayenta/metricSetPairList/{name}").status == 404


def test_what_an_execution_judged_is_judged_again_to_the_same_score(
    clients: Callable[..., Client],
) -> None:
    client = clients(a_source(new=20.0))
    post(client, "/canaryConfig", canary_config())
    analysis = ended(client, post(client, "/canary/mine", execution_request()))
    told = client.get(f"/kayenta/canary/{analysis}").json["result"]["judgeResult"]

    query = f"canaryConfigId=mine&metricSetPairListId={analysis}"
    again = post(client, f"/judges/judge?{query}").json
    operators = post(client, f"/judges/judge?{query.replace('mine', 'operators')}")

    assert again == told
    assert operators.status == 400
    assert "rejudge" in operators.json["message"]


def test_a_query_is_shown_as_it_would_be_sent(clients: Callable[..., Client]) -> None:
    client = clients()
    given = {"dryRun": "true", "scope": "a.b", "metricName": "up"}

    raw = client.call(
        "POST",
        "/kayenta/fetch/prometheus/query",
        params=given | {"customInlineTemplate": 'PromQL:sum(up{pod=~"${scope}-.*"})'},
    )
    filters = client.call(
        "POST",
        "/kayenta/fetch/prometheus/query",
        params=given | {"customInlineTemplate": 'pod="${scope}"'},
    )
    fetched = client.call("POST", "/kayenta/fetch/prometheus/query", params={"scope": "a"})

    assert raw.json == {"query": r'sum(up{pod=~"a\\.b-.*"})'}
    assert filters.json == {"query": 'avg(up{pod="a.b"})'}
    assert fetched.status == 400


@pytest.mark.parametrize(("method", "path"), absent.ABSENT, ids=" ".join)
def test_a_call_that_is_not_there_is_refused_by_name(
    served: Client, method: str, path: str
) -> None:
    called = re.sub(r"\{\w+\}", "other", path)

    told = served.call(method, f"/kayenta{called}")

    assert told.status == 501
    assert f"{method} /kayenta{path} is not offered here; " in told.json["message"]


# What docs/how-to/kayenta.md promises: every call of theirs reaches a route of its own.
CALLS_OF_CLIENTS = [
    *("GET /canaryConfig", "GET /canaryConfig/x", "POST /canaryConfig", "PUT /canaryConfig/x"),
    *("DELETE /canaryConfig/x", "POST /canary", "POST /canary/x", "GET /canary/x"),
    *("GET /canary/executions", "PUT /pipelines/x/cancel", "GET /credentials", "GET /judges"),
    *("GET /metadata/metricsService", "GET /metricSetPairList/x"),
    "GET /standalone_canary_analysis/x",
]


@pytest.mark.parametrize("call", CALLS_OF_CLIENTS)
def test_what_argo_orca_gate_and_referee_call_is_there(served: Client, call: str) -> None:
    method, path = call.split()

    told = served.call(method, f"/kayenta{path}")

    assert told.status in {200, 400, 404}, told.text  # there is no x, and no body is no config
    assert "openapi" not in told.text  # what an address without a route is answered


def test_a_token_keeps_configs_within_its_scope_and_sees_its_own_series_alone(
    clients: Callable[..., Client], tmp_path: Path
) -> None:
    scopes = {"mine": ["mine"], "theirs": ["theirs"]}
    entries = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest(), "configs": configs}
        for name, configs in scopes.items()
    ]
    (tmp_path / "tokens.json").write_text(json.dumps(entries))
    client = clients(tokens=tmp_path / "tokens.json")
    mine, theirs = replace(client, token="mine"), replace(client, token="theirs")

    assert post(mine, "/canaryConfig", canary_config()).status == 200
    series = [{"name": "m", "values": {"control": [1], "experiment": [1]}}]
    name = post(mine, "/metricSetPairList", series).json["metricSetPairListId"]

    assert post(theirs, "/canaryConfig", canary_config()).status == 403
    assert theirs.call("DELETE", "/kayenta/canaryConfig/mine").status == 403
    assert theirs.get("/kayenta/canaryConfig").json == []
    for method, path in (
        ("GET", "/kayenta/canaryConfig/mine"),
        ("GET", f"/kayenta/metricSetPairList/{name}"),
        ("DELETE", f"/kayenta/metricSetPairList/{name}"),
    ):
        assert theirs.call(method, path).status == 404, path
    assert theirs.get("/kayenta/metricSetPairList").json == []
    assert post(theirs, "/canary/mine", execution_request()).status == 403
