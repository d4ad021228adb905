"""Harmed copies of good deployments: harm of known size, for who has no bad ones to learn from."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.calibration.inject import inject
from analysis.config import CanaryConfig, Metric
from analysis.engine import Prepared
from analysis.planning import compares
from analysis.samples import Gathered
from judges import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """Harm put into the canary of one metric, from the start on.

    Attributes:
        metric: Whose level is multiplied.
        factor: By how much it is worse: 2 doubles errors and halves throughput.
    """

    metric: str
    factor: float

    def __str__(self) -> str:
        """Name it in tables."""
        return f"{self.metric} × {self.factor:g}"


def harms(config: CanaryConfig, factors: Sequence[float]) -> list[Harm]:
    """List what is tried: each critical metric that compares (each, where none is), harmed."""
    open_ = [metric for metric in config.metrics if _can_be_harmed(metric)]
    chosen = [metric for metric in open_ if metric.critical] or open_
    return [Harm(metric=metric.name, factor=factor) for metric in chosen for factor in factors]


def _can_be_harmed(metric: Metric) -> bool:
    """Tell whether a level is compared; a bound is mostly on counts, and twice none is no harm."""
    return compares(metric) and metric.judge.kind != "threshold" and not metric.muted


def harmed(prepared: Prepared, harm: Harm, deployment: str) -> Prepared:
    """Give a look with harm in it; the same harm for the same deployment, however often."""
    seed = zlib.crc32(f"{deployment}\0{harm}".encode())
    return replace(prepared, gathered=list(_harmed(prepared.gathered, harm, seed)))


def _harmed(gathered: Sequence[Gathered], harm: Harm, seed: int) -> Iterator[Gathered]:
    for one in gathered:
        if one.metric.name != harm.metric or one.sample is None:
            yield one
            continue
        effect = harm.factor if _rises(one.metric) else 1 / harm.factor
        yield replace(one, sample=inject(one.sample, effect, np.random.default_rng(seed)))


def _rises(metric: Metric) -> bool:
    direction = getattr(metric.judge.create(), "direction", Direction.INCREASE)
    return direction is not Direction.DECREASE


def shortened(prepared: Prepared, whole: Prepared, harm: Harm) -> Prepared:
    """Give an earlier look at a harmed deployment: the first steps of what the last one shows.

    Harm drawn anew at each look would be another deployment at each look.
    """
    later = {one.metric.name: one for one in whole.gathered}
    found = [
        _cut(one, later[one.metric.name]) if one.metric.name == harm.metric else one
        for one in prepared.gathered
    ]
    return replace(prepared, gathered=found)


def _cut(one: Gathered, later: Gathered) -> Gathered:
    if one.sample is None or later.sample is None:
        return one
    return replace(one, sample=later.sample.part(0, one.sample.steps))
