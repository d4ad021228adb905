"""At how many standard errors would someone see a fault who knows the law of all noise?

The oracle knows what the fault changes, when it began, and every variance in the world; it sees
both sides' sums from the onset to the end of the hour. It knows neither how these pods happen to
differ nor which requests happened to fail, and what a pod uses without requests only roughly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.deployments.faults import LEAK, SHED, Aspect, Fault, Grade, Harm
from benchmarks.deployments.latency import GRID
from benchmarks.deployments.noise import Wobble
from benchmarks.deployments.world import GROWTH_SD, SCRAPE_S, SCRAPES, World

Array = NDArray[np.float64]

# From so many standard errors on a large or huge fault is called clear.
CLEAR = 8.0
# Restarts that a good pair of sides shows at least, for an oracle that never saw any.
LEAST_RESTARTS = 0.05
# How well anybody knows the idle CPU of a pod: its standard deviation, a share of it.
IDLE_SD = 0.3
BURST_S2 = 75.0**2 + 26.0**2  # mean square of 30 to 120 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """What the oracle knows of one deployment.

    Attributes:
        world: Its circumstances.
        fault: What is wrong.
        harm: What that does, for the crashes that really happen.
    """

    world: World
    fault: Fault
    harm: Harm

    def z(self) -> float:
        """Give the fault's size in standard errors."""
        of_aspect = {
            Aspect.ERRORS: self._errors,
            Aspect.LATENCY: self._latency,
            Aspect.TAIL: self._tail,
            Aspect.CPU: self._cpu,
            Aspect.MEMORY: self._leak,
            Aspect.TRAFFIC: self._throughput,
            Aspect.RESTARTS: self._restarts,
        }
        return of_aspect[self.fault.aspect]()

    @property
    def _scrapes(self) -> int:
        return SCRAPES - self.fault.onset

    @property
    def _share(self) -> float:
        """The part of the canary's requests that meets the fault."""
        return 1 / self.world.traffic.pods[1] if self.fault.on_one_pod else 1.0

    def _levels(self, drift: Wobble) -> float:
        """Give the variance of the log ratio of two sides that their pods' levels cause."""
        one_pod = self.world.noise.pod_sd**2 + drift.variance_of_mean(self._scrapes)
        return sum(one_pod / pods for pods in self.world.traffic.pods)

    def _slowness(self) -> float:
        """Give the same for durations, which each side's own noise moves too."""
        own = self.world.noise.side.variance_of_mean(self._scrapes)
        return self._levels(self.world.noise.drift) + 2 * own

    def _per_request(self, squared_cv: float) -> float:
        """Give the variance of the log ratio of two means over requests."""
        return sum(squared_cv / n for n in self.world.requests(self.fault.onset))

    def _counts(self, share: float, extra: float, noise: float) -> float:
        """Compare counts: a share of requests, its excess on the canary, its relative variance."""
        n_b, n_c = self.world.requests(self.fault.onset)
        counting = n_c * (share + extra) + n_b * share * (n_c / n_b) ** 2
        return n_c * extra / math.sqrt(counting + noise * (n_c * share) ** 2)

    def _errors(self) -> float:
        errors = self.world.errors
        seconds = self._scrapes * SCRAPE_S
        # Bursts of a side alone: compound Poisson, relative to the errors of the whole stretch.
        bursts = errors.side_bursts / 3600 * BURST_S2 * (errors.burst - 1) ** 2 / seconds
        noise = self._levels(self.world.noise.drift) + 2 * bursts
        return self._counts(errors.base, self.fault.extra_errors(errors.base) * self._share, noise)

    def _latency(self) -> float:
        effect = math.log1p((self.fault.factor - 1) * self._share)
        _, squared_cv = self.world.latency.moments()
        return effect / math.sqrt(self._slowness() + self._per_request(squared_cv))

    def _tail(self) -> float:
        """Count the requests above the edge at which the fault shows best."""
        latency = self.world.latency
        usual, now = (
            1 - np.cumsum(latency.cells(np.zeros(()), slow))[:-1]
            for slow in (1.0, self.fault.factor)
        )
        # Durations that all move by 1 % move the share above an edge by alpha %.
        noise = latency.alpha**2 * self._slowness()
        return max(
            self._counts(float(a), float(b - a), noise)
            for a, b, edge in zip(usual, now, GRID[:-1], strict=True)
            if edge > latency.median and a > 0
        )

    def _cpu(self) -> float:
        noise = self._levels(self.world.resources.cpu) + self._per_request(1.0)
        return math.log(self.fault.factor) / math.sqrt(noise + self._idleness() ** 2)

    def _idleness(self) -> float:
        """Give the standard error that roughly known idle CPU leaves where traffic is unequal."""
        seconds = self._scrapes * SCRAPE_S
        sides = zip(self.world.traffic.pods, self.world.requests(self.fault.onset), strict=True)
        idle = [self.world.resources.idle_cores * pods * seconds / n for pods, n in sides]
        return IDLE_SD * abs(idle[1] - idle[0]) / self.world.resources.cpu_s

    def _throughput(self) -> float:
        uneven = 2 * self.world.traffic.side.variance_of_mean(self._scrapes)
        shed = -math.log1p(-SHED[self.fault.grade.place])
        return shed / math.sqrt(uneven + self._per_request(1.0))

    def _leak(self) -> float:
        resources = self.world.resources
        hours = self._scrapes * SCRAPE_S / 3600
        grown = GROWTH_SD**2 * (resources.growth**2 + resources.cache**2)
        per_pod = grown + resources.garbage**2 / 12 / self._scrapes
        error = math.sqrt(sum(per_pod / pods for pods in self.world.traffic.pods) + 1e-6)
        return LEAK[self.fault.grade.place] * hours / error

    def _restarts(self) -> float:
        """Take the root of the deviance of the restarts from those that good pods show."""
        seen = sum(len(plan) for plan in self.harm.crashes)
        usual = max(self.world.mishaps.restarts * self.world.traffic.pods[1], LEAST_RESTARTS)
        return math.sqrt(2 * (seen * math.log(seen / usual) - seen + usual))


def is_clear(fault: Fault, z: float) -> bool:
    """Tell whether nobody should miss a fault: it is large or huge, and stands out of the noise."""
    return fault.grade in (Grade.LARGE, Grade.HUGE) and z >= CLEAR
