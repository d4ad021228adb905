"""What `serinus export` writes: valid to the real projects, and a question our service knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product, repeat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from analysis.cli.judge import command as judge
from analysis.config.load import parse_config
from analysis.errors import ConfigError
from analysis.service.requests import StartRequest
from analysis.service.routes.analyses import KEY
from analysis.service.routes.flagger import Hook, _request
from analysis.translate import to_argo, to_flagger
from analysis.translate.argo_order import ArgoOrder, Strategy, Template
from analysis.translate.needs import Needs, needs_of
from analysis.translate.to_flagger import FlaggerOrder
from tests.support.argo import Reply, lasts_s, refusals, run_metric, used_arguments
from tests.support.crds import Crds

ROOT = Path(__file__).parents[2]
CONFIG = parse_config("""
version: 1
name: Checkout (EU)
variables: {region: null, baseline: {hash: null}, canary: {hash: null}}
window: {planned: 45m}
scoring: {pass: 90.5, marginal: 60}
metrics:
  - name: errors
    critical: true
    counts:
      events: hits{namespace="${namespace}", hash="${hash}", region="${region}", code=~"${c:-5..}"}
      total: hits{namespace="${namespace}", hash="${hash}", region="${region}"}
""")
PLAIN = parse_config("""
name: checkout
metrics: [{name: cpu, query: 'cpu{namespace="${namespace}", pod=~"${workload}-.*"}'}]
""")
ORDERS = {
    f"{template}-{strategy}-{namespace or 'cluster'}": ArgoOrder(
        config_name="checkout",
        template=template,
        strategy=strategy,
        namespace=namespace,
        values={"shared": {"region": "eu"}} if template is not Template.KAYENTA else {},
    )
    for template, strategy, namespace in product(Template, (*Strategy, None), (None, "shop"))
}
KAYENTA_CONFIG = parse_config("""
name: checkout
scoring: {pass: 90.5, marginal: 60}
metrics: [{name: cpu, query: 'cpu{namespace="${namespace}", hash="${hash}"}'}]
""")


def exported(order: ArgoOrder) -> list[Any]:
    config = KAYENTA_CONFIG if order.template is Template.KAYENTA else CONFIG
    text, _ = to_argo.export(config, order)
    return list(YAML(typ="safe").load_all(text))


def analyses(node: Any) -> Iterator[dict[str, Any]]:
    """Find what refers to a template."""
    if isinstance(node, dict):
        if "args" in node and ("templates" in node or "templateName" in node):
            yield node
        for child in node.values():
            yield from analyses(child)
    elif isinstance(node, list):
        for child in node:
            yield from analyses(child)


def refused_by_old_releases(fault: str) -> bool:
    """Tell what the provider of Argo 1.8, whose schema this is, does not know yet."""
    return ".provider.kayenta" in fault and ("lookback" in fault or "required" in fault)


@pytest.mark.e2e
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_argos_schemas_let_every_manifest_through(order: ArgoOrder, requires_crds: Crds) -> None:
    documents = [one for one in exported(order) if one["apiVersion"].startswith("argoproj.io")]

    faults = [fault for one in documents for fault in requires_crds.faults(one)]

    assert [fault for fault in faults if not refused_by_old_releases(fault)] == []
    assert len(documents) == (1 if order.strategy is None else 2)


@pytest.mark.e2e
def test_flaggers_schemas_let_every_manifest_through(requires_crds: Crds) -> None:
    order = FlaggerOrder(config_name="checkout", name="checkout", namespace="shop")

    documents = list(YAML(typ="safe").load_all(to_flagger.export(PLAIN, order)))

    assert [one["kind"] for one in documents] == ["Canary", "MetricTemplate"]
    assert [fault for one in documents for fault in requires_crds.faults(one)] == []


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_a_template_declares_what_it_uses_and_a_rollout_gives_what_has_no_value(
    order: ArgoOrder,
) -> None:
    template, *others = exported(order)
    declared = template["spec"]["args"]
    open_ = {one["name"] for one in declared if not {"value", "valueFrom"} & set(one)}

    assert used_arguments(template["spec"]["metrics"]) == {one["name"] for one in declared}
    for analysis in analyses(others):
        target = analysis.get("templates", [analysis])[0]
        assert target["templateName"] == template["metadata"]["name"]
        assert target.get("clusterScope", False) is (template["kind"] == "ClusterAnalysisTemplate")
        assert {one["name"] for one in analysis["args"]} == open_


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_a_metric_keeps_the_rules_that_argo_checks(order: ArgoOrder) -> None:
    assert refusals(exported(order)[0]["spec"]["metrics"][0]) == []


@pytest.mark.parametrize("template", [Template.POLL, Template.SYNC])
def test_what_is_sent_is_a_request_that_fills_the_configuration(template: Template) -> None:
    (document,) = exported(ORDERS[f"{template}-None-cluster"])
    web = document["spec"]["metrics"][0]["provider"]["web"]
    values = {one["name"]: str(one.get("value", "x")) for one in document["spec"]["args"]}

    def filled(text: str) -> str:
        return re.sub(r"{{args\.([\w-]+)}}", lambda m: values[m[1]], text)

    request = StartRequest.model_validate(json.loads(filled(json.dumps(web["jsonBody"]))))

    told = {"namespace": "x", "region": "eu", "hash": "x"}
    assert request.sides() == {"baseline": told, "canary": told}
    assert request.config == "checkout"
    assert re.fullmatch(KEY, filled(web["url"]).rpartition("/")[2])


def test_a_job_gives_options_that_the_command_has() -> None:
    (document,) = exported(ORDERS["job-None-cluster"])
    job = document["spec"]["metrics"][0]["provider"]["job"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    known = {option for parameter in judge.params for option in parameter.opts}

    options = [word for word in container["args"] if word.startswith("--")]

    assert {word.partition("=")[0] for word in options} <= known
    assert "--set=region=eu" in options
    assert "--set=namespace={{args.namespace}}" in options
    assert "--canary=hash={{args.canary-hash}}" in options


def test_poll_asks_longer_than_is_planned_and_never_promotes_what_is_undecided() -> None:
    (document,) = exported(ORDERS["poll-None-cluster"])
    (metric,) = document["spec"]["metrics"]
    running = Reply(status=202, body={"argo": [None, "running", "", ""]})

    assert lasts_s(metric) >= timedelta(minutes=45 + 3).total_seconds()
    assert run_metric(metric, repeat(running, 1000)).phase == "Inconclusive"


def test_the_steps_outlast_the_background() -> None:
    template, rollout = exported(ORDERS["poll-canary-cluster"])
    (metric,) = template["spec"]["metrics"]
    pause = rollout["spec"]["strategy"]["canary"]["steps"][-1]["pause"]["duration"]

    assert timedelta(minutes=int(pause.removesuffix("m"))).total_seconds() > lasts_s(metric) + 60


def test_an_experiment_compares_its_own_pods_and_outlasts_the_analysis() -> None:
    template, rollout = exported(ORDERS["poll-experiment-cluster"])
    (step,) = rollout["spec"]["strategy"]["canary"]["steps"]
    (analysis,) = step["experiment"]["analyses"]
    args = {one["name"]: one for one in analysis["args"]}

    assert args["canary-hash"]["value"] == "{{templates.canary.podTemplateHash}}"
    minutes = int(step["experiment"]["duration"].removesuffix("m"))
    assert minutes * 60 > lasts_s(template["spec"]["metrics"][0]) + 60


def test_kayentas_thresholds_are_those_of_the_configuration_in_whole_points() -> None:
    (document,) = exported(ORDERS["kayenta-None-cluster"])
    provider = document["spec"]["metrics"][0]["provider"]["kayenta"]

    assert provider["threshold"] == {"pass": 91, "marginal": 60}
    assert provider["address"] == "http://argo:{{args.token}}@serinus.serinus.svc:8080/kayenta"


def test_kayentas_provider_is_refused_what_it_cannot_tell() -> None:
    order = ArgoOrder(config_name="checkout", template=Template.KAYENTA)

    with pytest.raises(ConfigError, match="needs region too; export --template poll"):
        to_argo.export(CONFIG, order)


def test_what_a_rollout_does_not_know_is_told() -> None:
    order = ArgoOrder(config_name="checkout", template=Template.JOB)

    text, left = to_argo.export(CONFIG, order)

    assert [re.findall(r"--\w+ \w+(?:=VALUE)?", line) for line in left] == [
        ["--set region=VALUE"],
        ["--image IMAGE"],
    ]
    assert text.count("give it: an empty one is refused") == 2 * 3  # of each of three analyses


def test_flagger_tells_what_the_configuration_needs() -> None:
    order = FlaggerOrder(
        config_name="shop",
        name="checkout",
        namespace="shop",
        url="http://flagger:t@judge:8080",
        interval=timedelta(seconds=30),
    )

    canary, template = YAML(typ="safe").load_all(to_flagger.export(PLAIN, order))

    assert canary["spec"]["analysis"]["interval"] == "30s"
    assert template["spec"]["provider"]["address"] == "http://flagger:t@judge:8080/prom"
    for hook in canary["spec"]["analysis"]["webhooks"]:
        assert hook["url"].startswith("http://flagger:t@judge:8080/flagger/")
        told = _request(Hook(name="checkout", namespace="shop", metadata=hook["metadata"]))
        assert told.config == "shop"
        assert needs_of(PLAIN).without({"shared": told.variables, **told.sides()}) == Needs(
            shared=(), sides={"baseline": (), "canary": ()}
        )


def test_what_flagger_cannot_tell_is_refused_with_the_remedy() -> None:
    order = FlaggerOrder(config_name="shop", name="checkout", namespace="shop")

    with pytest.raises(ConfigError) as caught:
        to_flagger.export(CONFIG, order)

    region, hash_ = (fault.message for fault in caught.value.faults)
    assert "give --set region=VALUE" in region
    assert "write ${workload} in the queries" in hash_


SHIPPED = {path.stem: path for path in (ROOT / "analysis/translate/shipped").glob("*.yaml")}


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_what_is_filled_in_is_what_is_shipped(name: str) -> None:
    tool, _, manifest = name.partition("-")

    # The package needs its own: deploy/ is no part of it. Copy the one over the other.
    assert SHIPPED[name].read_bytes() == (ROOT / "deploy" / tool / f"{manifest}.yaml").read_bytes()


def test_the_command_writes_what_is_left_to_standard_error(tmp_path: Path) -> None:
    from analysis.cli.export import command

    (tmp_path / "shop.yaml").write_text(
        'name: shop\nmetrics: [{name: cpu, query: \'cpu{zone="${zone}", hash="${hash}"}\'}]\n'
    )

    done = CliRunner().invoke(command, ["argo", str(tmp_path / "shop.yaml")])

    assert done.exit_code == 0
    assert "the argument zone is left for the Rollout to give" in done.stderr
    template, _ = YAML(typ="safe").load_all(done.stdout)
    assert {one["name"]: one.get("value") for one in template["spec"]["args"]}["config"] == "shop"
