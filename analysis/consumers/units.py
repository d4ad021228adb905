"""What a metric is counted in, as far as its queries tell: people read 37 ms, not 0.0373."""

from __future__ import annotations

import re

from analysis.charts import Unit
from analysis.report import MetricReport

# Judges of events among others: their level is a share, whatever is counted.
SHARES = ("error_ratio", "exceedance")
# One selector and nothing else; a quoted label value may hold braces.
_SELECTOR = re.compile(r'\s*([a-zA-Z_:][\w:]*)\s*(?:\{(?:[^"{}]|"(?:\\.|[^"\\])*")*\})?\s*')
_QUANTILE = re.compile(r"\s*histogram_quantile\s*\(")
_BUCKETS = re.compile(r"[a-zA-Z_:][\w:]*_(seconds|bytes)(?:_bucket)?\b")
_UNITS = {"seconds": Unit.SECONDS, "bytes": Unit.BYTES}


def unit_of(metric: MetricReport) -> Unit:
    """Tell the unit of a metric's level from Prometheus' rules of naming; plain where in doubt.

    A name tells the unit of its own value only, so an expression is believed where it is one
    selector, or a quantile of one histogram.
    """
    asked = {query.role: query.query for query in metric.queries}
    match asked:
        case _ if metric.judgment.kind in SHARES or "events" in asked:
            return Unit.SHARE
        case {"numerator": numerator, "denominator": denominator}:
            return _per_observation(_name(numerator), _name(denominator))
        case {"buckets": buckets}:
            return _suffix(_name(buckets).removesuffix("_bucket"))
        case {"query": query}:
            return _quantile(query) if _QUANTILE.match(query) else _suffix(_name(query))
        case _:
            return Unit.PLAIN


def _quantile(query: str) -> Unit:
    found = {one[1] for one in _BUCKETS.finditer(query)}
    return _UNITS[found.pop()] if len(found) == 1 else Unit.PLAIN


def _name(selector: str) -> str:
    found = _SELECTOR.fullmatch(selector)
    return found[1] if found else ""


def _per_observation(numerator: str, denominator: str) -> Unit:
    """Seconds over a number of requests are seconds; over anything else nobody knows."""
    observed = numerator.removesuffix("_sum")
    counted = denominator.endswith(("_count", "_requests_total"))
    return _suffix(observed) if counted and observed != numerator else Unit.PLAIN


def _suffix(name: str) -> Unit:
    return _UNITS.get(name.rpartition("_")[2], Unit.PLAIN)
