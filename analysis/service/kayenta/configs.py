"""A configuration of ours as Kayenta's clients list and show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.config import CanaryConfig
from analysis.service.kayenta.documents import SCOPE
from analysis.window import as_datetime

JUDGE = "Serinus"
# The account of metrics that clients are shown; each configuration has its own Prometheus.
SOURCE: Mapping[str, Any] = {
    "name": "prometheus",
    "type": "prometheus",
    "locations": [],
    "recommendedLocations": [],
}


def listed(name: str, changed: float) -> dict[str, Any]:
    """Give what a list of configurations shows; its id is its name.

    Args:
        name: Of the configuration.
        changed: When it was changed last, epoch seconds.
    """
    changed_ms = round(1000 * changed)
    return {
        "id": name,
        "name": name,
        "updatedTimestamp": changed_ms,
        "updatedTimestampIso": iso(changed_ms),
        "applications": [name],
    }


def shown(name: str, config: CanaryConfig, changed: float) -> dict[str, Any]:
    """Give a configuration in Kayenta's form; its queries stay with us."""
    return {
        **listed(name, changed),
        "description": config.name,
        "configVersion": "1.0",
        "judge": {"name": JUDGE, "judgeConfigurations": {}},
        "metrics": [
            {
                "name": metric.name,
                "groups": [metric.group],
                "scopeName": SCOPE,
                "query": {"type": "prometheus", "metricName": metric.name},
                "analysisConfigurations": {
                    "canary": {"critical": metric.critical, "muted": metric.muted}
                },
            }
            for metric in config.metrics
        ],
        "templates": {},
        "classifier": {
            "groupWeights": dict(config.scoring.weights),
            "scoreThresholds": {
                "pass": config.scoring.pass_,
                "marginal": config.scoring.marginal,
            },
        },
    }


def iso(milliseconds: float) -> str:
    """Write an instant as Kayenta does."""
    return as_datetime(milliseconds / 1000).isoformat().replace("+00:00", "Z")
