"""Small charts as SVG: values in, markup out. For reports, web pages and notebooks alike.

Every chart is a pure function of what it shows. It names itself and tells in words what it shows,
for those who listen; line styles and lightness tell things apart, not only color; others' words are
escaped. Colors and lines come from `stylesheet()`, by classes that begin with `sr-`, within an
element of class `serinus`; no chart needs a script, an id or a style attribute, so a strict
Content-Security-Policy allows it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from analysis.charts.curves import Axis, Curve, curves
from analysis.charts.distributions import Distributions, distributions
from analysis.charts.evidence import Gathering, evidence
from analysis.charts.gauge import Gauge, gauge, small_gauge
from analysis.charts.numbers import Unit, level
from analysis.charts.sparkline import sparkline
from analysis.charts.strip import PodLevels, pods_strip
from analysis.charts.timeline import Timeline, timeline

__all__ = [
    "Axis",
    "Curve",
    "Distributions",
    "Gathering",
    "Gauge",
    "PodLevels",
    "Timeline",
    "Unit",
    "compact",
    "curves",
    "distributions",
    "evidence",
    "gauge",
    "level",
    "pods_strip",
    "small_gauge",
    "sparkline",
    "stylesheet",
    "timeline",
]

_UNREAD = re.compile(r"/\*.*?\*/|\s*\n\s*|(?<=[;:{,])\s+", re.DOTALL)


@lru_cache(maxsize=1)
def stylesheet() -> str:
    """Give the style of all charts, light and dark, as CSS."""
    return compact(Path(__file__).with_name("charts.css").read_text(encoding="utf-8"))


def compact(css: str) -> str:
    """Leave out of a style what a browser does not read: it goes along with every report."""
    return _UNREAD.sub("", css)
