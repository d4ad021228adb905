"""The configuration: what `canary.yaml` may say, and how its faults are told."""

from analysis.config.load import load_config, parse_config
from analysis.config.model import (
    BUILT_IN,
    SIDES,
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
    "BUILT_IN",
    "SIDES",
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
