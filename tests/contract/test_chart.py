"""The Helm chart, rendered by Helm's own engine: what is installed, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from analysis.cli.serve import command
from tests.support.argo import documents
from tests.support.crds import Crds
from tests.support.programs import BUILDS_WITHIN_S, Program, built
from tests.support.schemas import faults

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "serinus"
PLAIN = documents(CHART.parents[1] / "kubernetes" / "serinus.yaml")
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
TOKEN = {"name": "argo", "sha256": SHA, "configs": ["checkout"], "namespaces": ["shop"]}
CHECKOUT = {"version": 1, "name": "checkout", "metrics": [{"name": "cpu", "query": "cpu"}]}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(BUILDS_WITHIN_S)]

# What people install, by what is special about it.
LEAST: dict[str, Any] = {"database": {"existingSecret": "db"}, "tokens": [TOKEN]}
RELEASES: dict[str, dict[str, Any]] = {
    "the least": LEAST,
    "everything": LEAST
    | {
        "configs": {"checkout": CHECKOUT, "login": "version: 1\nname: login\n"},
        "notices": [{"name": "ops", "form": "slack", "url_env": "SLACK_URL"}],
        "options": {"look-every": "30s", "workers": 16, "inline": True},
        "env": [{"name": "SLACK_URL", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "autoscaling": {"enabled": True},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "alerts": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboard": {"enabled": True},
        "networkPolicy": {"egress": [{"ports": [{"port": 9090}]}]},
        "image": {"repository": "registry.example/serinus", "pullSecrets": [{"name": "pull"}]},
        "annotations": {"example.com/team": "shop"},
        "labels": {"team": "shop"},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
    },
    "one replica on a file": {
        "replicas": 1,
        "database": {"sqlite": {"size": "5Gi", "storageClass": "fast"}},
        "existingTokens": "mine",
        "existingConfigMap": "mine",
    },
    "open to all, with a certificate": {
        "database": {"existingSecret": "db"},
        "withoutTokens": True,
        "scheme": "HTTPS",
        "volumes": [{"name": "tls", "secret": {"secretName": "tls"}}],
        "volumeMounts": [{"name": "tls", "mountPath": "/tls", "readOnly": True}],
        "serviceMonitor": {"enabled": True},
        "networkPolicy": {"callers": [], "monitoring": []},
    },
    "to who shows a certificate": LEAST
    | {
        "scheme": "HTTPS",
        "options": {
            "tls-cert": "/tls/tls.crt",
            "tls-key": "/tls/tls.key",
            "client-ca": "/tls/ca.crt",
        },
        "volumes": [{"name": "tls", "secret": {"secretName": "tls"}}],
        "volumeMounts": [{"name": "tls", "mountPath": "/tls", "readOnly": True}],
        "serviceMonitor": {
            "enabled": True,
            "tlsConfig": {"cert": {"secret": {"name": "scraper", "key": "tls.crt"}}},
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What Helm made of the chart.

    Attributes:
        resources: What it would install.
        notes: What it would say.
    """

    resources: list[dict[str, Any]]
    notes: str

    def one(self, kind: str) -> Any:
        """Give the only resource of a kind."""
        (found,) = (one for one in self.resources if one["kind"] == kind)
        return found

    @property
    def container(self) -> Any:
        """Give the container of the Deployment."""
        (container,) = self.one("Deployment")["spec"]["template"]["spec"]["containers"]
        return container


Render = Callable[..., Rendered]


@pytest.fixture(scope="session")
def helm(builds: Path) -> Program:
    return built("helm", builds)


@pytest.fixture(scope="session")
def chart(helm: Program) -> Render:
    def render(name: str = "serinus", **values: Any) -> Rendered:
        told = helm({"chart": str(CHART), "name": name, "namespace": "judges", "values": values})
        assert told["refusal"] == ""
        resources = [
            one
            for file, text in told["files"].items()
            if file.endswith(".yaml")
            for one in YAML(typ="safe").load_all(text)
            if one is not None
        ]
        (notes,) = (text for file, text in told["files"].items() if file.endswith("NOTES.txt"))
        return Rendered(resources=resources, notes=notes)

    return render


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a key that there is not": (LEAST | {"replicaCount": 3}, "replicaCount is not allowed"),
    "no database": ({"tokens": [TOKEN]}, "database: give existingSecret"),
    "two databases": (
        LEAST | {"database": {"existingSecret": "db", "sqlite": {"size": "1Gi"}}},
        "not both",
    ),
    "two replicas on one file": (
        LEAST | {"database": {"sqlite": {"size": "1Gi"}}},
        "a SQLite file serves one replica, got 2",
    ),
    "nobody who may call": ({"database": {"existingSecret": "db"}}, "who may call?"),
    "tokens, and none needed": (LEAST | {"withoutTokens": True}, "exactly one of tokens"),
    "a token instead of its hash": (
        LEAST | {"tokens": [{"name": "argo", "sha256": "hunter2"}]},
        "tokens.0.sha256",
    ),
    "an option that is the chart's own": (
        LEAST | {"options": {"port": 9000}},
        "port is the chart's own",
    ),
    "a name that is no name of a configuration": (LEAST | {"configs": {"a/b": {}}}, "a/b"),
}


@pytest.mark.parametrize(("values", "words"), REFUSED.values(), ids=REFUSED)
def test_values_that_cannot_be_meant_are_refused_in_words(
    helm: Program, values: dict[str, Any], words: str
) -> None:
    told = helm({"chart": str(CHART), "name": "x", "namespace": "y", "values": values})

    assert words in told["refusal"]


def test_the_chart_installs_what_the_plain_manifests_do(chart: Render) -> None:
    rendered = chart(**LEAST, serviceMonitor={"enabled": True})
    plain = {one["kind"] for one in PLAIN}
    (theirs,) = (
        one["spec"]["template"]["spec"]["containers"][0]
        for one in PLAIN
        if one["kind"] == "Deployment"
    )
    same = ("image", "ports", "securityContext", "resources", "readinessProbe", "lifecycle")

    assert {one["kind"] for one in rendered.resources} == plain | {"ConfigMap", "Secret"}
    for probe in ("livenessProbe", "readinessProbe"):
        del rendered.container[probe]["httpGet"]["scheme"]
    assert {key: rendered.container[key] for key in same} == {key: theirs[key] for key in same}


def test_a_kubelet_is_asked_for_no_certificate_and_prometheus_has_one(chart: Render) -> None:
    rendered = chart(**RELEASES["to who shows a certificate"])

    for probe in ("livenessProbe", "readinessProbe"):
        assert rendered.container[probe]["tcpSocket"] == {"port": "http"}
        assert "httpGet" not in rendered.container[probe]
    (endpoint,) = rendered.one("ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["tlsConfig"] == {"cert": {"secret": {"name": "scraper", "key": "tls.crt"}}}
    assert "--cert client.crt --key client.key" in rendered.notes


@pytest.mark.parametrize("values", RELEASES.values(), ids=RELEASES)
def test_everything_that_is_mounted_referred_to_or_selected_is_there(
    chart: Render, values: dict[str, Any]
) -> None:
    rendered = chart(**values)
    pod = rendered.one("Deployment")["spec"]["template"]
    volumes = {one["name"]: one for one in pod["spec"]["volumes"]}
    made = {one["metadata"]["name"] for one in rendered.resources}
    theirs = {"mine", "db", "tls"}
    used = {
        source.get("name") or source.get("secretName") or source.get("claimName")
        for volume in volumes.values()
        for key in ("configMap", "secret", "persistentVolumeClaim")
        if (source := volume.get(key))
    }

    assert {one["name"] for one in rendered.container["volumeMounts"]} == set(volumes)
    assert used <= made | theirs
    for kind in ("Service", "Deployment"):
        selector = rendered.one(kind)["spec"]["selector"]
        assert selector.get("matchLabels", selector).items() <= pod["metadata"]["labels"].items()


@pytest.mark.parametrize("values", RELEASES.values(), ids=RELEASES)
def test_the_service_has_every_option_that_it_is_given(
    chart: Render, values: dict[str, Any]
) -> None:
    known = {option for parameter in command.params for option in parameter.opts}
    words = chart(**values).container["args"]

    assert words[0] == "serve"
    assert {word.partition("=")[0] for word in words[1:]} <= known


@pytest.mark.parametrize("values", RELEASES.values(), ids=RELEASES)
def test_an_api_server_takes_whatever_the_chart_renders(
    requires_crds: Crds, chart: Render, values: dict[str, Any]
) -> None:
    found = {
        f"{one['kind']} {one['metadata']['name']}": faults(one, requires_crds)
        for one in chart(**values).resources
    }

    assert {name: said for name, said in found.items() if said} == {}


def test_configurations_and_tokens_arrive_as_they_were_given(chart: Render) -> None:
    rendered = chart(**RELEASES["everything"])
    configs = next(
        one for one in rendered.resources if one["metadata"]["name"] == "serinus-configs"
    )
    tokens = next(one for one in rendered.resources if one["metadata"]["name"] == "serinus-tokens")

    assert YAML(typ="safe").load(configs["data"]["checkout.yaml"]) == CHECKOUT
    assert configs["data"]["login.yaml"] == "version: 1\nname: login\n"
    assert json.loads(tokens["stringData"]["tokens.json"]) == [TOKEN]


def test_the_rules_and_the_dashboard_are_those_of_the_folder(chart: Render) -> None:
    rendered = chart(**RELEASES["everything"])
    (rules,) = documents(CHART.parents[1] / "kubernetes" / "alerts.yaml")
    boards = next(one for one in rendered.resources if "serinus.json" in one.get("data", {}))
    board = (CHART.parents[1] / "grafana" / "serinus.json").read_text()

    assert rendered.one("PrometheusRule")["spec"] == rules
    assert json.loads(boards["data"]["serinus.json"]) == json.loads(board)


@pytest.mark.parametrize("name", ["serinus", "serinus-canary", "judge", "j" * 53])
def test_two_releases_in_a_namespace_have_nothing_in_common(chart: Render, name: str) -> None:
    mine, other = chart(name, **LEAST), chart("other", **LEAST)
    names = [
        {(one["kind"], one["metadata"]["name"]) for one in rendered.resources}
        for rendered in (mine, other)
    ]

    assert not names[0] & names[1]
    assert all(len(one) <= 63 for _, one in names[0])
    assert mine.one("Service")["spec"]["selector"] != other.one("Service")["spec"]["selector"]


def test_the_notes_say_where_it_is_and_warn_of_what_is_unsafe(chart: Render) -> None:
    safe, unsafe = (
        chart(**RELEASES["everything"]),
        chart(**RELEASES["open to all, with a certificate"]),
    )
    file = chart(**RELEASES["one replica on a file"])

    assert "http://serinus.judges.svc:8080" in safe.notes
    assert "WARNING" not in safe.notes
    assert "https://serinus.judges.svc:8080" in unsafe.notes
    assert "WARNING: it asks nobody for a token" in unsafe.notes
    assert "no configuration yet" in unsafe.notes
    assert "one replica" in file.notes


def test_every_value_has_a_rule_and_a_word_of_what_it_is_for() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    text = (CHART / "values.yaml").read_text()
    (values,) = documents(CHART / "values.yaml")

    assert set(values) == set(schema["properties"]) - {"global"}
    assert re.findall(r"^# |  # | # ", text)


def test_the_chart_is_of_the_version_of_the_package() -> None:
    from importlib.metadata import version

    (told,) = documents(CHART / "Chart.yaml")

    assert told["appVersion"] == version("serinus")
