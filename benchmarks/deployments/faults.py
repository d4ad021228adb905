"""What can be wrong with a release, in four grades."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.deployments.noise import Rng
from benchmarks.deployments.world import MINUTE, SCRAPES, World

Array = NDArray[np.float64]


class Kind(StrEnum):
    """The faults, as the tables name them."""

    ERRORS = "errors"
    ERROR_BURSTS = "errors in bursts"
    LATENCY = "latency"
    TAIL = "latency tail"
    CPU = "CPU per request"
    LEAK = "memory leak"
    THROUGHPUT = "throughput"
    BAD_POD = "one bad pod"
    LATE = "late onset"
    CRASH_LOOP = "crash loop"


class Aspect(StrEnum):
    """What a fault changes."""

    ERRORS = "errors"
    LATENCY = "latency"
    TAIL = "tail"
    CPU = "cpu"
    MEMORY = "memory"
    TRAFFIC = "traffic"
    RESTARTS = "restarts"


class Grade(StrEnum):
    """How bad it is."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    HUGE = "huge"

    @property
    def place(self) -> int:
        """Its place, from 0."""
        return list(Grade).index(self)


# Errors: factor on the share of failing requests, and the least points that are added to it.
ERRORS = ((1.5, 0.001), (2.0, 0.005), (4.0, 0.02), (10.0, 0.1))
POD_ERRORS = ((2.0, 0.005), (4.0, 0.02), (10.0, 0.1), (30.0, 0.4))
# Factors on all durations.
LATENCY = (1.1, 1.25, 1.5, 2.5)
POD_LATENCY = (1.3, 1.7, 3.0, 6.0)
# Factors on the share of slow requests, on the CPU of a request; memory lost an hour, a share;
# share of the requests that are not served.
TAIL = (1.5, 2.0, 4.0, 8.0)
CPU = (1.2, 1.35, 1.6, 2.2)
LEAK = (0.1, 0.2, 0.5, 1.0)
SHED = (0.08, 0.15, 0.3, 0.5)
# Scrapes between crashes of one pod; large and huge are the kubelet's back-off, of one and of all.
CRASH_EVERY = (80, 40)
CRASH_RUNS = 4
CRASH_PAUSES = (1, 2, 3, 6, 11, 20)
# Bursts of errors fill a fifth of the time, two minutes in ten.
DUTY, BURST = 0.2, 2 * MINUTE
# Even in a burst some requests succeed.
MOST_ERRORS = 0.9

ASPECTS = {
    Kind.ERRORS: (Aspect.ERRORS,),
    Kind.ERROR_BURSTS: (Aspect.ERRORS,),
    Kind.LATENCY: (Aspect.LATENCY,),
    Kind.TAIL: (Aspect.TAIL,),
    Kind.CPU: (Aspect.CPU,),
    Kind.LEAK: (Aspect.MEMORY,),
    Kind.THROUGHPUT: (Aspect.TRAFFIC,),
    Kind.BAD_POD: (Aspect.ERRORS, Aspect.LATENCY),
    Kind.LATE: (Aspect.ERRORS, Aspect.LATENCY),
    Kind.CRASH_LOOP: (Aspect.RESTARTS,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a canary.

    Attributes:
        kind: Which fault.
        grade: How bad it is.
        aspect: What it changes.
        onset: Scrape from which it acts.
    """

    kind: Kind
    grade: Grade
    aspect: Aspect
    onset: int = 0

    @classmethod
    def draw(cls, kind: Kind, grade: Grade, rng: Rng) -> Fault:
        """Choose what the kind leaves open; a late fault begins after 30 to 50 % of the hour."""
        aspect = ASPECTS[kind][int(rng.integers(len(ASPECTS[kind])))]
        late = round(rng.uniform(0.3, 0.5) * SCRAPES)
        return cls(kind=kind, grade=grade, aspect=aspect, onset=late if kind is Kind.LATE else 0)

    @property
    def on_one_pod(self) -> bool:
        """Whether a single pod has it."""
        one = self.kind is Kind.CRASH_LOOP and self.grade is not Grade.HUGE
        return one or self.kind is Kind.BAD_POD

    @property
    def factor(self) -> float:
        """Its factor on durations, on the share of slow requests or on the CPU of a request."""
        pod = POD_LATENCY if self.on_one_pod else LATENCY
        sizes = {Aspect.LATENCY: pod, Aspect.TAIL: TAIL, Aspect.CPU: CPU}
        return sizes[self.aspect][self.grade.place]

    def extra_errors(self, base: float) -> float:
        """Give the share of requests that fail in addition, on a pod that has it."""
        factor, points = (POD_ERRORS if self.on_one_pod else ERRORS)[self.grade.place]
        return max((factor - 1) * base, points)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Harm:
    """What a fault does to a side, scrape by scrape.

    Attributes:
        latency: Shape (pods, scrapes): added to the logarithm of every duration.
        slow: Shape (pods, scrapes): factor on the share of slow requests.
        errors: Shape (pods, scrapes): share of requests that fail in addition.
        cpu: Shape (pods, scrapes): factor on the CPU of a request.
        leak: Memory lost an hour, a share.
        served: Shape (scrapes,): share of the requests that are served.
        crashes: By pod: the scrape of each crash, and the scrapes it takes to come back.
    """

    latency: Array
    slow: Array
    errors: Array
    cpu: Array
    leak: float
    served: Array
    crashes: tuple[tuple[tuple[int, int], ...], ...]

    @classmethod
    def none(cls, pods: int) -> Harm:
        """Give no harm."""
        zeros, ones = np.zeros((pods, SCRAPES)), np.ones((pods, SCRAPES))
        return cls(
            latency=zeros,
            slow=ones,
            errors=zeros,
            cpu=ones,
            leak=0.0,
            served=np.ones(SCRAPES),
            crashes=((),) * pods,
        )


def harm_of(fault: Fault | None, world: World, rng: Rng) -> Harm:
    """Give what a fault does to the canary, or what none does."""
    harm = Harm.none(world.traffic.pods[1])
    if fault is None:
        return harm
    if fault.aspect is Aspect.RESTARTS:
        return replace(harm, crashes=_crashes_of(fault, len(harm.crashes), rng))
    active = np.zeros_like(harm.latency)
    active[: 1 if fault.on_one_pod else None, fault.onset :] = 1.0
    if fault.kind is Kind.ERROR_BURSTS:
        active *= _bursts(rng) / DUTY
    return replace(harm, **_changed(fault, world, active))


def _changed(fault: Fault, world: World, active: Array) -> dict[str, Any]:
    """Give the fields of `Harm` that a fault changes, where it is active."""
    match fault.aspect:
        case Aspect.ERRORS:
            extra = fault.extra_errors(world.errors.base)
            return {"errors": np.minimum(extra * active, MOST_ERRORS)}
        case Aspect.LATENCY:
            return {"latency": math.log(fault.factor) * active}
        case Aspect.TAIL:
            return {"slow": fault.factor**active}
        case Aspect.CPU:
            return {"cpu": fault.factor**active}
        case Aspect.MEMORY:
            return {"leak": LEAK[fault.grade.place]}
        case _:
            return {"served": np.full(SCRAPES, 1 - SHED[fault.grade.place])}


def _bursts(rng: Rng) -> Array:
    """Mark with 1 the scrapes of two minutes in every ten, at a time of their own in each."""
    active = np.zeros(SCRAPES)
    period = round(BURST / DUTY)
    for start in range(0, SCRAPES, period):
        begin = start + int(rng.integers(period - BURST + 1))
        active[begin : begin + BURST] = 1.0
    return active


def _crashes_of(fault: Fault, pods: int, rng: Rng) -> tuple[tuple[tuple[int, int], ...], ...]:
    sick = 1 if fault.on_one_pod else pods
    return tuple(_crashes(fault.grade, rng) for _ in range(sick)) + ((),) * (pods - sick)


def _crashes(grade: Grade, rng: Rng) -> tuple[tuple[int, int], ...]:
    """Plan a pod's crashes: when, and how many scrapes until it is back."""
    if grade in (Grade.SMALL, Grade.MEDIUM):
        every = CRASH_EVERY[grade.place]
        first = int(rng.integers(every // 4, every))
        return tuple((at, 1) for at in range(first, SCRAPES - 1, every))
    plan: list[tuple[int, int]] = []
    at = int(rng.integers(2, CRASH_RUNS + 2))
    while at < SCRAPES - 1:
        pause = CRASH_PAUSES[min(len(plan), len(CRASH_PAUSES) - 1)]
        plan.append((at, pause))
        at += pause + CRASH_RUNS
    return tuple(plan)
