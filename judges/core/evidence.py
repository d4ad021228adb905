"""From a studentized statistic to evidence: p-values for one look, e-values for any number.

References:
    Robbins (1970); Howard, Ramdas, McAuliffe & Sekhon (2021), Annals of Statistics 49(2):
    the one-sided normal mixture. Waudby-Smith et al. (arXiv 2103.06476): its asymptotic use with an
    estimated variance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from judges.core.judgment import Evidence, Verdict
from judges.core.parameters import Looks

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Beyond this a normal deviate says nothing more, and its square still fits a double.
_Z_MOST = 38.0
# Keeps the tuning defined at levels near one half, where nobody should decide anything.
LEAST_SPREAD = 0.1
# An e-value of 0, as a logarithm that a report can still write as a number.
NO_LOG_E = -700.0
# The part of the planned steps with which an analysis is complete.
PLANNED_PART = 0.95
# The part of a pass's error rate that is kept for the planned end. A pass counts there; an earlier
# one only saves time (measured on tuning seeds: good deployments passed 65 % with none kept, 78 %
# with half, 88 % with all).
END_PART = 0.8
# Starting times of the mixture for harm that begins late.
RESTARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """Evidence for one claim about each of many metrics.

    Attributes:
        p: Shape (m,), as `Evidence.p`.
        log_e: Shape (m,), as `Evidence.log_e`; `None` where there is no sequential form.
    """

    p: Array
    log_e: Array | None

    def __getitem__(self, row: int) -> Evidence:
        """Give the evidence about one metric."""
        log_e = None if self.log_e is None else float(self.log_e[row])
        return Evidence(p=float(self.p[row]), log_e=log_e)

    def rows(self) -> list[Evidence]:
        """Give the evidence about each metric."""
        logs = [None] * len(self.p) if self.log_e is None else self.log_e.tolist()
        return [Evidence(p=p, log_e=e) for p, e in zip(self.p.tolist(), logs, strict=True)]

    def mute(self, silent: Mask) -> Weights:
        """Give the same p-values, without evidence over looks for the metrics in `silent`."""
        log_e = None if self.log_e is None else np.where(silent, NO_LOG_E, self.log_e)
        return Weights(p=self.p, log_e=log_e)

    def unless(self, silent: Mask) -> Weights:
        """Give the same without any evidence for the metrics marked in `silent`, shape (m,)."""
        return Weights(p=np.where(silent, 1.0, self.p), log_e=self.mute(silent).log_e)


def normal_deviates(t: Array, df: Array) -> Array:
    """Map t statistics, shape (m,), to the normal deviates with the same tail probabilities."""
    tails = special.stdtr(df, -np.abs(t))
    z = np.full(np.shape(tails), _Z_MOST)
    np.negative(special.ndtri(np.where(tails > 0, tails, 0.5)), out=z, where=tails > 0)
    return np.copysign(np.minimum(z, _Z_MOST), t)


def normal_deviate(t: float, df: float) -> float:
    """Map a t statistic to the standard normal deviate with the same tail probability."""
    return float(normal_deviates(np.array([t]), np.array([df]))[0])


def log_e_normals(z: Array, n: float, *, alpha: Array | float, best_at: float) -> Array:
    """Give the log e-values of the one-sided normal mixture.

    Args:
        z: Shape (m,), standardized statistics; positive values speak for the claim.
        n: Steps seen so far (the variance clock).
        alpha: Level that the mixture is tuned for; one for all, or of shape (m,).
        best_at: Steps at which it is to be sharpest.
    """
    # Tuning of Howard et al. (2021), eq. 3.7, for the one-sided boundary.
    spread = np.maximum(-2 * np.log(2 * np.asarray(alpha)), LEAST_SPREAD)
    rho = best_at / (spread + np.log1p(spread))
    total = n + rho
    s = z * math.sqrt(n)
    log_e: Array = (
        0.5 * np.log(4 * rho / total) + s * s / (2 * total) + special.log_ndtr(s / np.sqrt(total))
    )
    return log_e


def log_e_normal(z: float, n: float, *, alpha: float, best_at: float) -> float:
    """Give the log e-value of the one-sided normal mixture, as `log_e_normals` does."""
    return float(log_e_normals(np.array([z]), n, alpha=alpha, best_at=best_at)[0])


def restarts(n: int, horizon: int, *, least: int) -> list[int]:
    """List the steps at which evidence of harm starts anew: quarters of the planned length.

    Args:
        n: Steps seen so far.
        horizon: Steps planned.
        least: Steps that must lie behind a start for it to say anything.
    """
    starts = [round(quarter * horizon / RESTARTS) for quarter in range(1, RESTARTS)]
    return [start for start in starts if 0 < start < horizon and n - start >= least]


def with_restarts(cumulative: float, restarted: list[float]) -> float:
    """Mix evidence since the beginning with evidence since each restart, as `mixed` does."""
    return float(mixed(np.array([cumulative]), [np.array([log_e]) for log_e in restarted])[0])


def mixed(cumulative: Array, restarted: Sequence[Array]) -> Array:
    """Mix evidence since the beginning with evidence since each restart, shape (m,) each.

    A mean of e-processes is an e-process; one that has not started yet holds its capital of 1. Half
    of the capital stays with the whole window, so little is lost where harm was there all along.

    References:
        Shin, Ramdas & Rinaldo (2024), e-detectors: mixtures over starting times.
    """
    share = math.log(0.5 / RESTARTS)
    waiting = [np.zeros_like(cumulative)] * (RESTARTS - 1 - len(restarted))
    parts = [math.log(0.5) + cumulative, share + cumulative]
    later = [share + log_e for log_e in (*restarted, *waiting)]
    total: Array = np.logaddexp.reduce([*parts, *later])
    return total


def planned_end(horizon: int) -> int:
    """Give the steps with which the analysis counts as complete: some scrapes are always late."""
    return math.ceil(PLANNED_PART * horizon)


def with_end(over_looks: Array, at_end: Array | None, level: Array) -> Array:
    """Mix evidence over looks with a bet on the planned end, shape (m,) each.

    Most of the capital waits for the look at the planned end, which is one whatever came before,
    and is staked on its p-value being at most that part of the level; so a canary that no earlier
    look could pass may pass at the last of them, and all together err in `level` at most.

    Args:
        over_looks: Log e-values over looks.
        at_end: p-values of the steps up to the planned end; `None` before it.
        level: Error rate of the claim.
    """
    waiting = np.zeros_like(over_looks)
    if at_end is not None:
        staked = END_PART * level
        # A billionth more, so that rounding does not leave the level just missed.
        waiting = np.where(at_end <= staked, 1e-9 - np.log(staked), NO_LOG_E)
    both: Array = np.logaddexp(math.log(1 - END_PART) + over_looks, math.log(END_PART) + waiting)
    return np.maximum(both, NO_LOG_E)


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


def strongest(sides: Sequence[Evidence]) -> Evidence:
    """Combine the evidence for harm in either direction: one of them suffices.

    The p-values pay for the choice (Bonferroni); the e-values are averaged.
    """
    return sides[0] if len(sides) == 1 else strongest_of(_weights(sides))[0]


def weakest(sides: Sequence[Evidence]) -> Evidence:
    """Combine the evidence for safety in both directions: each is needed, none is paid for."""
    return weakest_of(_weights(sides))[0]


def strongest_of(sides: Sequence[Weights]) -> Weights:
    """Combine the evidence for harm in either direction, metric by metric, as `strongest`."""
    if len(sides) == 1:
        return sides[0]
    logs = [side.log_e for side in sides if side.log_e is not None]
    complete = len(logs) == len(sides)
    return Weights(
        p=np.minimum(1.0, len(sides) * np.min([side.p for side in sides], axis=0)),
        log_e=np.logaddexp.reduce(logs) - math.log(len(sides)) if complete else None,
    )


def weakest_of(sides: Sequence[Weights]) -> Weights:
    """Combine the evidence for safety in both directions, metric by metric, as `weakest`."""
    logs = [side.log_e for side in sides if side.log_e is not None]
    return Weights(
        p=np.max([side.p for side in sides], axis=0),
        log_e=np.min(logs, axis=0) if len(logs) == len(sides) else None,
    )


def _weights(sides: Sequence[Evidence]) -> list[Weights]:
    return [
        Weights(p=np.array([side.p]), log_e=None if side.log_e is None else np.array([side.log_e]))
        for side in sides
    ]
