"""Read scrapes as the engine does: reset-aware increases and gauges on a grid of steps, by pod."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.deployments.draw import Deployment, Scrapes
from benchmarks.deployments.world import SCRAPE_S, SCRAPES
from judges import Sample

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Two scrapes: shorter steps read ragged, longer ones leave ten minutes with too few of them.
STEP_SCRAPES = 2
STEP_S = STEP_SCRAPES * SCRAPE_S
STEPS = SCRAPES // STEP_SCRAPES
# What a configuration of ours says by default or should say: data left out at either end.
WARMUP_S = 120.0
LAG_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """One side on the grid; NaN where a pod was not scraped.

    Attributes:
        requests: Shape (pods, steps): increase in the step.
        errors: Shape (pods, steps): increase in the step.
        buckets: Shape (pods, steps, buckets): increase in the step, of each bucket by itself.
        seconds: Shape (pods, steps): increase of the sum of durations.
        cpu: Shape (pods, steps): increase, in CPU seconds.
        memory: Shape (pods, steps): in bytes, at the end of the step.
        restarts: Shape (steps,): of all pods since the beginning.
    """

    requests: Array
    errors: Array
    buckets: Array
    seconds: Array
    cpu: Array
    memory: Array
    restarts: Array

    @classmethod
    def of(cls, side: Scrapes) -> Steps:
        """Difference the counters, read the gauges."""
        requests, errors, buckets, seconds, cpu = (
            increases(counter, side.seen)
            for counter in (side.requests, side.errors, side.buckets, side.seconds, side.cpu)
        )
        last = slice(STEP_SCRAPES - 1, None, STEP_SCRAPES)
        return cls(
            requests=requests,
            errors=errors,
            buckets=buckets,
            seconds=seconds,
            cpu=cpu,
            memory=np.where(side.seen, side.memory, np.nan)[:, last],
            restarts=side.restarts.sum(axis=0)[last],
        )


def increases(counter: Array, seen: Mask) -> Array:
    """Difference a counter onto the steps.

    Args:
        counter: Shape (pods, scrapes) or (pods, scrapes, buckets).
        seen: Shape (pods, scrapes): which scrapes succeeded.

    Returns:
        Shape (pods, steps) or (pods, steps, buckets): what happened while a pod was not scraped
        counts in the step of its next scrape, and a counter that fell has begun anew at 0.
    """
    place = np.maximum.accumulate(np.where(seen, np.arange(SCRAPES), -1), axis=1)
    before = np.concatenate([np.full((len(seen), 1), -1), place[:, :-1]], axis=1)
    cells = (slice(None), slice(None)) + (np.newaxis,) * (counter.ndim - 2)
    earlier = np.take_along_axis(counter, np.maximum(before, 0)[cells], axis=1)
    earlier = np.where(before[cells] >= 0, earlier, 0.0)
    gains = np.where(counter >= earlier, counter - earlier, counter)
    shape = (len(seen), STEPS, STEP_SCRAPES)
    in_steps: Array = (
        np.where(seen[cells], gains, 0.0).reshape(*shape, *counter.shape[2:]).sum(axis=2)
    )
    in_steps[~seen.reshape(shape).any(axis=2)] = np.nan
    return in_steps


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """Both sides of a deployment on the grid.

    Attributes:
        deployment: The deployment.
        baseline: Its baseline.
        canary: Its canary.
        weights: Shape (steps,): the share of the traffic that the canary is given.
    """

    deployment: Deployment
    baseline: Steps
    canary: Steps
    weights: Array

    @classmethod
    def of(cls, deployment: Deployment) -> Reading:
        """Read both sides."""
        return cls(
            deployment=deployment,
            baseline=Steps.of(deployment.baseline),
            canary=Steps.of(deployment.canary),
            weights=deployment.world.traffic.share.reshape(STEPS, STEP_SCRAPES).mean(axis=1),
        )

    def samples(self, minute: float) -> dict[str, Sample]:
        """Give what a look at this minute sees of each metric, by the metric's name."""
        window = judged(minute)
        b, c = self.baseline, self.canary
        histogram = Sample.of_histograms(
            self.deployment.world.latency.edges,
            b.buckets[:, window],
            c.buckets[:, window],
            totals=(b.seconds[:, window], c.seconds[:, window]),
            step_s=STEP_S,
        )
        restarts = Sample.of_values(b.restarts[window], c.restarts[window], step_s=STEP_S)
        return {
            "errors": self._ratio("errors", window),
            "latency mean": self._ratio("seconds", window),
            "latency p90": histogram,
            "latency p99": histogram,
            "slow requests": histogram,
            "cpu per request": self._ratio("cpu", window),
            "memory": Sample.of_values(b.memory[:, window], c.memory[:, window], step_s=STEP_S),
            "throughput": self._throughput(window),
            "restarts": restarts,
            "any restarts": restarts,
        }

    def requests(self) -> float:
        """Count the requests of the side with fewer, in the judged steps of the whole hour."""
        window = judged(SCRAPES * SCRAPE_S / 60)
        sides = (self.baseline.requests, self.canary.requests)
        return min(float(np.nansum(side[:, window])) for side in sides)

    def _ratio(self, numerator: str, window: slice) -> Sample:
        """Give something per request, by pod."""
        sides = [
            (getattr(side, numerator)[:, window], side.requests[:, window])
            for side in (self.baseline, self.canary)
        ]
        return Sample.of_counts(sides[0], sides[1], step_s=STEP_S)

    def _throughput(self, window: slice) -> Sample:
        """Give the requests of each side per second and share of traffic it is given."""
        served = [_known(side.requests[:, window]) for side in (self.baseline, self.canary)]
        weights = STEP_S * self.weights[window]
        return Sample.of_counts((served[0], STEP_S - weights), (served[1], weights), step_s=STEP_S)


def judged(minute: float) -> slice:
    """Give the steps that a look at this minute judges."""
    return slice(
        math.ceil(WARMUP_S / STEP_S), min(STEPS, math.floor((60 * minute - LAG_S) / STEP_S))
    )


def _known(rows: Array) -> Array:
    """Add up the pods; a step in which none was scraped is unknown."""
    total: Array = np.nansum(rows, axis=0)
    total[np.isnan(rows).all(axis=0)] = np.nan
    return total
