"""From a studentized statistic to evidence: p-values for one look, e-values for any number.

References:
    Robbins (1970); Howard, Ramdas, McAuliffe & Sekhon (2021), Annals of Statistics 49(2):
    the one-sided normal mixture. Waudby-Smith et al. (arXiv 2103.06476): its asymptotic use with an
    estimated variance.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from judges.core.judgment import Evidence, Verdict
from judges.core.parameters import Looks

# Beyond this a normal deviate says nothing more, and its square still fits a double.
_Z_MOST = 38.0
# Keeps the tuning defined at levels near one half, where nobody should decide anything.
LEAST_SPREAD = 0.1
# Starting times of the mixture for harm that begins late.
RESTARTS = 4


def normal_deviate(t: float, df: float) -> float:
    """Map a t statistic to the standard normal deviate with the same tail probability."""
    tail = float(special.stdtr(df, -abs(t)))
    z = -float(special.ndtri(tail)) if tail > 0 else _Z_MOST
    return math.copysign(min(z, _Z_MOST), t)


def log_e_normal(z: float, n: float, *, alpha: float, best_at: float) -> float:
    """Give the log e-value of the one-sided normal mixture.

    Args:
        z: Standardized statistic; positive values speak for the claim.
        n: Steps seen so far (the variance clock).
        alpha: Level that the mixture is tuned for.
        best_at: Steps at which it is to be sharpest.
    """
    # Tuning of Howard et al. (2021), eq. 3.7, for the one-sided boundary.
    spread = max(2 * math.log(1 / (2 * alpha)), LEAST_SPREAD)
    rho = best_at / (spread + math.log1p(spread))
    total = n + rho
    s = z * math.sqrt(n)
    return (
        0.5 * math.log(4 * rho / total)
        + s * s / (2 * total)
        + float(special.log_ndtr(s / math.sqrt(total)))
    )


def restarts(n: int, horizon: int, *, least: int) -> list[int]:
    """List the steps at which evidence of harm starts anew: quarters of the planned length.

    Args:
        n: Steps seen so far.
        horizon: Steps planned.
        least: Steps that must lie behind a start for it to say anything.
    """
    starts = [round(quarter * horizon / RESTARTS) for quarter in range(1, RESTARTS)]
    return [start for start in starts if start > 0 and n - start >= least]


def with_restarts(cumulative: float, restarted: list[float]) -> float:
    """Mix evidence since the beginning with evidence since each restart.

    A mean of e-processes is an e-process; one that has not started yet holds its capital of 1. Half
    of the capital stays with the whole window, so little is lost where harm was there all along.

    References:
        Shin, Ramdas & Rinaldo (2024), e-detectors: mixtures over starting times.
    """
    waiting = [0.0] * (RESTARTS - 1 - len(restarted))
    share = math.log(0.5 / RESTARTS)
    parts = [math.log(0.5) + cumulative, share + cumulative]
    return float(np.logaddexp.reduce(parts + [share + log_e for log_e in restarted + waiting]))


def decide(harm: Evidence, safety: Evidence, *, alpha: float, beta: float, looks: Looks) -> Verdict:
    """Turn the evidence for harm and for safety into one of the three outcomes."""
    if suffices(harm, level=alpha, looks=looks):
        return Verdict.FAIL
    return Verdict.PASS if suffices(safety, level=beta, looks=looks) else Verdict.INCONCLUSIVE


def suffices(evidence: Evidence, *, level: float, looks: Looks) -> bool:
    """Tell whether the evidence meets the level, for one look or for any number of them."""
    if looks is Looks.ANYTIME and evidence.log_e is not None:
        return evidence.log_e >= -math.log(level)
    return evidence.p <= level


def strongest(sides: list[Evidence]) -> Evidence:
    """Combine the evidence for harm in either direction: one of them suffices.

    The p-values pay for the choice (Bonferroni); the e-values are averaged.
    """
    if len(sides) == 1:
        return sides[0]
    logs = [side.log_e for side in sides if side.log_e is not None]
    complete = len(logs) == len(sides)
    log_e = float(np.logaddexp.reduce(logs)) - math.log(len(sides)) if complete else None
    return Evidence(p=min(1.0, len(sides) * min(side.p for side in sides)), log_e=log_e)


def weakest(sides: list[Evidence]) -> Evidence:
    """Combine the evidence for safety in both directions: each is needed, none is paid for."""
    logs = [side.log_e for side in sides if side.log_e is not None]
    return Evidence(
        p=max(side.p for side in sides), log_e=min(logs) if len(logs) == len(sides) else None
    )
