"""The `serinus` command as people and programs meet it: words in; exit code and output out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

# Under load a start takes seconds; only what hangs takes longer than this.
ENDS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A command that has ended.

    Attributes:
        code: Its exit code.
        out: What it wrote to standard output.
        err: What it wrote to standard error.
    """

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """Join the lines of its diagnostics, and make sure that they are no traceback."""
        assert "Traceback" not in self.err, self.err
        return " ".join(self.err.split())

    @property
    def report(self) -> dict[str, Any]:
        """Read its output as a report, as strictly as any JSON parser would."""
        return strict_json(self.out)

    def metric(self, name: str) -> dict[str, Any]:
        """Find one metric of the report."""
        found: dict[str, Any] = next(m for m in self.report["metrics"] if m["name"] == name)
        return found


def strict_json(text: str) -> dict[str, Any]:
    """Parse JSON without the constants that only Python takes: NaN, Infinity, -Infinity."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON")

    document: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return document


def command_line(*words: str | Path) -> list[str]:
    """Word a call of `serinus`, with the interpreter of the tests."""
    return [sys.executable, "-m", "analysis.cli", *map(str, words)]


def clean_environment(**variables: str) -> dict[str, str]:
    """Give this process' environment without anything that `serinus` would read."""
    ours = ("SERINUS_", "PROMETHEUS_", "COLUMNS", "FORCE_COLOR", "NO_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, **variables}


def run_serinus(
    *words: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> Done:
    """Run `serinus` in a process of its own."""
    done = subprocess.run(
        command_line(*words),
        cwd=cwd,
        env=environment or clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=ENDS_WITHIN_S,
    )
    return Done(code=done.returncode, out=done.stdout, err=done.stderr)
