"""What the tests of forecasts are arranged with."""

from __future__ import annotations

from typing import Any

from analysis.config.fields import parse_duration
from analysis.forecast import Basis, Forecast, Harm, Remedy
from analysis.outlook import Ahead, MetricOutlook, Outlook
from analysis.report import Provenance
from judges import Limit, Scale
from tests.support.builders import a_window

Fields = dict[str, Any]


def a_remedy(change: str = "window.planned", value: float | str = "90m") -> Remedy:
    """Make a change with which the planned window suffices."""
    return Remedy(change=change, value=value, summary=f"{change}: {value}")


def a_forecast(**changes: Any) -> Forecast:
    """Make a forecast of a gauge that the planned hour suffices for."""
    fields: Fields = {
        "kind": "mann_whitney",
        "suffices": True,
        "summary": "a canary equal to the baseline passes after 24 minutes",
        "basis": Basis(steps=240, n_effective=81.5, autocorrelation=0.4),
        "minutes": 24.0,
        "harm": Harm(value=1.18, scale=Scale.RATIO, level=118.0),
        "margin": Limit(ratio=1.1234),
    }
    return Forecast(**{**fields, **changes})


def a_metric_outlook(
    name: str = "memory",
    forecast: Forecast | None = None,
    **changes: Any,
) -> MetricOutlook:
    """Make the outlook of a critical metric."""
    fields: Fields = {"group": "resources", "critical": True, "muted": False, "queries": ()}
    return MetricOutlook(name=name, forecast=forecast or a_forecast(), **{**fields, **changes})


def an_outlook(*metrics: MetricOutlook, **changes: Any) -> Outlook:
    """Make the outlook of a rollout of an hour."""
    fields: Fields = {
        "name": "shop",
        "planned_s": 3600.0,
        "warmup_s": 180.0,
        "looks": "anytime",
        "window": a_window(minutes=60),
        "ahead": Ahead(),
        "metrics": metrics or (a_metric_outlook(),),
        "provenance": Provenance(
            version="1.2.3",
            libraries={"numpy": "2.0.0", "scipy": "1.0.0"},
            config_digest="0123456789abcdef" * 4,
            variables={"baseline": {"v": "old"}, "canary": {}},
        ),
    }
    return Outlook(**{**fields, **changes})


def minutes_of(length: str) -> int:
    """Read a window as steps of a minute."""
    return round(parse_duration(length).total_seconds() / 60)
