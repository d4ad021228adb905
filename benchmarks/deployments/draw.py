"""Draw a deployment: what a Prometheus would have scraped from it in an hour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.deployments.faults import Fault, Grade, Harm, Kind, harm_of
from benchmarks.deployments.latency import MIDDLE, TIMEOUT
from benchmarks.deployments.noise import Rng
from benchmarks.deployments.oracle import Oracle, is_clear
from benchmarks.deployments.world import GROWTH_SD, MINUTE, SCRAPE_S, SCRAPES, World

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# A balanced design: every 200 deployments hold 80 good ones, and each fault in each grade 3 times.
BLOCK, GOOD = 200, 80


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scrapes:
    """What the pods of one side expose at each scrape; counters restart at 0 with their pod.

    Attributes:
        seen: Shape (pods, scrapes): whether the scrape succeeded.
        requests: Shape (pods, scrapes): counter.
        errors: Shape (pods, scrapes): counter.
        buckets: Shape (pods, scrapes, buckets): counters, not cumulative over the buckets.
        seconds: Shape (pods, scrapes): counter, the sum of durations.
        cpu: Shape (pods, scrapes): counter, in CPU seconds.
        memory: Shape (pods, scrapes): in bytes.
        restarts: Shape (pods, scrapes): counter kept by the cluster, which survives restarts.
    """

    seen: Mask
    requests: Array
    errors: Array
    buckets: Array
    seconds: Array
    cpu: Array
    memory: Array
    restarts: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deployment:
    """A deployment with what is known of it.

    Attributes:
        name: Seed and number.
        world: Its circumstances.
        fault: What is wrong with the canary; `None` for a good one.
        oracle_z: The fault in standard errors; 0 for a good one.
        baseline: Scrapes of the baseline.
        canary: Scrapes of the canary.
    """

    name: str
    world: World
    fault: Fault | None
    oracle_z: float
    baseline: Scrapes
    canary: Scrapes

    @property
    def is_clear(self) -> bool:
        """Whether its fault is one that nobody should miss."""
        return self.fault is not None and is_clear(self.fault, self.oracle_z)


def draw(seed: int, index: int) -> Deployment:
    """Draw one deployment of a seed; each has its own stream, whichever others are drawn."""
    rng = np.random.default_rng([seed, index])
    world = World.draw(rng)
    return released(f"{seed}-{index}", world, design(seed, index // BLOCK)[index % BLOCK], rng)


def released(
    name: str, world: World, label: tuple[Kind, Grade] | None, rng: np.random.Generator
) -> Deployment:
    """Draw what becomes of a release with this fault, or with none, in these circumstances."""
    fault = None if label is None else Fault.draw(*label, rng)
    harm = harm_of(fault, world, rng)
    baseline, canary = sides(world, harm, rng)
    return Deployment(
        name=name,
        world=world,
        fault=fault,
        oracle_z=Oracle(world=world, fault=fault, harm=harm).z() if fault else 0.0,
        baseline=baseline,
        canary=canary,
    )


@cache
def design(seed: int, block: int) -> tuple[tuple[Kind, Grade] | None, ...]:
    """Give what is wrong with each of 200 deployments, in random order."""
    cells = [(kind, grade) for kind in Kind for grade in Grade]
    bad = cells * ((BLOCK - GOOD) // len(cells))
    labels: list[tuple[Kind, Grade] | None] = [*bad, *[None] * GOOD]
    order = np.random.default_rng([seed, 1_000_000 + block]).permutation(BLOCK)
    return tuple(labels[i] for i in order)


# ---- what both sides share


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shared:
    """Shape (scrapes,) each: load, and what moves durations and failures of both sides alike."""

    load: Array
    latency: Array
    error_factor: Array
    error_points: Array

    @classmethod
    def of(cls, world: World, rng: Rng) -> _Shared:
        load = world.traffic.shared.draw(rng, (SCRAPES,))
        latency = world.noise.shared.draw(rng, (SCRAPES,)) + world.noise.with_load * load
        errors = world.errors
        bursts = _bursts(errors.shared_bursts, errors.burst, rng)
        points = np.zeros(SCRAPES)
        mishaps = world.mishaps
        if mishaps.incident >= 0:
            broken = slice(mishaps.incident, mishaps.incident + mishaps.incident_scrapes)
            latency[broken] += math.log(mishaps.incident_latency)
            points[broken] = mishaps.incident_errors
        # Exponentials of noise have a mean of their own, which is taken out.
        centred = load - world.traffic.shared.sd**2 / 2
        wander = errors.shared.draw(rng, (SCRAPES,)) - errors.shared.sd**2 / 2
        return cls(
            load=world.traffic.rps * SCRAPE_S * np.exp(centred),
            latency=latency,
            error_factor=bursts * np.exp(wander),
            error_points=points,
        )


def _bursts(per_hour: float, factor: float, rng: Rng) -> Array:
    """Give the factor of bursts of 30 to 120 s on the share of failing requests."""
    raised = np.ones(SCRAPES)
    for _ in range(int(rng.poisson(per_hour * SCRAPES / MINUTE / 60))):
        start = int(rng.integers(SCRAPES))
        raised[start : start + int(rng.integers(2, 9))] = factor
    return raised


# ---- one side


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lives:
    """When the pods of a side live; shape (pods, scrapes) each.

    Attributes:
        up: Whether the pod served in the interval before the scrape and can be scraped.
        age: Scrapes since its process began.
        restarts: How often it has begun anew.
    """

    up: Mask
    age: Array
    restarts: Array


def sides(world: World, harm: Harm, rng: Rng) -> tuple[Scrapes, Scrapes]:
    shared = _Shared.of(world, rng)
    share = world.traffic.share
    pods = world.traffic.pods[0]
    out = int(rng.integers(2))
    return (
        _side(world, shared, Harm.none(pods), 1 - share, rng, has_outage=out == 0),
        _side(world, shared, harm, share, rng, has_outage=out == 1),
    )


def _side(
    world: World, shared: _Shared, harm: Harm, share: Array, rng: Rng, *, has_outage: bool
) -> Scrapes:
    lives = _lives(harm, world.mishaps.restarts, rng)
    rate = _rates(world, shared.load * share * harm.served, lives, rng)
    shares = world.latency.cells(_latency(world, shared, harm, lives, rng), harm.slow)
    cells = rng.poisson(rate[..., np.newaxis] * shares).astype(np.float64)
    requests = cells.sum(axis=-1)
    errors = rng.binomial(requests.astype(int), _failing(world, shared, harm, rng))
    # What a request lasts within its cell of the grid is lost; the timeout bounds the last one.
    seconds = np.minimum(cells @ MIDDLE, requests * TIMEOUT)
    return Scrapes(
        seen=lives.up & _scraped(world, has_outage, lives.up.shape, rng),
        requests=_counter(requests, lives),
        errors=_counter(errors, lives),
        buckets=_counter(world.latency.buckets(cells), lives),
        seconds=_counter(seconds, lives),
        cpu=_counter(_cpu(world, harm, requests, lives, rng), lives),
        memory=_memory(world, harm, requests, lives, rng),
        restarts=lives.restarts,
    )


def _lives(harm: Harm, chance: float, rng: Rng) -> _Lives:
    """Let pods crash by the fault's plan, and now and then for no reason of the release's."""
    pods = len(harm.crashes)
    up = np.ones((pods, SCRAPES), dtype=bool)
    born = np.zeros((pods, SCRAPES), dtype=bool)
    for pod, planned in enumerate(harm.crashes):
        plan = list(planned)
        if rng.random() < chance:
            plan.append((int(rng.integers(4, SCRAPES - 4)), int(rng.integers(1, 4))))
        for at, pause in plan:
            up[pod, at : at + pause] = False
            born[pod, min(at + pause, SCRAPES - 1)] |= at + pause < SCRAPES
    clock = np.arange(SCRAPES)
    began = np.maximum.accumulate(np.where(born, clock, 0), axis=1)
    return _Lives(up=up, age=(clock - began).astype(float), restarts=born.cumsum(axis=1) * 1.0)


def _rates(world: World, load: Array, lives: _Lives, rng: Rng) -> Array:
    """Spread a side's requests over the pods that are up, a little unevenly."""
    traffic = world.traffic
    side = np.exp(traffic.side.draw(rng, (SCRAPES,)))
    pods = np.exp(traffic.pod.draw(rng, lives.up.shape)) * lives.up
    rates: Array = load * side * pods / np.maximum(pods.sum(axis=0), 1e-9)
    return rates


def _latency(world: World, shared: _Shared, harm: Harm, lives: _Lives, rng: Rng) -> Array:
    """Add up what moves durations, on the logarithmic scale."""
    noise, mishaps = world.noise, world.mishaps
    shape = lives.up.shape
    fresh = mishaps.slow_start * np.exp(-lives.age * SCRAPE_S / mishaps.slow_start_s)
    level: Array = (
        shared.latency
        + noise.side.draw(rng, (SCRAPES,))
        + noise.pod_sd * rng.standard_normal((shape[0], 1))
        + noise.drift.draw(rng, shape)
        + fresh
        + harm.latency
    )
    return level


def _failing(world: World, shared: _Shared, harm: Harm, rng: Rng) -> Array:
    """Give the share of requests that fail, pod by pod."""
    errors, shape = world.errors, harm.errors.shape
    bursts = _bursts(errors.side_bursts, errors.burst, rng)
    pods = world.noise.pod_sd * rng.standard_normal((shape[0], 1))
    pods = pods + world.noise.drift.draw(rng, shape)
    usual = errors.base * shared.error_factor * bursts * np.exp(pods)
    failing: Array = np.clip(usual + shared.error_points + harm.errors, 0.0, 0.95)
    return failing


def _cpu(world: World, harm: Harm, requests: Array, lives: _Lives, rng: Rng) -> Array:
    """Give the CPU seconds between scrapes: every request costs another amount, idling too."""
    resources, shape = world.resources, lives.up.shape
    pods = world.noise.pod_sd * rng.standard_normal((shape[0], 1))
    cost = resources.cpu_s * np.exp(pods + resources.cpu.draw(rng, shape)) * harm.cpu
    idle = resources.idle_cores * SCRAPE_S * np.exp(0.1 * rng.standard_normal(shape))
    used: Array = (rng.gamma(requests) * cost + idle) * lives.up
    return used


def _memory(world: World, harm: Harm, requests: Array, lives: _Lives, rng: Rng) -> Array:
    """Let memory grow while a pod warms up and as requests fill its caches, and be collected."""
    resources, (pods, _) = world.resources, lives.up.shape
    base, growth, cached = (
        factor * np.exp(sd * rng.standard_normal((pods, 1)))
        for factor, sd in (
            (1.0, world.noise.pod_sd),
            (resources.growth, GROWTH_SD),
            (resources.cache, GROWTH_SD),
        )
    )
    age = lives.age * SCRAPE_S
    served = _counter(requests, lives) / (world.requests()[0] / world.traffic.pods[0])
    period = rng.uniform(60, 360, (pods, 1))
    sawtooth = (age / period + rng.random((pods, 1))) % 1.0
    level = (
        1
        + growth * -np.expm1(-age / resources.growth_s)
        + cached * -np.expm1(-served / resources.cache_requests)
        + resources.garbage * sawtooth
        + harm.leak * age / 3600
        + 0.003 * rng.standard_normal(age.shape)
    )
    memory: Array = np.minimum(resources.memory * base * level, resources.memory * resources.limit)
    return memory


def _scraped(world: World, has_outage: bool, shape: tuple[int, ...], rng: Rng) -> Mask:
    """Lose scrapes one by one, and those of one pod for a while."""
    seen = rng.random(shape) >= world.mishaps.missing
    if has_outage and world.mishaps.outage:
        start = int(rng.integers(SCRAPES))
        seen[int(rng.integers(shape[0])), start : start + world.mishaps.outage] = False
    return seen


def _counter(increments: NDArray[np.generic], lives: _Lives) -> Array:
    """Add up increments since the pod's process began."""
    total = np.cumsum(increments, axis=1, dtype=np.float64)
    first = np.arange(SCRAPES) - lives.age.astype(int)
    before = np.where(first > 0, first - 1, 0)
    extra = (1,) * (total.ndim - 2)
    start = np.take_along_axis(total, before.reshape(*before.shape, *extra), axis=1)
    counted: Array = total - np.where(first.reshape(*first.shape, *extra) > 0, start, 0.0)
    return counted
