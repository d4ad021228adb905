"""What a guard says: a code, how much it matters, a sentence with numbers, and a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding does to a metric, the gravest first.

    A guard says whether a comparison is valid, and a dying canary makes every comparison poor: its
    traffic goes away, its series end. So whatever can still be judged is judged, and a fail
    stands; only what cannot be judged at all is not.
    """

    INVALID = "invalid"  # there is nothing to judge: the metric is inconclusive
    WITHHELD = "pass_withheld"  # it is judged and may fail, but what looks well is not believed
    NOTE = "note"  # worth knowing; the verdict stays as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that speaks against a comparison.

    Attributes:
        code: A stable word for programs; the guard's name.
        summary: What was found, with its numbers.
        remedy: What to do about it.
        severity: What it does to the metric.
    """

    code: str
    summary: str
    remedy: str
    severity: Severity = Severity.INVALID

    @property
    def page(self) -> str:
        """Where it is explained, in the documentation."""
        return f"reference/guards/{self.code}.md"
