"""A person who asks for help waits for nothing else."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {"numpy", "pandas", "prometheus_api_client", "pydantic", "requests", "scipy"}
HELP = """
import json, sys, time
sys.argv = ["serinus", "--help"]
from analysis.cli import main
try:
    main()
except SystemExit:
    pass
print(json.dumps({"modules": sorted(sys.modules), "cpu_s": time.process_time()}), file=sys.stderr)
"""
RUNS = 3
LIMIT_S = 0.3  # beyond a third of a second people notice


def help_was_asked() -> tuple[set[str], float]:
    """Ask for help in a new process; give the modules it loaded and the CPU seconds it took."""
    done = subprocess.run(
        [sys.executable, "-c", HELP], capture_output=True, text=True, check=True, timeout=60
    )
    assert "Usage: serinus" in done.stdout
    seen = json.loads(done.stderr.splitlines()[-1])
    return set(seen["modules"]), seen["cpu_s"]


def test_help_loads_nothing_heavy() -> None:
    modules, _ = help_was_asked()

    assert modules & HEAVY == set()


def test_help_is_quick() -> None:
    # CPU time, and the best of a few: a busy machine is not a slow program.
    assert min(help_was_asked()[1] for _ in range(RUNS)) < LIMIT_S
