"""What a sample that is too short still needs: time."""

from __future__ import annotations

from judges.core import wording
from judges.core.judgment import Judgment, Reason, Settlement, Verdict


def too_short(kind: str, n: int, least: int, step_s: float) -> Judgment:
    """Give the judgment of a sample with too few steps.

    Args:
        kind: The judge's kind.
        n: Steps seen on both sides.
        least: Steps needed.
        step_s: Length of a step in seconds.
    """
    return Judgment(
        kind=kind,
        verdict=Verdict.INCONCLUSIVE,
        reason=Reason.TOO_FEW_SAMPLES if n else Reason.NO_DATA,
        summary=f"{n} steps were seen on both sides; {least} are needed",
        n=n,
        settlement=more_steps(least - n, step_s),
    )


def more_steps(missing: int, step_s: float) -> Settlement:
    """Say how long it takes until so many more steps have been seen.

    Examples:
        >>> more_steps(10, 15.0).summary
        '2 minutes more in which both sides are seen'
    """
    minutes = missing * step_s / 60
    text = f"{wording.duration(minutes)} more in which both sides are seen"
    return Settlement(minutes=minutes, summary=text)
