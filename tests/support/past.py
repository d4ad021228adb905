"""Past deployments in miniature: a gauge on each side, a limit that bad canaries are beyond."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from analysis.config import SIDES, CanaryConfig, parse_config
from analysis.past.deployment import Deployment, Truth
from analysis.past.folder import folder_name
from analysis.planning import plan, unique_requests
from analysis.sources import recording as recordings
from analysis.sources.port import Answer, Series
from analysis.sources.recording import Recording
from analysis.window import Window
from tests.support.builders import START

STEP_S, STEPS = 60.0, 30
BEGAN = datetime.fromtimestamp(START, tz=UTC)
ENDED = BEGAN + timedelta(seconds=STEP_S * STEPS)
LIMITED = """
version: 1
name: limited
source: {prometheus: {step: 1m, lag: 30s}}
variables: {baseline: {v: old}, canary: {v: new}}
window: {planned: 30m, warmup: 2m}
metrics:
  - name: memory
    critical: true
    query: memory{v="${v}"}
    judge: {kind: threshold, max: 10, statistic: max}
"""


def a_deployment(name: str = "one", **changes: Any) -> Deployment:
    """Describe a deployment of half an hour."""
    return Deployment(**{"id": name, "start": BEGAN, "end": ENDED, **changes})


def limited() -> CanaryConfig:
    """Read the configuration of these deployments."""
    return parse_config(LIMITED)


def a_recording(*, bad_from: int | None = None) -> Recording:
    """Record a gauge of 5 on either side; the canary's is 20 from a step on."""
    window = Window(start=START, end=START + STEP_S * STEPS, warmup_s=120.0, step_s=STEP_S)
    asks = plan(limited(), window, {side: {} for side in SIDES})
    times = START + STEP_S * np.arange(1, STEPS + 1, dtype=np.float64)
    answers = {}
    for request in unique_requests(asks):
        values = np.full(STEPS, 5.0)
        if bad_from is not None and "new" in request.query:
            values[bad_from:] = 20.0
        series = Series(labels={"v": request.query}, times=times, values=values)
        answers[request] = Answer(series=(series,))
    return Recording(
        window=window, variables={side: {} for side in SIDES}, source="a test", answers=answers
    )


def some_recordings(folder: Path, bad_from: Mapping[str, int | None]) -> Path:
    """Save a recording for each name, bad from a step on, and write down the truth."""
    folder.mkdir(exist_ok=True)
    rows = ["id,truth"]
    for name, step in bad_from.items():
        made = a_recording(bad_from=step)
        recordings.save(made, folder / folder_name(name), config_text=LIMITED)
        rows.append(f'"{name}",{Truth.GOOD if step is None else Truth.BAD}')
    (folder / "deployments.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder
