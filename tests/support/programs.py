"""Programs in Go that the contract tests run, each built once for all workers of a run."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import IN_CI

SOURCES = Path(__file__).parents[1] / "contract"
BUILDS_WITHIN_S = 900
Program = Callable[[dict[str, Any]], dict[str, Any]]


def built(name: str, home: Path) -> Program:
    """Build a program once, whichever worker comes first; skip aloud where Go cannot."""
    if shutil.which("go") is None:
        missing = f"there is no Go toolchain: {name} is not run"
        pytest.fail(missing) if IN_CI else pytest.skip(missing)
    program = home / name
    with (home / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _build(SOURCES / name, program)

    def call(order: dict[str, Any]) -> dict[str, Any]:
        done = subprocess.run(
            [program],
            input=json.dumps(order),
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return call


def _build(source: Path, program: Path) -> None:
    command = ["go", "build", "-mod=readonly", "-o", str(program), "."]
    done = subprocess.run(
        command,
        cwd=source,
        env={**os.environ, "GOFLAGS": "", "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        timeout=BUILDS_WITHIN_S,
        check=False,
    )
    if done.returncode == 0:
        return
    unreachable = "dial tcp" in done.stderr or "lookup " in done.stderr
    if unreachable and not IN_CI:
        pytest.skip(f"Go's modules cannot be fetched: {done.stderr.strip().splitlines()[-1]}")
    pytest.fail(done.stderr)
