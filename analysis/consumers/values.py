"""What the documents for programs have in common, as plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.guards import Finding
from analysis.report import AskedQuery, Provenance
from analysis.window import Window, as_datetime

if TYPE_CHECKING:
    from analysis.diagnosis import Query


def number(value: float | None) -> float | None:
    """Give a finite number, or `None`."""
    return float(value) if value is not None and math.isfinite(value) else None


def instant(epoch_s: float) -> str:
    """Give an instant as RFC 3339, in UTC."""
    return as_datetime(epoch_s).isoformat().replace("+00:00", "Z")


def judged(window: Window) -> dict[str, Any]:
    """Give the part of a window that is judged."""
    edges = window.edges
    return {
        "from": instant(float(edges[0])),
        "to": instant(float(edges[-1])),
        "step_s": window.step_s,
        "steps": window.steps,
    }


def asked(query: AskedQuery | Query) -> dict[str, Any]:
    """Give a query with its answer."""
    return {
        "side": query.side,
        "role": query.role,
        "kind": query.kind,
        "query": query.query,
        "series": query.series,
        "error": query.error,
    }


def guards(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Give what guards found as plain values."""
    return [
        {
            "code": finding.code,
            "severity": str(finding.severity),
            "summary": finding.summary,
            "remedy": finding.remedy,
            "page": finding.page,
        }
        for finding in findings
    ]


def provenance(found: Provenance) -> dict[str, Any]:
    """Give how to get a document again."""
    return {
        "serinus": found.version,
        "libraries": dict(found.libraries),
        "config_digest": found.config_digest,
        "variables": {side: dict(values) for side, values in found.variables.items()},
    }


def numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Give an array as numbers, at once where all are finite: a report holds thousands."""
    plain: list[float | None] = values.tolist()
    return plain if np.isfinite(values).all() else [number(value) for value in plain]
