"""Write deployments as OpenMetrics text, to be backfilled into a real Prometheus.

Each deployment has its own time, so that they may share a server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.sources.scraped import ScrapedSeries
from benchmarks.deployments.exposed import FAMILIES, Recorded


def lines(recorded: Sequence[Recorded]) -> Iterator[str]:
    """Give the lines of one exposition, family by family."""
    for family, kind in FAMILIES.items():
        yield f"# TYPE {family} {kind}"
        for one in recorded:
            for series in one.of_family(family):
                yield from _samples(series)
    yield "# EOF"


def _samples(series: ScrapedSeries) -> Iterator[str]:
    labels = dict(series.labels)
    name = labels.pop("__name__")
    written = ",".join(f'{label}="{value}"' for label, value in labels.items())
    for time, value in zip(series.times.tolist(), series.values.tolist(), strict=True):
        yield f"{name}{{{written}}} {value!r} {time!r}"
