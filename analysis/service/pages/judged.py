"""The report of an analysis: judged again from what its newest look was answered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from analysis.consumers.html import to_section
from analysis.consumers.links import Links
from analysis.engine import analyze
from analysis.errors import ConfigError, SourceError
from analysis.report import AnalysisReport
from analysis.service.outcomes import configuration
from analysis.sources import recording as recordings
from analysis.store import AnalysisStore, Record

# A page of 20 metrics takes a tenth of a second and 300 kB: whoever watches asks again and again.
MOST_KEPT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A report, or why there is none.

    Attributes:
        report: The report.
        section: The same, as `Markup`; empty without one.
        why: Why there is none.
    """

    report: AnalysisReport | None = None
    section: str = ""
    why: str = ""


def judged(store: AnalysisStore, record: Record, links: Links) -> Judged:
    """Give the report of the newest look that had an answer.

    Args:
        store: Where it is kept.
        record: Of which analysis.
        links: Where its queries can be seen again: where a browser may be led, for the address
            that the service asks is often none that a browser knows.
    """
    return _judged(store, record.id, record.looks, links)


@lru_cache(maxsize=MOST_KEPT)
def _judged(store: AnalysisStore, analysis: str, looks: int, links: Links) -> Judged:  # noqa: ARG001 - the key
    record, packed = store.get(analysis, report=False), store.recording(analysis)
    if record is None or packed is None:
        return Judged(why="No look had an answer yet: there is nothing to show.")
    recording = recordings.unpack(packed)
    try:
        config = configuration(record)
        report = analyze(config, recording, recording.window, recording.variables)
    except (ConfigError, SourceError) as error:
        return Judged(why=f"This version of Serinus cannot judge what was recorded: {error}")
    led = links.for_sources(dict.fromkeys(config.named_sources))
    return Judged(report=report, section=to_section(report, led))
