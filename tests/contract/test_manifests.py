"""The shipped Kubernetes manifests and image: what a cluster asks of them, and they of us."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from analysis.cli.serve import command
from tests.conftest import Prometheus
from tests.support.argo import documents

DEPLOY = Path(__file__).parents[2] / "deploy"
KUBERNETES = {one["kind"]: one for one in documents(DEPLOY / "kubernetes" / "serinus.yaml")}
POD = KUBERNETES["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
(JOB,) = documents(DEPLOY / "argo" / "job.yaml")
JOB_POD = JOB["spec"]["metrics"][0]["provider"]["job"]["spec"]["template"]["spec"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
GRACEFUL_S = 30  # how long the server waits for the calls that are under way


def test_the_manifests_name_no_namespace_so_that_the_operator_does() -> None:
    assert set(KUBERNETES) == {
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "ServiceMonitor",
    }
    assert not any("namespace" in one["metadata"] for one in KUBERNETES.values())


@pytest.mark.parametrize("pod", [POD["spec"], JOB_POD], ids=["service", "job"])
def test_a_pod_runs_with_no_right_that_it_does_not_need(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("pod", [POD["spec"], JOB_POD], ids=["service", "job"])
def test_a_pod_asks_for_what_it_uses_and_cannot_take_the_node(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]

    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("pod", [POD["spec"], JOB_POD], ids=["service", "job"])
def test_what_a_container_mounts_is_a_volume_of_its_pod(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    mounted = {one["name"] for one in container["volumeMounts"]}

    assert mounted == {one["name"] for one in pod["volumes"]}


def test_the_probes_ask_what_the_service_answers() -> None:
    from analysis.service.routes import operations

    known = {getattr(route, "path", "") for route in operations.ROUTER.routes}
    probed = {CONTAINER[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")}

    assert probed == {"/healthz", "/readyz"}
    assert probed <= known


def test_a_pod_leaves_after_its_callers_did_and_ends_its_looks_first() -> None:
    word, seconds = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]

    assert word == "sleep"
    assert POD["spec"]["terminationGracePeriodSeconds"] > int(seconds) + GRACEFUL_S


def test_a_drained_node_leaves_one_replica_to_answer() -> None:
    budget = KUBERNETES["PodDisruptionBudget"]["spec"]

    assert 1 <= budget["minAvailable"] < KUBERNETES["Deployment"]["spec"]["replicas"]


def selectors() -> dict[str, dict[str, str]]:
    """Give what selects pods, by kind."""
    return {
        "Deployment": KUBERNETES["Deployment"]["spec"]["selector"]["matchLabels"],
        "Service": KUBERNETES["Service"]["spec"]["selector"],
        "PodDisruptionBudget": KUBERNETES["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        "NetworkPolicy": KUBERNETES["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    }


@pytest.mark.parametrize("kind", selectors())
def test_everything_selects_the_pods_of_the_deployment(kind: str) -> None:
    selected = selectors()[kind]

    assert selected
    assert selected.items() <= POD["metadata"]["labels"].items()


def test_the_monitor_selects_the_service() -> None:
    selected = KUBERNETES["ServiceMonitor"]["spec"]["selector"]["matchLabels"]

    assert selected.items() <= KUBERNETES["Service"]["metadata"]["labels"].items()


def test_every_port_that_is_referred_to_is_a_port_of_the_container() -> None:
    (service,) = KUBERNETES["Service"]["spec"]["ports"]
    (rule,) = KUBERNETES["NetworkPolicy"]["spec"]["ingress"]
    (endpoint,) = KUBERNETES["ServiceMonitor"]["spec"]["endpoints"]
    ports = {one["name"] for one in CONTAINER["ports"]}

    assert {service["targetPort"], *(one["port"] for one in rule["ports"])} <= ports
    assert {
        CONTAINER[one]["httpGet"]["port"] for one in ("livenessProbe", "readinessProbe")
    } <= ports
    assert endpoint["port"] == service["name"]


def test_the_deployment_gives_the_options_that_the_command_has() -> None:
    known = {option for parameter in command.params for option in parameter.opts}
    words = CONTAINER["args"]

    assert words[0] == "serve"
    assert {word.partition("=")[0] for word in words[1:]} <= known


def test_the_image_runs_as_the_user_that_the_pods_ask_for() -> None:
    _, built, run = DOCKERFILE.split("\nFROM ")

    assert f"USER {POD['spec']['securityContext']['runAsUser']}:" in run
    assert "USER" not in built
    assert "COPY --from=build" in run


def test_the_image_holds_the_locked_versions_and_no_more_of_the_repository() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    root = DEPLOY.parent

    assert "--require-hashes -r requirements/installer.lock" in DOCKERFILE
    assert "--constraints requirements/dev.lock" in DOCKERFILE
    assert all((root / name).exists() for line in copied for name in line.split())
    assert "." not in copied


def test_every_package_of_the_image_is_locked_with_its_hashes() -> None:
    lock = (DEPLOY.parent / "requirements" / "dev.lock").read_text()
    locked = set(re.findall(r"^([a-z0-9-]+)==[^\n]+ \\\n    --hash=sha256:", lock, re.MULTILINE))
    (wanted,) = re.findall(r"'\.\[([a-z,]+)\]'", DOCKERFILE)

    assert needed("serinus", frozenset(wanted.split(","))) - {"serinus"} <= locked


def test_the_image_has_the_python_whose_versions_are_tested() -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]

    assert set(re.findall(r"^FROM python:(\S+)-slim", DOCKERFILE, re.MULTILINE)) == {
        project["requires-python"].removeprefix(">=")
    }


def needed(name: str, extras: frozenset[str]) -> set[str]:
    """Name a package and all that it needs, as they are installed here."""
    found: set[str] = set()
    todo = [(name, extras)]
    while todo:
        one, its_extras = todo.pop()
        found.add(canonicalize_name(one))
        for requirement in map(Requirement, metadata.requires(one) or ()):
            marker = requirement.marker
            is_asked = marker is None or any(
                marker.evaluate({"extra": extra}) for extra in {*its_extras, ""}
            )
            if is_asked and canonicalize_name(requirement.name) not in found:
                todo.append((requirement.name, frozenset(requirement.extras)))
    return found


def test_the_build_is_sent_what_it_copies_and_not_the_whole_folder() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    sent = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for name in line.split()
    }

    assert "*" in lines
    assert sent == copied


def test_the_alert_rules_are_rules(requires_prometheus: Prometheus) -> None:
    rules = DEPLOY / "kubernetes" / "alerts.yaml"

    subprocess.run([requires_prometheus.promtool, "check", "rules", rules], check=True)
