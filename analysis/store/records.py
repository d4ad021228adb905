"""What is kept of an analysis: what was asked for, and what the newest look said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# What lies further ahead than a lease may, and clocks may differ, was written before the clock was
# set back: waiting for it would be waiting for as long as the clock was wrong.
AHEAD_S = 60.0


class Status(StrEnum):
    """How far an analysis is."""

    RUNNING = "running"  # further looks are due
    COMPLETED = "completed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An analysis that a caller asks for.

    Attributes:
        key: The caller's name for it; asking again with the same key fetches it.
        identity: Digest of what is judged; another one under the same key is another analysis.
        config: Name of the configuration.
        config_text: The configuration itself, so that later changes leave the analysis alone.
        version: Digest of what the configuration means.
        namespace: Kubernetes namespace it concerns; empty if the caller named none.
        request: What the caller sent, resolved: sides, start, end, mode.
        due: When the first look is to be made, epoch seconds.
        keeps_version: Whether the version is kept for others to judge by; a caller's own is not.
        again_after_s: Seconds after its end from which on the same question is asked anew;
            `None` if its answer cannot change.
    """

    key: str
    identity: str
    config: str
    config_text: str
    version: str
    namespace: str
    request: Mapping[str, Any]
    due: float
    keeps_version: bool = True
    again_after_s: float | None = None

    def is_answered_by(self, latest: Record, now: float) -> bool:
        """Tell whether the newest analysis of the key is what is asked for."""
        if latest.identity != self.identity:
            return False
        ended_s = 0.0 if latest.status is Status.RUNNING else now - latest.updated
        return self.again_after_s is None or ended_s < self.again_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The result of one look, to be kept.

    Attributes:
        status: Whether further looks follow.
        verdict: `pass`, `fail` or `inconclusive`; `None` while the analysis is undecided.
        score: 0 to 100; `None` if nothing could be judged.
        summary: One sentence that says why.
        report: The report as plain values; `None` if there is none.
        recording: The answers it was judged by, packed; `None` if there are none.
        due: When the next look is to be made, epoch seconds.
    """

    status: Status
    verdict: str | None
    score: float | None
    summary: str
    report: Mapping[str, Any] | None
    recording: bytes | None
    due: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An analysis as it is kept; `New` and `Look` tell of the fields they share with it.

    Attributes:
        id: Its name in URLs; sorts by time.
        generation: 1 for the first analysis of its key, 2 for the next.
        warnings: What the newest look warned of.
        report: That of the newest look; `None` if there is none, or it was not read along.
        looks: How many looks have been made.
        created: Epoch seconds.
        updated: Epoch seconds.
    """

    id: str
    key: str
    generation: int
    identity: str
    config: str
    config_text: str
    version: str
    namespace: str
    request: Mapping[str, Any]
    warnings: tuple[str, ...]
    status: Status
    verdict: str | None
    score: float | None
    summary: str
    report: Mapping[str, Any] | None
    looks: int
    due: float
    created: float
    updated: float

    def is_due(self, now: float) -> bool:
        """Tell whether it is time for another look; it is if the clock was set back since."""
        is_time = self.due <= now or self.updated > now + AHEAD_S
        return self.status is Status.RUNNING and is_time
