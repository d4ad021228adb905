"""Recorded deployments to be replayed: drawn, saved as `serinus record` does, and repeated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analysis.config import SIDES, load_config
from analysis.planning import plan, unique_requests
from analysis.sources import recording as recordings
from analysis.sources.port import Answer, Request, RequestKind, Series
from analysis.sources.recording import Recording
from analysis.window import Window

CONFIGURATION = Path(__file__).parent / "canary.yaml"
SEED = 1
START = 1_800_000_000.0  # a multiple of the step
STEP_S = 15.0
STEPS = 240
# Of so many different deployments the corpus consists; further ones are links to them.
DRAWN = 100
BAD = 10  # every tenth fails more requests, from the middle on
EDGES = (*(0.005 * 2.0**n for n in range(9)), np.inf)


def write(folder: Path, count: int) -> None:
    """Write recordings into a folder, and which of them are bad."""
    for index in range(count):
        made, origin = folder / f"{index:06}", folder / f"{index % DRAWN:06}"
        if index < DRAWN:
            text = CONFIGURATION.read_text(encoding="utf-8")
            recordings.save(draw(index), made, config_text=text)
        else:
            made.mkdir()
            for file in origin.iterdir():
                os.link(file, made / file.name)
    rows = (f"{n:06},{'bad' if n % DRAWN % BAD == 0 else 'good'}" for n in range(count))
    (folder / "deployments.csv").write_text("\n".join(["id,truth", *rows, ""]), encoding="utf-8")


def draw(index: int) -> Recording:
    """Draw the answers to all that the configuration asks of a deployment."""
    rng = np.random.default_rng([SEED, index])
    window = Window(start=START, end=START + STEPS * STEP_S, warmup_s=0.0, step_s=STEP_S)
    asks = plan(load_config(CONFIGURATION), window, {side: {} for side in SIDES})
    return Recording(
        window=window,
        variables={side: {} for side in SIDES},
        source="a draw",
        answers={
            one: Answer(series=tuple(_series(one, rng, is_bad=index % BAD == 0)))
            for one in unique_requests(asks)
        },
    )


def _series(request: Request, rng: np.random.Generator, *, is_bad: bool) -> Iterator[Series]:
    name, side = request.query.split("{")[0], request.query.split('"')[1]
    labels = {"__name__": name, "side": side, "instance": f"{side}:8080"}
    times = START + STEP_S * np.arange(1, STEPS + 1, dtype=np.float64)
    if request.kind is RequestKind.RANGE:
        yield Series(labels=labels, times=times, values=np.exp(0.15 * rng.standard_normal(STEPS)))
    elif request.kind is RequestKind.BUCKETS:
        drawn = rng.multinomial(600, rng.dirichlet(np.full(len(EDGES), 50.0)), STEPS)
        below = np.cumsum(np.cumsum(drawn, axis=1), axis=0).astype(np.float64)
        for edge, counts in zip(EDGES, below.T, strict=True):
            le = "+Inf" if np.isinf(edge) else f"{edge:g}"
            yield Series(labels={**labels, "le": le}, times=times, values=counts)
    else:
        mean = np.full(STEPS, 3.0 if name.startswith("errors") else 600.0)
        if is_bad and side == "canary" and name.startswith("errors"):
            mean[STEPS // 2 :] *= 4
        increases = np.cumsum(rng.poisson(mean)).astype(np.float64)
        yield Series(labels=labels, times=times, values=increases)
