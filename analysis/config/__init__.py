"""The configuration: what `canary.yaml` may say, and how its faults are told."""

from analysis.config.load import load_config, parse_config
from analysis.config.model import (
    BUILT_IN,
    SIDES,
    CanaryConfig,
    Counts,
    Metric,
    Risk,
    Scoring,
    Sums,
    WindowSettings,
)
from analysis.config.sources import (
    Backend,
    OAuth2Settings,
    PrometheusSettings,
    SigV4Settings,
    SourceSettings,
    TableSettings,
)

__all__ = [
    "BUILT_IN",
    "SIDES",
    "Backend",
    "CanaryConfig",
    "Counts",
    "Metric",
    "OAuth2Settings",
    "PrometheusSettings",
    "Risk",
    "Scoring",
    "SigV4Settings",
    "SourceSettings",
    "Sums",
    "TableSettings",
    "WindowSettings",
    "load_config",
    "parse_config",
]
