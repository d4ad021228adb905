"""The schemas of Argo's, Flagger's and the Prometheus operator's own resources.

Their releases carry them: they lie in the Go modules whose code the contract tests run, so that
the versions agree.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

CONTRACT = Path(__file__).parents[1] / "contract"
DOWNLOADS_WITHIN_S = 300
OPERATOR = "github.com/prometheus-operator/prometheus-operator"
OPERATOR_CRDS = "example/prometheus-operator-crd/monitoring.coreos.com"
# Folder with the go.mod that says which version, module, and where in it the schemas are.
MODULES = (
    ("argo", "github.com/argoproj/argo-rollouts", "manifests/crds/*-crd.yaml"),
    ("flagger", "github.com/fluxcd/flagger", "artifacts/flagger/crd.yaml"),
    # No program needs its code, so that no go.mod could say which version.
    ("helm", f"{OPERATOR}@v0.79.2", f"{OPERATOR_CRDS}_servicemonitors.yaml"),
    ("helm", f"{OPERATOR}@v0.79.2", f"{OPERATOR_CRDS}_prometheusrules.yaml"),
)
# Checked by every API server, whatever a schema says of it.
_META: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
        "namespace": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["name"],
    "additionalProperties": False,
}


class UnavailableError(Exception):
    """The modules cannot be fetched here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crds:
    """What each kind of resource may hold.

    Attributes:
        schemas: JSON Schema by API version and kind; unknown fields are refused.
    """

    schemas: Mapping[tuple[str, str], Mapping[str, Any]]

    def faults(self, document: Mapping[str, Any]) -> list[str]:
        """Say what an API server that drops no field in silence would refuse in a resource.

        Raises:
            KeyError: No schema is known of its kind.
        """
        schema = self.schemas[document["apiVersion"], document["kind"]]
        found = jsonschema.Draft202012Validator(schema).iter_errors(document)
        return [f"{error.json_path}: {error.message}" for error in found]


def load(modules: Sequence[tuple[str, str, str]] = MODULES) -> Crds:
    """Fetch the modules, from Go's cache where it has them, and read their schemas.

    Args:
        modules: Folder, module (with `@version` where the folder's go.mod names none), and files.

    Raises:
        UnavailableError: Neither Go's cache nor its proxy has them.
    """
    schemas: dict[tuple[str, str], Mapping[str, Any]] = {}
    for folder, module, pattern in modules:
        for path in sorted(_fetched(CONTRACT / folder, module).glob(pattern)):
            # Decoded by PyYAML's C loader: a megabyte takes a second instead of twenty.
            for text in re.split(r"^---$", path.read_text(), flags=re.MULTILINE):
                if text.strip():
                    schemas.update(_read(msgspec.yaml.decode(text)))
    return Crds(schemas=schemas)


def _fetched(folder: Path, module: str) -> Path:
    done = subprocess.run(
        ["go", "mod", "download", "-json", module],
        cwd=folder,
        env={**os.environ, "GOFLAGS": "", "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        timeout=DOWNLOADS_WITHIN_S,
        check=False,
    )
    if done.returncode:
        raise UnavailableError(done.stdout.strip() + done.stderr.strip())
    return Path(json.loads(done.stdout)["Dir"])


def _read(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    group, kind = document["spec"]["group"], document["spec"]["names"]["kind"]
    for version in document["spec"]["versions"]:
        schema = closed(version["schema"]["openAPIV3Schema"])
        schema["properties"] |= {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": _META,
        }
        yield (f"{group}/{version['name']}", kind), schema


def closed(node: Any) -> Any:
    """Turn Kubernetes' dialect into JSON Schema that refuses what it does not name."""
    if isinstance(node, list):
        return [closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made = {
        key: {name: closed(one) for name, one in value.items()}
        if key == "properties"
        else closed(value)
        for key, value in node.items()
        if key not in {"nullable", "default", "description", "example"}
    }
    open_ended = node.get("x-kubernetes-preserve-unknown-fields", False)
    if "properties" in node and not open_ended:
        made.setdefault("additionalProperties", False)
    if node.get("nullable") and isinstance(node.get("type"), str):
        made["type"] = [node["type"], "null"]
    return made
