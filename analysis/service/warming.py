"""Load the compiled loops before the first rollout asks, where the extra `fast` is installed."""

from __future__ import annotations

import importlib.util
import logging
import threading
import time

import numpy as np

import judges
from judges.core.compiled import WORTH_COMPILING

LOG = logging.getLogger("serinus.service")
_STEPS = 240
_SAMPLES = WORTH_COMPILING // _STEPS + 1


def warm_up() -> threading.Thread | None:
    """Judge something large, in a thread of its own: a second, or some where nothing is cached.

    A process that judges once does without: loading takes longer than a small judgment.
    """
    if importlib.util.find_spec("numba") is None:
        return None
    thread = threading.Thread(target=_judge_something, daemon=True, name="warming")
    thread.start()
    return thread


def _judge_something() -> None:
    began = time.monotonic()
    draw = np.random.default_rng(0)
    samples = [
        judges.Sample.of_values(draw.normal(10, 1, _STEPS), draw.normal(10, 1, _STEPS), step_s=15.0)
        for _ in range(_SAMPLES)
    ]
    judge = judges.create("mann_whitney", looks="anytime")
    judges.judge_many([judge] * len(samples), samples)
    LOG.info("the compiled loops are loaded", extra={"seconds": time.monotonic() - began})
