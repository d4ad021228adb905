"""Every manifest that is shipped, against the schemas of those who will read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import crds
from tests.support.argo import documents
from tests.support.crds import Crds
from tests.support.schemas import VERSIONS, faults

DEPLOY = Path(__file__).parents[2] / "deploy"
# The template that says so needs a newer Argo than the one whose clients are run.
NEEDS_1_9 = "argo/kayenta.yaml ClusterAnalysisTemplate serinus-kayenta"
ARGO_1_9 = ("argo", "github.com/argoproj/argo-rollouts@v1.9.1", "manifests/crds/*-crd.yaml")
# Read as a part of another document, or by another program.
NOT_RESOURCES = {"argo/experiment.yaml", "kubernetes/alerts.yaml"}

pytestmark = pytest.mark.e2e


def shipped() -> dict[str, dict[str, Any]]:
    """Give every resource that is a file here, by a name for people."""
    paths = [path for folder in ("argo", "flagger", "kubernetes") for path in _files(folder)]
    return {
        f"{path.relative_to(DEPLOY)} {one['kind']} {one['metadata']['name']}": one
        for path in paths
        for one in documents(path)
    }


def _files(folder: str) -> list[Path]:
    found = sorted((DEPLOY / folder).glob("*.yaml"))
    return [path for path in found if str(path.relative_to(DEPLOY)) not in NOT_RESOURCES]


@pytest.mark.parametrize("name", sorted(set(shipped()) - {NEEDS_1_9}))
def test_an_api_server_takes_every_shipped_resource_and_drops_no_field(
    requires_crds: Crds, name: str
) -> None:
    assert faults(shipped()[name], requires_crds) == []


def test_the_template_that_needs_argo_1_9_says_so_and_is_taken_by_it(requires_crds: Crds) -> None:
    template = shipped()[NEEDS_1_9]

    assert "Argo Rollouts 1.9" in (DEPLOY / "argo" / "kayenta.yaml").read_text()
    assert faults(template, requires_crds) != []
    assert faults(template, crds.load([ARGO_1_9])) == []


def test_the_step_of_an_experiment_is_a_step_of_a_rollout(requires_crds: Crds) -> None:
    (step,) = documents(DEPLOY / "argo" / "experiment.yaml")
    (rollout,) = documents(DEPLOY / "argo" / "rollout-canary.yaml")
    rollout["spec"]["strategy"]["canary"]["steps"] = [{"setWeight": 10}, step]

    assert faults(rollout, requires_crds) == []


def test_a_misspelt_field_of_kubernetes_own_is_found(requires_crds: Crds) -> None:
    service = shipped()["kubernetes/serinus.yaml Service serinus"]
    service["spec"]["selektor"] = {}

    assert len(faults(service, requires_crds)) == len(VERSIONS)
