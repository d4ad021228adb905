"""The configuration: what `canary.yaml` may say, and how its faults are told."""

from analysis.config.load import load_config, parse_config
from analysis.config.model import (
    CanaryConfig,
    Counts,
    Metric,
    PrometheusSettings,
    Risk,
    Scoring,
    Sums,
    WindowSettings,
)

__all__ = [
    "CanaryConfig",
    "Counts",
    "Metric",
    "PrometheusSettings",
    "Risk",
    "Scoring",
    "Sums",
    "WindowSettings",
    "load_config",
    "parse_config",
]
