"""The function for Spark's `mapInPandas`, on the frames that Spark would hand it."""

from __future__ import annotations

import json
import pickle
from datetime import timedelta
from pathlib import Path

from analysis.past.engines.serial import SerialEngine
from analysis.past.folder import RecordedDeployments
from analysis.past.looks import Schedule
from analysis.past.replaying import replay
from analysis.past.spark import SCHEMA, frame_of, replay_frames
from analysis.past.work import Work
from tests.support.past import some_recordings


def test_partitions_of_frames_become_the_rows_of_a_replay(tmp_path: Path) -> None:
    steps = {f"{n:02}": (None, 3, 12)[n % 3] for n in range(20)}
    past = RecordedDeployments(folder=some_recordings(tmp_path, steps))
    work = Work(deployments=past, schedule=Schedule(every=timedelta(minutes=5)))
    frame = frame_of(past.listed())
    # Spark pickles the work, and cuts partitions into frames where it likes.
    function = replay_frames(pickle.loads(pickle.dumps(work)))

    found = [row for part in function([frame[:7], frame[7:8], frame[8:]])
             for row in part.to_dict("records")]  # fmt: skip

    expected = replay(work, past.listed(), SerialEngine())
    assert [row["id"] for row in found] == [row.id for row in expected]
    assert [row["verdict"] for row in found] == [row.verdict for row in expected]
    assert [row["key"] for row in found] == [row.key for row in expected]
    assert [m["name"] for m in json.loads(found[0]["metrics"])] == ["memory"]


def test_the_schema_names_every_column(tmp_path: Path) -> None:
    past = RecordedDeployments(folder=some_recordings(tmp_path, {"a": None}))
    work = Work(deployments=past, schedule=Schedule())

    (frame,) = replay_frames(work)([frame_of(past.listed())])

    assert list(frame.columns) == [part.split()[0] for part in SCHEMA.split(", ")]
    assert not frame[["id", "verdict", "score", "decided_at", "metrics"]].isna().any(axis=None)
