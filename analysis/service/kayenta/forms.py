"""Forms that every answer in Kayenta's shape is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from judges.core.kayenta_effects import Description

# What Kayenta's JSON has for a number that is none.
UNKNOWN = "NaN"


def number(value: float | None) -> float | str:
    """Write what JSON has no number for as text, as Kayenta's own JSON does."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def stats(side: Description) -> dict[str, Any]:
    """Describe a side's values, where no data are zeros."""
    return {
        "count": side.count,
        "mean": number(side.mean or 0.0),
        "min": number(side.minimum or 0.0),
        "max": number(side.maximum or 0.0),
        "std": number(side.deviation or 0.0),
    }


def group_scores(groups: Iterable[tuple[str, float]]) -> list[dict[str, Any]]:
    """Tell the score of each group, by name."""
    return [
        {"name": name, "score": score, "classification": "", "classificationReason": ""}
        for name, score in groups
    ]
