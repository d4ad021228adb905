"""What a deployment is like before anything is wrong with it: traffic, noise, mishaps.

Every range stands here, and in words in docs/reference/deployments.md, so that it can be disputed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.deployments.latency import Latency
from benchmarks.deployments.noise import Rng, Wobble, log_uniform

Array = NDArray[np.float64]

SCRAPE_S = 15.0
SCRAPES = 240  # an hour
MINUTE = 4  # scrapes
# How much pods differ in what their memory grows by, on the logarithmic scale.
GROWTH_SD = 0.1

# Pods of baseline and canary, and how often.
PODS = {(3, 3): 0.6, (1, 1): 0.1, (5, 1): 0.15, (10, 10): 0.15}
# The canary's share of the traffic, by the minute from which it holds, and how often.
SHARES: dict[str, tuple[dict[int, float], float]] = {
    "50/50": ({0: 0.5}, 0.4),
    "25/75": ({0: 0.25}, 0.2),
    "10/90": ({0: 0.1}, 0.2),
    "ramp 10, 25, 50": ({0: 0.1, 20: 0.25, 40: 0.5}, 0.1),
    "ramp 5, 10, 25, 50": ({0: 0.05, 15: 0.1, 30: 0.25, 45: 0.5}, 0.1),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traffic:
    """Requests that arrive.

    Attributes:
        pods: Pods of the baseline and of the canary.
        rps: Mean requests per second, both sides together.
        name: What the share is called.
        share: Shape (scrapes,): the canary's share, which the controller knows.
        shared: Load that both sides follow.
        side: How unevenly each side is loaded for a while.
        pod: The same between the pods of a side.
    """

    pods: tuple[int, int]
    rps: float
    name: str
    share: Array
    shared: Wobble
    side: Wobble
    pod: Wobble

    @classmethod
    def draw(cls, rng: Rng) -> Traffic:
        """Draw traffic; one pod beside five gets its sixth where nobody weighs the sides."""
        pods = list(PODS)[rng.choice(len(PODS), p=list(PODS.values()))]
        name = str(rng.choice(list(SHARES), p=[often for _, often in SHARES.values()]))
        share = np.empty(SCRAPES)
        for minute, value in SHARES[name][0].items():
            share[minute * MINUTE :] = value
        if name == "50/50" and pods == (5, 1):
            name, share = "1/6", np.full(SCRAPES, 1 / 6)
        return cls(
            pods=pods,
            rps=log_uniform(rng, 1, 500),
            name=name,
            share=share,
            shared=Wobble(sd=rng.uniform(0.05, 0.4), phi=rng.uniform(0.8, 0.99)),
            side=Wobble(sd=rng.uniform(0, 0.03), phi=rng.uniform(0, 0.9)),
            pod=Wobble(sd=rng.uniform(0, 0.1), phi=rng.uniform(0, 0.9)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How latency, cost and failures vary although nothing is wrong.

    Attributes:
        shared: Latency that both sides see alike (a database, a neighbor).
        side: Latency of each side by itself.
        pod_sd: How much pods of one version differ for good, on the logarithmic scale.
        drift: How much each pod wanders.
        with_load: Power of the load by which latency grows.
    """

    shared: Wobble
    side: Wobble
    pod_sd: float
    drift: Wobble
    with_load: float

    @classmethod
    def draw(cls, rng: Rng) -> Noise:
        """Draw noise; pods mostly differ by 0 to 4 %, seldom by 8 %."""
        return cls(
            shared=Wobble(sd=rng.uniform(0, 0.15), phi=rng.uniform(0.3, 0.97)),
            side=Wobble(sd=rng.uniform(0, 0.06), phi=rng.uniform(0, 0.9)),
            pod_sd=0.08 * rng.random() ** 2,
            drift=Wobble(sd=rng.uniform(0, 0.06), phi=rng.uniform(0, 0.95)),
            with_load=rng.uniform(0, 0.4),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Requests that fail although nothing is wrong.

    Attributes:
        base: Share of failing requests.
        shared: How that share varies on both sides alike.
        shared_bursts: Bursts an hour that hit both sides.
        side_bursts: Bursts an hour that hit one side, of each side.
        burst: Factor of a burst on the share.
    """

    base: float
    shared: Wobble
    shared_bursts: float
    side_bursts: float
    burst: float

    @classmethod
    def draw(cls, rng: Rng) -> Errors:
        """Draw errors: a fifth of the services has none, others up to 2 %."""
        return cls(
            base=0.0 if rng.random() < 0.2 else log_uniform(rng, 1e-5, 2e-2),
            shared=Wobble(sd=rng.uniform(0, 0.5), phi=rng.uniform(0.5, 0.97)),
            shared_bursts=2.0 if rng.random() < 0.5 else 0.0,
            side_bursts=2.0 if rng.random() < 0.25 else 0.0,
            burst=rng.uniform(3, 15),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What pods use.

    Attributes:
        cpu_s: CPU of a request, in seconds.
        idle_cores: CPU of a pod without requests, in cores.
        cpu: How the cost of a request wanders, pod by pod.
        memory: A pod's memory after its start, in bytes.
        growth: What it grows by while it warms up, a share.
        growth_s: Time constant of that growth, in seconds.
        cache: What its caches grow by, a share.
        cache_requests: Requests that fill them to 63 %, in those a baseline's pod gets an hour.
        garbage: Height of the sawtooth that garbage collection makes, a share.
        limit: The container's limit, in multiples of `memory`.
    """

    cpu_s: float
    idle_cores: float
    cpu: Wobble
    memory: float
    growth: float
    growth_s: float
    cache: float
    cache_requests: float
    garbage: float
    limit: float

    @classmethod
    def draw(cls, rng: Rng) -> Resources:
        """Draw a service's appetite; half of them have caches that requests fill."""
        return cls(
            cpu_s=log_uniform(rng, 0.001, 0.03),
            idle_cores=log_uniform(rng, 0.001, 0.01),
            cpu=Wobble(sd=rng.uniform(0, 0.05), phi=rng.uniform(0, 0.9)),
            memory=log_uniform(rng, 6e7, 1e9),
            growth=rng.uniform(0, 0.3),
            growth_s=rng.uniform(120, 1200),
            cache=rng.uniform(0, 0.15) if rng.random() < 0.5 else 0.0,
            cache_requests=rng.uniform(0.1, 2.0),
            garbage=rng.uniform(0, 0.08),
            limit=rng.uniform(1.6, 3.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishaps:
    """What happens to good deployments too.

    Attributes:
        restarts: Chance of a pod to restart once, for a reason that is not the release's.
        missing: Share of scrapes that fail.
        outage: Scrapes missed in a row by one pod of either side; 0 for none.
        slow_start: How much slower a fresh pod is, on the logarithmic scale.
        slow_start_s: Time constant with which that passes, in seconds.
        incident: Scrape at which something that both sides depend on breaks; -1 for never.
        incident_scrapes: How long that lasts.
        incident_latency: Its factor on latency.
        incident_errors: Share of requests it fails.
    """

    restarts: float
    missing: float
    outage: int
    slow_start: float
    slow_start_s: float
    incident: int
    incident_scrapes: int
    incident_latency: float
    incident_errors: float

    @classmethod
    def draw(cls, rng: Rng) -> Mishaps:
        """Draw mishaps: a sixth of the deployments sees an incident, a tenth an outage."""
        return cls(
            restarts=0.03 if rng.random() < 0.5 else 0.0,
            missing=rng.uniform(0, 0.02) if rng.random() < 0.5 else 0.0,
            outage=int(rng.integers(4, 21)) if rng.random() < 0.1 else 0,
            slow_start=rng.uniform(0, 0.7),
            slow_start_s=rng.uniform(20, 90),
            incident=int(rng.integers(8, SCRAPES - 8)) if rng.random() < 1 / 6 else -1,
            incident_scrapes=int(rng.integers(8, 33)),
            incident_latency=rng.uniform(1.3, 4.0),
            incident_errors=log_uniform(rng, 0.002, 0.1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All of it."""

    traffic: Traffic
    noise: Noise
    latency: Latency
    errors: Errors
    resources: Resources
    mishaps: Mishaps

    @classmethod
    def draw(cls, rng: Rng) -> World:
        """Draw a deployment's circumstances."""
        return cls(
            traffic=Traffic.draw(rng),
            noise=Noise.draw(rng),
            latency=Latency.draw(rng),
            errors=Errors.draw(rng),
            resources=Resources.draw(rng),
            mishaps=Mishaps.draw(rng),
        )

    def requests(self, since: int = 0) -> tuple[float, float]:
        """Give the requests each side expects from a scrape on to the end of the hour."""
        total = self.traffic.rps * SCRAPE_S
        canary = total * float(self.traffic.share[since:].sum())
        return total * (SCRAPES - since) - canary, canary
