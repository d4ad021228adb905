"""Manifests as they are shipped, comments and all, to be filled in."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

# Kubernetes' rule for a name of most things.
_LONGEST_NAME = 63


def shipped(name: str) -> list[Any]:
    """Read the documents of a shipped manifest, such as `argo-poll`."""
    text = (files("analysis.translate") / "shipped" / f"{name}.yaml").read_text(encoding="utf-8")
    return list(_yaml().load_all(text))


def dumped(documents: Sequence[Any]) -> str:
    """Write documents as YAML, with the comments they came with."""
    written = io.StringIO()
    _yaml().dump_all(documents, written)
    return written.getvalue()


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # or long addresses would be folded
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def kubernetes_name(text: str) -> str:
    """Make a name that Kubernetes takes.

    Examples:
        >>> kubernetes_name("Checkout (EU)")
        'checkout-eu'
    """
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words[:_LONGEST_NAME].rstrip("-") or "serinus"
