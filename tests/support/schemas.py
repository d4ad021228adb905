"""What an API server would say of a resource: Kubernetes' own kinds, and those of the projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # its authors wrote no types

from tests.support.crds import Crds

# The oldest that its makers still mended when this was written, and the newest.
VERSIONS = ("1.31", "1.34")


def faults(resource: Mapping[str, Any], crds: Crds) -> list[str]:
    """Say what an API server would refuse in a resource, or drop in silence."""
    if (resource["apiVersion"], resource["kind"]) in crds.schemas:
        return crds.faults(resource)
    found = []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(resource, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{version}: {error.message}")
    return found
