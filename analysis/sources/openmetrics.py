"""OpenMetrics text with timestamps, as `promtool tsdb dump-openmetrics` writes it.

One sample a line, `name{label="value"} value timestamp`, in seconds; exemplars and comments are
passed over. Series are read as they were scraped: what is typed, and in which order, changes
nothing.

References:
    https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from analysis.errors import SourceError
from analysis.sources.matching import parse_labels
from analysis.sources.packed_text import reading
from analysis.sources.port import Array
from analysis.sources.scraped import ScrapedSeries, ScrapedSource

_STRING = r'"(?:[^"\\]|\\.)*"'
_LINE = re.compile(
    rf"(?P<series>[^\s{{#]*(?:\{{(?:[^\"}}]|{_STRING})*\}})?)"
    r"[ \t]+(?P<value>\S+)(?:[ \t]+(?P<time>[^\s#]+))?(?:[ \t]+#.*)?\s*"
)


def read_openmetrics(path: Path) -> ScrapedSource:
    """Read a file of samples.

    Raises:
        SourceError: It cannot be read, or a line is no sample with a timestamp.
    """
    samples = Samples()
    known: dict[str, int] = {}  # a series is written out in every line, and read once
    with reading(path) as file:
        for number, line in enumerate(file, start=1):
            if line.startswith("#") or line.isspace():
                continue
            try:
                series, value, time = _parts(line)
                if series not in known:
                    known[series] = samples.index_of(parse_labels(series))
                samples.add(known[series], float(time), float(value))
            except ValueError as error:
                message = f"{path}:{number}: {error}"
                raise SourceError(message, code="malformed") from error
    return samples.source(f"the series in {path.name}")


def _parts(line: str) -> tuple[str, str, str]:
    found = _LINE.fullmatch(line)
    if found is None or not found["series"]:
        raise ValueError(f"is no sample of OpenMetrics: {line.strip()[:80]!r}")
    if found["time"] is None:
        raise ValueError(
            "has no timestamp, so it is one scrape and no past; export the past, for instance "
            "with `promtool tsdb dump-openmetrics`"
        )
    return found["series"], found["value"], found["time"]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples of many series, gathered in any order."""

    _index: dict[tuple[tuple[str, str], ...], int] = field(default_factory=dict)
    _times: list[array[float]] = field(default_factory=list)
    _values: list[array[float]] = field(default_factory=list)

    def index_of(self, labels: Mapping[str, str]) -> int:
        """Give the number of a series; one without a name is none.

        Raises:
            ValueError: It has no name.
        """
        if not labels.get("__name__"):
            raise ValueError("a series has a name, such as up")
        key = tuple(sorted((name, value) for name, value in labels.items() if value))
        if key not in self._index:
            self._index[key] = len(self._times)
            self._times.append(array("d"))
            self._values.append(array("d"))
        return self._index[key]

    def add(self, series: int, time: float, value: float) -> None:
        """Add a sample.

        Raises:
            ValueError: Its time is none.
        """
        if not np.isfinite(time):
            raise ValueError(f"{time} is no time")
        self._times[series].append(time)
        self._values[series].append(value)

    def source(self, origin: str) -> ScrapedSource:
        """Give them as a source, each series in order of time; of equal times the last counts."""
        series = [
            _in_order(dict(key), np.array(self._times[index]), np.array(self._values[index]))
            for key, index in self._index.items()
        ]
        return ScrapedSource(series=tuple(series), origin=origin)


def _in_order(labels: Mapping[str, str], times: Array, values: Array) -> ScrapedSeries:
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    kept = order[np.append(ordered[1:] != ordered[:-1], True)]
    return ScrapedSeries(
        labels=labels,
        times=times[kept],
        values=values[kept],
        ends=np.zeros(len(kept), dtype=np.bool_),
    )
