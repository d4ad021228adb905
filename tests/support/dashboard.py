"""The PromQL of the shipped dashboard and alert rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.argo import documents

DEPLOY = Path(__file__).parents[2] / "deploy"
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "serinus.json").read_text())
# What Grafana puts in for its own variables; a rate needs two scrapes.
VARIABLES = {"$__rate_interval": "20s", "$__range": "1m", "$config": ".*"}


def panels() -> list[dict[str, Any]]:
    """Give the panels that show something."""
    return [panel for panel in BOARD["panels"] if panel["type"] != "row"]


def queries() -> Mapping[str, str]:
    """Give every query of the dashboard, with its variables filled in, by where it stands."""
    return dict(_queries())


def _queries() -> Iterator[tuple[str, str]]:
    for panel in panels():
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", filled(target["expr"])
    for note in BOARD["annotations"]["list"]:
        yield f"annotation {note['name']}", filled(note["expr"])


def rules() -> Mapping[str, str]:
    """Give the expression of every alert by its name."""
    (document,) = documents(DEPLOY / "kubernetes" / "alerts.yaml")
    return {rule["alert"]: rule["expr"] for group in document["groups"] for rule in group["rules"]}


def filled(expression: str) -> str:
    """Put values in for Grafana's variables."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression
