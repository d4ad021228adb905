"""The shipped manifests, under Argo's own rules."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from analysis.service import answers
from analysis.service.operations import Operations
from analysis.service.requests import StartRequest
from analysis.service.routes.analyses import KEY
from analysis.store import Record, Status
from tests.conftest import Prometheus
from tests.support.argo import Reply, documents, duration_s, run_metric, used_arguments

DEPLOY = Path(__file__).parents[2] / "deploy"
ARGO = DEPLOY / "argo"
TEMPLATES = {
    path.stem: document
    for path in sorted(ARGO.glob("*.yaml"))
    for document in documents(path)
    if document.get("kind") == "ClusterAnalysisTemplate"
}
METRICS = {name: template["spec"]["metrics"][0] for name, template in TEMPLATES.items()}
WEB = {name: metric for name, metric in METRICS.items() if "web" in metric["provider"]}


def told(verdict: str | None, status: Status = Status.COMPLETED) -> Reply:
    """Answer as the service does."""
    record = Record(
        id="1" * 28,
        key="k",
        generation=1,
        identity="",
        config="shop",
        config_text="",
        namespace="",
        request={},
        warnings=(),
        status=status,
        verdict=verdict,
        score=None,
        summary="p95 rose <14 %> & more",
        report=None,
        looks=1,
        due=0.0,
        created=0.0,
        updated=0.0,
    )
    return Reply(
        status=202 if answers.said(record) == "running" else 200,
        body={"argo": answers.argo(record, "http://judge")},
    )


RUNNING = told(None, Status.RUNNING)
DOWN = Reply(status=0)
PASS, FAIL, INCONCLUSIVE = told("pass"), told("fail"), told("inconclusive")


def ended(name: str, *replies: Reply | Iterable[Reply]) -> str:
    each = ([one] if isinstance(one, Reply) else one for one in replies)
    return run_metric(METRICS[name], chain.from_iterable(each)).phase


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_declares_what_it_uses_and_uses_what_it_declares(name: str) -> None:
    spec = TEMPLATES[name]["spec"]
    declared = {one["name"] for one in spec["args"]}

    assert used_arguments(spec["metrics"]) == declared


@pytest.mark.parametrize("name", WEB)
def test_a_template_gives_three_outcomes_and_bears_an_outage(name: str) -> None:
    metric = WEB[name]

    assert {"successCondition", "failureCondition"} <= set(metric)
    assert re.fullmatch(r"{\$\.\w+}", metric["provider"]["web"]["jsonPath"])
    assert metric["consecutiveErrorLimit"] >= 30
    assert metric["provider"]["web"]["method"] == "PUT"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_keeps_the_rules_that_argo_checks(name: str) -> None:
    metric = METRICS[name]
    count = metric.get("count", 1)

    assert count == 1 or "interval" in metric
    assert metric.get("failureLimit", 0) + metric.get("consecutiveSuccessLimit", 0) <= count
    assert metric.get("inconclusiveLimit", 0) <= count
    if metric.get("inconclusiveLimit", 0):
        assert metric["consecutiveSuccessLimit"] == 1  # or `running` for ever ends successful


@pytest.mark.parametrize("name", WEB)
def test_what_a_template_sends_is_a_request_that_the_service_knows(name: str) -> None:
    web = WEB[name]["provider"]["web"]
    values = {one["name"]: str(one.get("value", "x")) for one in TEMPLATES[name]["spec"]["args"]}

    def filled(text: str) -> str:
        return re.sub(r"{{args\.([\w-]+)}}", lambda m: values[m[1]], text)

    body: dict[str, Any] = json.loads(filled(json.dumps(web["jsonBody"])))
    request = StartRequest.model_validate(body)

    assert request.sides()["canary"]["hash"] == "x"
    assert re.fullmatch(KEY, filled(web["url"]).rpartition("/")[2])
    if request.budget is not None:
        assert request.budget.total_seconds() < web["timeoutSeconds"]


@pytest.mark.parametrize("name", WEB)
@pytest.mark.parametrize(
    ("last", "phase"), [(PASS, "Successful"), (FAIL, "Failed")], ids=["pass", "fail"]
)
def test_a_verdict_ends_the_run(name: str, last: Reply, phase: str) -> None:
    assert ended(name, last) == phase


def test_poll_waits_for_a_verdict_and_takes_it() -> None:
    assert ended("poll", repeat(RUNNING, 60), PASS) == "Successful"
    assert ended("poll", repeat(RUNNING, 60), FAIL) == "Failed"
    assert ended("poll", repeat(INCONCLUSIVE, 60), FAIL) == "Failed"


def test_what_never_decides_pauses_the_rollout_and_never_promotes_it() -> None:
    assert ended("poll", repeat(RUNNING, 1000)) == "Inconclusive"
    assert ended("poll", repeat(INCONCLUSIVE, 1000)) == "Inconclusive"
    assert ended("sync", INCONCLUSIVE) == "Inconclusive"
    assert ended("sync", RUNNING) == "Inconclusive"


@pytest.mark.parametrize("name", WEB)
def test_an_outage_of_a_minute_changes_nothing(name: str) -> None:
    # Errors are retried every ten seconds; a restart looks the same, only shorter.
    assert ended(name, repeat(DOWN, 6), PASS) == "Successful"
    assert ended(name, repeat(DOWN, 6), FAIL) == "Failed"


def test_a_restart_in_the_middle_goes_on_where_it_was() -> None:
    assert ended("poll", repeat(RUNNING, 10), repeat(DOWN, 3), RUNNING, FAIL) == "Failed"


def test_a_database_outage_is_borne_as_any_other() -> None:
    assert ended("poll", repeat(Reply(status=503), 12), RUNNING, PASS) == "Successful"


def test_the_default_limit_of_errors_would_roll_back_within_a_minute() -> None:
    careless = {k: v for k, v in METRICS["poll"].items() if k != "consecutiveErrorLimit"}

    outcome = run_metric(careless, repeat(DOWN, 100))

    assert (outcome.phase, outcome.seconds) == ("Error", 40.0)


def test_without_the_success_limit_what_never_decides_would_be_promoted() -> None:
    careless = {k: v for k, v in METRICS["poll"].items() if k != "consecutiveSuccessLimit"}

    assert run_metric(careless, repeat(RUNNING, 1000)).phase == "Successful"


def test_poll_asks_for_longer_than_it_plans() -> None:
    metric, spec = METRICS["poll"], TEMPLATES["poll"]["spec"]
    planned = next(one["value"] for one in spec["args"] if one["name"] == "planned")

    assert metric["count"] * duration_s(metric["interval"]) > duration_s(planned) + 60


def analyses(node: Any) -> Iterable[dict[str, Any]]:
    """Find whatever refers to a template."""
    if isinstance(node, list):
        yield from chain.from_iterable(map(analyses, node))
    elif isinstance(node, dict):
        names = [
            one["templateName"] for one in node.get("templates") or [] if "templateName" in one
        ]
        names += [node["templateName"]] if "templateName" in node and "args" in node else []
        for name in names:
            yield {"template": name, "args": {one["name"]: one for one in node["args"]}}
        yield from chain.from_iterable(map(analyses, node.values()))


USES = [
    (path.stem, use)
    for path in sorted(ARGO.glob("*.yaml"))
    for document in documents(path)
    for use in analyses(document)
]


@pytest.mark.parametrize(
    ("file", "use"), USES, ids=[f"{file}-{n}" for n, (file, _) in enumerate(USES)]
)
def test_who_uses_a_template_gives_every_argument_without_a_default(
    file: str, use: dict[str, Any]
) -> None:
    spec = TEMPLATES[use["template"].removeprefix("serinus-")]["spec"]
    needed = {one["name"] for one in spec["args"] if not {"value", "valueFrom"} & set(one)}

    assert needed <= set(use["args"])
    assert set(use["args"]) <= {one["name"] for one in spec["args"]}


def test_the_steps_of_a_rollout_ask_under_keys_of_their_own() -> None:
    steps = [use["args"]["step"]["value"] for file, use in USES if file == "rollout-canary"]

    assert len(steps) == len(set(steps)) == 2


def test_an_experiment_compares_its_own_pods() -> None:
    (use,) = (use for file, use in USES if file == "experiment")

    for side in ("baseline", "canary"):
        assert use["args"][f"{side}-hash"]["value"] == f"{{{{templates.{side}.podTemplateHash}}}}"


KUBERNETES = {one["kind"]: one for one in documents(DEPLOY / "kubernetes" / "serinus.yaml")}


def test_the_deployment_runs_with_no_right_that_it_does_not_need() -> None:
    pod = KUBERNETES["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"livenessProbe", "readinessProbe", "resources"} <= set(container)


def test_everything_selects_the_pods_of_the_deployment() -> None:
    labels = KUBERNETES["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selected = [
        KUBERNETES["Deployment"]["spec"]["selector"]["matchLabels"],
        KUBERNETES["Service"]["spec"]["selector"],
        KUBERNETES["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        KUBERNETES["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ]

    assert all(one.items() <= labels.items() for one in selected)


def test_the_alert_rules_are_rules_about_metrics_that_there_are(
    requires_prometheus: Prometheus,
) -> None:
    rules = DEPLOY / "kubernetes" / "alerts.yaml"
    exposed = generate_latest(Operations().registry).decode()

    subprocess.run([requires_prometheus.promtool, "check", "rules", rules], check=True)

    for name in set(re.findall(r"serinus_\w+", rules.read_text())):
        assert f"# TYPE {name.removesuffix('_total')}" in exposed


def test_the_deployment_gives_the_options_that_the_command_has() -> None:
    from analysis.cli.serve import command

    known = {option for parameter in command.params for option in parameter.opts}
    words = KUBERNETES["Deployment"]["spec"]["template"]["spec"]["containers"][0]["args"]

    assert words[0] == "serve"
    assert {word.partition("=")[0] for word in words[1:]} <= known
