"""Replay on Spark: a function for `DataFrame.mapInPandas`. It imports pandas, and no Spark.

`frame_of` gives what Spark distributes, `replay_frames` what its workers do with it; the page
docs/how-to/replay-deployments.md shows both in place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
import pandas as pd

from analysis.past.deployment import Deployment
from analysis.past.engines.chunks import LARGEST, chunked
from analysis.past.rows import Row
from analysis.past.work import Work

# In Spark's words; lists and structures are JSON text, times RFC 3339.
SCHEMA = (
    "id string, verdict string, score double, decided_at string, seconds_to_decision double, "
    "looks long, decided_by string, reason string, error string, error_code string, "
    "service string, truth string, fault_start string, start string, end string, "
    "metrics string, schedule string, config_digest string, version string, key string"
)
_COLUMNS = [part.split()[0] for part in SCHEMA.split(", ")]
_AS_JSON = ("decided_by", "metrics")


def frame_of(deployments: Sequence[Deployment]) -> pd.DataFrame:
    """Give deployments as a frame of two columns of text, a row each: `id` and `deployment`."""
    texts = [msgspec.json.encode(one).decode() for one in deployments]
    return pd.DataFrame({"id": [one.id for one in deployments], "deployment": texts})


def replay_frames(work: Work) -> Callable[[Iterable[pd.DataFrame]], Iterator[pd.DataFrame]]:
    """Give the function that judges the deployments of frames, a row each, in `SCHEMA`."""

    def judged(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            deployments = [
                msgspec.json.decode(text, type=Deployment) for text in frame["deployment"]
            ]
            for chunk in chunked(deployments, LARGEST):
                yield _frame(work(chunk))

    return judged


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    plain = [msgspec.to_builtins(row) for row in rows]
    for row in plain:
        row.update({name: json.dumps(row[name]) for name in _AS_JSON})
    return pd.DataFrame(plain, columns=_COLUMNS)
